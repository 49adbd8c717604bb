"""Rules about getting in and out: entry, goal, exit, re-entry, and the window."""

from collections.abc import Iterator
from datetime import UTC, datetime

from journeys.broadcasts import passed
from journeys.duration import describe_duration
from journeys.findings import Note, error, warning
from journeys.model import Journey, PerProperty
from journeys.places import Path
from journeys.plan import compile_plan
from journeys.segment_entry import SegmentEntry
from journeys.steps.split import SplitStep
from journeys.steps.start import StartStep
from journeys.timing import first_closing, is_open
from journeys.values import EventName, Where
from journeys.walk import visits


def ended_by_the_entry_event(journey: Journey) -> Iterator[Note]:
    """A goal or exit that any further entry event meets is seldom meant."""
    for name, path, event, where in _criteria(journey):
        entry = journey.entry.criterion
        if entry is not None and event == entry.event and (not where or where == entry.where):
            what = f"The {name} is the entry event: the next `{event}` of any kind ends the enrollment."
            remedy = "Say with `where` which of them it takes, for example by a property of `$entry`."
            yield warning("ended-by-entry-event", path, what, remedy)


def _criteria(journey: Journey) -> Iterator[tuple[str, Path, EventName, Where]]:
    if journey.goal:
        yield "goal", ("goal",), journey.goal.event, journey.goal.where
    for number, criterion in enumerate(journey.exit):
        yield "exit", ("exit", number), criterion.event, criterion.where


def comparison_without_goal(journey: Journey) -> Iterator[Note]:
    """Groups are compared by the goal, as long as it counts."""
    for path, what in _comparisons(journey):
        if journey.goal is None:
            told = f"{what} is compared with the others by the journey's goal, and there is none."
            yield error("comparison-without-goal", path, told, "Say what the journey is for with `goal`, or remove it.")
        elif journey.goal.within is None:
            told = f"The goal has no end, so for {what[0].lower()}{what[1:]} it counts only while a contact is inside."
            remedy = "Write how long after entry it counts, such as `within: 30d`."
            yield warning("goal-without-end", ("goal",), told, remedy)


def goal_that_ends_with_the_steps(journey: Journey) -> Iterator[Note]:
    """Without `within` a goal counts while the enrollment runs: it may be over before anybody could meet it."""
    goal = journey.goal
    if goal is None or goal.within is not None or any(_comparisons(journey)):
        return
    plan = compile_plan(journey, version=1)
    usual = [(step, node) for step, node in plan.nodes.items() if step not in plan.nodes_after_goal]
    last = [step for step, node in usual if any(way.to is None for way in node.ways())]
    hasty = [step for step in last if plan.nodes[step].kind not in _WAITS]
    if hasty:
        what = f"The goal counts only while a contact is inside, and the journey may end right after '{hasty[0]}'."
        remedy = "Write how long after entry it counts, such as `within: 30d`, or end with a wait for it."
        yield warning("goal-ends-with-steps", ("goal",), what, remedy)


_WAITS = frozenset({"wait", "wait_until", "wait_for", "wait_for_first", "approve", "exit"})
"""Kinds of steps behind which nobody need wonder at the end: those that last, and the end that is asked for."""


def _comparisons(journey: Journey) -> Iterator[tuple[Path, str]]:
    if journey.holdout is not None:
        yield ("holdout",), "The holdout"
    for visit in visits(journey):
        if isinstance(visit.step, SplitStep) and visit.step.split.winner is not None:
            yield (*visit.path, "split", "winner"), f"The experiment '{visit.step.split.experiment}'"


def starts_itself(journey: Journey) -> Iterator[Note]:
    """Whoever is inside a journey cannot enter it, unless under another key."""
    for visit in visits(journey):
        if isinstance(visit.step, StartStep) and visit.step.start.journey == journey.key:
            if isinstance(journey.entry.again, PerProperty):
                continue
            what = "The journey starts itself, but the contact is inside it already."
            remedy = "Use `repeat` to go through steps again, or name another journey."
            yield error("starts-itself", (*visit.path, "start", "journey"), what, remedy)


def key_without_event(journey: Journey) -> Iterator[Note]:
    """`again: {per: x}` takes its key from the entry event, which must have it."""
    again = journey.entry.again
    timed = journey.entry.timed
    if isinstance(again, PerProperty) and timed is not None and again.per.partition(".")[0] not in timed.given:
        what = f"`per: {again.per}` takes a property that an entry by `{timed.key}` does not have: nobody could enter."
        yield error("key-never-there", ("entry", "again", "per"), what, f"It has: {', '.join(sorted(timed.given))}.")
    if isinstance(again, PerProperty) and journey.entry.trigger is None:
        what = f"`per: {again.per}` takes a property of the entry event, but contacts enter through the API only."
        remedy = "Name the entry `event`, or give the property with every enrollment over the API."
        yield warning("key-without-event", ("entry", "again", "per"), what, remedy)


