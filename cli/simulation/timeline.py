"""What happened in a simulation, as lines for people: when, in the contact's own time, what, and why.

In English or German; the reasons are the product's own sentences, which are English.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from cli.simulation.world import Happening, Moment, World
from journeys.describe import describe_node
from journeys.model import Journey
from journeys.plan import named
from journeys.reading.reading import WORDINGS
from journeys.reading.wording import Language
from journeys.steps.registry import Step

_DAYS: Mapping[Language, Sequence[str]] = {
    Language.ENGLISH: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    Language.GERMAN: ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local_time(instant: datetime, zone: tzinfo, language: Language = Language.ENGLISH) -> str:
    """`Mon 8 Jun 2026 08:00`, `Mo 8.6.2026 08:00`: the minute that runs, in the zone."""
    local = instant.astimezone(zone)
    day = _DAYS[language][local.weekday()]
    if language is Language.GERMAN:
        return f"{day} {local.day}.{local.month}.{local.year} {local:%H:%M}"
    return f"{day} {local.day} {_MONTHS[local.month - 1]} {local.year} {local:%H:%M}"


def lines(world: World, language: Language = Language.ENGLISH) -> list[str]:
    """The log of a world, in the order of time; an instant is written once for all that happened in that minute."""
    told: list[str] = []
    before = ""
    for moment in sorted(world.log, key=lambda moment: moment.at):
        when = local_time(moment.at, world.zone, language)
        told.append(f"{when if when != before else '':<22}  {_sentence(moment, world, language)}")
        before = when
    return told


@dataclass(frozen=True)
class _Telling:
    """The words of a language for each line; `{subject}`, `{result}` and `{because}` are those of the moment."""

    sentences: Mapping[Happening, str]
    outcomes: Mapping[str, str]
    step: Callable[[World, str], str]
    entered_by: str


def _described(world: World, step: str) -> str:
    return describe_node(world.plan.nodes[step])


def _read(world: World, step: str) -> str:
    return WORDINGS[Language.GERMAN].step(_steps(world.journey)[step])


def _steps(journey: Journey) -> dict[str, Step]:
    def inside(steps: Sequence[Step]) -> Iterator[tuple[str, Step]]:
        for step in steps:
            yield step.id or "", step
            for nested in step.nested().values():
                yield from inside(nested)

    return dict(pair for steps in named(journey) for pair in inside(steps))


_TELLINGS: Mapping[Language, _Telling] = {
    Language.ENGLISH: _Telling(
        sentences={
            Happening.EVENT: "event {subject}",
            Happening.UNUSABLE: "event {subject} cannot be used: {because}",
            Happening.ENTERED: "enters the journey {subject}{by}",
            Happening.TURNED_AWAY: "does not enter ({subject}): {because}",
            Happening.STEP: "{subject}: {step} → {result}{reason}",
            Happening.MAIL: "MAIL '{subject}': {result}",
            Happening.DEFERRED: "mail '{subject}' waits: {because}",
            Happening.TASK: "TASK for {result}: {subject}",
            Happening.ATTENTION: "{subject} NEEDS ATTENTION: {because}",
            Happening.ENDED: "leaves: {outcome}, {because}",
        },
        outcomes={},
        step=_described,
        entered_by=" by {because}",
    ),
    Language.GERMAN: _Telling(
        sentences={
            Happening.EVENT: "Ereignis {subject}",
            Happening.UNUSABLE: "Ereignis {subject} ist nicht verwendbar: {because}",
            Happening.ENTERED: "beginnt die Journey {subject}{by}",
            Happening.TURNED_AWAY: "beginnt nicht ({subject}): {because}",
            Happening.STEP: "{subject}: {step} → {result}{reason}",
            Happening.MAIL: "MAIL „{subject}“: {result}",
            Happening.DEFERRED: "Mail „{subject}“ wartet: {because}",
            Happening.TASK: "AUFGABE für {result}: {subject}",
            Happening.ATTENTION: "{subject} BRAUCHT HILFE: {because}",
            Happening.ENDED: "verlässt die Journey: {outcome}, {because}",
        },
        outcomes={"completed": "abgeschlossen", "goal_met": "Ziel erreicht", "exited": "ausgestiegen"},
        step=_read,
        entered_by=" durch {because}",
    ),
}


def _sentence(moment: Moment, world: World, language: Language) -> str:
    telling = _TELLINGS[language]
    return telling.sentences[moment.what].format(
        subject=moment.subject,
        result=moment.result,
        because=moment.because,
        by=telling.entered_by.format(because=moment.because) if moment.because else "",
        reason=f" ({moment.because})" if moment.because and moment.because != moment.result else "",
        step=telling.step(world, moment.subject) if moment.what is Happening.STEP else "",
        outcome=telling.outcomes.get(moment.subject, moment.subject.replace("_", " ")),
    )


def standing(world: World) -> Iterator[str]:
    """Where each running enrollment stands now."""
    for ride in world.rides.values():
        if ride.running and ride.progress is not None:
            due = f" until {local_time(ride.due, world.zone)}" if ride.due else ""
            yield f"{ride.state.replace('_', ' ')} at {ride.progress.step!r}{due}"


def indented(told: Sequence[str], by: str = "  ") -> str:
    """Lines as a block."""
    return "\n".join(f"{by}{line}" for line in told)
