"""The compiled journey: a flat table of nodes with one program counter, and the events it listens for.

The plan travels in the workflow's input, so a history can be replayed with nothing else. Resume, continue-as-new,
migration, diagrams and counts per step all speak of the node ids in it. Compilation only; checks are elsewhere.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import Field

from journeys.duration import Duration
from journeys.model import Journey
from journeys.steps.registry import Node, Step
from journeys.values import EventCriterion, EventName, Strict, Where
from journeys.window import Window


class Role(StrEnum):
    """What meeting a criterion means."""

    GOAL = "goal"
    EXIT = "exit"
    STEP = "step"


class Criterion(Strict):
    """An event intake matches for every enrollment of the plan, whatever step it is at."""

    role: Role
    event: EventName
    where: Where = Field(default_factory=dict)
    within: Duration | None = None
    step: str | None = None


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

    @property
    def listens(self) -> frozenset[str]:
        """Names of all events an enrollment of this plan must be told of."""
        return frozenset(criterion.event for criterion in self.criteria.values())


@dataclass
class _Compiler:
    """Lays nested steps out as a flat table. Ids given by the author are kept; the others are derived."""

    taken: set[str]
    nodes: dict[str, Node] = field(default_factory=dict)
    criteria: dict[str, Criterion] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)

    def steps(self, steps: Sequence[Step], following: str | None) -> str | None:
        """Compile a sequence; returns the id of its first node, or `following` where it is empty."""
        if not steps:
            return following
        ids = [step.id or self._derive(step) for step in steps]
        for step, step_id, after in zip(steps, ids, [*ids[1:], following], strict=True):
            self.nodes[step_id] = step.compile(step_id, self, after)
        return ids[0]

    def criterion(self, step_id: str, criterion: EventCriterion, *, since_step: bool) -> str:
        """Register an event that intake matches for this step; returns the criterion's id."""
        identifier = f"step:{step_id}"
        self.criteria[identifier] = Criterion(
            role=Role.STEP, event=criterion.event, where=criterion.where, step=step_id
        )
        return identifier

    def _derive(self, step: Step) -> str:
        """`wait-1`, `send-2` …: kind and running number in document order, never one the author uses."""
        kind = step.kind.replace("_", "-")
        while True:
            self.numbers[kind] += 1
            candidate = f"{kind}-{self.numbers[kind]}"
            if candidate not in self.taken:
                return candidate


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
    compiler = _Compiler(taken=set(authored_ids(journey.steps)))
    start = compiler.steps(journey.steps, None)
    if start is None:
        raise ValueError("a journey has at least one step")
    return Plan(
        journey=journey.key,
        version=version,
        name=journey.name,
        owner=journey.owner,
        start=start,
        nodes=compiler.nodes,
        criteria=_enrollment_criteria(journey) | compiler.criteria,
        window=journey.window,
    )


def _enrollment_criteria(journey: Journey) -> dict[str, Criterion]:
    """Goal and exits: they may be met at any step."""
    criteria: dict[str, Criterion] = {}
    if goal := journey.goal:
        criteria["goal"] = Criterion(role=Role.GOAL, event=goal.event, where=goal.where, within=goal.within)
    for number, criterion in enumerate(journey.exit, start=1):
        criteria[f"exit:{number}"] = Criterion(role=Role.EXIT, event=criterion.event, where=criterion.where)
    return criteria
