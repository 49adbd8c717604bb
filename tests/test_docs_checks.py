"""The page of findings is tested: every rule is on it; every example has the finding shown, and mended no more."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from journeys.checks import RULES, Others, check
from journeys.documents import journey_from_document
from journeys.findings import Finding, KnownTemplate, Severity
from journeys.loader import load_document
from journeys.proofs.together import check_together

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "journeys" / "checks.md").read_text(encoding="utf-8")
KNOWN = {
    "voucher": KnownTemplate("marketing"),
    "gift": KnownTemplate("transactional", frozenset({"voucher.code", "voucher.expires_at"})),
    "receipt": KnownTemplate("transactional", frozenset({"entry.order_id"})),
}
POOLS = frozenset({"welcome"})
AROUND: dict[str, Any] = {
    "key": "example",
    "name": "An example",
    "owner": "docs",
    "entry": {"event": "order.placed"},
    "steps": [{"wait": "1d"}],
}
NOW = datetime(2026, 6, 1, tzinfo=UTC)
OTHERS = Others(
    frozenset({"example", "welcome"}),
    {"purchases": frozenset({"loyal"}), "lead": frozenset({"warm"})},
    segments=frozenset({"good-customers"}),
    pools=POOLS,
    all_known=True,
)
NOT_SHOWN = {"too-many-steps", "too-deep", "window-never-opens", "endless-way", "too-many-ways"}
"""Too long for the page, or nothing that a document can say."""


@dataclass(frozen=True)
class Section:
    """What the page says of a rule."""

    rule: str
    examples: list[str]
    said: str
    mended: list[str]


def _sections() -> list[Section]:
    found = []
    for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        rule = re.match(r"`([a-z-]+)`", part)
        assert rule
        said = " ".join(line.removeprefix("> ") for line in part.splitlines() if line.startswith("> "))
        found.append(Section(rule[1], _blocks(part, "finding"), said, _blocks(part, "mended")))
    return found


def _blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```yaml {kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def findings_of_example(texts: list[str]) -> list[Finding]:
    """The findings of journeys that examples are parts of: of each, and of all together."""
    documents = [load_document(text)[0] for text in texts]
    journeys = [
        journey_from_document({**AROUND, **({"steps": document} if isinstance(document, list) else document)})
        for document in documents
    ]
    return [
        *(finding for journey in journeys for finding in check(journey, KNOWN, now=NOW, beside=OTHERS)),
        *check_together(journeys, KNOWN),
    ]


SECTIONS = _sections()
SHOWN = [section for section in SECTIONS if section.examples]
MENDED = [section for section in SECTIONS if section.mended]


@pytest.mark.parametrize("section", SHOWN, ids=lambda section: section.rule)
def test_an_example_has_the_finding_that_is_shown(section: Section) -> None:
    assert section.said in [str(finding) for finding in findings_of_example(section.examples)]
    assert section.rule in [
        finding.rule for finding in findings_of_example(section.examples) if str(finding) == section.said
    ]


@pytest.mark.parametrize("section", MENDED, ids=lambda section: section.rule)
def test_a_mended_example_has_it_no_more_and_no_error(section: Section) -> None:
    found = findings_of_example(section.mended)
    assert section.rule not in [finding.rule for finding in found]
    assert [str(finding) for finding in found if finding.severity is Severity.ERROR] == []


def test_every_rule_is_in_the_table_and_has_a_section() -> None:
    """Give a new rule its row and its section: an example with the finding it has, word by word."""
    journeys = ROOT / "journeys"
    rules = {
        rule
        for source in [*(journeys / "rules").glob("*.py"), *(journeys / "proofs").glob("*.py")]
        for rule in re.findall(r'(?:error|warning)\(\s*"([a-z-]+)"', source.read_text(encoding="utf-8"))
    }
    listed = re.findall(r"^\| `([a-z-]+)` \| (?:error|warning)", PAGE, re.MULTILINE)
    assert set(listed) == rules
    assert [section.rule for section in SECTIONS] == listed
    assert {section.rule for section in SECTIONS if not section.examples} == NOT_SHOWN
    assert len(rules) > len(RULES)
