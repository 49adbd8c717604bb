"""Rules about messages: that their templates exist, may be sent, and find their variables."""

from collections.abc import Iterator

from journeys.findings import KnownTemplate, KnownTemplates, Note, error, warning
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.places import Path
from journeys.steps.send import SendStep
from journeys.values import ConsentRequirement, Purpose
from journeys.walk import Visit, visits


def templates(journey: Journey, known: KnownTemplates) -> Iterator[Note]:
    """Every template exists, its variables can be filled, and no mail comes before consent."""
    for visit in visits(journey):
        if not isinstance(visit.step, SendStep):
            continue
        path = (*visit.path, "send", "template")
        template = known.get(visit.step.send.template)
        if template is None:
            yield _missing(path, visit.step.send.template, known)
        else:
            yield from _without_consent(visit, visit.step, template, path)
            yield from _without_entry(journey, visit.step.send.template, template, path)


def _missing(path: Path, key: str, known: KnownTemplates) -> Note:
    meant = nearest(key, sorted(known))
    remedy = f"Did you mean '{meant}'?" if meant else "Publish it first, or name another one."
    return error("missing-template", path, f"There is no template '{key}'.", remedy)


def _without_consent(visit: Visit, step: SendStep, template: KnownTemplate, path: Path) -> Iterator[Note]:
    if template.message_class not in set(Purpose):
        return
    needed = ConsentRequirement(purpose=Purpose(template.message_class), channel=step.send.channel)
    if needed in visit.consents:
        return
    wording = f"{{consent: {{purpose: {needed.purpose}, channel: {needed.channel}}}}}"
    yield warning(
        "mail-before-consent",
        path,
        f"'{step.send.template}' is a {needed.purpose} message, and contacts without that consent come here, too; "
        "it is refused for them.",
        f"Ask for it in the audience: `audience: {wording}`, or in an `if` before this step.",
    )


def _without_entry(journey: Journey, key: str, template: KnownTemplate, path: Path) -> Iterator[Note]:
    lacking = sorted(name for name in template.variables if name.partition(".")[0] == "entry")
    if not lacking or journey.entry.event is not None:
        return
    yield warning(
        "variable-without-entry-event",
        path,
        f"'{key}' uses {', '.join(lacking)}, but contacts enter through the API only.",
        "Name the entry `event`, or give these properties with every enrollment over the API.",
    )
