"""Journeys entered because something fails to come: each such event sets the clock back, silence lets it ring."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from crm.clocks import ClockRepository
from crm.journeys import definition_of
from crm.models.contact import Contact
from crm.models.journey import JourneyVersion
from intake import rounds, walks
from intake.admission import Enrolled
from intake.enrollment import enroll
from intake.walks import Present
from journeys.entries import Absence
from tests.support.clocks import DEFAULT_ZONE, Timekeeper
from tests.support.intake import MARKETING, NOW, Intake
from workflows.messages import EXIT_REQUESTED

DAY = timedelta(days=1)
ORDER = "order.placed"


def entry(**absence: Any) -> dict[str, Any]:
    return {"absence": {"of": ORDER, "for": "90d", **absence}}


async def publish(intake: Intake, again: Any = "after_exit", audience: Any = None, **absence: Any) -> JourneyVersion:
    """A journey entered by silence, with nothing else that ends it."""
    return await intake.publish(
        "missed", goal=None, exit=[], entry={**entry(**absence), "again": again, "audience": audience}
    )


async def published_at(intake: Intake, moment: Any) -> None:
    """As if everything live had been published then: the database has a clock of its own."""
    async with intake.sessions.begin() as session:
        await session.execute(update(JourneyVersion).values(published_at=moment))


@pytest.fixture(autouse=True)
def _long_ago(intake: Intake) -> None:
    """Publications carry the wall clock of the database: the present of these tests lies behind it."""
    intake.now = NOW.replace(year=2040)


class TestSilence:
    async def test_a_contact_that_orders_no_more_enters_after_the_whole_period(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, ORDER)

        await timekeeper.pass_time(90 * DAY - timedelta(seconds=1))
        assert not await intake.enrollments()
        await timekeeper.pass_time(timedelta(seconds=1))

        assert await timekeeper.entered() == [contact]

    async def test_each_order_sets_the_clock_back_to_the_whole_period(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        contact = await intake.contact()
        for _ in range(4):
            await intake.tell(contact, ORDER)
            await timekeeper.pass_time(60 * DAY)

        assert not await intake.enrollments()
        await timekeeper.pass_time(30 * DAY)
        assert await timekeeper.entered() == [contact]

    async def test_the_entry_event_says_what_was_missed_and_since_when(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake, of=[ORDER, "app.opened"])
        contact = await intake.contact()
        ordered_at = intake.now
        await intake.tell(contact, ORDER)
        await timekeeper.pass_time(93 * DAY)

        (noticed,) = await timekeeper.events(Absence.trigger)
        assert noticed.properties == {
            "journey": "missed",
            "of": [ORDER, "app.opened"],
            "since": ordered_at.isoformat(),
        }
        assert noticed.occurred_at == ordered_at + 90 * DAY
        (enrollment,) = await intake.enrollments()
        assert enrollment.entered_at == ordered_at + 90 * DAY
        assert enrollment.entry_properties["since"] == ordered_at.isoformat()

    async def test_any_of_several_kinds_sets_the_clock_back(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake, of=[ORDER, "app.opened"])
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        await timekeeper.pass_time(89 * DAY)
        await intake.tell(contact, "app.opened")
        await timekeeper.pass_time(89 * DAY)

        assert not await intake.enrollments()

    async def test_only_events_that_are_meant_count(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake, where={"total": {"at_least": 50}})
        spender, saver = await intake.contact(), await intake.contact()
        for contact in (spender, saver):
            await intake.tell(contact, ORDER, {"total": 80})
        await timekeeper.pass_time(60 * DAY)
        await intake.tell(spender, ORDER, {"total": 50})
        await intake.tell(saver, ORDER, {"total": 10})
        await intake.tell(saver, ORDER, {"total": "much"})
        await timekeeper.pass_time(60 * DAY)

        assert await timekeeper.entered() == [saver]

    async def test_a_contact_without_any_such_event_is_not_missed(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, "app.opened")
        await timekeeper.pass_time(400 * DAY)

        assert not await intake.enrollments()

    async def test_one_silence_is_noticed_once_and_the_next_one_again(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        await timekeeper.pass_time(300 * DAY)
        (first,) = await intake.enrollments()
        await intake.end(first.id, intake.now)
        await timekeeper.pass_time(300 * DAY)
        assert len(await intake.enrollments()) == 1

        await intake.tell(contact, ORDER)
        await timekeeper.pass_time(90 * DAY)

        assert len(await intake.enrollments()) == 2

    async def test_an_order_that_intake_has_yet_to_apply_counts(self, intake: Intake, timekeeper: Timekeeper) -> None:
        """Intake is behind or down; the clock comes due, and the log already knows better."""
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        intake.now += 90 * DAY
        await intake.accept(contact, ORDER)

        await timekeeper.keeper().drain()

        assert await timekeeper.due() == {contact: intake.now + 90 * DAY}
        assert not await timekeeper.events(Absence.trigger)

    async def test_an_order_reported_late_does_not_turn_the_clock_back(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        due = await timekeeper.due()
        await intake.tell(contact, ORDER, ago=40 * DAY)

        assert await timekeeper.due() == due

    async def test_an_order_from_a_clock_that_runs_ahead_counts_from_now(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, ORDER, ago=-400 * DAY)

        assert await timekeeper.due() == {contact: intake.now + 90 * DAY}


class TestByTheCalendar:
    """`for: 1 month`: counted where the contact lives, so its zone is read when the clock is looked at."""

    async def test_a_contact_enters_a_month_later_by_the_calendar_where_it_lives(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake, **{"for": "1 month"})
        intake.now = datetime(2040, 4, 30, 23, 30, tzinfo=UTC)
        tokyo = await intake.contact(time_zone="Asia/Tokyo")  # 1 May, 08:30
        new_york = await intake.contact(time_zone="America/New_York")  # 30 April, 19:30
        for contact in (tokyo, new_york):
            await intake.tell(contact, ORDER)
        over = {new_york: intake.now + 30 * DAY, tokyo: intake.now + 31 * DAY}

        await timekeeper.pass_time(29 * DAY)
        assert await timekeeper.due() == over
        for contact, moment in over.items():
            await timekeeper.wait_until(moment - timedelta(seconds=1))
            assert contact not in await timekeeper.entered()
            await timekeeper.wait_until(moment)
            assert contact in await timekeeper.entered()

        events = await timekeeper.events(Absence.trigger)
        assert {event.contact_id: event.occurred_at for event in events} == over

    async def test_a_contact_without_a_zone_has_the_calendar_of_the_installation(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake, **{"for": "3 months"})
        intake.now = datetime(2040, 1, 15, 12, 0, tzinfo=UTC)
        await intake.tell(await intake.contact(), ORDER)
        await timekeeper.pass_time(200 * DAY)

        (noticed,) = await timekeeper.events(Absence.trigger)
        assert noticed.occurred_at == datetime(2040, 4, 15, 11, 0, tzinfo=UTC)  # the clocks have changed in Berlin

    async def test_a_journey_may_name_another_zone_for_contacts_without_one(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        parts: dict[str, Any] = {"goal": None, "exit": [], "entry": entry(**{"for": "1 month"})}
        await intake.publish("missed", **parts, time_zone="America/New_York")
        intake.now = ordered_at = datetime(2040, 4, 30, 23, 30, tzinfo=UTC)  # 1 May in Berlin, 30 April in New York
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        await timekeeper.pass_time(29 * DAY)
        assert await timekeeper.due() == {contact: ordered_at + 30 * DAY}

        await intake.publish("missed", **parts)
        await timekeeper.keep()
        assert await timekeeper.due() == {contact: ordered_at + 31 * DAY}

    @pytest.mark.parametrize(("moves_to", "days"), [("America/New_York", 30), ("Asia/Tokyo", 31)])
    async def test_a_contact_that_moves_before_it_is_over_has_the_calendar_of_where_it_lives_then(
        self, intake: Intake, timekeeper: Timekeeper, moves_to: str, days: int
    ) -> None:
        others = {"America/New_York": "Asia/Tokyo", "Asia/Tokyo": "America/New_York"}
        await publish(intake, **{"for": "1 month"})
        intake.now = ordered_at = datetime(2040, 4, 30, 23, 30, tzinfo=UTC)
        contact = await intake.contact(time_zone=others[moves_to])
        await intake.tell(contact, ORDER)
        await timekeeper.pass_time(29 * DAY)
        await intake.tell(contact, "contact.identified", {"time_zone": moves_to})
        await timekeeper.keep()

        assert await timekeeper.due() == {contact: ordered_at + days * DAY}

    async def test_each_order_sets_it_back_and_silence_of_old_is_counted_alike(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        intake.now = datetime(2040, 1, 31, 12, 0, tzinfo=UTC)
        ordered, old = await intake.contact(), await intake.contact()
        for contact in (ordered, old):
            await intake.tell(contact, ORDER)
        await publish(intake, **{"for": "1 month", "backfill": "matching"})
        await timekeeper.pass_time(20 * DAY)
        await intake.tell(ordered, ORDER)
        await timekeeper.wait_until(datetime(2040, 2, 29, 12, 0, tzinfo=UTC))

        assert await timekeeper.entered() == [old]
        await timekeeper.wait_until(datetime(2040, 3, 20, 12, 0, tzinfo=UTC))
        assert await timekeeper.entered() == [old, ordered]

    async def test_those_who_never_ordered_are_missed_a_month_after_they_were_made(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake, **{"for": "1 month", "also_without": True})
        await published_at(intake, datetime(2040, 1, 31, 12, 0, tzinfo=UTC))
        intake.now = datetime(2040, 2, 1, tzinfo=UTC)
        await intake.tell(await intake.contact(), "app.opened")
        await timekeeper.pass_time(60 * DAY)

        (noticed,) = await timekeeper.events(Absence.trigger)
        assert noticed.occurred_at == datetime(2040, 2, 29, 12, 0, tzinfo=UTC)


class TestTheDoor:
    async def test_audience_and_reentry_are_judged_as_for_every_entry(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake, again="never", audience=MARKETING)
        willing, unwilling = await intake.contact(), await intake.contact()
        await intake.tell(willing, "consent.granted")
        for contact in (willing, unwilling):
            await intake.tell(contact, ORDER)
        await timekeeper.pass_time(90 * DAY)

        assert await timekeeper.entered() == [willing]
        (noticed,) = [event for event in await timekeeper.events(Absence.trigger) if event.contact_id == unwilling]
        assert await intake.refusals() == [("audience", noticed.event_id)]

    async def test_only_the_journey_it_was_noticed_for_takes_the_contact(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        await intake.publish("patient", goal=None, exit=[], entry=entry(**{"for": "200d"}))
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        await timekeeper.pass_time(90 * DAY)

        (enrollment,) = await intake.enrollments()
        assert enrollment.journey_key == "missed"

    async def test_a_producer_cannot_open_the_door_with_an_event_of_that_name(self, intake: Intake) -> None:
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, Absence.trigger, {"journey": "missed"})

        assert not await intake.enrollments()
        assert not await intake.refusals()

    async def test_the_api_still_opens_it(self, intake: Intake) -> None:
        version = await publish(intake)
        contact = await intake.contact()
        async with intake.sessions.begin() as session:
            result = await enroll(session, version, contact, cause_event=None, properties={}, now=intake.now)

        assert isinstance(result, Enrolled)

    async def test_an_order_right_after_the_entry_ends_the_journey(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await intake.publish("missed", goal={"type": "sell", "event": ORDER}, exit=[], entry=entry())
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        await timekeeper.pass_time(90 * DAY)
        (enrollment,) = await intake.enrollments()
        await intake.tell(contact, ORDER)

        assert (await intake.outbox())[-1] == ("deliver", enrollment.id, ["goal"])


class TestContactsWithout:
    """`also_without: true`: those who never had such an event are missed, too."""

    async def test_a_contact_is_missed_from_its_making_on(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake, also_without=True)
        await published_at(intake, NOW.replace(year=2000))
        contact = await intake.contact()
        made_at = await _made_at(intake, contact)
        await intake.tell(contact, "app.opened")
        assert await timekeeper.due() == {contact: made_at + 90 * DAY}

        await timekeeper.keep()

        assert await timekeeper.entered() == [contact]

    async def test_silence_from_before_the_publication_does_not_count(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake, also_without=True)
        await published_at(intake, intake.now - DAY)
        contact = await intake.contact()
        await intake.tell(contact, "app.opened")

        assert await timekeeper.due() == {contact: intake.now + 89 * DAY}

    async def test_the_silence_is_noticed_once_whatever_else_happens(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake, also_without=True)
        contact = await intake.contact()
        for _ in range(3):
            await intake.tell(contact, "app.opened")
            await timekeeper.pass_time(90 * DAY)

        assert len(await timekeeper.events(Absence.trigger)) == 1

    async def test_the_first_such_event_sets_the_clock_back(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake, also_without=True)
        contact = await intake.contact()
        await intake.tell(contact, "app.opened")
        await intake.tell(contact, ORDER)

        assert await timekeeper.due() == {contact: intake.now + 90 * DAY}


class TestBackfill:
    async def test_by_default_only_those_who_order_from_now_on_have_a_clock(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        await publish(intake)
        await timekeeper.pass_time(400 * DAY)

        assert await timekeeper.rounds() == []
        assert not await intake.enrollments()

    async def test_an_old_order_imported_later_does_not_end_a_silence_of_old(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        await published_at(intake, intake.now - DAY)
        contact = await intake.contact()
        await intake.tell(contact, ORDER, ago=500 * DAY)

        assert await timekeeper.due() == {contact: intake.now + 89 * DAY}

    @pytest.mark.parametrize("where", [{}, {"total": {"at_least": 1}}], ids=["any", "where"])
    async def test_silence_of_old_counts_when_asked_for(
        self, intake: Intake, timekeeper: Timekeeper, where: dict[str, Any]
    ) -> None:
        silent, fresh, never = [await intake.contact() for _ in range(3)]
        for contact, ago in ((silent, 95), (silent, 300), (fresh, 10), (fresh, 95)):
            await intake.tell(contact, ORDER, {"total": 5}, ago=ago * DAY)
        await intake.tell(never, "app.opened")
        await publish(intake, backfill="matching", where=where)
        await timekeeper.keep()

        assert await timekeeper.rounds() == [("arm", 3, 2, "done")]
        assert await timekeeper.entered() == [silent]
        assert (await timekeeper.due())[fresh] == intake.now + 80 * DAY

    async def test_those_who_never_ordered_are_found_too_when_they_are_meant(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        never = await intake.contact()
        made_at = await _made_at(intake, never)
        intake.now = made_at + DAY
        await publish(intake, backfill="matching", also_without=True)
        await timekeeper.keep()

        assert await timekeeper.due() == {never: made_at + 90 * DAY}

    async def test_a_round_is_made_in_pages_and_goes_on_where_it_was(
        self, intake: Intake, timekeeper: Timekeeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walks, "CONTACTS_AT_ONCE", 2)
        contacts = [await intake.contact() for _ in range(5)]
        for contact in contacts:
            await intake.tell(contact, ORDER, ago=95 * DAY)
        await publish(intake, backfill="matching")

        looked_at = [await rounds.walk_on(intake.sessions, Present(intake.now, DEFAULT_ZONE)) for _ in range(4)]
        assert looked_at == [2, 2, 1, 0]
        assert await timekeeper.rounds() == [("arm", 5, 5, "done")]
        await timekeeper.keep()
        assert set(await timekeeper.entered()) == set(contacts)


class TestPublishingAnew:
    async def test_another_time_moves_running_clocks(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact, silent = await intake.contact(), await intake.contact()
        await intake.tell(silent, ORDER, ago=80 * DAY)
        await published_at(intake, NOW)
        await intake.tell(contact, ORDER)
        await publish(intake, **{"for": "60d"})
        await timekeeper.keep()

        assert (await timekeeper.due())[contact] == intake.now + 60 * DAY
        assert [kind for kind, *_ in await timekeeper.rounds()] == ["retime"]

    async def test_days_turned_into_months_move_running_clocks_too(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake, **{"for": "1d"})
        contact = await intake.contact()
        intake.now = ordered_at = datetime(2040, 2, 1, tzinfo=UTC)
        await intake.tell(contact, ORDER)
        await publish(intake, **{"for": "1 month"})
        await timekeeper.pass_time(28 * DAY)

        assert await timekeeper.due() == {contact: ordered_at + 29 * DAY}
        assert [kind for kind, *_ in await timekeeper.rounds()] == ["retime"]

    async def test_another_kind_of_event_begins_anew(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        await publish(intake, of="app.opened")
        await timekeeper.keep()

        assert await timekeeper.due() == {}
        assert await timekeeper.rounds() == [("clear", 1, 1, "done")]

    async def test_a_clock_of_the_entry_before_never_rings(self, intake: Intake, timekeeper: Timekeeper) -> None:
        """Even where it comes due before the round that removes it."""
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, ORDER)
        intake.now += 90 * DAY
        await publish(intake, of="app.opened")
        await timekeeper.keeper()._ring(intake.now)

        assert await timekeeper.due() == {}
        assert not await timekeeper.events(Absence.trigger)

    async def test_a_journey_entered_in_another_way_has_no_clocks_any_more(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        await intake.tell(await intake.contact(), ORDER)
        await intake.publish("missed")
        await timekeeper.keep()

        assert await timekeeper.due() == {}

    async def test_a_journey_that_ends_takes_its_clocks_along(self, intake: Intake, timekeeper: Timekeeper) -> None:
        version = await publish(intake)
        await intake.tell(await intake.contact(), ORDER)
        async with intake.sessions.begin() as session:
            await session.execute(update(JourneyVersion).values(state="stopped"))
            clocks = ClockRepository(session)
            await clocks.follow("missed", before=definition_of(version).entry, after=None)
        await timekeeper.keep()

        assert await timekeeper.due() == {}

    async def test_publishing_the_same_entry_again_leaves_clocks_alone(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        await intake.tell(await intake.contact(), ORDER)
        due = await timekeeper.due()
        await publish(intake, again="never")
        await timekeeper.keep()

        assert await timekeeper.due() == due
        assert await timekeeper.rounds() == []

    async def test_rounds_of_a_version_that_was_replaced_are_given_up(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await intake.contact()
        await publish(intake, backfill="matching")
        await publish(intake, of="app.opened", backfill="matching")
        await timekeeper.keep()

        assert [(kind, outcome) for kind, _, _, outcome in await timekeeper.rounds()] == [
            ("arm", "given up"),
            ("clear", "done"),
            ("arm", "done"),
        ]


async def _made_at(intake: Intake, contact_id: UUID) -> Any:
    async with intake.sessions() as session:
        return (await session.get_one(Contact, contact_id)).created_at


class TestHeardOfLate:
    """What had come before the silence was noticed, and is heard of when the contact is inside already."""

    async def ends(self, intake: Intake, timekeeper: Timekeeper, ago: timedelta, **properties: Any) -> list[str]:
        await intake.publish(
            "missed",
            goal={"type": "save", "event": ORDER, "within": "30d"},
            exit=[],
            entry={**entry(where={"total": {"at_least": 20}}), "again": "after_exit"},
        )
        contact = await intake.contact()
        await intake.tell(contact, ORDER, {"total": 50})
        await timekeeper.pass_time(91 * DAY)
        (enrollment,) = await intake.enrollments()
        await intake.tell(contact, ORDER, properties, ago=ago)
        (enrollment,) = await intake.enrollments()
        assert enrollment.goal_met_at is None, "the journey has not brought it about"
        return [name for _, to, criteria in await intake.outbox() if to == enrollment.id for name in criteria]

    async def test_it_ends_the_journey_which_stood_on_no_silence(self, intake: Intake, timekeeper: Timekeeper) -> None:
        assert await self.ends(intake, timekeeper, 20 * DAY, total=30) == [EXIT_REQUESTED]

    @pytest.mark.parametrize(
        ("ago", "total"), [(20 * DAY, 5), (100 * DAY, 30)], ids=["of another kind", "before the last sign of life"]
    )
    async def test_anything_else_of_before_ends_nothing(
        self, intake: Intake, timekeeper: Timekeeper, ago: timedelta, total: int
    ) -> None:
        assert await self.ends(intake, timekeeper, ago, total=total) == []
