"""Feasts: on the days calendars give, once each year, on the right local day everywhere."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from journeys.entries import DateEntry
from journeys.feasts import SHORTEST_YEAR, Feast, feast_day
from journeys.occasions import Occasion, next_occasion
from journeys.reading.feasts import FEASTS_IN_ENGLISH, FEASTS_IN_GERMAN, at_feast

YEARS = range(1970, 2100)
ZONES = sorted(available_timezones())
KNOWN = {
    Feast.NEW_YEAR: ["2025-01-01", "2026-01-01"],
    Feast.VALENTINES_DAY: ["2025-02-14", "2026-02-14"],
    Feast.WOMENS_DAY: ["2025-03-08", "2026-03-08"],
    Feast.GOOD_FRIDAY: ["2024-03-29", "2025-04-18", "2026-04-03"],
    Feast.EASTER: ["2008-03-23", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25", "2076-04-19"],
    Feast.MOTHERS_DAY: ["2022-05-08", "2025-05-11", "2026-05-10", "2027-05-09", "2033-05-08"],
    Feast.ASCENSION: ["2025-05-29", "2026-05-14"],
    Feast.PENTECOST: ["2025-06-08", "2026-05-24"],
    Feast.HALLOWEEN: ["2025-10-31"],
    Feast.BLACK_FRIDAY: ["2024-11-29", "2025-11-28", "2026-11-27", "2018-11-23"],
    Feast.FIRST_ADVENT: ["2022-11-27", "2023-12-03", "2024-12-01", "2025-11-30", "2026-11-29"],
    Feast.SAINT_NICHOLAS: ["2025-12-06"],
    Feast.CHRISTMAS_EVE: ["2025-12-24"],
    Feast.CHRISTMAS: ["2025-12-25"],
    Feast.NEW_YEARS_EVE: ["2025-12-31"],
}


def entry(feast: Feast, **parts: object) -> DateEntry:
    return DateEntry.model_validate({"feast": feast, **parts})


@pytest.mark.parametrize("feast", Feast)
def test_it_is_on_the_days_that_calendars_give(feast: Feast) -> None:
    for known in KNOWN[feast]:
        assert feast_day(feast, int(known[:4])) == date.fromisoformat(known)


@pytest.mark.parametrize("feast", Feast)
def test_each_year_has_it_once_and_the_next_is_never_closer_than_said(feast: Feast) -> None:
    days = [feast_day(feast, year) for year in YEARS]
    assert [day.year for day in days] == list(YEARS)
    assert all(later - earlier >= SHORTEST_YEAR for earlier, later in pairwise(days))
    assert entry(feast).apart < SHORTEST_YEAR


@pytest.mark.parametrize("feast", Feast)
def test_a_clock_that_goes_on_from_each_rings_once_a_year(feast: Feast) -> None:
    rule, found, after = entry(feast), [], datetime(1969, 12, 31, 23, tzinfo=UTC)
    while after.year < 2100:
        occasion = next_occasion(rule, None, ZoneInfo("Europe/Berlin"), after=after)
        assert isinstance(occasion, Occasion)
        found.append(occasion.day)
        after = occasion.at
    assert [day.year for day in found[:-1]] == list(YEARS)


@given(
    st.sampled_from(Feast),
    st.sampled_from(ZONES).map(ZoneInfo),
    st.datetimes(datetime(1970, 1, 1), datetime(2098, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 60),
)
def test_in_every_zone_it_comes_on_its_local_day_or_so_many_days_before(
    feast: Feast, zone: ZoneInfo, after: datetime, days: int
) -> None:
    occasion = next_occasion(entry(feast, before=f"{days} days", at="12:00"), None, zone, after=after)
    assert isinstance(occasion, Occasion)
    assert occasion.at > after
    assert occasion.day == feast_day(feast, occasion.day.year)
    # No zone has ever skipped a noon, but one or two have left out a day.
    local = occasion.at.astimezone(zone).date()
    assert timedelta(0) <= local - (occasion.day - timedelta(days=days)) <= timedelta(days=1)
    earlier = next_occasion(entry(feast, before=f"{days} days", at="12:00"), None, zone, after=occasion.at)
    assert isinstance(earlier, Occasion)
    assert earlier.day.year == occasion.day.year + 1


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"of": "birthday", "feast": "easter"},
        {"feast": "easter", "yearly": True},
        {"feast": "easter", "leap_day": "mar-1"},
        {"feast": "whitsun"},
        {"feast": "easter", "before": "400 days"},
    ],
    ids=str,
)
def test_what_is_no_feast_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DateEntry.model_validate(document)


def test_clocks_that_were_set_for_dates_before_there_were_feasts_stay_valid() -> None:
    assert DateEntry.model_validate({"of": "birthday", "yearly": True}).fingerprint == "02ce59986ab0495a"
    assert entry(Feast.EASTER).fingerprint != entry(Feast.PENTECOST).fingerprint


def test_each_has_its_name_in_both_languages() -> None:
    assert FEASTS_IN_ENGLISH.keys() == FEASTS_IN_GERMAN.keys() == set(Feast)
    assert [at_feast(feast) for feast in (Feast.EASTER, Feast.NEW_YEAR)] == ["am Ostersonntag", "an Neujahr"]
