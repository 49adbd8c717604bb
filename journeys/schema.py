"""The JSON Schema of journey documents, for editors and other programs. `python -m journeys.schema` prints it.

The committed copy is `docs/reference/journey.schema.json`; a test says when it is out of date.
"""

import json
import sys
from pathlib import Path
from typing import Any

from journeys.model import Journey

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def journey_schema() -> dict[str, Any]:
    """The schema of a journey document (JSON Schema 2020-12), generated from the model that reads it."""
    schema = Journey.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, **schema, "title": "Dauerlauf journey"}


def schema_text() -> str:
    """The schema as it is published: indented JSON with a final line break, the same for the same model."""
    return json.dumps(journey_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def publish_schema(path: Path) -> None:
    """Write the schema to a file."""
    path.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    sys.stdout.write(schema_text())
