"""`judge_conditions`: the first condition that holds on what is stored, and why."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from crm.enrollments import EnrollmentRepository
from crm.lists import ListRepository
from crm.models.enrollment import Enrollment
from journeys.conditions.first import FirstHolding
from journeys.outcomes import JourneyState
from kit.database import Sessions
from tests.integration.activities.conftest import NOW, Ask
from tests.support.builders import an_event

VIP = {"in_list": "vip"}
ORDERED = {"event": "order.placed", "where": {"total": {"at_least": 50}}, "since": "ever"}
RECENT = {"event": "order.placed", "since": "step"}
EVERYBODY = {"all": [{"not": VIP}]}


async def test_the_first_that_holds_wins_though_later_ones_hold_too(
    sessions: Sessions, enrollment: Enrollment, first_holding: Ask
) -> None:
    async with sessions.begin() as session:
        await an_event(session, enrollment.contact_id, event_id="order-1", properties={"total": 60})
    found = await first_holding([VIP, ORDERED, EVERYBODY])
    assert (found.index, found.cause_event_id) == (1, "order-1")
    async with sessions.begin() as session:
        await ListRepository(session).change(enrollment.contact_id, list_key="vip", member=True, reason="test")
    assert (await first_holding([VIP, ORDERED, EVERYBODY])).index == 0


async def test_where_none_holds_the_reasons_of_all_are_told(first_holding: Ask) -> None:
    assert await first_holding([VIP, {"event": "order.placed"}]) == FirstHolding(
        index=None, because="not on the list 'vip'; and 0 order.placed since entry; asked: at least 1"
    )


async def test_one_that_cannot_be_judged_fails_for_good_unless_an_earlier_one_holds(
    sessions: Sessions, enrollment: Enrollment, first_holding: Ask
) -> None:
    async with sessions.begin() as session:
        await an_event(session, enrollment.contact_id, properties={"total": "much"})
    assert (await first_holding([EVERYBODY, ORDERED])).index == 0
    with pytest.raises(ApplicationError) as raised:
        await first_holding([VIP, ORDERED, EVERYBODY])
    assert raised.value.non_retryable


async def test_since_step_counts_from_the_moment_the_step_was_reached(
    sessions: Sessions, enrollment: Enrollment, first_holding: Ask
) -> None:
    async with sessions.begin() as session:
        await an_event(session, enrollment.contact_id, occurred_at=NOW - timedelta(hours=1))
    assert (await first_holding([RECENT])).index is None
    async with sessions.begin() as session:
        await an_event(session, enrollment.contact_id, occurred_at=NOW)
    assert (await first_holding([RECENT])).index == 0


async def test_the_progress_rides_along(sessions: Sessions, enrollment: Enrollment, first_holding: Ask) -> None:
    await first_holding([VIP])
    async with sessions() as session:
        standing = await EnrollmentRepository(session).get(enrollment.id)
    assert standing is not None
    assert (standing.state, standing.step) == (JourneyState.RUNNING, "act")
