"""Looking up instants on the contact's record: zone, holidays, dates of contact and entry, and what moved them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from sqlalchemy import update
from temporalio.exceptions import ApplicationError

from activities.instants import CalendarActivities
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from journeys.outcomes import JourneyState
from kit.database import Sessions
from kit.settings import Settings
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment, an_event
from workflows.ports import Progress, ResolvedInstant, ResolveInstant

NOW = SOME_DAY + timedelta(days=3)
WINDOW = {"days": "mon-fri", "from": "08:00", "to": "20:00", "holidays": True}


@pytest.fixture
async def enrollment(sessions: Sessions) -> Enrollment:
    async with sessions.begin() as session:
        contact = await a_contact(
            session, time_zone="Asia/Tokyo", country="JP", contract_end="2026-12-31", address={"since": "2026-01-31"}
        )
        properties = {"starts_at": "2026-06-10T10:00:00Z", "webinar": {"starts_at": "2026-07-10T10:00:00Z"}}
        return await an_enrollment(
            session, contact.id, await a_live_journey(session), entry_properties=properties, step="act"
        )


@pytest.fixture
def calendars(sessions: Sessions) -> CalendarActivities:
    return CalendarActivities(sessions, Settings(default_time_zone="Europe/Berlin", default_country="DE"))


def asked(enrollment: Enrollment, moment: Any, **fields: Any) -> ResolveInstant:
    progress = Progress(enrollment_id=enrollment.id, state=JourneyState.RUNNING, step="act", since=NOW)
    common: dict[str, Any] = {
        "enrollment_id": enrollment.id,
        "contact_id": enrollment.contact_id,
        "step": "act",
        "iteration": 1,
        "now": NOW,
        "reached_at": NOW,
        "progress": progress,
    }
    return ResolveInstant(moment=moment, **{**common, **fields})


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        ("1 day at 09:00", "2026-03-06T00:00:00Z"),
        ({"until": "2026-12-24 09:00"}, "2026-12-24T00:00:00Z"),
        ({"before": "1 month", "date": "$contact.contract_end", "at": "09:00"}, "2026-11-30T00:00:00Z"),
        ({"after": "1 month", "date": "$contact.address.since", "at": "09:00"}, "2026-02-28T00:00:00Z"),
        ({"before": "1d", "date": "$entry.starts_at"}, "2026-06-09T10:00:00Z"),
        ({"on": "$entry.webinar.starts_at"}, "2026-07-10T10:00:00Z"),
    ],
)
async def test_moments_are_looked_up_where_the_contact_lives(
    calendars: CalendarActivities, enrollment: Enrollment, moment: Any, at: str
) -> None:
    found = await calendars.resolve_instant(asked(enrollment, moment))
    assert found == ResolvedInstant(at=datetime.fromisoformat(at), zone="Asia/Tokyo")


@pytest.mark.parametrize(("named", "zone"), [("Asia/Tokyo", "Asia/Tokyo"), (None, "Europe/Berlin")])
async def test_a_contact_without_a_zone_has_the_journeys_and_else_the_installations(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions, named: str | None, zone: str
) -> None:
    async with sessions.begin() as session:
        await session.execute(update(Contact).values(time_zone=None))
    found = await calendars.resolve_instant(asked(enrollment, {"until": "2026-12-24 09:00"}, time_zone=named))
    assert found.at == datetime(2026, 12, 24, 9, 0, tzinfo=ZoneInfo(zone))
    assert (found.zone, found.because) == (zone, f"The contact has no time zone: {zone} is used.")


async def test_where_it_lies_ahead_the_enrollment_is_noted_as_waiting(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions
) -> None:
    found = await calendars.resolve_instant(asked(enrollment, "1 day at 09:00"))
    async with sessions() as session:
        row = await session.get_one(Enrollment, enrollment.id)
    assert (row.state, row.due_at) == ("waiting", found.at)


async def test_what_has_passed_is_not_waited_for(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions
) -> None:
    found = await calendars.resolve_instant(asked(enrollment, {"until": "2026-01-01 09:00"}))
    assert found.at == datetime(2026, 1, 1, tzinfo=UTC)
    async with sessions() as session:
        row = await session.get_one(Enrollment, enrollment.id)
    assert (row.state, row.due_at) == ("running", None)


async def test_an_event_that_moved_the_date_has_the_last_word(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions
) -> None:
    moment = {
        "before": "1d",
        "date": "$entry.starts_at",
        "moved_by": {"event": "webinar.moved", "property": "new.start"},
    }
    async with sessions.begin() as session:
        for number, day in enumerate(("2026-08-10", "2026-09-10")):
            properties = {"new": {"start": f"{day}T10:00:00Z"}}
            await an_event(
                session, enrollment.contact_id, "webinar.moved", event_id=f"moved-{number}", properties=properties
            )
    found = await calendars.resolve_instant(asked(enrollment, moment, moved_by="moved-0"))
    assert found.at == datetime(2026, 8, 9, 10, tzinfo=UTC)
    assert (await calendars.resolve_instant(asked(enrollment, moment))).at == datetime(2026, 6, 9, 10, tzinfo=UTC)


async def test_three_months_from_the_entry_or_from_the_last_event_since(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions
) -> None:
    moment = {"after": "3 months", "date": "$entry", "moved_by": {"event": "conversation.ended"}}
    async with sessions.begin() as session:
        entered = (await session.get_one(Enrollment, enrollment.id)).entered_at
        later = entered + timedelta(days=40)
        await an_event(session, enrollment.contact_id, "conversation.ended", event_id="talk", occurred_at=later)
    zone = ZoneInfo((await calendars.resolve_instant(asked(enrollment, moment))).zone)
    for moved_by, since in ((None, entered), ("talk", later)):
        found = await calendars.resolve_instant(asked(enrollment, moment, moved_by=moved_by))
        local = since.astimezone(zone)
        assert found.at is not None
        assert found.at.astimezone(zone).replace(tzinfo=None) == (local + relativedelta(months=3)).replace(tzinfo=None)


async def test_an_unknown_zone_falls_back_and_says_so(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        await session.execute(update(Contact).values(time_zone="Mars/Olympus"))
    assert await calendars.resolve_instant(asked(enrollment, "1 day at 09:00")) == ResolvedInstant(
        at=datetime(2026, 3, 6, 8, tzinfo=UTC),
        zone="Europe/Berlin",
        because="The time zone of the contact is unknown: Europe/Berlin is used.",
    )


async def test_the_window_respects_the_holidays_of_the_contacts_country(
    calendars: CalendarActivities, enrollment: Enrollment
) -> None:
    friday_of_the_equinox = datetime(2026, 3, 20, 3, tzinfo=UTC)
    found = await calendars.resolve_instant(
        asked(enrollment, "next_window", window=WINDOW, now=friday_of_the_equinox, reached_at=friday_of_the_equinox)
    )
    assert found.at == datetime(2026, 3, 22, 23, tzinfo=UTC)  # Monday 08:00 in Tokyo


async def test_an_unknown_region_is_told_where_the_window_respects_holidays(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        await session.execute(update(Contact).values(country="DE", region="ZZZ"))
    found = await calendars.resolve_instant(asked(enrollment, "next_window", window=WINDOW))
    assert found.because == "The region of the contact is unknown: the holidays of DE as a whole are respected."
    assert not (await calendars.resolve_instant(asked(enrollment, "next_window", window={}))).because


@pytest.mark.parametrize(
    ("value", "because"),
    [
        (None, "The date 'birthday' of the contact is missing."),
        ("1970-01-01", "The date 'birthday' of the contact is one that producers write where they have none."),
        (0, "The date 'birthday' of the contact is not written as a text in ISO 8601."),
    ],
)
async def test_what_is_no_date_is_an_answer_with_a_reason_that_does_not_repeat_it(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions, value: Any, because: str
) -> None:
    async with sessions.begin() as session:
        await session.execute(update(Contact).values(attributes={"birthday": value}))
    found = await calendars.resolve_instant(asked(enrollment, {"on": "$contact.birthday", "yearly": True}))
    assert (found.at, found.because) == (None, because)


async def test_a_window_that_is_not_there_fails_for_good(calendars: CalendarActivities, enrollment: Enrollment) -> None:
    with pytest.raises(ApplicationError, match="no window to wait for") as raised:
        await calendars.resolve_instant(asked(enrollment, "next_window"))
    assert raised.value.non_retryable


async def test_an_erased_contact_fails_for_good(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions
) -> None:
    request = asked(enrollment, "1 day at 09:00")
    async with sessions.begin() as session:
        await session.delete(await session.get_one(Contact, enrollment.contact_id))
    with pytest.raises(ApplicationError, match="does not exist any more"):
        await calendars.resolve_instant(request)


async def test_the_best_time_is_told_from_what_the_contact_opened_by_then(
    calendars: CalendarActivities, enrollment: Enrollment, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        for ago in range(1, 6):
            evening = NOW.astimezone(ZoneInfo("Asia/Tokyo")).replace(hour=18, minute=42) - timedelta(days=ago)
            await an_event(session, enrollment.contact_id, "mail.opened", occurred_at=evening)
    moment = {"best_time": {"from": "08:00", "to": "20:00", "otherwise": "10:00"}}
    found = await calendars.resolve_instant(asked(enrollment, moment))
    assert found.at is not None
    assert found.because.startswith("18:40 is when this contact reacts most from 08:00 to 20:00: 5 of the 5 times")
    assert f"{found.at.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M}" == "18:40"
    earlier = NOW - timedelta(days=2)
    thin = await calendars.resolve_instant(asked(enrollment, moment, now=earlier))
    assert "3 times" in thin.because
    assert "10:00 is taken" in thin.because


async def test_a_best_time_in_the_window_needs_one_and_keeps_to_its_days(
    calendars: CalendarActivities, enrollment: Enrollment
) -> None:
    moment = {"best_time": {"otherwise": "10:00", "in_window": True}}
    found = await calendars.resolve_instant(asked(enrollment, moment, window=WINDOW | {"days": "sun"}))
    assert found.at is not None
    assert f"{found.at.astimezone(ZoneInfo('Asia/Tokyo')):%a %H:%M}" == "Sun 10:00"
    with pytest.raises(ApplicationError, match="no window") as raised:
        await calendars.resolve_instant(asked(enrollment, moment))
    assert raised.value.non_retryable
    with pytest.raises(ApplicationError, match="never open at 10:00") as raised:
        await calendars.resolve_instant(asked(enrollment, moment, window={"from": "12:00", "to": "14:00"}))
    assert raised.value.non_retryable
