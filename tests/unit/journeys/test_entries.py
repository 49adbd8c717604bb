"""How entries by time are written and read."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from journeys.documents import journey_from_document, to_document
from journeys.entries import Absence, DateEntry
from journeys.spans import Span
from kit.errors import Invalid
from tests.support.journeys import journey
from tests.unit.journeys.test_instants_properties import places, spans


def absence(**parts: Any) -> Absence:
    return Absence.model_validate({"of": "order.placed", "for": "90d", **parts})


def problem(entry: Any) -> str:
    with pytest.raises(Invalid) as caught:
        journey(entry=entry)
    (only,) = caught.value.problems
    return str(only)


def test_one_name_may_be_written_without_a_list() -> None:
    assert absence() == absence(of=["order.placed"])
    document = to_document(journey(entry={"absence": {"of": "order.placed", "for": "12w"}}))
    assert document["entry"] == {"absence": {"of": ["order.placed"], "for": "84d"}}
    assert to_document(journey_from_document(document)) == document
    calendar = to_document(journey(entry={"absence": {"of": "order.placed", "for": " 3  months"}}))
    assert calendar["entry"] == {"absence": {"of": ["order.placed"], "for": "3 months"}}
    assert to_document(journey_from_document(calendar)) == calendar


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"absence": {"of": "x", "for": "1d"}, "event": "y"}, "`event` and `absence` are different ways in."),
        ({"absence": {"of": "x", "for": "1d"}, "where": {"a": 1}}, "`where` filters an event, and there is none."),
        ({"absence": {"of": [], "for": "1d"}}, "This is empty or too short."),
        ({"absence": {"of": "x"}}, "`for` is missing."),
        ({"absence": {"of": "x", "for": "three months"}}, "'three months' is not a duration."),
        ({"absence": {"of": "x", "for": "0 months"}}, "'0 months' is no time"),
        ({"absence": {"of": "x", "for": "1d", "also_with": True}}, "Did you mean `also_without`?"),
        ({"absence": {"of": "x", "for": "1d", "backfill": "all"}}, "Allowed: none, matching."),
        ({"absence": {"of": "x", "for": "1d"}, "date": {"of": "y"}}, "`absence` and `date` are different ways in."),
        ({"date": {"of": "x", "before": "7d", "after": "7d"}}, "`before` and `after` cannot both be meant."),
        ({"date": {"of": "x", "before": "90m"}}, "A distance from a date is counted in days."),
        ({"date": {"of": "x", "yearly": True, "after": "2 years"}}, "never further away than a year."),
        ({"broadcast": {"at": "2026-12-01"}}, "'2026-12-01' does not say at what time."),
        ({"broadcast": {"at": "2026-12-01T10:00:00Z", "local": True}}, "With an offset from UTC it is one instant"),
        ({"broadcast": {"at": "2026-12-01 10:00", "spread": "2d"}}, "A spread is longer than nothing"),
        ({"broadcast": {"at": "2026-12-01 10:00"}, "event": "x"}, "`event` and `broadcast` are different ways in."),
        ({"date": {"of": "x", "at": 9}}, "9 is not a time of day."),
        ({"date": {"of": "x", "expires_after": "always"}}, "'always' is not a duration."),
        ({"date": {"of": "x", "leap_day": "feb-29"}}, "feb-28"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_told(entry: dict[str, Any], said: str) -> None:
    assert said in problem(entry)


def test_what_is_listened_to_makes_another_fingerprint_and_nothing_else_does() -> None:
    same = [absence(), absence(**{"for": "60d"}), absence(**{"for": "3 months"}), absence(backfill="matching")]
    others = [absence(of="app.opened"), absence(where={"total": 5}), absence(also_without=True)]
    assert len({one.fingerprint for one in same}) == 1
    assert len({one.fingerprint for one in [*same, *others]}) == 4


def test_a_date_is_written_as_short_as_it_can_be() -> None:
    short: dict[str, Any] = {"date": {"of": "birthday", "yearly": True}}
    full = {"date": {**short["date"], "at": "09:00", "leap_day": "feb-28", "expires_after": "1d"}}
    assert to_document(journey(entry=full))["entry"] == short
    other = {"date": {"of": "contract.end", "before": "30 days", "at": "18:30", "expires_after": "never"}}
    assert to_document(journey(entry=other))["entry"] == other


def test_what_a_date_means_makes_another_fingerprint_and_its_use_does_not() -> None:
    def date(**parts: Any) -> str:
        return DateEntry.model_validate({"of": "birthday", **parts}).fingerprint

    others: list[dict[str, Any]] = [
        {"yearly": True},
        {"at": "10:00"},
        {"before": "1d"},
        {"after": "1d"},
        {"leap_day": "mar-1"},
        {"of": "x"},
    ]
    assert len({date(), *(date(**other) for other in others)}) == len(others) + 1
    assert date(expires_after="never") == date()


def test_a_broadcast_is_written_as_it_is_read() -> None:
    for broadcast in (
        {"at": "2026-12-01 10:00"},
        {"at": "2026-12-01 10:00", "local": False},
        {"at": "2026-12-01T10:00+01:00", "expires_after": "never"},
        {"at": "2026-12-01 10:00", "spread": "2h"},
    ):
        assert to_document(journey(entry={"broadcast": broadcast}))["entry"] == {"broadcast": broadcast}


def test_an_absence_of_contacts_without_is_begun_by_any_event() -> None:
    assert absence().clock_events == ("order.placed",)
    assert absence(also_without=True).clock_events == ("order.placed", "*")


def test_an_absence_by_the_calendar_hears_of_contacts_that_move() -> None:
    assert absence(**{"for": "3 months"}).clock_events == ("order.placed", "contact.updated")


@pytest.mark.parametrize(
    ("span", "since", "over"),
    [
        ("1 month", "2026-01-31 14:30", "2026-02-28 14:30"),
        ("1 month", "2028-01-31 14:30", "2028-02-29 14:30"),
        ("3 months", "2025-11-30 09:00", "2026-02-28 09:00"),
        ("1 year", "2028-02-29 09:00", "2029-02-28 09:00"),
        ("3 months", "2026-01-15 13:00", "2026-04-15 13:00"),  # the clocks have changed
        ("1 month", "2026-02-28 02:30", "2026-03-28 02:30"),
        ("1 day", "2026-03-28 02:30", "2026-03-29 03:00"),  # the clocks skip that hour
        ("1 day", "2026-10-24 02:30", "2026-10-25 02:30"),  # they repeat it: the first
        ("2 weeks", "2026-03-28 02:30", "2026-04-11 02:30"),
    ],
)
def test_by_the_calendar_a_silence_is_over_on_the_day_and_at_the_time_of_the_contacts_clock(
    span: str, since: str, over: str
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    began, ends = (datetime.fromisoformat(wall).replace(tzinfo=berlin) for wall in (since, over))
    assert absence(**{"for": span}).over_at(began, berlin) == ends.astimezone(UTC)


def test_a_month_is_counted_on_the_day_it_is_where_the_contact_lives() -> None:
    month, night = absence(**{"for": "1 month"}), datetime(2026, 4, 30, 23, 30, tzinfo=UTC)
    assert month.over_at(night, ZoneInfo("UTC")) == datetime(2026, 5, 30, 23, 30, tzinfo=UTC)
    # In Berlin it is 1 May already, so the month is over on 1 June.
    assert month.over_at(night, ZoneInfo("Europe/Berlin")) == datetime(2026, 5, 31, 23, 30, tzinfo=UTC)


def test_exact_time_is_the_same_everywhere() -> None:
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert absence().over_at(night, ZoneInfo("Europe/Berlin")) == night + timedelta(days=90)
    assert absence().soonest == timedelta(days=90)


@given(places(), spans)
def test_a_silence_is_never_over_before_it_is_looked_at(place: tuple[ZoneInfo, datetime], span: Span) -> None:
    zone, since = place
    asked = absence(**{"for": str(span)})
    over = asked.over_at(since, zone)
    assert since < over
    assert since + asked.soonest <= over
