"""Journeys entered before a feast: everybody once a year, who is new included, on the right day where each lives."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from intake.models import EntryRefusal
from journeys.feasts import Feast, feast_day
from kit.clock import wall_clock
from tests.support.clocks import DEFAULT_ZONE, Timekeeper
from tests.support.intake import Intake

DAY = timedelta(days=1)
TODAY = wall_clock().astimezone(ZoneInfo(DEFAULT_ZONE)).date() + 2 * DAY
"""Rounds are ordered by the clock of the database, so the present of these tests lies a little ahead of it."""


def easter_after(day: date) -> date:
    """The next Easter that is more than ten days ahead."""
    coming = (feast_day(Feast.EASTER, year) for year in range(day.year, day.year + 3))
    return next(easter for easter in coming if easter - 10 * DAY > day)


def at(day: date, zone: str = DEFAULT_ZONE) -> datetime:
    return datetime.combine(day, time(9), ZoneInfo(zone)).astimezone(UTC)


EASTER = easter_after(TODAY)
THE_NEXT = easter_after(EASTER)


@pytest.fixture(autouse=True)
def _this_morning(intake: Intake) -> None:
    intake.now = at(TODAY)


async def publish(intake: Intake, **date: Any) -> None:
    entry = {"date": {"feast": "easter", **date}, "again": "after_exit"}
    await intake.publish("easter", goal=None, exit=[], entry=entry)


async def test_who_is_there_already_enters_on_the_day_where_they_live(intake: Intake, timekeeper: Timekeeper) -> None:
    here = await intake.contact()
    east = await intake.contact()
    await intake.tell(east, "contact.identified", {"time_zone": "Asia/Tokyo"})
    await publish(intake)
    await timekeeper.keep()
    assert await timekeeper.due() == {here: at(EASTER), east: at(EASTER, "Asia/Tokyo")}
    await timekeeper.wait_until(at(EASTER, "Asia/Tokyo"))
    assert await timekeeper.entered() == [east]
    await timekeeper.wait_until(at(EASTER))
    assert await timekeeper.entered() == [east, here]
    assert {one.entry_properties["of"] for one in await intake.enrollments()} == {"easter"}
    assert {one.entry_properties["date"] for one in await intake.enrollments()} == {EASTER.isoformat()}


async def test_the_next_year_it_comes_on_that_years_day(intake: Intake, timekeeper: Timekeeper) -> None:
    contact = await intake.contact()
    await publish(intake, before="7 days")
    await timekeeper.keep()
    await timekeeper.wait_until(at(EASTER - 7 * DAY))
    await timekeeper.wait_until(at(THE_NEXT - 7 * DAY) - timedelta(seconds=1))
    (first,) = await intake.enrollments()
    await intake.end(first.id, intake.now)
    await timekeeper.wait_until(at(THE_NEXT - 7 * DAY))
    assert await timekeeper.entered() == [contact] * 2


async def test_who_is_heard_of_later_has_a_clock_from_the_first_event_on(
    intake: Intake, timekeeper: Timekeeper
) -> None:
    await publish(intake)
    await timekeeper.keep()
    contact = await intake.contact()
    await intake.tell(contact, "page.viewed", {})
    await timekeeper.keep()
    assert await timekeeper.due() == {contact: at(EASTER)}
    await intake.tell(contact, "page.viewed", {})
    await timekeeper.keep()
    assert await timekeeper.due() == {contact: at(EASTER)}


async def test_who_moves_to_another_zone_takes_the_clock_along(intake: Intake, timekeeper: Timekeeper) -> None:
    contact = await intake.contact()
    await publish(intake)
    await timekeeper.keep()
    await intake.tell(contact, "contact.identified", {"time_zone": "Asia/Tokyo"})
    await timekeeper.keep()
    assert await timekeeper.due() == {contact: at(EASTER, "Asia/Tokyo")}


async def test_a_feast_found_too_late_is_a_refused_entry(intake: Intake, timekeeper: Timekeeper) -> None:
    await intake.contact()
    await publish(intake)
    await timekeeper.keep()
    intake.now = at(EASTER) + 3 * DAY
    await timekeeper.keep()
    assert await intake.enrollments() == []
    (refusal,) = await intake.rows(EntryRefusal)
    assert refusal.reason == "expired"
