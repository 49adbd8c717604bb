"""Rules about messages: that their templates exist. What must be so on every way to one is in `journeys.proofs`."""

from collections.abc import Iterator

from journeys.findings import KnownTemplates, Note, error
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.steps.send import SendStep
from journeys.walk import visits


def templates(journey: Journey, known: KnownTemplates) -> Iterator[Note]:
    """Every template exists."""
    for visit in visits(journey):
        if isinstance(visit.step, SendStep) and visit.step.send.template not in known:
            key = visit.step.send.template
            meant = nearest(key, sorted(known))
            remedy = f"Did you mean '{meant}'?" if meant else "Publish it first, or name another one."
            path = (*visit.path, "send", "template")
            yield error("missing-template", path, f"There is no template '{key}'.", remedy)
