"""The OpenAPI document, and the pages that show it. Their assets come from this process: they work offline."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from api.operation import EXAMPLE_TEXT
from api.schemas.problem import ProblemDocument
from journeys.model import Journey

VERSION = "1"
TITLE = "Dauerlauf"
DESCRIPTION = """\
Customer journeys as durable workflows: send events, write journeys, start and steer them.

* **Keys.** Every operation takes an API key, as `Authorization: Bearer <key>` or as the user name of basic
  authentication (Segment's write key). `x-required-scope` names the scope it needs.
* **Problems.** Every answer of status 400 and above is an RFC 9457 problem document with a stable `type`.
* **Twice is once.** Events count once per `messageId`; every operation that creates something takes an
  `Idempotency-Key`.
* **Accepted means kept.** An answer below 300 is sent after the database has committed.
"""
TAGS = [
    {"name": "Events", "description": "What happened. Segment's tracking API, and our own words."},
    {"name": "Journeys", "description": "Write, check and publish journeys."},
    {"name": "Segments", "description": "Groups of contacts by a condition, kept as it comes true."},
    {"name": "Enrollments", "description": "Contacts inside journeys: start, look, explain, steer."},
    {"name": "Contacts", "description": "People: what is known of them, their consent, stage, score and history."},
    {"name": "Vouchers", "description": "Pools, and codes that are redeemed once."},
    {"name": "Tasks", "description": "What journeys have given people to do."},
    {"name": "Reports", "description": "What journeys brought about together."},
    {"name": "Health", "description": "For load balancers and supervisors."},
]
ASSETS = "/docs/assets"


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application. The same code gives the same document."""
    made = get_openapi(
        title=TITLE, version=VERSION, description=DESCRIPTION, tags=TAGS, routes=app.routes, summary=None
    )
    for content in _success_contents(made):
        if EXAMPLE_TEXT in content:
            content["example"] = json.loads(content.pop(EXAMPLE_TEXT))
    schemas: dict[str, Any] = made.setdefault("components", {}).setdefault("schemas", {})
    for model in (ProblemDocument, Journey):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return made


def _success_contents(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in made["paths"].values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                yield from answer.get("content", {}).values()


def install(app: FastAPI) -> None:
    """Serve the document at `/openapi.json` and Swagger UI at `/docs`."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]

    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=f"{TITLE} API",
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
            swagger_ui_parameters={"defaultModelsExpandDepth": 0, "tryItOutEnabled": True},
        )

    app.add_api_route("/docs", docs, include_in_schema=False, response_class=HTMLResponse)
    static = Path(str(files(fastapi_offline))) / "static"
    app.mount(ASSETS, StaticFiles(directory=static), name="docs-assets")
