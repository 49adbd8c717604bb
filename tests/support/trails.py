"""Following a counter-example through a plan, hop by hop, without the code that found it."""

from journeys.plan import Plan
from journeys.proofs.network import GOAL_MET, Trail
from journeys.steps.base import Way


def assert_leads(plan: Plan, trail: Trail, to: str | None) -> None:
    """The trail begins at the plan's start, takes a way of each node it comes to, or the goal's, and ends there."""
    at: str | None = plan.start
    for hop in trail:
        assert at is not None
        assert hop.station.node == at
        ways = plan.nodes[at].ways()
        if plan.after_goal is not None and at not in plan.nodes_after_goal:
            ways = (*ways, Way(GOAL_MET, plan.after_goal))
        taken = [way for way in ways if (way.when, way.to) == (hop.way.when, hop.way.to)]
        assert taken, f"{at} has no way {hop.way.when!r} to {hop.way.to}"
        at = taken[0].to
    assert at == to
