"""Journeys entered at one moment by everybody the audience holds for: once each, in pages, wherever they live."""

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event as listen
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.journeys import definition_of
from crm.lists import ListRepository
from crm.models.journey import JourneyVersion
from intake import rounds, walks
from intake.broadcasts import EXPIRED
from intake.rounds import NOT_LIVE
from intake.walks import Present
from journeys.broadcasts import place_in
from journeys.entries import Broadcast
from kit.clock import wall_clock
from tests.support.clocks import DEFAULT_ZONE, Timekeeper
from tests.support.intake import Intake
from tests.support.temporal import eventually

HOUR = timedelta(hours=1)
DAY = wall_clock().date() + timedelta(days=4)
WALL = datetime.combine(DAY, time(10))
MOMENT = WALL.replace(tzinfo=UTC)
AT_ONCE = MOMENT.isoformat()
VIP = {"in_list": "vip"}


def there(zone: str) -> datetime:
    """When it is that time in the zone."""
    return WALL.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.fixture(autouse=True)
def _days_ahead(intake: Intake) -> None:
    intake.now = MOMENT - 48 * HOUR


async def publish(
    intake: Intake, audience: Any = None, again: Any = "never", time_zone: str | None = None, **parts: Any
) -> JourneyVersion:
    entry = {"broadcast": {"at": AT_ONCE, **parts}, "audience": audience, "again": again}
    return await intake.publish("offer", goal=None, exit=[], entry=entry, time_zone=time_zone)


async def a_vip(intake: Intake, **traits: Any) -> UUID:
    contact = await intake.contact(**traits)
    async with intake.sessions.begin() as session:
        await ListRepository(session).change(contact, list_key="vip", member=True, reason="test")
    return contact


