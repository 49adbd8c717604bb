"""What a publication would do to the contacts inside the version before it, told before anything changes. Pure.

Computed from two plans and where the contacts stand. Every contact has exactly one fate; the rules are those of
`journeys.migration`, by which the move is carried out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from journeys.describe import describe_node
from journeys.migration import (
    Due,
    Inside,
    Target,
    Timers,
    Treatment,
    changes_sides,
    due_in,
    mistakes_of,
    new_criteria,
    target_of,
)
from journeys.plan import Plan, Role
from kit.errors import Problem

EXAMPLES = 5
_SAME = timedelta(minutes=1)
"""Times that differ by less are the same: standings are counted by the minute."""


class Fate(StrEnum):
    """What becomes of one contact."""

    FINISHES = "finishes"
    MOVES = "moves"
    NO_TARGET = "no_target"
    STOPS = "stops"


class Shift(StrEnum):
    """What becomes of a running timer."""

    UNCHANGED = "unchanged"
    EARLIER = "earlier"
    LATER = "later"
    AT_ONCE = "at_once"
    LOOKED_UP = "looked_up"


@dataclass(frozen=True)
class Standing:
    """Contacts at one step of the older version: since when, until when they wait there (both aware), how many."""

    step: str
    since: datetime
    due_at: datetime | None = None
    count: int = 1


@dataclass(frozen=True)
class MovedTimer:
    """Timers that would end at another time: how many, from when to when. `until` None: at once or looked up."""

    count: int
    shift: Shift
    before: datetime
    until: datetime | None


@dataclass(frozen=True)
class StepOutlook:
    """The contacts at one step of the older version, what they do there, and where a migration takes them."""

    step: str
    doing: str
    count: int
    target: str | None
    then_doing: str
    """What they do after a migration; empty without a target."""
    stays: bool
    """Whether the time they have waited counts after a migration."""
    timers: Mapping[Shift, int]
    """Running timers by what a migration does to them."""
    moved: Sequence[MovedTimer]
    """Examples of timers that move, those that end first before others; at most `EXAMPLES`."""


@dataclass(frozen=True)
class Outlook:
    """What would become of the contacts inside version `old` if `new` took its place."""

    old: int
    new: int
    count: int
    steps: Sequence[StepOutlook]
    leaving_criteria: Sequence[str]
    """Events that end an enrollment of the newer version only; whom one happened to since entry leaves when moved."""
    problems: Sequence[Problem]
    """Why contacts cannot be migrated as asked."""

    def fates(self, inside: Inside) -> dict[Fate, int]:
        """How many contacts meet each fate under this treatment; they add up to `count`."""
        if inside is not Inside.MIGRATE:
            return {Fate.FINISHES if inside is Inside.FINISH else Fate.STOPS: self.count}
        moving = sum(step.count for step in self.steps if step.target)
        return {Fate.MOVES: moving, Fate.NO_TARGET: self.count - moving}


def look_ahead(old: Plan, new: Plan, standings: Iterable[Standing], treatment: Treatment, *, now: datetime) -> Outlook:
    """What would become of contacts that stand so in the older version. `now` is aware."""
    ordered = sorted(standings, key=attrgetter("step"))
    by_step = {step: list(group) for step, group in groupby(ordered, attrgetter("step"))}
    # As contacts come to them; a plan that was stored has its steps in no order.
    places = [*(step for step in reached(old) if step in by_step), *by_step]
    steps = [_step(old, new, by_step[step], treatment, now) for step in dict.fromkeys(places)]
    return Outlook(
        old=old.version,
        new=new.version,
        count=sum(step.count for step in steps),
        steps=steps,
        leaving_criteria=sorted(
            {new.criteria[name].event for name in new_criteria(old, new) if new.criteria[name].role in _LEAVING}
        ),
        problems=[
            *mistakes_of(treatment.mapping, old, new),
            *(_stuck(step, old, new, treatment.mapping) for step in steps if not step.target),
        ],
    )


def reached(plan: Plan) -> list[str]:
    """The steps of a plan in the order a contact reaches them, those of the usual way first, those of the goal last."""
    found: dict[str, None] = {}
    ahead: list[str | None] = [plan.after_goal, plan.start]
    while ahead:
        step = ahead.pop()
        if step is not None and step not in found:
            found[step] = None
            ahead += [way.to for way in reversed(plan.nodes[step].ways())]
    return list(found)


_LEAVING = frozenset({Role.GOAL, Role.EXIT})


def _step(old: Plan, new: Plan, standings: Sequence[Standing], treatment: Treatment, now: datetime) -> StepOutlook:
    step = standings[0].step
    target = target_of(step, old, new, treatment.mapping)
    timers = [_moved(new, target, standing, treatment.timers, now) for standing in standings if standing.due_at]
    known = [timer for timer in timers if timer is not None]
    moving = sorted((timer for timer in known if timer.shift is not Shift.UNCHANGED), key=attrgetter("before"))
    return StepOutlook(
        step=step,
        doing=describe_node(old.nodes[step]) if step in old.nodes else "",
        count=sum(standing.count for standing in standings),
        target=target.step if target else None,
        then_doing=describe_node(new.nodes[target.step]) if target else "",
        stays=target is not None and target.continues,
        timers={
            shift: number for shift in Shift if (number := sum(timer.count for timer in known if timer.shift is shift))
        },
        moved=moving[:EXAMPLES],
    )


def _moved(new: Plan, target: Target | None, standing: Standing, timers: Timers, now: datetime) -> MovedTimer | None:
    if target is None or standing.due_at is None:
        return None
    due = due_in(new, target, timers, since=standing.since, due=standing.due_at, now=now)
    shift = _shift(standing.due_at, due, now)
    shown = due.at if shift in {Shift.EARLIER, Shift.LATER, Shift.UNCHANGED} else None
    return MovedTimer(standing.count, shift, standing.due_at, shown)


def _shift(before: datetime, due: Due, now: datetime) -> Shift:
    if due.looked_up:
        return Shift.LOOKED_UP
    if due.at is not None and abs(due.at - before) < _SAME:
        return Shift.UNCHANGED
    if due.at is None or due.at <= now:
        return Shift.AT_ONCE
    return Shift.EARLIER if due.at < before else Shift.LATER


def _stuck(step: StepOutlook, old: Plan, new: Plan, mapping: Mapping[str, str]) -> Problem:
    number = "1 contact stands" if step.count == 1 else f"{step.count} contacts stand"
    fitting = [name for name in new.nodes if not changes_sides(step.step, name, old, new)]
    lacking = "no such step"
    if step.step in old.nodes_after_goal:
        lacking = "no such step for those who have met the goal"
    elif mapping.get(step.step, step.step) in new.nodes_after_goal:
        lacking = "that step only for those who have met the goal"
    if not fitting:
        return Problem(f"step '{step.step}'", f"{number} at it, and version {new.version} has {lacking}.", _NOWHERE)
    return Problem(
        f"step '{step.step}'",
        f"{number} at it, and version {new.version} has {lacking}.",
        f"Say where they go on, one of {', '.join(fitting)}: map {step.step}=<step>. Or let them finish.",
    )


_NOWHERE = "Let them finish."
