"""The compiled journey: a flat table of nodes with one program counter, and the events it listens for.

The plan travels in the workflow's input, so a history can be replayed with nothing else. Resume, continue-as-new,
migration, diagrams and counts per step all speak of the node ids in it. Compilation only; checks are elsewhere.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from journeys.changes import changes
from journeys.conditions.base import Needs
from journeys.conditions.registry import Condition
from journeys.duration import Duration
from journeys.frequency import AtCap, Priority
from journeys.model import Journey
from journeys.places import Path
from journeys.steps.registry import Node, Step
from journeys.values import CONTACT_UPDATED, EventCriterion, EventName, Strict, Where
from journeys.window import WhenClosed, Window


class Role(StrEnum):
    """What meeting a criterion means."""

    GOAL = "goal"
    EXIT = "exit"
    STEP = "step"
    MOVED = "moved"
    """What the step waits for is another moment now."""
    LOOK = "look"
    """What the step asks may have another answer now."""


class Criterion(Strict):
    """An event intake matches for every enrollment of the plan, whatever step it is at."""

    role: Role
    event: EventName
    where: Where = Field(default_factory=dict)
    within: Duration | None = None
    step: str | None = None
    ends: bool = True
    """Of a goal: whether meeting it ends the enrollment."""
    then: str | None = Field(default=None, exclude_if=lambda step: step is None)
    """Of a goal: the node at which whoever meets it goes on, ahead of that end."""
    changed: tuple[str, ...] = ()
    """Of `contact.updated`: met only where it names one of these attributes as changed."""


GOAL = "goal"
"""Id of the criterion that the goal is."""


class Plan(Strict):
    """A journey version, ready to run. `start` is the first node; node ids are the step ids."""

    journey: str
    version: int = Field(ge=1)
    name: str
    owner: str
    start: str
    nodes: dict[str, Node]
    criteria: dict[str, Criterion] = Field(default_factory=dict)
    window: Window | None = None
    priority: Priority = Priority.NORMAL
    cap: AtCap = AtCap.DEFER
    closed: WhenClosed = Field(default=WhenClosed.DEFER, exclude_if=lambda closed: closed is WhenClosed.DEFER)
    time_zone: str | None = Field(default=None, exclude_if=lambda zone: zone is None)
    """IANA zone of contacts without one; None: the installation's."""

    @property
    def listens(self) -> frozenset[str]:
        """Names of all events an enrollment of this plan must be told of."""
        return frozenset(criterion.event for criterion in self.criteria.values())

    @property
    def after_goal(self) -> str | None:
        """The node at which whoever meets the goal goes on; None where the journey ends there, or has no goal."""
        return self.criteria[GOAL].then if GOAL in self.criteria else None

    @cached_property
    def nodes_after_goal(self) -> frozenset[str]:
        """The nodes that only those come to who have met the goal."""
        found: set[str] = set()
        ahead = [self.after_goal]
        while ahead:
            step = ahead.pop()
            if step is not None and step not in found:
                found.add(step)
                ahead += [way.to for way in self.nodes[step].ways()]
        return frozenset(found)


@dataclass
class _Compiler:
    """Lays nested steps out as a flat table. Every step has its id by now."""

    nodes: dict[str, Node] = field(default_factory=dict)
    criteria: dict[str, Criterion] = field(default_factory=dict)
    behind: dict[str, str | None] = field(default_factory=dict)

    def steps(self, steps: Sequence[Step], following: str | None) -> str | None:
        """Compile a sequence; returns the id of its first node, or `following` where it is empty."""
        ids = [_id(step) for step in steps]
        for step, step_id, after in zip(steps, ids, [*ids[1:], following], strict=False):
            node = step.compile(step_id, self, after)
            self.nodes[step_id] = node.model_copy(update={"expires_after": step.expires_after})
            self.behind[step_id] = after
        return ids[0] if ids else following

    def criterion(
        self,
        step_id: str,
        criterion: EventCriterion,
        *,
        since_step: bool,  # noqa: ARG002 -- the node says so where it counts
        part: str = "",
    ) -> str:
        """Register an event that intake matches for this step, or a named part of it; returns the criterion's id."""
        identifier = f"step:{step_id}:{part}" if part else f"step:{step_id}"
        self.criteria[identifier] = Criterion(
            role=Role.STEP, event=criterion.event, where=criterion.where, step=step_id
        )
        return identifier

    def looks(self, step_id: str, conditions: Sequence[Condition]) -> tuple[str, ...]:
        """Register the events that may change what the conditions say; returns the criteria's ids."""
        needs = Needs.union(condition.needs() for condition in conditions)
        found = {f"look:{step_id}:{number}": change for number, change in enumerate(changes(needs), start=1)}
        for identifier, change in found.items():
            self.criteria[identifier] = Criterion(
                role=Role.LOOK, event=change.event, changed=change.attributes, step=step_id
            )
        return tuple(found)

    def moved(self, step_id: str, criterion: EventCriterion) -> str:
        """Register an event that moves the moment this step waits for; returns the criterion's id."""
        identifier = f"moved:{step_id}"
        self.criteria[identifier] = Criterion(
            role=Role.MOVED, event=criterion.event, where=criterion.where, step=step_id
        )
        return identifier

    def moved_by_contact(self, step_id: str, changed: tuple[str, ...]) -> str:
        """Register a change of one of these attributes, which moves the moment; returns the criterion's id."""
        identifier = f"moved:{step_id}:contact"
        self.criteria[identifier] = Criterion(role=Role.MOVED, event=CONTACT_UPDATED, changed=changed, step=step_id)
        return identifier


