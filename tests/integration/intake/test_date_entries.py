"""Journeys entered by dates of contacts: birthdays where they live, contracts that end, dates that move or are none."""

from calendar import isleap
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from crm.models.clock import EntryClock
from crm.models.journey import JourneyVersion
from intake import rounds, walks
from intake.models import EntryRefusal
from intake.walks import Present
from journeys.entries import DateEntry
from kit.clock import wall_clock
from tests.support.clocks import DEFAULT_ZONE, Timekeeper
from tests.support.intake import Intake

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BERLIN = ZoneInfo(DEFAULT_ZONE)
TODAY = wall_clock().astimezone(BERLIN).date() + 2 * DAY
"""Rounds are ordered by the clock of the database, so the present of these tests lies a little ahead of it."""
TOMORROW = TODAY + DAY
ZONES = ["Pacific/Pago_Pago", "Pacific/Honolulu", "America/New_York", DEFAULT_ZONE, "Asia/Tokyo", "Pacific/Kiritimati"]


def at(day: date, hour: int = 9, zone: str = DEFAULT_ZONE) -> datetime:
    """The instant at which the clock on the wall reads this hour of the day."""
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC)


def born(day: date) -> str:
    """A date whose returns are this day and those of later years."""
    return f"{1996 if (day.month, day.day) == (2, 29) else 1991}{day:-%m-%d}"


def in_years(day: date, years: int) -> datetime:
    """Nine o'clock on the return of the day so many years later."""
    leap = (day.month, day.day) == (2, 29) and not isleap(day.year + years)
    return at(day.replace(year=day.year + years, day=28 if leap else day.day))


@pytest.fixture(autouse=True)
def _this_morning(intake: Intake) -> None:
    intake.now = at(TODAY, 8)


async def publish(
    intake: Intake, again: Any = "after_exit", time_zone: str | None = None, **entry: Any
) -> JourneyVersion:
    """A journey entered on birthdays, unless the parts say otherwise."""
    entry = {"of": "birthday", "yearly": True, **entry}
    way_in = {"date": entry, "again": again}
    return await intake.publish("birthday", goal=None, exit=[], entry=way_in, time_zone=time_zone)


async def told(intake: Intake, **traits: Any) -> UUID:
    """A contact that told these traits of itself after the publication."""
    contact = await intake.contact()
    await intake.tell(contact, "contact.identified", traits)
    return contact


