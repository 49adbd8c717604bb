"""When a broadcast reaches which time zone, and how much of it has passed."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.broadcasts import Instalment, instalments, passed, place_in
from journeys.checks import check, check_moments
from journeys.entries import Broadcast
from tests.support.journeys import journey

TEN = datetime(2026, 12, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONES = available_timezones()


def broadcast(at: str = "2026-12-01 10:00", **parts: Any) -> Broadcast:
    return Broadcast.model_validate({"at": at, **parts})


class TestInstalments:
    def test_an_instant_is_one_for_everybody(self) -> None:
        assert instalments(broadcast("2026-12-01T10:00:00+01:00"), "Asia/Tokyo") == [Instalment(TEN - HOUR, None)]

    def test_without_an_offset_it_is_that_time_where_each_contact_lives(self) -> None:
        found = instalments(broadcast(), "Europe/Berlin")
        by_zone = {zone: one.at for one in found for zone in one.zones or ()}
        assert by_zone["Asia/Tokyo"] == TEN - 9 * HOUR
        assert by_zone["Europe/Berlin"] == TEN - HOUR
        assert by_zone["America/New_York"] == TEN + 5 * HOUR
        assert (found[0].at, found[-1]) == (TEN - 14 * HOUR, Instalment(TEN + 12 * HOUR, None))

    def test_it_may_be_the_time_of_the_installation_for_everybody(self) -> None:
        found = instalments(broadcast(local=False), "Europe/Berlin")
        assert found == [Instalment(TEN - HOUR, None)]


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)).map(lambda one: one.replace(microsecond=0)))  # noqa: DTZ001
def test_every_zone_has_its_turn_and_the_wall_shows_the_time(wall: datetime) -> None:
    found = instalments(Broadcast(at=wall), "UTC")
    instants = [one.at for one in found]

    assert instants == sorted(set(instants))
    assert instants[-1] - instants[0] <= timedelta(hours=27)
    told = [zone for one in found for zone in one.zones or ()]
    left = ZONES - set(told)
    assert len(told) == len(set(told))
    for one in found:
        for zone in one.zones if one.zones is not None else left:
            shown = one.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            # Where the clocks skip that time it is the first instant after the gap.
            before = (one.at - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            assert shown == wall or before < wall < shown


class TestSpread:
    def test_each_contact_has_a_place_that_stays_and_all_lie_evenly_over_the_spread(self) -> None:
        spread, contacts = broadcast(spread="2h"), [UUID(int=number) for number in range(2_000)]
        places = [place_in(spread, TEN, "offer", contact) - TEN for contact in contacts]

        assert places == [place_in(spread, TEN, "offer", contact) - TEN for contact in contacts]
        assert all(timedelta() <= place < 2 * HOUR for place in places)
        quarters = Counter(place // (HOUR / 2) for place in places)
        assert [450 < quarters[quarter] < 550 for quarter in range(4)] == [True] * 4

    def test_in_another_journey_others_are_first(self) -> None:
        places = [place_in(broadcast(spread="2h"), TEN, key, UUID(int=1)) for key in ("a", "b", "c")]
        assert len(set(places)) == 3

    def test_without_one_everybody_enters_at_the_moment(self) -> None:
        assert place_in(broadcast(), TEN, "offer", UUID(int=1)) == TEN

    def test_it_changes_nothing_about_the_clocks_that_are_set(self) -> None:
        assert broadcast(spread="2h").fingerprint == broadcast().fingerprint

    @pytest.mark.parametrize(
        ("window", "said"),
        [
            ({"to": "12:00"}, "Contacts enter until 13:00, and the window closes at 12:00: later messages wait."),
            ({"to": "13:00"}, None),
            ({"from": "11:00", "to": "12:00"}, None),
            ({"days": "mon-fri"}, None),
        ],
    )
    def test_whom_it_lets_in_when_the_window_has_closed_is_told(self, window: dict[str, str], said: str | None) -> None:
        entry = {"broadcast": {"at": "2026-12-01 10:00", "spread": "3h"}, "audience": {"in_list": "vip"}}
        found = [one for one in check(journey(entry=entry, window=window), None) if one.rule.startswith("broadcast-")]
        assert [one.problem.what for one in found] == ([said] if said else [])


class TestPassed:
    def test_an_instant_has_passed_or_not(self) -> None:
        moment = broadcast("2026-12-01T10:00:00Z")
        assert not passed(moment, TEN - HOUR).all
        assert passed(moment, TEN).all

    def test_of_a_local_time_it_may_have_passed_in_some_places(self) -> None:
        early = passed(broadcast(), TEN - 10 * HOUR)
        assert "Pacific/Auckland" in early.zones
        assert not {"Asia/Tokyo", "Europe/Berlin"} & set(early.zones)
        assert not early.all
        assert not passed(broadcast(), TEN - 15 * HOUR).zones
        assert passed(broadcast(), TEN + 12 * HOUR).all


class TestWarnings:
    def said(self, now: datetime, **parts: Any) -> list[str]:
        entry = {"broadcast": {"at": "2026-12-01 10:00", **parts}, "audience": {"in_list": "vip"}}
        return [str(finding) for finding in check_moments(journey(entry=entry), now)]

    def test_nothing_is_said_a_day_ahead(self) -> None:
        assert self.said(TEN - 24 * HOUR) == []

    def test_zones_in_which_it_is_later_already_are_told(self) -> None:
        (said,) = self.said(TEN - 13 * HOUR)
        assert said == (
            "warning: entry.broadcast.at: It is later than that already in 14 time zones, such as Pacific/Tongatapu: "
            "contacts there enter at once; not at all where it is more than 1 day too late. Publish a day ahead, or "
            "name a later moment."
        )

    @pytest.mark.parametrize("expires_after", ["6h", "never"])
    def test_a_moment_that_has_passed_everywhere_is_told(self, expires_after: str) -> None:
        (said,) = self.said(TEN + 48 * HOUR, expires_after=expires_after)
        assert "That moment has passed" in said
        assert ("6 hours" in said) is (expires_after == "6h")
