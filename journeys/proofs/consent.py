"""That no way sends a marketing or sales message before the consent to it is known to stand.

The gate refuses such a message in any case, on the facts of the moment; here it is found before anybody is refused.
"""

from collections.abc import Iterator, Mapping

from journeys.findings import KnownTemplates, Note, error, warning
from journeys.places import Path
from journeys.proofs.explore import Question, Standing, arrivals
from journeys.proofs.knowledge import WITHDRAWN, established, established_by_event
from journeys.proofs.subject import Sending, Subject
from journeys.proofs.withdrawal import ending_steps
from journeys.values import ConsentRequirement, Purpose


def mail_before_consent(subject: Subject, known: KnownTemplates) -> Iterator[Note]:
    """Every way to a message that needs consent has established it, and nothing can take it away unnoticed."""
    classes = {key: template.message_class for key, template in known.items()}
    for sending in subject.sendings:
        template = known.get(sending.node.template)
        if template is None or template.message_class not in set(Purpose):
            continue
        needed = ConsentRequirement(purpose=Purpose(template.message_class), channel=sending.node.channel)
        found = arrivals(subject.network, {sending.step_id}, _question(subject, needed, classes))
        path = (*subject.paths[sending.step_id], "send", "template")
        if (sending.step_id, Standing.UNKNOWN) in found:
            trail = subject.tell(found[sending.step_id, Standing.UNKNOWN], arriving=sending.step_id)
            yield _before(path, sending, needed, trail)
        elif (sending.step_id, Standing.LAPSED) in found:
            trail = subject.tell(found[sending.step_id, Standing.LAPSED], arriving=sending.step_id)
            yield _withdrawn_meanwhile(path, sending, needed, trail)


def _question(subject: Subject, needed: ConsentRequirement, classes: Mapping[str, str]) -> Question:
    """Where the audience demands a consent, its withdrawal ends the enrollment; so it does where it is an exit.

    So it does, too, at steps that nobody reaches without it, and at those ahead of which nothing is left without it.
    """
    entry = subject.journey.entry
    if needed in established(entry.audience, holds=True):
        return Question(needed, Standing.LASTING)
    ends = any(exit_.event == WITHDRAWN and not exit_.where for exit_ in subject.journey.exit)
    granted = entry.criterion is not None and needed in established_by_event(
        entry.criterion.event, entry.criterion.where
    )
    begin = (Standing.LASTING if ends else Standing.JUDGED) if granted else Standing.UNKNOWN
    return Question(needed, begin, lapses=not ends, ending_at=ending_steps(subject, needed, classes))


def _before(path: Path, sending: Sending, needed: ConsentRequirement, trail: str) -> Note:
    wording = f"{{consent: {{purpose: {needed.purpose}, channel: {needed.channel}}}}}"
    return error(
        "mail-before-consent",
        path,
        f"'{sending.node.template}' is a {needed.purpose} message, and a contact whose consent is not known to stand "
        f"comes here: {trail}.",
        f"Ask for it in the audience: `audience: {wording}`, or in an `if` before this step.",
    )


def _withdrawn_meanwhile(path: Path, sending: Sending, needed: ConsentRequirement, trail: str) -> Note:
    return warning(
        "consent-may-lapse",
        path,
        f"The consent to {needed.purpose} that '{sending.node.template}' needs is asked for on this way, and may be "
        f"withdrawn before the message at a step that contacts without it reach, too, and stay in: {trail}.",
        "Add `{event: consent.withdrawn}` to `exit`, demand it in the audience, or ask again just before this step.",
    )
