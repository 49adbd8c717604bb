"""The pages about journeys are tested: every YAML example is read and checked, every Python example runs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from cli.testing.journey import OpenJourney
from journeys.checks import check
from journeys.conditions.registry import CONDITION_KINDS
from journeys.documents import from_document, journey_from_document
from journeys.entries import DateEntry, TimedEntry
from journeys.findings import Severity
from journeys.loader import load_document, load_model
from journeys.model import Entry, Journey
from journeys.moments import Moment
from journeys.plan import compile_plan
from journeys.scoring import PointsModel
from journeys.simulate import Script
from journeys.steps.base import BaseStep
from journeys.steps.registry import STEP_CLASSES
from journeys.steps.wait import WaitNode, WaitUntilNode
from journeys.steps.wait_for import WaitForNode
from journeys.steps.wait_for_first import WaitForFirstNode
from journeys.walk import visits

PAGES = Path(__file__).resolve().parent.parent / "docs" / "journeys"
JOURNEY_KEYS = {"key", "name", "owner", "goal", "entry", "exit", "exit_when", "window", "stages", "steps"}
AROUND: dict[str, Any] = {
    "key": "example",
    "name": "An example",
    "owner": "docs",
    "entry": {"event": "contact.registered"},
    "steps": [{"wait": "1d"}],
}


def blocks(language: str) -> Iterator[Any]:
    """The fenced blocks of a language on all pages, each with page and line."""
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found.group(1), id=f"{page.name}:{line}")


def completed(example: Any) -> dict[str, Any]:
    """The journey an example is a part of: steps, a condition, or some of a journey's own keys."""
    if isinstance(example, list):
        return {**AROUND, "steps": example}
    if set(example) & (JOURNEY_KEYS - {"entry"}) or isinstance(example.get("entry"), dict):
        return {**AROUND, **example}
    return {**AROUND, "entry": {"event": "contact.registered", "audience": example}}


@pytest.mark.parametrize("text", list(blocks("yaml")))
def test_an_example_is_a_sound_part_of_a_journey(text: str) -> None:
    example, _ = load_document(text)
    if isinstance(example, dict) and "rules" in example:
        assert from_document(PointsModel, example, name="points model").rules
        return
    findings = check(journey_from_document(completed(example)), None)
    assert [str(finding) for finding in findings if finding.severity is Severity.ERROR] == []


@pytest.mark.parametrize("text", list(blocks("python")))
async def test_a_python_example_runs(text: str, journey: OpenJourney) -> None:
    example: dict[str, Any] = {}
    exec(compile(text, "example", "exec"), example)
    for test in [value for name, value in example.items() if name.startswith("test_")]:
        await test(journey)


@pytest.mark.parametrize("text", list(blocks("yaml events")))
def test_an_example_of_events_is_a_script(text: str) -> None:
    assert load_model(Script, text, name="list of events").events


@pytest.mark.parametrize("kind", CONDITION_KINDS)
def test_every_condition_kind_has_an_example(kind: str) -> None:
    assert re.search(rf"^## .*`{kind}`", (PAGES / "conditions.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("step", STEP_CLASSES, ids=lambda step: step.kind)
def test_the_results_of_a_step_are_on_its_page_and_in_the_table(step: type[BaseStep]) -> None:
    page = (PAGES / f"{step.kind.replace('_', '-')}.md").read_text(encoding="utf-8")
    table = (PAGES / "README.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| \[`{step.kind}`\].*$", table, re.MULTILINE)
    assert tuple(re.findall(r"`([a-z_]+)`", row.split("|")[3])) == step.results
    assert all(f"`{result}`" in page for result in step.results)


def examples_of(page: str) -> list[Journey]:
    """The journeys that the examples of a page are parts of; of checks, what is wrong on purpose is not among them."""
    found = [load_document(str(block.values[0]))[0] for block in blocks("yaml") if str(block.id).startswith(f"{page}:")]
    return [journey_from_document(completed(one)) for one in found if not (isinstance(one, dict) and "rules" in one)]


@pytest.mark.parametrize("step", STEP_CLASSES, ids=lambda step: step.kind)
def test_the_page_of_a_step_has_an_example_of_it(step: type[BaseStep]) -> None:
    page = f"{step.kind.replace('_', '-')}.md"
    assert any(visit.step.kind == step.kind for one in examples_of(page) for visit in visits(one))


def test_every_way_in_has_an_example_on_its_page() -> None:
    shown = {name for one in examples_of("entry.md") for name in one.entry.model_fields_set}
    assert shown >= set(Entry.model_fields)
    timed = [one.entry.timed for one in examples_of("entry.md") if one.entry.timed is not None]
    assert {type(one) for one in timed} == set(TimedEntry.__subclasses__())
    assert any(isinstance(one, DateEntry) and one.feast is not None for one in timed)


def test_every_kind_of_moment_and_of_wait_has_an_example_on_its_page() -> None:
    plans = [compile_plan(one, 1) for page in ("wait.md", "wait-for.md") for one in examples_of(page)]
    nodes = [node for plan in plans for node in plan.nodes.values()]
    moments = {type(node.moment) for node in nodes if isinstance(node, WaitUntilNode)}
    assert moments == set(get_args(Moment))
    assert {type(node) for node in nodes} >= {WaitNode, WaitUntilNode, WaitForNode, WaitForFirstNode}


def test_every_key_of_a_journey_has_an_example() -> None:
    shown = {name for page in PAGES.glob("*.md") for one in examples_of(page.name) for name in one.model_fields_set}
    assert shown >= set(Journey.model_fields) - {"description"}  # a text for people, without any effect