def _id(step: Step) -> str:
    assert step.id is not None  # `named` gave every step one
    return step.id


@dataclass
class _Namer:
    """Gives ids to steps without one: `wait-1`, `send-2` and so on, kind and running number in document order.

    A step appended at the end leaves all earlier ids as they are. An id the author uses is never given again.
    """

    taken: set[str]
    numbers: Counter[str] = field(default_factory=Counter)

    def name(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        return tuple(self._name(step) for step in steps)

    def _name(self, step: Step) -> Step:
        step_id = step.id or self._derive(step.kind.replace("_", "-"))
        renamed = step.model_copy(update={"id": step_id})
        for path, inner in step.nested().items():
            renamed = replaced(renamed, path, self.name(inner))
        return renamed

    def _derive(self, kind: str) -> str:
        while True:
            self.numbers[kind] += 1
            candidate = f"{kind}-{self.numbers[kind]}"
            if candidate not in self.taken:
                return candidate


def replaced(value: Any, path: Path, part: Any) -> Any:
    """A copy of a model, tuple or mapping in which `part` stands at the path below it."""
    if not path:
        return part
    key, rest = path[0], path[1:]
    if isinstance(value, tuple):
        assert isinstance(key, int)
        return (*value[:key], replaced(value[key], rest, part), *value[key + 1 :])
    if isinstance(value, Mapping):
        return {**value, key: replaced(value[key], rest, part)}
    name = _field(type(value), str(key))
    return value.model_copy(update={name: replaced(getattr(value, name), rest, part)})


def _field(model: type[BaseModel], key: str) -> str:
    fields = model.model_fields
    return key if key in fields else next(name for name, info in fields.items() if info.alias == key)


class NamedSteps(NamedTuple):
    """The steps of a journey, each with an id: the author's, or the derived one it has in plans, reports, results."""

    usual: tuple[Step, ...]
    after_goal: tuple[Step, ...]
    """Those of `goal: {then: …}`; numbered behind the others, so that adding them renames none."""


def named(journey: Journey) -> NamedSteps:
    """The journey's steps, named."""
    after_goal = journey.goal.then if journey.goal else ()
    namer = _Namer(taken=set(authored_ids([*journey.steps, *after_goal])))
    return NamedSteps(namer.name(journey.steps), namer.name(after_goal))


def authored_ids(steps: Sequence[Step]) -> list[str]:
    """The step ids the author gave, in document order, with repetitions."""
    found: list[str] = []
    for step in steps:
        found += [step.id] if step.id else []
        for nested in step.nested().values():
            found += authored_ids(nested)
    return found


def compile_plan(journey: Journey, version: int) -> Plan:
    """The plan of a journey version. The journey must have passed `journeys.checks` (step ids are unique)."""
    compiler, steps = _Compiler(), named(journey)
    start = compiler.steps(steps.usual, None)
    after_goal = compiler.steps(steps.after_goal, None)
    if start is None:
        raise ValueError("a journey has at least one step")
    return Plan(
        journey=journey.key,
        version=version,
        name=journey.name,
        owner=journey.owner,
        start=start,
        nodes=compiler.nodes,
        criteria=_enrollment_criteria(journey, after_goal) | compiler.criteria,
        window=journey.window,
        priority=journey.priority,
        cap=journey.cap,
        closed=journey.closed,
        time_zone=journey.time_zone,
    )


def steps_behind(journey: Journey) -> Mapping[str, str | None]:
    """For each step the one behind it, where all of its ways meet again; None where that is the end."""
    compiler = _Compiler()
    for steps in named(journey):
        compiler.steps(steps, None)
    return compiler.behind


def _enrollment_criteria(journey: Journey, after_goal: str | None) -> dict[str, Criterion]:
    """Goal and exits: they may be met at any step."""
    criteria: dict[str, Criterion] = {}
    if goal := journey.goal:
        criteria[GOAL] = Criterion(
            role=Role.GOAL,
            event=goal.event,
            where=goal.where,
            within=goal.within,
            ends=goal.exit,
            then=after_goal,
        )
    for number, criterion in enumerate(journey.exit, start=1):
        criteria[f"exit:{number}"] = Criterion(role=Role.EXIT, event=criterion.event, where=criterion.where)
    return criteria
