"""When each step of a journey would be due for one contact that entered now, told before anything happens. Pure.

The rules, stated once:

- Nothing happens to the contact meanwhile: a wait for an event or an approval runs out, no goal and no exit is met.
- Conditions are judged on what is known now, as of the instant at which their step would be reached; the steps before
  it have changed nothing of that.
- The arm of an experiment is the one the contact is drawn into, as long as no arm has won.
- Where a step could not go on by itself (a date is missing, a condition cannot be judged) nothing behind it is told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from journeys.conditions.first import FirstHolding
from journeys.conditions.registry import Condition
from journeys.describe import describe_node
from journeys.experiments import arm_of
from journeys.moments import Dated, DateMoment, Moment
from journeys.plan import Plan
from journeys.steps.branch import ELSE, BranchNode
from journeys.steps.decide import IfNode
from journeys.steps.leave import ExitNode
from journeys.steps.registry import Node
from journeys.steps.repeat import DONE, FULFILLED, RepeatNode
from journeys.steps.send import SendNode
from journeys.steps.split import SplitNode
from journeys.steps.wait import DUE, LATE, MISSING, WaitUntilNode
from journeys.steps.wait_for_first import WaitForFirstNode
from kit.errors import Invalid

MOST_STEPS = 200
"""So many steps are told; rounds can make a journey far longer."""


class Instant(NamedTuple):
    """The instant (aware) something is due, None where there is none, and what there is to say about that."""

    at: datetime | None
    because: str = ""


class Posted(NamedTuple):
    """When a message would leave or be refused (aware), the step's result, and why it waits or is refused."""

    at: datetime
    result: str
    because: str = ""


class Asked(NamedTuple):
    """As of when conditions are judged, since when their step is counted (both aware), and the results so far."""

    at: datetime
    since: datetime
    results: Mapping[str, str]


@dataclass(frozen=True)
class Circumstances:
    """What the walk asks of the contact. Each may raise `Invalid`: then the step would wait for people."""

    contact_id: UUID
    start: datetime
    """When the contact enters, aware."""
    judge: Callable[[Sequence[Condition], Asked], FirstHolding]
    look_up: Callable[[Moment, datetime], Instant]
    """The instant of a moment for a step that is reached then."""
    post: Callable[[SendNode, datetime, datetime | None], Posted]
    """What becomes of a message that is to leave then, and is of use until the second instant."""


@dataclass(frozen=True)
class Foreseen:
    """One step: when it is reached (aware), and when it is left or its message leaves.

    `due_at` is None where it would not go on by itself; `because` says why then, or what decided otherwise.
    """

    step: str
    node: Node
    reached_at: datetime
    due_at: datetime | None
    result: str = ""
    because: str = ""

    @property
    def doing(self) -> str:
        """What the step does, in words."""
        return describe_node(self.node)


def foresee(plan: Plan, around: Circumstances) -> list[Foreseen]:
    """The steps the contact would come to, in order; the first `MOST_STEPS` where there are more."""
    return list(_Walk(plan, around, around.start).steps())


class _Left(NamedTuple):
    """How a step is left: when, where to, with which result, because of what; when it had been planned, if late."""

    at: datetime
    to: str | None
    result: str = ""
    because: str = ""
    planned: datetime | None = None


