"""What earlier steps of a simulated enrollment have met."""

from uuid import UUID

from cli.simulation.world import World
from journeys.step_references import StepsMet


def met_by_steps(world: World, enrollment_id: UUID) -> StepsMet:
    """By step, the properties of the event its latest departure was caused by."""
    decisions = world.rides[enrollment_id].decisions
    causes = {decisions[ordinal].step: decisions[ordinal].cause_event_id for ordinal in sorted(decisions)}
    known = {event.event_id: event.properties for event in world.record.events}
    return {step: known[cause] for step, cause in causes.items() if cause is not None and cause in known}
