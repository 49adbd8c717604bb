"""What earlier steps have met, in conditions, attributes and mails: looked up by the decisions of the enrollment."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from activities.contacts import ContactActivities
from activities.enrollments import EnrollmentActivities
from activities.messages import MessagingActivities
from crm.facts import attributes_of
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from journeys.former_names import FormerName
from journeys.outcomes import JourneyState, StepVerdict
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.settings import Settings
from tests.integration.activities.conftest import NOW, a_request
from tests.support.builders import SOME_DAY, an_event
from tests.support.messaging import NOON, RecordingChannel, TestClock, a_passage, a_template
from workflows.ports import JudgeCondition, JudgeConditions, Progress, SetAttributes
from workflows.state import Decision

AMOUNT = {"step": "paid.amount", "is": {"at_least": 10}}


def decision(ordinal: int, cause: str | None, *, step: str = "paid") -> Decision:
    verdict = StepVerdict.PASSED
    return Decision(ordinal=ordinal, step=step, verdict=verdict, cause_event_id=cause, entered_at=SOME_DAY, at=NOW)


def progress(enrollment: Enrollment, *decisions: Decision) -> Progress:
    return Progress(
        enrollment_id=enrollment.id, state=JourneyState.RUNNING, step="act", since=NOW, decisions=list(decisions)
    )


async def paid(sessions: Sessions, enrollment: Enrollment, event_id: str, properties: Mapping[str, Any]) -> None:
    async with sessions.begin() as session:
        await an_event(session, enrollment.contact_id, "order.paid", event_id=event_id, properties=properties)


@pytest.mark.parametrize("written", [True, False], ids=["decision written", "decision riding along"])
async def test_conditions_and_attributes_see_what_a_step_met(
    sessions: Sessions, enrollment: Enrollment, *, written: bool
) -> None:
    await paid(sessions, enrollment, "e-1", {"amount": 12, "product": "p1"})
    known = progress(enrollment, decision(0, "e-1"))
    if written:
        await EnrollmentActivities(sessions).record_progress(known)
        known = progress(enrollment)
    contacts = ContactActivities(sessions)
    asked = {"conditions": [{"entry": "product_id", "is": {"not_equals": "$step.paid.product"}}, AMOUNT]}
    found = await contacts.judge_conditions(
        a_request(JudgeConditions, enrollment, progress=known, entered_at=SOME_DAY, **asked)
    )
    assert found.index == 1
    attributes = {"spent": "$step.paid.amount", "missing": "$step.paid.nothing"}
    result = await contacts.set_attributes(a_request(SetAttributes, enrollment, progress=known, attributes=attributes))
    assert (result.result, result.because) == ("changed", "changed spent; there is no step.paid.nothing")
    async with sessions() as session:
        assert attributes_of(await session.get_one(Contact, enrollment.contact_id))["spent"] == 12


async def test_the_latest_departure_counts_even_where_it_met_nothing(
    sessions: Sessions, enrollment: Enrollment
) -> None:
    await paid(sessions, enrollment, "e-1", {"amount": 12})
    written = progress(enrollment, decision(0, "e-1"), decision(1, None))
    asked = a_request(JudgeCondition, enrollment, progress=written, condition=AMOUNT, entered_at=SOME_DAY)
    judgement = await ContactActivities(sessions).judge_condition(asked)
    assert (judgement.holds, judgement.because) == (False, "property 'amount' of what 'paid' met is missing")


@pytest.mark.parametrize("written", [True, False], ids=["decision written", "decision riding along"])
async def test_a_step_that_was_renamed_since_has_met_what_it_met(
    sessions: Sessions, enrollment: Enrollment, *, written: bool
) -> None:
    await paid(sessions, enrollment, "e-1", {"amount": 12})
    moved = decision(1, None).model_copy(update={"verdict": StepVerdict.MIGRATED})
    known = progress(enrollment, decision(0, "e-1"), moved)
    if written:
        await EnrollmentActivities(sessions).record_progress(known)
        known = progress(enrollment)
    renamed = {"settled": [FormerName(name="paid", until=NOW + timedelta(seconds=1))]}
    asked = {"progress": known, "former": renamed, "entered_at": SOME_DAY}
    contacts = ContactActivities(sessions)
    condition = {"step": "settled.amount", "is": {"at_least": 10}}
    assert (await contacts.judge_condition(a_request(JudgeCondition, enrollment, condition=condition, **asked))).holds
    of_before = a_request(JudgeCondition, enrollment, condition=AMOUNT, **{**asked, "former": {}})
    assert (await contacts.judge_condition(of_before)).holds
    of_new_one = a_request(JudgeCondition, enrollment, condition=AMOUNT, **asked)
    assert not (await contacts.judge_condition(of_new_one)).holds


async def test_an_event_of_somebody_else_is_not_looked_at(sessions: Sessions, enrollment: Enrollment) -> None:
    other = (await a_passage(sessions)).enrollment
    await paid(sessions, other, "e-1", {"amount": 12})
    known = progress(enrollment, decision(0, "e-1"))
    asked = a_request(JudgeCondition, enrollment, progress=known, condition=AMOUNT, entered_at=SOME_DAY)
    assert not (await ContactActivities(sessions).judge_condition(asked)).holds


async def test_a_mail_prints_what_a_step_met_and_the_newest_of_a_kind(sessions: Sessions) -> None:
    passage, channel = await a_passage(sessions, entry={"cart_id": "c-1"}), RecordingChannel()
    html = (
        "<html><body><p>{{ steps.paid-late.amount }} {{ latest.cart.total }} {{ contact.first_name }}</p></body></html>"
    )
    await a_template(sessions, html=html, variables=["steps.paid-late.amount", "latest.cart.total"])
    await paid(sessions, passage.enrollment, "e-1", {"amount": 12})
    async with sessions.begin() as session:
        for number, cart in enumerate(["c-1", "c-1", "c-2"]):
            at, properties = NOON - timedelta(hours=9 - number), {"cart_id": cart, "total": number}
            await an_event(session, passage.contact.id, "cart.updated", occurred_at=at, properties=properties)
        later = {"cart_id": "c-1", "total": 99}
        await an_event(
            session, passage.contact.id, "cart.updated", occurred_at=NOON + timedelta(hours=1), properties=later
        )
    request = passage.request(
        template="receipt",
        progress=progress(passage.enrollment, decision(0, "e-1", step="paid-late")),
        latest={"cart": {"event": "cart.updated", "where": {"cart_id": "$entry.cart_id"}}},
    )
    sender = MessagingActivities(sessions, {MessageChannel.EMAIL: channel}, Settings(), TestClock())
    await sender.send_message(request)
    assert "12 1 Ada" in channel.sent[0].text