class TestAtOnce:
    async def test_everybody_in_the_audience_enters_at_that_instant(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        vip, _, late = await a_vip(intake), await intake.contact(), await intake.contact()
        await publish(intake, VIP)
        await timekeeper.wait_until(MOMENT - timedelta(seconds=1))
        assert not await intake.enrollments()
        async with intake.sessions.begin() as session:
            await ListRepository(session).change(late, list_key="vip", member=True, reason="test")

        await timekeeper.wait_until(MOMENT)

        assert set(await timekeeper.entered()) == {vip, late}
        assert not await intake.refusals()
        assert await timekeeper.rounds() == [("arm", 0, 1, "done"), ("broadcast", 3, 2, "done")]
        (first, *_) = await intake.enrollments()
        assert first.entry_properties == {"journey": "offer", "at": AT_ONCE, "zone": DEFAULT_ZONE}
        assert first.entered_at == MOMENT

    async def test_nobody_is_invited_twice_whatever_is_published(self, intake: Intake, timekeeper: Timekeeper) -> None:
        contact = await intake.contact()
        await publish(intake, again="after_exit")
        await timekeeper.wait_until(MOMENT)
        (enrollment,) = await intake.enrollments()
        await intake.end(enrollment.id, intake.now)
        await publish(intake, again="after_exit", at=(MOMENT + 2 * HOUR).isoformat())
        await publish(intake, again="after_exit")
        await timekeeper.wait_until(MOMENT + 6 * HOUR)

        assert await timekeeper.entered() == [contact]

    async def test_reentry_is_judged_as_for_every_entry(self, intake: Intake, timekeeper: Timekeeper) -> None:
        contact = await intake.contact()
        await publish(intake)
        await timekeeper.wait_until(MOMENT)
        (enrollment,) = await intake.enrollments()
        await intake.end(enrollment.id, intake.now)
        await publish(intake, at=(MOMENT + 2 * HOUR).isoformat())
        await timekeeper.wait_until(MOMENT + 2 * HOUR)

        (event_id,) = {event.event_id for event in await timekeeper.events(Broadcast.trigger)} - {
            enrollment.entry_event_id
        }
        assert await timekeeper.entered() == [contact]
        assert await intake.refusals() == [("already_entered", event_id)]

    async def test_an_audience_that_cannot_be_judged_is_refused_with_its_reason(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await intake.contact(size="large")
        await publish(intake, {"attribute": "size", "is": {"at_least": 3}})
        await timekeeper.wait_until(MOMENT)

        assert [reason for reason, _ in await intake.refusals()] == ["undecidable"]

    @pytest.mark.parametrize(
        "audience", [VIP, {"all": [VIP, {"entry": "journey", "is": "offer"}]}], ids=["as a set", "one by one"]
    )
    async def test_it_is_the_same_whether_the_audience_can_be_asked_of_a_set(
        self, intake: Intake, timekeeper: Timekeeper, engine: AsyncEngine, audience: Any
    ) -> None:
        vips = {await a_vip(intake) for _ in range(3)}
        await intake.contact()
        await publish(intake, audience)
        read: list[str] = []
        listen.listen(engine.sync_engine, "before_cursor_execute", lambda *given: read.append(given[2]))

        await timekeeper.keeper().drain(MOMENT)

        one_by_one = [statement for statement in read if statement.startswith("SELECT list_members.list_key")]
        assert len(one_by_one) == (0 if audience is VIP else 4)
        intake.now = MOMENT
        await intake.apply()
        assert set(await timekeeper.entered()) == vips
        assert not await intake.refusals()

    async def test_it_goes_out_in_pages_and_goes_on_where_it_was(
        self, intake: Intake, timekeeper: Timekeeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walks, "CONTACTS_AT_ONCE", 2)
        contacts = [await intake.contact() for _ in range(5)]
        await publish(intake)
        await timekeeper.keep()

        present = Present(MOMENT, DEFAULT_ZONE)
        assert [await rounds.walk_on(intake.sessions, present) for _ in range(4)] == [2, 2, 1, 0]
        assert (await timekeeper.rounds())[-1] == ("broadcast", 5, 5, "done")
        intake.now = MOMENT
        await timekeeper.keep()
        assert set(await timekeeper.entered()) == set(contacts)


class TestWhereEachLives:
    async def test_each_enters_when_it_is_that_time_where_it_lives(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        tokyo = await intake.contact(time_zone="Asia/Tokyo")
        here = await intake.contact()
        new_york = await intake.contact(time_zone="America/New_York")
        await publish(intake, at=f"{WALL:%Y-%m-%d %H:%M}")

        entered: list[UUID] = []
        for zone, contact in (("Asia/Tokyo", tokyo), (DEFAULT_ZONE, here), ("America/New_York", new_york)):
            await timekeeper.wait_until(there(zone) - timedelta(seconds=1))
            assert await timekeeper.entered() == entered
            await timekeeper.wait_until(there(zone))
            entered.append(contact)
            assert await timekeeper.entered() == entered

        await timekeeper.wait_until(MOMENT + 13 * HOUR)
        assert await timekeeper.entered() == entered
        assert {outcome for *_, outcome in await timekeeper.rounds()} == {"done"}

    async def test_contacts_without_a_zone_are_where_the_journey_says_also_after_a_change(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        nowhere, tokyo = await intake.contact(), await intake.contact(time_zone="Asia/Tokyo")
        moment = f"{WALL:%Y-%m-%d %H:%M}"
        await publish(intake, at=moment)
        await timekeeper.wait_until(there("Asia/Tokyo"))
        await publish(intake, at=moment, time_zone="America/New_York")
        await timekeeper.wait_until(there(DEFAULT_ZONE))
        assert await timekeeper.entered() == [tokyo]
        await timekeeper.wait_until(there("America/New_York"))
        assert await timekeeper.entered() == [tokyo, nowhere]

    async def test_at_one_time_for_all_it_is_the_time_where_the_journey_says(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        contact = await intake.contact(time_zone="Asia/Tokyo")
        await publish(intake, at=f"{WALL:%Y-%m-%d %H:%M}", local=False, time_zone="America/New_York")
        await timekeeper.wait_until(there("America/New_York") - timedelta(seconds=1))
        assert not await timekeeper.entered()
        await timekeeper.wait_until(there("America/New_York"))
        assert await timekeeper.entered() == [contact]

    async def test_who_moves_meanwhile_is_neither_forgotten_nor_reached_twice(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        eastwards = await intake.contact(time_zone="America/New_York")
        westwards = await intake.contact(time_zone="Asia/Tokyo")
        await publish(intake, at=f"{WALL:%Y-%m-%d %H:%M}", again="after_exit")
        await timekeeper.wait_until(there(DEFAULT_ZONE))
        assert await timekeeper.entered() == [westwards]
        await intake.tell(eastwards, "contact.identified", {"time_zone": "Asia/Tokyo"})
        await intake.tell(westwards, "contact.identified", {"time_zone": "America/New_York"})
        await timekeeper.wait_until(MOMENT + 13 * HOUR)

        assert await timekeeper.entered() == [westwards, eastwards]
        assert len(await timekeeper.events(Broadcast.trigger)) == 2


class TestSpread:
    async def test_everybody_enters_at_a_place_of_its_own_and_not_before(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        contacts = [await a_vip(intake) for _ in range(4)]
        await intake.contact()
        version = await publish(intake, VIP, spread="2h")
        broadcast = definition_of(version).entry.broadcast
        assert broadcast is not None
        places = {contact: place_in(broadcast, MOMENT, "offer", contact) for contact in contacts}
        await timekeeper.wait_until(MOMENT)
        assert await timekeeper.due() == places
        assert (await timekeeper.rounds())[-1] == ("broadcast", 5, 4, "done")

        for place in sorted(places.values()):
            await timekeeper.wait_until(place - timedelta(seconds=1))
            assert set(await timekeeper.entered()) == {one for one in contacts if places[one] < place}
            await timekeeper.wait_until(place)

        entered = {one.contact_id: one for one in await intake.enrollments()}
        assert {contact: one.entered_at for contact, one in entered.items()} == places
        assert entered[contacts[0]].entry_properties == {"journey": "offer", "at": AT_ONCE, "zone": DEFAULT_ZONE}

    async def test_a_keeper_that_was_away_lets_everybody_in_once_when_it_is_back(
        self, intake: Intake, timekeeper: Timekeeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walks, "CONTACTS_AT_ONCE", 2)
        contacts = [await intake.contact() for _ in range(5)]
        await publish(intake, spread="2h", again="after_exit")
        await timekeeper.keep()
        await rounds.walk_on(intake.sessions, Present(MOMENT, DEFAULT_ZONE))

        await timekeeper.wait_until(MOMENT + 100 * HOUR)
        await timekeeper.wait_until(MOMENT + 101 * HOUR)

        assert sorted(await timekeeper.entered()) == sorted(contacts)
        assert len(await timekeeper.events(Broadcast.trigger)) == 5

    async def test_it_lies_behind_that_time_where_each_lives_and_who_moves_meanwhile_enters_once(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        tokyo = await intake.contact(time_zone="Asia/Tokyo")
        await publish(intake, at=f"{WALL:%Y-%m-%d %H:%M}", spread="1d", again="after_exit")
        await timekeeper.wait_until(there("Asia/Tokyo"))
        due = (await timekeeper.due())[tokyo]
        assert due is not None
        assert timedelta() <= due - there("Asia/Tokyo") < 24 * HOUR
        await intake.tell(tokyo, "contact.identified", {"time_zone": "America/New_York"})
        await timekeeper.wait_until(MOMENT + 60 * HOUR)

        assert await timekeeper.entered() == [tokyo]
        assert sum(done for kind, _, done, _ in await timekeeper.rounds() if kind == "broadcast") == 1

    async def test_who_has_left_the_audience_by_then_is_refused_as_at_every_entry(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        vip = await a_vip(intake)
        await publish(intake, VIP, spread="2h")
        await timekeeper.wait_until(MOMENT)
        async with intake.sessions.begin() as session:
            await ListRepository(session).change(vip, list_key="vip", member=False, reason="test")
        await timekeeper.wait_until(MOMENT + 2 * HOUR)

        assert [reason for reason, _ in await intake.refusals()] == ["audience"]

    @pytest.mark.parametrize("entry", [{"event": "order.placed"}, None], ids=["another entry", "another moment"])
    async def test_those_whose_place_has_not_come_are_called_off_with_the_broadcast(
        self, intake: Intake, timekeeper: Timekeeper, entry: Any
    ) -> None:
        await intake.contact()
        await publish(intake, spread="1d")
        await timekeeper.wait_until(MOMENT)
        if entry is None:
            await publish(intake, spread="1d", at=(MOMENT + 96 * HOUR).isoformat())
        else:
            await intake.publish("offer", goal=None, exit=[], entry=entry)
        await timekeeper.wait_until(MOMENT + 48 * HOUR)

        assert not await timekeeper.events(Broadcast.trigger)

    async def test_without_the_spread_from_now_on_places_given_stay_and_nobody_enters_twice(
        self, intake: Intake, timekeeper: Timekeeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walks, "CONTACTS_AT_ONCE", 1)
        contacts = [await intake.contact() for _ in range(2)]
        await publish(intake, spread="1d", again="after_exit")
        await timekeeper.keep()
        await rounds.walk_on(intake.sessions, Present(MOMENT, DEFAULT_ZONE))
        await publish(intake, again="after_exit")

        await timekeeper.wait_until(MOMENT)
        assert await timekeeper.entered() == contacts[1:]
        await timekeeper.wait_until(MOMENT + 24 * HOUR)
        assert sorted(await timekeeper.entered()) == sorted(contacts)


class TestLateness:
    @pytest.mark.parametrize(
        ("expires_after", "late", "enters"),
        [("1d", 24 * HOUR, True), ("1d", 25 * HOUR, False), ("2h", 3 * HOUR, False), ("never", 900 * HOUR, True)],
    )
    async def test_a_broadcast_found_late_begins_as_long_as_it_is_of_use(
        self, intake: Intake, timekeeper: Timekeeper, expires_after: str, late: timedelta, *, enters: bool
    ) -> None:
        await intake.contact()
        await publish(intake, expires_after=expires_after)
        await timekeeper.keep()
        await timekeeper.wait_until(MOMENT + late)

        assert bool(await intake.enrollments()) is enters
        assert (await timekeeper.rounds())[-1][3] == ("done" if enters else EXPIRED)

    async def test_what_has_begun_is_finished_however_late_it_gets(
        self, intake: Intake, timekeeper: Timekeeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walks, "CONTACTS_AT_ONCE", 1)
        contacts = [await intake.contact() for _ in range(3)]
        await publish(intake)
        await timekeeper.keep()
        await rounds.walk_on(intake.sessions, Present(MOMENT, DEFAULT_ZONE))
        await timekeeper.wait_until(MOMENT + 100 * HOUR)

        assert set(await timekeeper.entered()) == set(contacts)


class TestChangingOnesMind:
    async def test_another_moment_replaces_the_one_before(self, intake: Intake, timekeeper: Timekeeper) -> None:
        contact = await intake.contact()
        await publish(intake)
        await timekeeper.keep()
        await publish(intake, at=(MOMENT + 24 * HOUR).isoformat())
        await timekeeper.wait_until(MOMENT)
        assert not await intake.enrollments()

        await timekeeper.wait_until(MOMENT + 24 * HOUR)
        assert await timekeeper.entered() == [contact]

    async def test_a_broadcast_is_called_off_by_publishing_another_entry(
        self, intake: Intake, timekeeper: Timekeeper
    ) -> None:
        await intake.contact()
        await publish(intake)
        await timekeeper.keep()
        await intake.publish("offer")
        await timekeeper.wait_until(MOMENT + HOUR)

        assert not await timekeeper.events(Broadcast.trigger)
        assert ("broadcast", 0, 0, "given up") in await timekeeper.rounds()

    async def test_a_journey_that_is_live_no_more_invites_nobody(self, intake: Intake, timekeeper: Timekeeper) -> None:
        await intake.contact()
        await publish(intake)
        await timekeeper.keep()
        async with intake.sessions.begin() as session:
            await session.execute(update(JourneyVersion).values(state="stopped"))
        await timekeeper.wait_until(MOMENT)

        assert (await timekeeper.rounds())[-1] == ("broadcast", 0, 0, NOT_LIVE)


DYING = """
import asyncio, os, signal, sys
from datetime import datetime
from sqlalchemy import event
from intake import walks
from intake.rounds import walk_on
from intake.walks import Present
from kit.database import create_engine, create_sessions
from kit.settings import Settings

walks.CONTACTS_AT_ONCE = 2
commits = []

def die_at_the_second(*_):
    commits.append(1)
    if len(commits) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

engine = create_engine(Settings(database_url=sys.argv[1]))
event.listen(engine.sync_engine, "commit", die_at_the_second)

async def walk():
    while await walk_on(create_sessions(engine), Present(datetime.fromisoformat(sys.argv[2]), "UTC")):
        pass

asyncio.run(walk())
"""


async def test_a_broadcast_killed_amid_a_page_goes_on_and_reaches_everybody_once(
    intake: Intake, timekeeper: Timekeeper
) -> None:
    contacts = [await intake.contact() for _ in range(5)]
    await publish(intake)
    await timekeeper.keep()
    intake.now = MOMENT

    command = [sys.executable, "-c", DYING, intake.database_url, MOMENT.isoformat()]
    dead = await asyncio.to_thread(subprocess.run, command, check=False)

    assert dead.returncode == -signal.SIGKILL
    await eventually(intake.is_released)
    assert (await timekeeper.rounds())[-1] == ("broadcast", 2, 2, "")
    await timekeeper.keep()
    assert sorted(await timekeeper.entered()) == sorted(contacts)
    assert (await timekeeper.rounds())[-1] == ("broadcast", 5, 5, "done")
