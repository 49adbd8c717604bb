"""The examples on the pages of the step kinds run: the real workflow walks each to its end, with time skipping."""

import re
from pathlib import Path
from typing import Any

import pytest

from cli.simulation.world import Happening
from cli.testing.journey import OpenJourney
from journeys.documents import journey_from_document
from journeys.loader import load_document
from journeys.plan import compile_plan
from journeys.steps.base import BaseStep
from journeys.steps.registry import STEP_CLASSES
from messaging.template_source import packaged_templates, read_templates
from tests.test_docs_journeys import blocks, completed

A_DATE = "2026-07-20T18:00:00+02:00"
"""What every property of the entry is that an example asks for: a date, and a text for whoever compares it."""
LETTER = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Hello from an example.</mj-text>"
    "</mj-column></mj-section></mj-body></mjml>"
)
HEAD = "class: marketing\ndescription: An example.\nsubject: {de: Hallo, en: Hello}\n"
SHIPPED = {source.key for source in read_templates(packaged_templates())}


def examples_of(page: str) -> list[dict[str, Any]]:
    """The journeys that the examples of a page are parts of, where steps are shown."""
    texts = [block.values[0] for block in blocks("yaml") if str(block.id).startswith(f"{page}:")]
    shown = [load_document(str(text))[0] for text in texts]
    return [completed(one) for one in shown if isinstance(one, list) or "steps" in one]


def letters(folder: Path, text: str) -> list[Path]:
    """A folder with the templates that are named and do not ship; none where all do."""
    missing = set(re.findall(r"'template': '([\w-]+)'", text)) - SHIPPED
    for key in missing:
        (folder / key).mkdir(parents=True)
        (folder / key / "template.yaml").write_text(HEAD, "utf-8")
        for locale in ("de", "en"):
            (folder / key / f"{locale}.mjml").write_text(LETTER, "utf-8")
    return [folder] if missing else []


def asked_of(subject: str, text: str) -> dict[str, Any]:
    """Values for everything an example takes from the entry or the contact."""
    values: dict[str, Any] = {}
    for path in re.findall(rf"\${subject}\.([\w.]*\w)", text):
        *parents, name = path.split(".")
        inner = values
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = A_DATE
    return values


@pytest.mark.parametrize("step", STEP_CLASSES, ids=lambda step: step.kind)
async def test_the_examples_on_the_page_of_a_step_run(
    step: type[BaseStep], journey: OpenJourney, tmp_path: Path
) -> None:
    """A step of the kind is taken in one of them, and none of them stops for people to look at it."""
    examples = examples_of(f"{step.kind.replace('_', '-')}.md")
    assert examples
    taken: set[str] = set()
    for number, document in enumerate(examples):
        text = str(document)
        lists = re.findall(r"'in_list': '([\w-]+)'", text)
        contact = {"consents": ["marketing", "sales"], "lists": lists, **asked_of("contact", text)}
        # What the page is about comes after the entry, whose audience may ask for anything.
        open_door = {**document, "entry": {"again": document.get("entry", {}).get("again", "never")}}
        async with journey(open_door, contact=contact, templates=letters(tmp_path / str(number), text)) as j:
            await j.enroll({**asked_of("entry", text), "order_id": "o-1"})
            await j.finish()
            plan = compile_plan(journey_from_document(open_door), 1)
            left = [one.subject for one in j._simulation.world.log if one.what is Happening.STEP]
            taken |= {plan.nodes[name].kind for name in left}
    assert any(kind.startswith(step.kind) for kind in taken), f"taken were {sorted(taken)}"
