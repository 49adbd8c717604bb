"""Rules about messages: that templates and voucher pools exist, and that what is said of them has an effect.

What must be so on every way to one is in `journeys.proofs`.
"""

from collections.abc import Collection, Iterator

from journeys.findings import KnownTemplates, Note, error, warning
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.steps.send import Message, SendStep
from journeys.values import Purpose
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


def said_in_vain(journey: Journey, known: KnownTemplates) -> Iterator[Note]:
    """What a step says of cap, window and repetition means something for the class of its message."""
    for visit in visits(journey):
        template = known.get(visit.step.send.template) if isinstance(visit.step, SendStep) else None
        if isinstance(visit.step, SendStep) and template is not None:
            for key in _without_effect(visit.step.send, template.message_class):
                what = f"`{key}` has no effect: '{visit.step.send.template}' is a {template.message_class} message."
                yield warning("said-in-vain", (*visit.path, "send", key), what, "Leave it out.")


def _without_effect(message: Message, message_class: str) -> Iterator[str]:
    if message.cap is not None and message_class != Purpose.MARKETING:
        yield "cap"
    if message_class not in tuple(Purpose):
        yield from (key for key in ("closed", "repeat") if getattr(message, key) is not None)


def voucher_pools(journey: Journey, known: Collection[str]) -> Iterator[Note]:
    """Every pool that a voucher is issued from exists."""
    for visit in visits(journey):
        voucher = visit.step.send.voucher if isinstance(visit.step, SendStep) else None
        if voucher is not None and voucher.pool is not None and voucher.pool not in known:
            meant = nearest(voucher.pool, sorted(known))
            remedy = f"Did you mean '{meant}'?" if meant else "Make it first, or name another one."
            path = (*visit.path, "send", "voucher", "pool")
            yield error("missing-voucher-pool", path, f"There is no voucher pool '{voucher.pool}'.", remedy)
