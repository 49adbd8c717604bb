"""References to what earlier steps have met: `$step.paid.amount` is a property of the event that the step `paid` met.

Plans and requests carry the reference; whoever judges or acts looks the event up and fills in its properties.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from journeys.conditions.comparison import lookup
from journeys.values import STEP_REFERENCE, entry_reference

StepsMet = Mapping[str, Mapping[str, Any]]
"""By step, the properties of the event it met."""


class StepProperty(NamedTuple):
    """A property of the event that a step met."""

    step: str
    name: str


def step_property(text: str) -> StepProperty:
    """`paid.amount`, taken apart: step ids have no dots. The name is empty where there is none."""
    step, _, name = text.partition(".")
    return StepProperty(step, name)


def step_reference(value: Any) -> StepProperty | None:
    """What `$step.paid.amount` stands for, or None for any other value."""
    match = STEP_REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return StepProperty(match[1], match[2]) if match else None


def steps_named(document: Any) -> frozenset[str]:
    """The steps whose events a JSON document refers to: by `$step.…`, or in a condition `{step: …}`."""
    return frozenset(_named(document))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        asked = value.get("step")
        if isinstance(asked, str) and "." in asked:
            yield step_property(asked).step
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner)
    elif (found := step_reference(value)) is not None:
        yield found.step


def filled(document: Any, steps: StepsMet) -> Any:
    """The JSON document with each reference replaced by the property; one that is missing or no plain value stays."""
    if isinstance(document, Mapping):
        return {name: filled(value, steps) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [filled(value, steps) for value in document]
    found = step_reference(document)
    if found is None:
        return document
    value = lookup(steps.get(found.step, {}), found.name)
    # A value from outside that is written like a reference must not be taken for one.
    plain = isinstance(value, str | int | float) and entry_reference(value) is None and step_reference(value) is None
    return value if plain else document
