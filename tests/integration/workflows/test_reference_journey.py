"""The reference journey from entry to end: what is done, decided and written, and what it costs."""

from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType

from journeys.outcomes import JourneyState
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows.messages import Outcome

REFERENCE: tuple[dict[str, Any], ...] = (
    {"wait": "1d"},
    {"id": "voucher", "send": {"template": "voucher", "voucher": {"pool": "first-order", "valid": "60d"}}},
    {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d"}},
    {
        "id": "reviewed",
        "if": {"none": {"event": "review.created"}},
        "then": [{"id": "request", "send": {"template": "review-request"}}],
    },
)


async def test_the_journey_ends_completed_after_its_last_step(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE)
    await journey.at("wait-1")
    await journey.advance(timedelta(days=1))
    await journey.at("asked")
    await journey.advance(timedelta(days=2))
    assert await journey.outcome() == Outcome(state=JourneyState.COMPLETED, reason="the last step is done")
    assert journey.decided() == [
        ("wait-1", "passed", ""),
        ("voucher", "passed", "sent"),
        ("asked", "passed", "timed_out"),
        ("reviewed", "passed", "yes"),
        ("request", "passed", "sent"),
    ]


async def test_it_costs_at_most_36_events_when_the_event_does_not_come(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE)
    await journey.advance(timedelta(days=4))
    await journey.outcome()
    assert await events_of(journey) == 32


async def test_it_costs_at_most_36_events_when_the_event_comes(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE)
    await journey.advance(timedelta(days=1, hours=1))
    await journey.deliver("step:asked")
    await journey.outcome()
    assert ("asked", "passed", "arrived") in journey.decided()
    assert await events_of(journey) == 33


async def events_of(journey: JourneyUnderTest) -> int:
    """The history's length, without the events by which the test moved time."""
    moved = {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
    }
    return sum(event.event_type not in moved for event in (await journey.history()).events)