@dataclass
class _Walk:
    plan: Plan
    around: Circumstances
    now: datetime
    planned: datetime | None = None
    """When the present step was to be reached, where that was earlier."""
    results: dict[str, str] = field(default_factory=dict)
    rounds: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def steps(self) -> Iterator[Foreseen]:
        step: str | None = self.plan.start
        for _ in range(MOST_STEPS):
            if step is None:
                return
            node = self.plan.nodes[step]
            try:
                left = self._expired(node) or self._leave(step, node)
            except Invalid as error:
                yield Foreseen(step, node, self.now, None, because=error.message)
                return
            yield Foreseen(step, node, self.now, left.at, left.result, left.because)
            self.planned = left.planned if left.planned or left.at > self.now else self.planned
            if left.result:
                self.results[step] = left.result
            if not (isinstance(node, RepeatNode) and left.to == node.body):
                self.rounds.pop(step, None)  # left for good: reached once more, it begins anew
            self.now, step = left.at, left.to

    def _expired(self, node: Node) -> _Left | None:
        if node.expires_after is None or self.planned is None or self.now - self.planned <= node.expires_after:
            return None
        return _Left(self.now, node.skipped_to(), because="it would be too late to be of use")

    def _leave(self, step: str, node: Node) -> _Left:
        match node:
            case WaitUntilNode():
                return self._wait_until(node)
            case SendNode():
                return self._send(node)
            case WaitForFirstNode():
                return self._wait_for_first(node)
            case IfNode() | BranchNode() | SplitNode() | RepeatNode():
                return self._choose(step, node)
            case ExitNode():
                return _Left(self.now, None)
            case _:
                return self._run_out(node)

    def _choose(self, step: str, node: IfNode | BranchNode | SplitNode | RepeatNode) -> _Left:
        match node:
            case IfNode():
                found = self._ask([node.condition], self.now)
                way = (node.next, "yes") if found.index is not None else (node.otherwise, "no")
                return _Left(self.now, *way, found.because)
            case BranchNode():
                return self._branch(node)
            case SplitNode():
                arm = arm_of(self.around.contact_id, node.experiment, node.shares())
                return _Left(self.now, next(one.next for one in node.arms if one.name == arm), arm)
            case RepeatNode():
                return self._repeat(step, node)

    def _run_out(self, node: Node) -> _Left:
        """A step that waits for something waits as long as it may; any other is left at once."""
        wait = node.planned_wait()
        if wait is None:
            return _Left(self.now, node.next)
        to = node.skipped_to()
        return _Left(self.now + wait, to, next((way.result for way in node.ways() if way.least == wait), ""))

    def _wait_until(self, node: WaitUntilNode) -> _Left:
        found = self.around.look_up(node.moment, self.now)
        if found.at is None:
            if isinstance(node.moment, DateMoment) and node.moment.missing == "skip":
                return _Left(self.now, node.otherwise, MISSING, found.because)
            raise Invalid(found.because)
        if isinstance(node.moment, Dated) and found.at < self.now:
            because = " ".join(
                part for part in (f"It was due at {found.at:%Y-%m-%d %H:%M} UTC.", found.because) if part
            )
            if node.moment.late == "now":
                return _Left(self.now, node.next, LATE, because, planned=found.at)
            return _Left(self.now, node.otherwise, LATE, because)
        return _Left(max(found.at, self.now), node.next, DUE, found.because)

    def _send(self, node: SendNode) -> _Left:
        last = None if node.expires_after is None else (self.planned or self.now) + node.expires_after
        posted = self.around.post(node, self.now, last)
        return _Left(posted.at, node.next, posted.result, posted.because)

    def _branch(self, node: BranchNode) -> _Left:
        found = self._ask([way.condition for way in node.branches], self.now)
        if found.index is None:
            return _Left(self.now, node.otherwise, ELSE, found.because)
        way = node.branches[found.index]
        return _Left(self.now, way.next, way.name, found.because)

    def _repeat(self, step: str, node: RepeatNode) -> _Left:
        since, begun = self.rounds.get(step, (self.now, 0))
        if node.until is not None:
            found = self._ask([node.until], since)
            if found.index is not None:
                return _Left(self.now, node.next, FULFILLED, found.because)
        if begun >= node.times:
            return _Left(self.now, node.next, DONE, f"{begun} rounds are done")
        self.rounds[step] = since, begun + 1
        return _Left(self.now, node.body, because=f"round {begun + 1} of {node.times}")

    def _wait_for_first(self, node: WaitForFirstNode) -> _Left:
        """Where time alone makes one of the conditions hold, it is left then."""
        ways = [(way, way.condition) for way in node.awaited if way.condition is not None]
        end, looks = self.now + node.up_to, self.now + node.up_to if node.ranked else self.now
        for _ in range(MOST_STEPS if ways else 0):
            found = self._ask([condition for _, condition in ways], self.now, at=looks)
            if found.index is not None:
                way = ways[found.index][0]
                return _Left(looks, way.next, way.name, found.because)
            if found.again_at is None or not looks < found.again_at < end:
                break
            looks = found.again_at
        return self._run_out(node)

    def _ask(self, conditions: Sequence[Condition], since: datetime, *, at: datetime | None = None) -> FirstHolding:
        return self.around.judge(conditions, Asked(at or self.now, since, dict(self.results)))
