"""A journey as proofs look at it: its plan, all ways through it, and where each step was written."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from journeys.model import Journey
from journeys.places import Path
from journeys.plan import Plan, authored_ids, compile_plan
from journeys.proofs.network import Network, Trail, network_of
from journeys.proofs.trails import describe_trail
from journeys.steps.send import SendNode
from journeys.walk import visits


@dataclass(frozen=True)
class Sending:
    """A step that sends a message."""

    step_id: str
    node: SendNode


@dataclass(frozen=True)
class Subject:
    """What is proven about: one journey."""

    journey: Journey
    plan: Plan

    @cached_property
    def network(self) -> Network:
        """All ways, also where something is late; where there are too many, rounds are not counted."""
        counted = network_of(self.plan, unrolled=True, late=True)
        return counted if counted.complete else network_of(self.plan, unrolled=False, late=True)

    @cached_property
    def unrolled(self) -> Network:
        """All ways as planned, bounded ones as often as they can be taken."""
        return network_of(self.plan, unrolled=True)

    @property
    def ends(self) -> bool:
        """Whether every way is known to end; else there is no bound to how long it takes and what it sends."""
        return self.unrolled.complete and not self.unrolled.endless

    @cached_property
    def paths(self) -> Mapping[str, Path]:
        """Where each step was written."""
        return {visit.step_id: visit.path for visit in visits(self.journey)}

    @cached_property
    def sendings(self) -> tuple[Sending, ...]:
        """The steps that send, in the order of the document, as far as a way leads to them."""
        reached = {station.node for station in self.network.hops}
        nodes = ((step_id, self.plan.nodes[step_id]) for step_id in self.paths if step_id in reached)
        return tuple(Sending(step_id, node) for step_id, node in nodes if isinstance(node, SendNode))

    def tell(self, trail: Trail, *, arriving: str | None = None) -> str:
        """The trail in plain words, from the entry on."""
        return describe_trail(self.journey.entry, self.plan, trail, arriving=arriving)


def subject_of(journey: Journey) -> Subject | None:
    """The journey with its plan; None where it has none, because two of its steps have one id."""
    ids = authored_ids([*journey.steps, *(journey.goal.then if journey.goal else ())])
    if len(ids) != len(set(ids)):
        return None
    return Subject(journey, compile_plan(journey, 1))
