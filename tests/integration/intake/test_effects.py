"""What events do to a contact's record."""

from datetime import timedelta
from typing import Any

import pytest

from crm.consent import ConsentRepository
from crm.models.contact import Contact
from crm.models.event import Event, QueuedEvent
from crm.scoring import ScoringRepository
from intake.models import IntakeFailure, OutboxEntry
from journeys.scoring import PointsModel
from tests.support.intake import MARKETING, Intake


async def test_an_identified_contact_gets_its_traits_and_the_change_is_an_event(intake: Intake) -> None:
    contact = await intake.contact(first_name="Ada")

    await intake.tell(contact, "contact.identified", {"first_name": "Grace", "plan": "pro"}, event_id="e-1")

    [row] = await intake.rows(Contact)
    assert (row.first_name, row.attributes) == ("Grace", {"plan": "pro"})
    updated = (await intake.rows(Event))[-1]
    assert (updated.name, updated.event_id) == ("contact.updated", "contact.updated:e-1")
    assert updated.properties == {"changed": ["first_name", "plan"]}
    assert updated.source == "derived"
    assert await intake.count(QueuedEvent) == 0  # what follows from events is applied, too


async def test_traits_that_change_nothing_are_no_event(intake: Intake) -> None:
    contact = await intake.contact(first_name="Ada")

    assert await intake.accept(contact, "contact.identified", {"first_name": "Ada"})
    assert await intake.apply() == 1

    assert await intake.count(Event) == 1


async def test_an_unusable_trait_does_not_keep_the_others_out(intake: Intake) -> None:
    contact = await intake.contact()

    await intake.tell(contact, "contact.identified", {"country": "Atlantis", "plan": "pro"})

    [row] = await intake.rows(Contact)
    assert (row.country, row.attributes) == (None, {"plan": "pro"})
    assert await intake.count(IntakeFailure) == 0


async def standing(intake: Intake, contact: Any) -> frozenset[tuple[str, str]]:
    async with intake.sessions() as session:
        return await ConsentRepository(session).standing(contact)


async def test_a_registration_with_consent_records_it_with_wording_and_event(intake: Intake) -> None:
    contact = await intake.contact()
    said = {"first_name": "Ada", "consent": True, "wording": "Yes, write to me."}

    await intake.tell(contact, "contact.registered", said, event_id="e-1")

    async with intake.sessions() as session:
        [declaration] = await ConsentRepository(session).history(contact)
    assert (declaration.purpose, declaration.channel, declaration.state) == ("marketing", "email", "granted")
    assert (declaration.wording, declaration.evidence) == ("Yes, write to me.", {"event_id": "e-1"})
    assert (await intake.rows(Contact))[0].attributes == {}


@pytest.mark.parametrize("consent", [False, None, "yes", 1])
async def test_a_registration_without_a_clear_yes_grants_nothing(intake: Intake, consent: Any) -> None:
    contact = await intake.contact()

    await intake.tell(contact, "contact.registered", {"consent": consent})

    assert await standing(intake, contact) == frozenset()


async def test_consent_is_granted_and_withdrawn_by_events(intake: Intake) -> None:
    contact = await intake.contact()

    await intake.tell(contact, "consent.granted", {"purpose": "sales"}, ago=timedelta(hours=2))
    assert await standing(intake, contact) == {("sales", "email")}

    await intake.tell(contact, "consent.withdrawn", {"purpose": "sales"}, ago=timedelta(hours=1))
    assert await standing(intake, contact) == frozenset()


async def test_a_withdrawal_in_words_we_do_not_know_withdraws_everything(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.tell(contact, "consent.granted", {"purpose": "sales"}, ago=timedelta(hours=2))
    await intake.tell(contact, "consent.granted", ago=timedelta(hours=2))

    await intake.tell(contact, "consent.withdrawn", {"purpose": "newsletter"})

    assert await standing(intake, contact) == frozenset()
    assert await intake.count(IntakeFailure) == 0


async def test_withdrawing_consent_ends_the_enrollments_whose_audience_needs_it(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish("needs-it", entry={"event": "order.placed", "audience": MARKETING})
    await intake.publish("does-without", entry={"event": "order.placed", "audience": {"not": {"in_list": "vip"}}})
    await intake.tell(contact, "consent.granted", ago=timedelta(hours=1))
    await intake.tell(contact, "order.placed")
    needing = next(enrollment for enrollment in await intake.enrollments() if enrollment.journey_key == "needs-it")
    before = len(await intake.outbox())

    await intake.tell(contact, "consent.withdrawn", event_id="e-9")

    assert (await intake.outbox())[before:] == [("deliver", needing.id, ["exit:requested"])]
    payload = (await intake.rows(OutboxEntry))[-1].payload
    assert payload["event_id"] == "e-9"
    assert payload["reason"] == "consent to marketing by email withdrawn"


async def test_a_declaration_recorded_with_its_event_is_not_recorded_twice(intake: Intake) -> None:
    """The API records at once, so that a withdrawal stops the next mail; the event tells journeys."""
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "audience": MARKETING})
    await intake.tell(contact, "consent.granted", ago=timedelta(hours=1))
    await intake.tell(contact, "order.placed")
    async with intake.sessions.begin() as session:
        await ConsentRepository(session).record(
            contact,
            purpose="marketing",
            channel="email",
            state="withdrawn",
            source="preferences",
            occurred_at=intake.now,
            evidence={"event_id": "e-9"},
        )

    await intake.tell(contact, "consent.withdrawn", {"purpose": "marketing", "channel": "email"}, event_id="e-9")

    async with intake.sessions() as session:
        declarations = await ConsentRepository(session).history(contact)
    assert [(one.state, one.source) for one in declarations] == [("withdrawn", "preferences"), ("granted", "api")]
    assert [criteria for _, _, criteria in await intake.outbox()] == [[], ["exit:requested"]]


