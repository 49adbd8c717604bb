"""One module knows the YAML library."""

from pathlib import Path

PRODUCT = ("journeys", "workflows", "activities", "crm", "messaging", "intake", "api", "cli", "kit")
ROOT = Path(__file__).resolve().parents[3]


def test_only_the_loader_imports_the_yaml_library() -> None:
    sources = [path for package in PRODUCT for path in (ROOT / package).rglob("*.py")]
    knowing = [path.relative_to(ROOT).as_posix() for path in sources if "ruamel" in path.read_text(encoding="utf-8")]
    assert knowing == ["journeys/loader.py"]
