"""The documentation is tested: what exists is documented, and what is generated is current."""

from pathlib import Path

import pytest

from cli.lazy import COMMANDS
from journeys.outcomes import RefusalReason
from journeys.steps.registry import STEP_KINDS
from kit.reference import settings_page

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_page_of_settings_is_current() -> None:
    """Mend with: python -m kit.reference > docs/reference/settings.md."""
    assert (DOCS / "reference" / "settings.md").read_text() == settings_page()


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_every_step_kind_has_a_page(kind: str) -> None:
    pages = {page.stem.replace("-", "_") for page in (DOCS / "journeys").glob("*.md")}
    assert kind in pages


@pytest.mark.parametrize("reason", RefusalReason)
def test_every_refusal_reason_is_explained(reason: RefusalReason) -> None:
    assert f"`{reason}`" in (DOCS / "messaging.md").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_somewhere(command: str) -> None:
    pages = [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]
    assert any(f"dauerlauf {command}" in page.read_text() for page in pages)


def test_decisions_are_numbered_without_gaps_or_repetition() -> None:
    numbers = sorted(int(page.name[:4]) for page in (DOCS / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
