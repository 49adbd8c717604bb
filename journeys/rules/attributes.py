"""Rules about the attributes that a journey writes: that a contact can have what is written down."""

from collections.abc import Iterator

from journeys.findings import Note, error
from journeys.model import Journey
from journeys.steps.set_attributes import SetStep
from journeys.traits import sort_traits
from journeys.values import entry_reference, is_step_reference
from journeys.walk import visits


def impossible_attributes(journey: Journey) -> Iterator[Note]:
    """A value that is not usable would stop everybody at its `set`. What a reference stands for is not known here."""
    for visit in visits(journey):
        if not isinstance(visit.step, SetStep):
            continue
        for name, value in visit.step.set.items():
            if entry_reference(value) is not None or is_step_reference(value):
                continue
            for problem in sort_traits({name: value}).rejected:
                what = (
                    f"No contact can have this: `{name}` {problem.what} So the journey would stop here for everybody."
                )
                yield error("impossible-attribute", (*visit.path, "set", name), what, problem.remedy)
