"""What becomes of the contacts inside a version of a journey when another takes its place. Pure: two plans, no I/O.

Which step a contact goes on at, which running waits end at another time, and which criteria mean the same in both
versions. Showing it beforehand is in `journeys.outlook`; carrying it out is in `workflows.migration`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from journeys.plan import Criterion, Plan
from journeys.steps.repeat import RepeatNode
from kit.errors import Problem

Mapped = Mapping[str, str]
"""Step of the older version → step of the newer one: for steps that vanished, or that have another name now."""

_LOOKED_UP = frozenset({"wait_until"})
"""Kinds whose waits end at a moment that depends on the contact."""


class Inside(StrEnum):
    """What becomes of the contacts inside the version that is replaced."""

    FINISH = "finish"
    MIGRATE = "migrate"
    STOP = "stop"


class Timers(StrEnum):
    """Whether a running wait follows the newer version, counted from when it began, or ends when it always would."""

    FOLLOW = "follow"
    KEEP = "keep"


@dataclass(frozen=True)
class Treatment:
    """What is asked for the contacts inside. Mapping and timers concern `migrate` only."""

    inside: Inside = Inside.FINISH
    mapping: Mapped = field(default_factory=dict)
    timers: Timers = Timers.FOLLOW


@dataclass(frozen=True)
class Target:
    """Where a contact goes on.

    `continues`: it stays at its step, so the time it has waited there counts; otherwise it arrives now.
    `alike`: the step is of the kind it was, so that a wait may end when it always would.
    """

    step: str
    continues: bool
    alike: bool


def target_of(step: str, old: Plan, new: Plan, mapping: Mapped) -> Target | None:
    """Where a contact at this step of the older version goes on in the newer one; None where nobody said.

    A step keeps its id. One that has another id goes by the mapping: mapped to a step that the older version does not
    know, it was renamed and the contact stays at it; mapped to one that was there before, the contact arrives there.
    Between the steps behind a met goal and all others nobody is moved: it would have met what it has not.
    """
    name = mapping.get(step, step)
    node, before = new.nodes.get(name), old.nodes.get(step)
    if node is None or before is None or changes_sides(step, name, old, new):
        return None
    # Where ids were shifted, the name was another step's in the older version, which has a new name itself.
    same = name == step or name not in old.nodes or mapping.get(name, name) != name
    return Target(name, continues=same, alike=same and type(node) is type(before))


def renamed_repeats(under_way: Collection[str], at: str, old: Plan, new: Plan, mapping: Mapped) -> dict[str, str]:
    """For the repeats under way of a contact that stands at `at`: the repeat of the newer version that each one is.

    By id and mapping like every step. Nobody has to name a repeat for those who stand within it to be moved; so one
    that is not named is the repeat that takes its place around the step they go on at, the innermost first.
    """
    targets = {step: target_of(step, old, new, mapping) for step in under_way}
    found = {step: target.step for step, target in targets.items() if target is not None and target.alike}
    there = target_of(at, old, new, mapping)
    if there is None or not there.continues:
        return found
    vanished = [step for step in repeats_around(at, old) if step in targets and targets[step] is None]
    fresh = [step for step in repeats_around(there.step, new) if step not in old.nodes and step not in found.values()]
    return found | dict(zip(vanished, fresh, strict=False))


def repeats_around(step: str, plan: Plan) -> list[str]:
    """The repeats within whose rounds a step stands, the innermost first."""
    inside = {name: _round_of(name, node, plan) for name, node in plan.nodes.items() if isinstance(node, RepeatNode)}
    return sorted((name for name, steps in inside.items() if step in steps), key=lambda name: len(inside[name]))


def _round_of(name: str, repeat: RepeatNode, plan: Plan) -> frozenset[str]:
    """The steps of a repeat's rounds: those from its body on, up to the repeat itself."""
    found: set[str] = set()
    ahead: list[str | None] = [repeat.body]
    while ahead:
        step = ahead.pop()
        if step is not None and step != name and step not in found:
            found.add(step)
            ahead += [way.to for way in plan.nodes[step].ways()]
    return frozenset(found)


def mistakes_of(mapping: Mapped, old: Plan, new: Plan) -> Iterator[Problem]:
    """What is wrong with a mapping, whoever is inside."""
    for step, name in mapping.items():
        for plan, given in ((old, step), (new, name)):
            if given not in plan.nodes:
                what = f"Version {plan.version} has no step '{given}'."
                yield Problem(f"map {step}={name}", what, f"Its steps are {', '.join(plan.nodes)}.")
        if changes_sides(step, name, old, new):
            what = "One of the two is a step behind the met goal, and the other is not."
            yield Problem(f"map {step}={name}", what, "Map steps under `goal: {then: …}` to such steps only.")


def changes_sides(step: str, name: str, old: Plan, new: Plan) -> bool:
    """Whether only one of a step of the older version and a step of the newer one is reached by meeting the goal."""
    if step not in old.nodes or name not in new.nodes:
        return False
    return (step in old.nodes_after_goal) != (name in new.nodes_after_goal)


@dataclass(frozen=True)
class Due:
    """When a wait ends (aware); None: the step does not wait. `looked_up`: it depends on the contact, so ask again."""

    at: datetime | None
    looked_up: bool = False


def due_in(
    new: Plan,
    target: Target,
    timers: Timers,
    *,
    since: datetime,
    due: datetime | None,
    now: datetime,
    stood_still: timedelta = timedelta(),
) -> Due:
    """When a contact that goes on at `target` will be done waiting there. All instants are aware.

    Args:
        new: the newer version.
        target: where the contact goes on.
        timers: whether a running wait follows the newer version.
        since: when the contact reached its step of the older version.
        due: when its wait would have ended there; None where it did not wait.
        now: the moment of the move.
        stood_still: how much of the time since then does not count, because of pauses.
    """
    if target.alike and timers is Timers.KEEP:
        return Due(due)
    node = new.nodes[target.step]
    length = node.planned_wait()
    if length is not None:
        return Due((since + stood_still if target.continues else now) + length)
    # A message that waits for its window asks for it again.
    return Due(None, looked_up=node.kind in _LOOKED_UP or (target.alike and due is not None))


def carried_criteria(old: Plan, new: Plan) -> dict[str, str]:
    """Criteria of the newer version that ask what one of the older version asked: newer id → older id."""
    known: dict[str, list[str]] = {}
    for name, criterion in old.criteria.items():
        known.setdefault(_identity(criterion), []).append(name)
    same = {name: known.get(_identity(criterion), []) for name, criterion in new.criteria.items()}
    return {name: name if name in found else found[0] for name, found in same.items() if found}


def new_criteria(old: Plan, new: Plan) -> frozenset[str]:
    """Criteria of the newer version that nobody has looked for in the older one."""
    return frozenset(new.criteria) - frozenset(carried_criteria(old, new))


def _identity(criterion: Criterion) -> str:
    """What makes two criteria the same: role, event, `where`, what must have changed; not steps, not a time limit."""
    parts = criterion.model_dump(mode="json", exclude={"step", "within", "then"})
    parts["where"] = sorted(parts["where"].items())
    return repr(sorted(parts.items()))
