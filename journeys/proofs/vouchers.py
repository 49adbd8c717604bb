"""That a message about a voucher has one: its step issues it, or an earlier step has on every way."""

from collections.abc import Iterator

from journeys.findings import KnownTemplates, Note, error, warning
from journeys.proofs.explore import Question, Standing, arrivals
from journeys.proofs.knowledge import Fact, voucher_of
from journeys.proofs.network import UNDONE, Hop
from journeys.proofs.subject import Sending, Subject
from journeys.steps.registry import Node
from journeys.steps.send import SendNode

VARIABLES = "voucher."
"""What the names of a voucher's variables begin with."""


def vouchers_present(subject: Subject, known: KnownTemplates) -> Iterator[Note]:
    """Templates that print a voucher are sent with one, which has been issued on every way."""
    for sending in subject.sendings:
        template = known.get(sending.node.template)
        for name in sorted(template.required if template else ()):
            if name.startswith(VARIABLES):
                yield from _printed(subject, sending, name)
        yield from _issued_before(subject, sending)


def _printed(subject: Subject, sending: Sending, name: str) -> Iterator[Note]:
    path, template = (*subject.paths[sending.step_id], "send"), sending.node.template
    issuing = _issuing(subject, sending)
    if sending.node.voucher is None:
        what = f"'{template}' prints {name}, and the message is about no voucher."
        remedy = "Issue one with it, `voucher: {pool: …}`, or name the step that did, `voucher: {of: …}`."
        yield error("voucher-missing", path, what, remedy)
    elif issuing is not None and name == f"{VARIABLES}expires_at" and issuing.voucher and issuing.voucher.valid is None:
        what = f"'{template}' prints {name}, and the voucher never expires."
        yield error("voucher-never-expires", path, what, "Say how long it is `valid`, or ask for it in the template.")


def _issuing(subject: Subject, sending: Sending) -> SendNode | None:
    voucher = sending.node.voucher
    if voucher is None or voucher.of is None:
        return sending.node
    node = subject.plan.nodes.get(voucher.of)
    return node if isinstance(node, SendNode) else None


def _issued_before(subject: Subject, sending: Sending) -> Iterator[Note]:
    step = sending.node.voucher.of if sending.node.voucher else None
    issuing = _issuing(subject, sending)
    if step is None or issuing is None or not issuing.issues:
        return
    question = Question(voucher_of(step), Standing.UNKNOWN, lapses=False, changes=_Issues(step))
    trails = arrivals(subject.network, {sending.step_id}, question)
    if (trail := trails.get((sending.step_id, Standing.UNKNOWN))) is not None:
        way = subject.tell(trail, arriving=sending.step_id)
        yield warning(
            "voucher-may-be-missing",
            (*subject.paths[sending.step_id], "send", "voucher", "of"),
            f"A contact may come here to whom the step '{step}' has issued no voucher: {way}.",
            f"Ask before: `{{result: {{step: {step}, is: sent}}}}`; or send it only behind that step.",
        )


class _Issues:
    """The one step that issues the voucher."""

    def __init__(self, step: str) -> None:
        self._step = step

    def __call__(self, hop: Hop, _node: Node, _fact: Fact) -> bool | None:
        return True if hop.station.node == self._step and hop.way.when not in UNDONE else None
