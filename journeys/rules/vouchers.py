"""Rules about vouchers: that the step a message takes its voucher from issues one before it."""

from collections.abc import Iterator

from journeys.findings import Note, error
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.steps.send import SendStep
from journeys.walk import Visit, visits


def issued_by_an_earlier_step(journey: Journey) -> Iterator[Note]:
    """`voucher: {of: …}` names a step that may have run before and issues a voucher."""
    known = {visit.step_id for visit in visits(journey)}
    for visit in visits(journey):
        if isinstance(visit.step, SendStep) and visit.step.send.voucher and (of := visit.step.send.voucher.of):
            yield from _of(visit, of, known)


def _of(visit: Visit, step_id: str, known: set[str]) -> Iterator[Note]:
    path = (*visit.path, "send", "voucher", "of")
    earlier = visit.earlier.get(step_id)
    if step_id not in known:
        meant = nearest(step_id, sorted(known))
        remedy = f"Did you mean '{meant}'?" if meant else "Give the step you mean this `id`."
        yield error("voucher-of-no-step", path, f"There is no step '{step_id}'.", remedy)
    elif earlier is None:
        what = f"The step '{step_id}' has never run when its voucher is asked for."
        yield error("voucher-of-no-step", path, what, "Name an earlier step on this way.")
    elif not (isinstance(earlier, SendStep) and earlier.send.voucher and earlier.send.voucher.pool):
        what = f"The step '{step_id}' issues no voucher."
        yield error("voucher-of-no-step", path, what, "Name a `send` with `voucher: {pool: …}`.")
