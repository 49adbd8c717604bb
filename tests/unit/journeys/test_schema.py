"""The published JSON Schema is current and knows the language."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from journeys.schema import DIALECT, journey_schema, publish_schema, schema_text
from tests.support.journeys import SMALL

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "reference" / "journey.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(journey_schema())


def test_the_published_schema_is_current() -> None:
    """Mend with: python -m journeys.schema > docs/reference/journey.schema.json."""
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text()


def test_publishing_writes_the_schema(tmp_path: Path) -> None:
    publish_schema(tmp_path / "schema.json")
    assert (tmp_path / "schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_one_by_its_own_dialect() -> None:
    jsonschema.Draft202012Validator.check_schema(journey_schema())
    assert journey_schema()["$schema"] == DIALECT


@pytest.mark.parametrize(
    "change",
    [
        {"steps": []},
        {"steps": [{"wait": 3}]},
        {"steps": [{"wait": "1d", "send": {"template": "x"}}]},
        {"steps": [{"list": {"add": "Not A Key"}}]},
        {"unknown": 1},
        {"window": {"from": "8:00"}},
        {"entry": {"audience": {"nothing": 1}}},
        {"entry": {"event": "x", "where": {"amount": {}}}},
        {"entry": {"event": "x", "where": {"amount": {"at_least": "3"}}}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_model_refuses(change: dict[str, Any]) -> None:
    VALIDATOR.validate(dict(SMALL))
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**SMALL, **change})
