"""The OpenAPI document: current, complete, with examples that its own schemas accept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.openapi import ASSETS
from api.problems import PROBLEM_TYPES
from api.reference import openapi_text
from crm.access import Scope
from kit.settings import Settings

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings())


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_committed_document_is_current() -> None:
    """Mend with: python -m api.reference > docs/reference/openapi.json."""
    assert (DOCS / "reference" / "openapi.json").read_text() == openapi_text()


def test_every_operation_says_what_it_is_for_and_shows_its_answer(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        if "/v1/" in name:
            assert operation["x-required-scope"] in set(Scope), name
            shown = [
                content.get("example") or content.get("examples")
                for status, answer in operation["responses"].items()
                if status.startswith("2")
                for content in answer["content"].values()
            ]
            assert any(shown), name


def test_every_operation_with_a_body_shows_one(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            assert content.get("example") or content.get("examples"), f"{name} {kind}"


def test_every_operation_of_v1_declares_its_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if "/v1/" not in name:
            continue
        assert {"401", "403", "422", "503"} <= set(operation["responses"]), name
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], f"{name} {status}"


def test_examples_are_what_the_schemas_say(document: dict[str, Any]) -> None:
    checked = 0
    for name, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (content for body in bodies for content in body.get("content", {}).values()):
            examples = [example["value"] for example in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            schema = {**content["schema"], "components": document["components"]}
            for example in examples:
                jsonschema.Draft202012Validator(schema).validate(example)
                checked += 1
        assert name
    assert checked > 100


def test_every_problem_is_documented() -> None:
    page = (DOCS / "api.md").read_text()
    assert [name for name in PROBLEM_TYPES if f"`{name}`" not in page] == []


def test_every_operation_is_documented(document: dict[str, Any]) -> None:
    page = (DOCS / "api.md").read_text()
    assert [path for path in document["paths"] if f"`{path}`" not in page and f" {path}`" not in page] == []


async def test_the_reference_pages_load_nothing_from_elsewhere(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        assert "https://" not in page.text
        for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
            assert f"{ASSETS}/{asset}" in page.text
            assert (await client.get(f"{ASSETS}/{asset}")).status_code == 200
        assert (await client.get("/openapi.json")).status_code == 200


@pytest.mark.parametrize("name", PROBLEM_TYPES)
async def test_the_type_of_a_problem_leads_to_its_explanation(app: FastAPI, name: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        page = await client.get(PROBLEM_TYPES[name].uri)
    assert page.status_code == 200
    assert PROBLEM_TYPES[name].title in page.text