async def test_a_withdrawal_that_is_older_than_the_standing_grant_ends_nothing(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "audience": MARKETING})
    await intake.tell(contact, "consent.granted", ago=timedelta(hours=1))
    await intake.tell(contact, "order.placed")

    await intake.tell(contact, "consent.withdrawn", ago=timedelta(hours=2))

    assert [kind for kind, _, _ in await intake.outbox()] == ["start"]


async def test_an_exit_criterion_and_a_lost_consent_arrive_as_one_delivery(intake: Intake) -> None:
    """Two of one event would carry the same request id, and Temporal would drop the second."""
    contact = await intake.contact()
    entry = {"event": "order.placed", "audience": MARKETING}
    await intake.publish(entry=entry, exit=[{"event": "consent.withdrawn"}])
    await intake.tell(contact, "consent.granted", ago=timedelta(hours=1))
    await intake.tell(contact, "order.placed")

    await intake.tell(contact, "consent.withdrawn")

    assert [criteria for _, _, criteria in await intake.outbox()] == [[], ["exit:1", "exit:requested"]]


MODEL = PointsModel.model_validate(
    {
        "key": "interest",
        "name": "Interest",
        "rules": [{"key": "order", "event": "order.placed", "points": 10}],
        "thresholds": [{"key": "warm", "points": 20}],
    }
)


async def test_the_event_that_lifts_a_score_over_a_threshold_is_an_event_a_journey_starts_on(intake: Intake) -> None:
    contact = await intake.contact()
    async with intake.sessions.begin() as session:
        await ScoringRepository(session).publish(MODEL)
    await intake.publish(entry={"event": "score.crossed", "where": {"threshold": "warm"}})

    await intake.tell(contact, "order.placed", ago=timedelta(hours=1))
    assert await intake.enrollments() == []
    await intake.tell(contact, "order.placed")

    [enrollment] = await intake.enrollments()
    assert enrollment.entry_properties == {"model": "interest", "threshold": "warm", "points": 20}


@pytest.mark.parametrize("names", [["order.placed"] * 3, ["order.placed", "order.placed", "order.refunded"]])
async def test_a_crossing_is_told_when_it_happened_however_many_events_wait_behind_it(
    intake: Intake, names: list[str]
) -> None:
    """A first order enters a journey, so it is scored alone while those after it are stored already."""
    contact = await intake.contact()
    rules = [
        {"key": "order", "event": "order.placed", "points": 10},
        {"key": "refund", "event": "order.refunded", "points": -10},
    ]
    async with intake.sessions.begin() as session:
        await ScoringRepository(session).publish(PointsModel.model_validate({**MODEL.model_dump(), "rules": rules}))
    await intake.publish("first", entry={"event": "order.placed", "where": {"first": True}})
    for number, name in enumerate(names):
        ago = timedelta(hours=3 - number)
        await intake.accept(contact, name, {"first": number == 0}, event_id=f"e-{number}", ago=ago)

    await intake.apply()

    crossed = [event for event in await intake.rows(Event) if event.name == "score.crossed"]
    assert [(event.occurred_at, event.properties["points"]) for event in crossed] == [
        (intake.now - timedelta(hours=2), 20)
    ]


async def test_an_audience_sees_the_score_with_its_own_entry_event_counted(intake: Intake) -> None:
    contact = await intake.contact()
    async with intake.sessions.begin() as session:
        await ScoringRepository(session).publish(MODEL)
    audience = {"score": {"model": "interest", "at_least": 20}}
    await intake.publish(entry={"event": "order.placed", "audience": audience})

    await intake.tell(contact, "order.placed", event_id="e-1", ago=timedelta(hours=1))
    await intake.tell(contact, "order.placed", event_id="e-2")

    [enrollment] = await intake.enrollments()
    assert enrollment.entry_event_id == "e-2"
    assert await intake.refusals() == [("audience", "e-1")]