class TestBirthdays:
    async def test_a_contact_enters_at_nine_where_it_lives(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        here = await told(intake, birthday=born(TOMORROW))
        east = await told(intake, birthday=born(TOMORROW), time_zone="Asia/Tokyo")
        west = await told(intake, birthday=born(TOMORROW), time_zone="America/New_York")

        for zone, entered in (("Asia/Tokyo", [east]), (DEFAULT_ZONE, [east, here]), ("America/New_York", [east, here])):
            await timekeeper.wait_until(at(TOMORROW, zone=zone) - timedelta(seconds=1))
            assert await timekeeper.entered() == entered[: len(entered) - (zone != "America/New_York")]
        await timekeeper.wait_until(at(TOMORROW, zone="America/New_York"))
        assert await timekeeper.entered() == [east, here, west]

    async def test_a_contact_without_a_zone_has_the_one_of_the_journey(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        there = "America/New_York"
        early = await told(intake, birthday=born(TOMORROW))
        await publish(intake, time_zone=there)
        nowhere = await told(intake, birthday=born(TOMORROW))
        east = await told(intake, birthday=born(TOMORROW), time_zone="Asia/Tokyo")
        await timekeeper.keep()

        due = {early: at(TOMORROW, zone=there), nowhere: at(TOMORROW, zone=there)}
        assert await timekeeper.due() == {**due, east: at(TOMORROW, zone="Asia/Tokyo")}

    async def test_it_returns_every_year(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact = await told(intake, birthday=born(TOMORROW))
        for year in range(3):
            await timekeeper.wait_until(in_years(TOMORROW, year))
            (latest,) = (await intake.enrollments())[year:]
            await intake.end(latest.id, intake.now)

        assert await timekeeper.entered() == [contact] * 3

    async def test_the_entry_event_says_which_return_it_is(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        await told(intake, birthday=born(TOMORROW))
        await timekeeper.wait_until(at(TOMORROW) + HOUR)

        (enrollment,) = await intake.enrollments()
        assert enrollment.entry_properties == {
            "journey": "birthday",
            "of": "birthday",
            "date": TOMORROW.isoformat(),
            "years": TOMORROW.year - int(born(TOMORROW)[:4]),
            "zone": DEFAULT_ZONE,
        }
        assert enrollment.entered_at == at(TOMORROW)

    async def test_who_comes_after_the_hour_waits_for_next_year(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        intake.now = at(TODAY, 10)
        contact = await told(intake, birthday=born(TODAY))
        await timekeeper.keep()

        assert not await intake.enrollments()
        assert await timekeeper.due() == {contact: in_years(TODAY, 1)}

    @pytest.mark.parametrize("value", [0, "1970-01-01", "0001-01-01", "9999-12-31", "soon", None, True, 641_692_800])
    async def test_what_is_no_date_is_never_a_birthday(
        self, intake: Intake, timekeeper: Timekeeper, value: Any
    ) -> None:
        await publish(intake)
        await told(intake, birthday=value)
        await timekeeper.keep()
        assert await timekeeper.due() == {}

        await timekeeper.pass_time(3 * 366 * DAY)
        assert not await timekeeper.events(DateEntry.trigger)

    async def test_a_date_may_stand_inside_an_attribute(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake, of="family.birthday")
        contact = await told(intake, family={"birthday": born(TOMORROW)})
        await timekeeper.wait_until(at(TOMORROW))

        assert await timekeeper.entered() == [contact]


class TestOnce:
    async def test_a_contract_ends_once(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake, of="contract_end", yearly=False, before="30 days")
        contact = await told(intake, contract_end=(TOMORROW + 30 * DAY).isoformat())
        await timekeeper.wait_until(at(TOMORROW))
        assert await timekeeper.entered() == [contact]

        await timekeeper.pass_time(400 * DAY)
        assert len(await timekeeper.events(DateEntry.trigger)) == 1
        assert await timekeeper.due() == {contact: None}

    async def test_a_contract_that_is_renewed_ends_again(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake, of="contract_end", yearly=False)
        contact = await told(intake, contract_end=TOMORROW.isoformat())
        await timekeeper.wait_until(at(TOMORROW))
        renewed = TOMORROW + 300 * DAY
        await intake.tell(contact, "contact.identified", {"contract_end": renewed.isoformat()})
        await timekeeper.keep()

        assert await timekeeper.due() == {contact: at(renewed)}

    async def test_a_date_that_lies_behind_does_not_come(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake, of="contract_end", yearly=False, before="30 days")
        contact = await told(intake, contract_end=(TODAY + 5 * DAY).isoformat())
        await timekeeper.pass_time(40 * DAY)

        assert await timekeeper.due() == {contact: None}
        assert not await intake.enrollments()


class TestMoving:
    async def test_a_corrected_date_takes_the_clock_along(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact = await told(intake, birthday=born(TOMORROW))
        await intake.tell(contact, "contact.identified", {"birthday": born(TOMORROW + 2 * DAY)})
        await timekeeper.wait_until(at(TOMORROW))
        assert not await intake.enrollments()

        await timekeeper.wait_until(at(TOMORROW + 2 * DAY))
        assert await timekeeper.entered() == [contact]

    async def test_a_date_that_is_taken_back_stops_the_clock(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact = await told(intake, birthday=born(TOMORROW))
        await timekeeper.keep()
        await intake.tell(contact, "contact.identified", {"birthday": None})
        await timekeeper.keep()

        assert await timekeeper.due() == {}

    async def test_who_moves_enters_at_the_hour_of_the_new_place(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact = await told(intake, birthday=born(TOMORROW))
        await timekeeper.keep()
        await intake.tell(contact, "contact.identified", {"time_zone": "America/New_York"})
        await timekeeper.keep()

        assert await timekeeper.due() == {contact: at(TOMORROW, zone="America/New_York")}

    async def test_who_moves_past_the_hour_enters_at_once_and_only_once(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        contact = await told(intake, birthday=born(TOMORROW))
        await timekeeper.wait_until(at(TOMORROW, 8))
        await intake.tell(contact, "contact.identified", {"time_zone": "Asia/Tokyo"})
        await timekeeper.keep()
        assert await timekeeper.entered() == [contact]

        await intake.tell(contact, "contact.identified", {"time_zone": "America/New_York"})
        await timekeeper.pass_time(2 * DAY)
        assert len(await timekeeper.events(DateEntry.trigger)) == 1

    async def test_who_moves_past_the_hour_enters_although_the_date_was_known_only_since_then(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        """When it was told nine o'clock had passed in Tokyo; where the contact lived then it had not."""
        await publish(intake)
        intake.now = at(TOMORROW, 2, "Pacific/Honolulu")
        contact = await told(intake, birthday=born(TOMORROW), time_zone="Pacific/Honolulu")
        await timekeeper.keep()
        await intake.tell(contact, "contact.identified", {"time_zone": "Asia/Tokyo"})
        await timekeeper.keep()
        assert await timekeeper.entered() == [contact]

        await intake.tell(contact, "contact.identified", {"time_zone": "Pacific/Honolulu"})
        await timekeeper.pass_time(2 * DAY)
        assert len(await timekeeper.events(DateEntry.trigger)) == 1

    async def test_who_moves_finds_nothing_that_had_passed_where_it_lived(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        intake.now = at(TODAY, 10)
        contact = await told(intake, birthday=born(TODAY))
        await timekeeper.keep()
        await intake.tell(contact, "contact.identified", {"time_zone": "Asia/Tokyo"})
        await timekeeper.keep()

        assert not await intake.enrollments()
        assert list(await timekeeper.due()) == [contact]

    async def test_a_return_is_one_however_contacts_move(self, intake: Intake, timekeeper: Timekeeper) -> None:
        """Dates that are days, and dates that are instants and fall on another day elsewhere."""
        await publish(intake, expires_after="3d")
        drawn = Random(20261127)
        intake.now = at(TOMORROW, 0, "Pacific/Kiritimati")
        values = [born(TOMORROW), f"{born(TOMORROW)}T{drawn.randrange(1, 24):02d}:30:00Z"]
        movers = [
            await told(intake, birthday=values[number % 2], time_zone=drawn.choice(ZONES)) for number in range(12)
        ]
        for _ in range(8):
            await timekeeper.keep()
            for mover in drawn.sample(movers, 4):
                await intake.accept(mover, "contact.identified", {"time_zone": drawn.choice(ZONES)})
            await timekeeper.pass_time(timedelta(hours=drawn.randrange(1, 16)))
        await timekeeper.pass_time(2 * DAY)

        assert sorted(await timekeeper.entered()) == sorted(movers)
        assert len(await timekeeper.events(DateEntry.trigger)) == len(movers)

    async def test_an_import_of_old_news_brings_no_birthday_of_old(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        contact = await intake.contact()
        await intake.tell(contact, "contact.identified", {"birthday": born(TODAY - 3 * DAY)}, ago=900 * DAY)
        await timekeeper.keep()

        assert not await intake.enrollments()
        assert not await intake.refusals()
        assert list(await timekeeper.due()) == [contact]

    async def test_other_news_leave_the_clock_alone(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact = await told(intake, birthday=born(TOMORROW))
        await timekeeper.keep()
        await intake.tell(contact, "contact.identified", {"plan": "pro"})

        assert await timekeeper.due() == {contact: at(TOMORROW)}


class TestLateness:
    """Everything was down over the hour."""

    @pytest.mark.parametrize(
        ("expires_after", "late", "enters"),
        [("1d", 24 * HOUR, True), ("1d", 25 * HOUR, False), ("6h", 7 * HOUR, False), ("never", 200 * DAY, True)],
    )
    async def test_a_birthday_found_late_counts_as_long_as_it_is_of_use(
        self, intake: Intake, timekeeper: Timekeeper, expires_after: str, late: timedelta, *, enters: bool
    ) -> None:
        await publish(intake, expires_after=expires_after)
        contact = await told(intake, birthday=born(TOMORROW))
        await timekeeper.keep()
        await timekeeper.wait_until(at(TOMORROW) + late)

        assert (await timekeeper.entered() == [contact]) is enters
        assert ([reason for reason, _ in await intake.refusals()] == ["expired"]) is not enters
        assert await timekeeper.due() == {contact: in_years(TOMORROW, 1)}

    async def test_the_reason_names_no_date(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        await told(intake, birthday=born(TOMORROW))
        await timekeeper.keep()
        await timekeeper.wait_until(at(TOMORROW) + 26 * HOUR)

        (refusal,) = await intake.rows(EntryRefusal)
        assert refusal.because == "its moment had passed by 1 day 2 hours, and it is of use for 1 day"


class TestPublishing:
    async def test_every_contact_with_the_date_has_a_clock(
        self, intake: Intake, timekeeper: Timekeeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walks, "CONTACTS_AT_ONCE", 2)
        with_date = [await told(intake, birthday=born(TOMORROW)) for _ in range(4)]
        await told(intake, birthday="1970-01-01")
        await told(intake, plan="pro")
        await publish(intake)

        present = Present(intake.now, DEFAULT_ZONE)
        assert [await rounds.walk_on(intake.sessions, present) for _ in range(4)] == [2, 2, 1, 0]
        assert await timekeeper.rounds() == [("arm", 5, 4, "done")]
        assert await timekeeper.due() == dict.fromkeys(with_date, at(TOMORROW))

    async def test_another_hour_sets_all_clocks_anew(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        contact = await told(intake, birthday=born(TOMORROW))
        await publish(intake, at="18:00")
        await timekeeper.keep()

        assert await timekeeper.due() == {contact: at(TOMORROW, 18)}
        assert [kind for kind, *_ in await timekeeper.rounds()] == ["arm", "clear", "arm"]

    async def test_another_zone_of_the_journey_moves_the_clocks_of_those_without_one(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await publish(intake)
        contact, east = [
            await told(intake, birthday=born(TOMORROW), **zone) for zone in ({}, {"time_zone": "Asia/Tokyo"})
        ]
        await timekeeper.keep()
        await publish(intake, time_zone="America/New_York")
        await timekeeper.keep()

        assert await timekeeper.due() == {
            contact: at(TOMORROW, zone="America/New_York"),
            east: at(TOMORROW, zone="Asia/Tokyo"),
        }
        assert [kind for kind, *_ in await timekeeper.rounds()] == ["arm", "retime"]

    async def test_another_hour_on_the_day_brings_nobody_in_twice(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        await told(intake, birthday=born(TOMORROW))
        await timekeeper.wait_until(at(TOMORROW))
        (enrollment,) = await intake.enrollments()
        await intake.end(enrollment.id, intake.now)
        await publish(intake, at="18:00")
        await timekeeper.wait_until(at(TOMORROW, 18))

        assert len(await intake.enrollments()) == 1

    async def test_how_long_it_is_of_use_leaves_clocks_alone(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await publish(intake)
        await told(intake, birthday=born(TOMORROW))
        await timekeeper.keep()
        before = await timekeeper.rounds()
        await publish(intake, expires_after="3d")

        assert await timekeeper.rounds() == before

    async def test_a_contact_that_changes_during_the_round_is_right_in_the_end(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        """Intake marks the clock; the round, which read earlier, must not win."""
        contact = await told(intake, birthday=born(TOMORROW))
        await publish(intake)
        await intake.tell(contact, "contact.identified", {"birthday": born(TOMORROW + DAY)})
        await timekeeper.keep()

        assert await timekeeper.due() == {contact: at(TOMORROW + DAY)}


async def test_a_clock_that_is_too_early_is_set_anew(intake: Intake, timekeeper: Timekeeper) -> None:
    await publish(intake)
    contact = await told(intake, birthday=born(TOMORROW))
    await timekeeper.keep()
    async with intake.sessions.begin() as session:
        await session.execute(update(EntryClock).values(due_at=intake.now))
    await timekeeper.keep()

    assert not await intake.enrollments()
    assert await timekeeper.due() == {contact: at(TOMORROW)}
