"""Rules about messages: that templates and voucher pools exist. What is so on every way is in `journeys.proofs`."""

from collections.abc import Collection, Iterator

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


def voucher_pools(journey: Journey, known: Collection[str]) -> Iterator[Note]:
    """Every pool that a voucher is issued from exists."""
    for visit in visits(journey):
        voucher = visit.step.send.voucher if isinstance(visit.step, SendStep) else None
        if voucher is not None and voucher.pool is not None and voucher.pool not in known:
            meant = nearest(voucher.pool, sorted(known))
            remedy = f"Did you mean '{meant}'?" if meant else "Make it first, or name another one."
            path = (*visit.path, "send", "voucher", "pool")
            yield error("missing-voucher-pool", path, f"There is no voucher pool '{voucher.pool}'.", remedy)