def return_unnoticed(journey: Journey) -> Iterator[Note]:
    """Whoever is missed and comes back should not be written to as if still away."""
    absence = journey.entry.absence
    if absence is None or any(event in absence.of for _, _, event, _ in _criteria(journey)):
        return
    what = f"A contact that is missed and comes back ({', '.join(absence.of)}) goes on through the journey."
    yield warning("return-unnoticed", ("entry", "absence"), what, "Make the return its `goal`, or an `exit`.")


def yearly_only_once(journey: Journey) -> Iterator[Note]:
    """A date that returns every year lets nobody in from the second year on where `again` is never."""
    date = journey.entry.date
    if date is not None and date.returns and journey.entry.again == "never":
        what = f"The date '{date.named}' returns every year, but with `again: never` a contact enters only once."
        yield error("yearly-only-once", ("entry", "again"), what, "Write `again: {per: date}`, once per return of it.")


def backfill_not_said(journey: Journey) -> Iterator[Note]:
    """Whether those enter who fit already is asked of whoever publishes, for nobody guesses it."""
    entry = journey.entry
    for key, asked in (("absence", entry.absence), ("segment", entry.segment)):
        if asked is not None and asked.backfill is None and not (isinstance(asked, SegmentEntry) and asked.left):
            what = "It is not said whether contacts enter that fit already when this is published; they do not."
            yield warning("backfill-not-said", ("entry", key), what, "Write `backfill: none`, or `backfill: matching`.")


def broadcast_to_everybody(journey: Journey) -> Iterator[Note]:
    """A broadcast without an audience lets in whoever is known at all."""
    if journey.entry.broadcast is not None and journey.entry.audience is None:
        what = "Without an audience the broadcast lets in every contact there is."
        yield warning("broadcast-to-everybody", ("entry",), what, "Say for whom it is meant: `audience`.")


def moment_has_passed(journey: Journey, now: datetime) -> Iterator[Note]:
    """A broadcast whose time has come already when it is published, everywhere or in some time zones."""
    broadcast = journey.entry.broadcast
    if broadcast is None:
        return
    behind, path = passed(broadcast, now), ("entry", "broadcast", "at")
    limit = broadcast.expires_after
    late = f"; not at all where it is more than {describe_duration(limit)} too late" if limit is not None else ""
    if behind.all:
        what = f"That moment has passed: contacts enter at once{late}."
        yield warning("moment-has-passed", path, what, "Name a later moment.")
    elif behind.zones:
        places = f"{len(behind.zones)} time zones, such as {behind.zones[-1]}"
        what = f"It is later than that already in {places}: contacts there enter at once{late}."
        yield warning("moment-has-passed", path, what, "Publish a day ahead, or name a later moment.")


def spread_beyond_the_window(journey: Journey) -> Iterator[Note]:
    """A spread that a window has no room for ends with the window."""
    window = journey.window
    if window is None or window.spread is None or window.spread <= window.lasts:
        return
    lasts, spread = describe_duration(window.lasts), describe_duration(window.spread)
    what = f"The window is open for {lasts}, its spread is {spread}: messages leave over the {lasts} only."
    remedy = f"Write a spread of at most {lasts}, or open the window for longer."
    yield warning("spread-beyond-window", ("window", "spread"), what, remedy)


def broadcast_beyond_the_window(journey: Journey) -> Iterator[Note]:
    """Contacts whom a broadcast lets in after the window has closed get their messages at another time than meant."""
    broadcast, window = journey.entry.broadcast, journey.window
    if broadcast is None or broadcast.spread is None or window is None or broadcast.at.tzinfo is not None:
        return
    begins = broadcast.at.replace(tzinfo=UTC)  # window and moment are on the same wall, whichever that is
    ends = begins + broadcast.spread
    closes = first_closing(window, begins, ends, UTC)
    if is_open(window, begins, UTC) and closes < ends and not is_open(window, closes, UTC):
        what = f"Contacts enter until {ends:%H:%M}, and the window closes at {closes:%H:%M}: later messages wait."
        remedy = f"Write a spread of at most {describe_duration(closes - begins)}, or begin earlier."
        yield warning("broadcast-beyond-window", ("entry", "broadcast", "spread"), what, remedy)


def window_that_never_opens(journey: Journey) -> Iterator[Note]:
    """A window without days would hold every message for ever."""
    if journey.window is not None and not journey.window.days:
        yield error("window-never-opens", ("window", "days"), "The window has no days.", "Write days, such as mon-fri.")
