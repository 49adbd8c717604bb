"""One journey starts another: the same door for all, once per request, with a cause that can be told."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from temporalio.exceptions import ApplicationError

from activities.journeys import Admit, JourneyActivities
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.models.journey import JourneyVersion, VersionState
from intake.starting import start_requested
from journeys.experiments import in_control_group
from journeys.outcomes import JourneyState
from kit.settings import Settings
from tests.support.intake import MARKETING, NOW, Intake
from worker import admission
from workflows.ports import ActionResult, Progress, StartJourney


async def asking(intake: Intake, **properties: Any) -> Enrollment:
    """An enrollment that asks, of a contact of its own."""
    contact = await intake.contact()
    await intake.publish("first")
    await intake.tell(contact, "order.placed", properties)
    (enrollment,) = [
        one for one in await intake.enrollments() if (one.journey_key, one.contact_id) == ("first", contact)
    ]
    return enrollment


async def ask(
    intake: Intake, enrollment: Enrollment, *, iteration: int = 1, admit: Admit = start_requested, **asked: Any
) -> ActionResult:
    progress = Progress(enrollment_id=enrollment.id, state=JourneyState.RUNNING, step="go", since=NOW)
    request = StartJourney(
        enrollment_id=enrollment.id,
        contact_id=enrollment.contact_id,
        step="go",
        iteration=iteration,
        now=NOW,
        progress=progress,
        **{"journey": "second", **asked},
    )
    return await JourneyActivities(intake.sessions, admit).start_journey(request)


async def entered(intake: Intake, journey: str = "second") -> list[Enrollment]:
    return [one for one in await intake.enrollments() if one.journey_key == journey]


async def test_the_contact_enters_with_the_properties_given(intake: Intake) -> None:
    first = await asking(intake, product_id="p-1")
    await intake.publish("second", entry={"event": "something.else", "where": {"x": 1}})

    result = await ask(intake, first, properties={"product": "$entry.product_id", "seats": 3, "gone": "$entry.nothing"})

    (second,) = await entered(intake)
    assert result == ActionResult(result="started", because=f"enrollment {second.id}, version 1")
    assert second.entry_properties == {"product": "p-1", "seats": 3}
    assert (second.contact_id, second.entered_at) == (first.contact_id, NOW)
    assert ("start", second.id, []) in await intake.outbox()


async def test_the_start_is_an_event_that_names_its_cause(intake: Intake) -> None:
    first = await asking(intake)
    await intake.publish("second")
    await ask(intake, first)
    await intake.apply()
    (second,) = await entered(intake)
    async with intake.sessions() as session:
        event = await session.scalar(select(Event).where(Event.event_id == second.entry_event_id))
    assert event is not None
    assert (event.name, event.source) == ("journey.start_requested", "derived")
    assert second.entry_event_id == f"journey.start_requested:{first.id}:go:1"
    assert event.properties == {"journey": "second", "properties": {}}


async def test_a_request_that_is_repeated_answers_the_same_and_does_nothing_more(intake: Intake) -> None:
    first = await asking(intake)
    await intake.publish("second", entry={"event": "x", "again": "after_exit"})
    once = await ask(intake, first)
    (second,) = await entered(intake)
    await intake.end(second.id, NOW)

    assert await ask(intake, first) == once
    assert len(await entered(intake)) == 1
    assert (await ask(intake, first, iteration=2)).result == "started"
    assert len(await entered(intake)) == 2


async def test_whoever_is_inside_already_does_not_enter_twice(intake: Intake) -> None:
    first = await asking(intake)
    await intake.publish("second")
    await ask(intake, first)
    told = ActionResult(result="already_running", because="the contact is inside second already")
    assert await ask(intake, first, iteration=2) == told
    assert await ask(intake, first, iteration=2) == told
    assert len(await entered(intake)) == 1


async def test_it_is_the_same_door_as_for_everybody(intake: Intake) -> None:
    first = await asking(intake)
    await intake.publish("second", entry={"event": "x", "audience": MARKETING})
    refused = await ask(intake, first)
    assert refused.result == "refused"
    assert refused.because == "audience: consent to marketing by email does not stand"
    assert await ask(intake, first) == refused
    assert (await intake.refusals())[-1] == ("audience", f"journey.start_requested:{first.id}:go:1")
    assert await entered(intake) == []


async def test_one_per_key_takes_the_key_that_is_given(intake: Intake) -> None:
    first = await asking(intake, order_id=4711)
    await intake.publish("second", entry={"event": "x", "again": {"per": "order"}})
    assert (await ask(intake, first)).because.startswith("no_entry_key: ")
    assert (await ask(intake, first, iteration=2, entry_key="$entry.order_id")).result == "started"
    assert (await ask(intake, first, iteration=3, properties={"order": "o-2"})).result == "started"
    assert [one.entry_key for one in await entered(intake)] == ["4711", "o-2"]


async def test_a_journey_that_takes_nobody_refuses_and_one_that_does_not_exist_is_a_mistake(intake: Intake) -> None:
    first = await asking(intake)
    with pytest.raises(ApplicationError, match="There is no journey second") as raised:
        await ask(intake, first)
    assert raised.value.non_retryable
    assert await intake.count(Event) == 1, "nothing is kept of a start that was none"

    await intake.publish("second")
    async with intake.sessions.begin() as session:
        of_second = update(JourneyVersion).where(JourneyVersion.journey_key == "second")
        await session.execute(of_second.values(state=VersionState.FINISHING))
    assert (await ask(intake, first)).because.startswith("journey_not_live: ")


async def test_an_event_of_before_the_start_never_satisfies_the_new_enrollment(intake: Intake) -> None:
    first = await asking(intake)
    await intake.tell(first.contact_id, "review.created")
    await intake.publish("second")
    await ask(intake, first)
    await intake.apply()
    (second,) = await entered(intake)
    assert [entry for entry in await intake.outbox() if entry[1] == second.id] == [("start", second.id, [])]
    await intake.tell(first.contact_id, "review.created")
    assert ("deliver", second.id, ["goal"]) in await intake.outbox()


async def test_an_erased_contact_is_a_mistake_and_nothing_is_written(intake: Intake) -> None:
    first = await asking(intake)
    await intake.publish("second")
    async with intake.sessions.begin() as session:
        await session.delete(await session.get_one(Contact, first.contact_id))
    with pytest.raises(ApplicationError) as raised:
        await ask(intake, first)
    assert raised.value.non_retryable


async def test_the_progress_rides_along(intake: Intake) -> None:
    first = await asking(intake)
    await intake.publish("second")
    await ask(intake, first)
    async with intake.sessions() as session:
        standing = await session.get_one(Enrollment, UUID(str(first.id)))
    assert (standing.state, standing.step) == ("running", "go")


async def test_who_is_started_is_drawn_into_the_control_group_as_it_is_set(intake: Intake) -> None:
    for number in range(10):
        first = await asking(intake, product_id=f"p-{number}")
        await intake.publish("second", entry={"event": "something.else"})
        await ask(intake, first, admit=admission(Settings(control_group_percent=50)))
    drawn = {one.contact_id: one.control_group for one in await entered(intake)}
    assert drawn == {contact: in_control_group(contact, percent=50) for contact in drawn}
    assert set(drawn.values()) == {True, False}
