"""The OpenAPI document as a file: `python -m api.reference > docs/reference/openapi.json`. A test keeps it current."""

import json
import sys

from api.app import create_app
from kit.settings import Settings


def openapi_text() -> str:
    """The document of this version, as it is kept in `docs/reference`."""
    return json.dumps(create_app(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(openapi_text())
