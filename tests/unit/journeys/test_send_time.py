"""At what time of day a contact reacts most, case by case. Times in the tests are on the wall of the contact."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from journeys.best_time import Hours
from journeys.quiet import outside
from journeys.send_time import SendTime, send_time
from journeys.sittings import CLICKED, OPENED, Reaction, sittings_of
from journeys.window import Window

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 10, 12, tzinfo=BERLIN)
DAY = timedelta(days=1)
HOURS = Hours.model_validate({"from": "08:00", "to": "20:00", "otherwise": "10:00"})
WHOLE_DAY = Hours.model_validate({"otherwise": "10:00"})


def reactions(*walls: str, name: str = OPENED, machine: bool = False, since: int = 1) -> list[Reaction]:
    """One a day at these times, the first so many days ago and each before the other."""
    days = enumerate(walls, since)
    return [
        Reaction(f"{name}-{ago}", name, datetime.combine((NOW - ago * DAY).date(), _clock(wall), BERLIN), machine)
        for ago, wall in days
    ]


def _clock(wall: str) -> time:
    return time.fromisoformat(wall)


def best(found: Iterable[Reaction], hours: Hours = HOURS, **windows: Window | None) -> SendTime:
    return send_time(list(found), BERLIN, NOW, hours, **windows)


EVENINGS = reactions("18:40", "18:43", "18:41", "18:44", "18:40", "19:10", "18:05")


class TestBestTime:
    def test_it_is_when_the_contact_reacts_most_and_the_sentence_says_what_led_there(self) -> None:
        found = best([*EVENINGS, *reactions("09:00", "12:30", since=20)])
        assert (f"{found.time:%H:%M}", found.thin) == ("18:40", False)
        assert found.because == (
            "18:40 is when this contact reacts most from 08:00 to 20:00: 7 of the 9 times it opened or clicked a mail "
            "in the last 180 days were between 17:45 and 19:40."
        )
        assert {one.reactions for one in found.leading} == {(reaction,) for reaction in EVENINGS}

    def test_the_parts_of_the_hours_tell_how_what_counted_is_spread_over_the_day(self) -> None:
        found = best(reactions("09:00", "09:55", "18:40", "18:00", "18:59"))
        assert {hour for hour, part in enumerate(found.hours) if part} == {9, 18}
        assert sum(found.hours) == pytest.approx(1)

    def test_around_midnight_times_are_neighbours(self) -> None:
        nights = [*reactions(*["23:50"] * 3, "00:00"), *reactions(*["00:10"] * 3, since=10)]
        found = best([*nights, *reactions(*["09:00"] * 4, since=20)], WHOLE_DAY)
        assert (f"{found.time:%H:%M}", len(found.leading)) == ("00:00", 7)

    def test_a_click_weighs_as_much_as_three_openings(self) -> None:
        openings = reactions(*["09:00"] * 4, since=10)
        assert best([*openings, *reactions("18:40", name=CLICKED, since=10)]).time == _clock("09:00")
        assert best([*openings, *reactions("18:40", "18:40", name=CLICKED, since=10)]).time == _clock("18:40")

    def test_what_is_sixty_days_younger_weighs_twice_as_much(self) -> None:
        old = reactions(*["09:00"] * 3, since=61)
        assert best([*old, *reactions("18:40", "18:40", since=1)]).time == _clock("18:40")
        assert best([*old, *reactions("18:40", since=1), *reactions("12:00", since=150)]).time == _clock("09:00")

    def test_of_equal_times_the_first_is_taken_as_the_hours_run(self) -> None:
        beside = Hours.model_validate({"from": "21:25", "to": "20:30", "otherwise": "10:00"})
        assert best(reactions(*["20:55"] * 5), beside).time == _clock("21:25")  # as near as 20:25, and before it

    def test_the_wall_is_read_as_the_clocks_ran_then(self) -> None:
        winter = [Reaction(f"{day}", OPENED, datetime(2026, 2, day, 18, 40, tzinfo=BERLIN)) for day in range(1, 6)]
        summer = [Reaction(f"s{day}", OPENED, datetime(2026, 5, day, 18, 40, tzinfo=BERLIN)) for day in range(1, 6)]
        assert best([*winter, *summer]).time == _clock("18:40")
        assert len(best([*winter, *summer]).leading) == 10


class TestHours:
    def test_outside_the_hours_it_is_the_best_time_within_them(self) -> None:
        found = best(reactions("20:30", "20:30", "20:30", "20:30", "20:30", "12:00"))
        assert (f"{found.time:%H:%M}", found.thin) == ("19:55", False)

    def test_what_lies_an_hour_or_more_outside_of_them_says_nothing_of_them(self) -> None:
        found = best([*reactions(*["22:00"] * 20), *reactions(*["12:00"] * 4, since=30)])
        assert (f"{found.time:%H:%M}", found.thin) == ("10:00", True)
        assert "4 times near the hours from 08:00 to 20:00" in found.because

    def test_hours_may_go_over_midnight(self) -> None:
        night = Hours.model_validate({"from": "22:00", "to": "06:00", "otherwise": "23:00"})
        assert best(reactions(*["02:15"] * 5, "12:00"), night).time == _clock("02:15")

    def test_with_a_window_only_its_hours_are_sought(self) -> None:
        window = Window.model_validate({"from": "09:00", "to": "18:00"})
        found = best(EVENINGS, window=window)
        assert f"{found.time:%H:%M}" == "17:55"
        assert "reacts most from 08:00 to 20:00 in the window's hours" in found.because

    def test_the_contacts_quiet_hours_are_none_of_them(self) -> None:
        found = best(reactions(*["19:30"] * 5, "12:00"), quiet=outside("19:00-09:00"))
        assert (f"{found.time:%H:%M}", found.thin) == ("18:55", False)
        assert "reacts most from 08:00 to 20:00 outside its quiet hours: 5 of the 6 times" in found.because
        assert best(EVENINGS, quiet=outside("07:00-20:00")).thin


class TestThinData:
    @pytest.mark.parametrize(("known", "words"), [(0, "0 times"), (1, "1 time"), (4, "4 times")])
    def test_with_fewer_than_five_sittings_it_is_what_the_journey_says(self, known: int, words: str) -> None:
        found = best(reactions(*["18:40"] * known))
        assert (f"{found.time:%H:%M}", found.thin, found.leading) == ("10:00", True, frozenset())
        assert found.because == (
            f"This contact opened or clicked a mail {words} near the hours from 08:00 to 20:00 in the last 180 days, "
            "and 5 are needed to tell its best time: 10:00 is taken."
        )
        assert not best(reactions(*["18:40"] * 5)).thin

    def test_machines_do_not_count(self) -> None:
        assert best(reactions(*["03:00"] * 9, machine=True)).thin

    def test_what_is_older_than_half_a_year_does_not_count_nor_what_is_still_to_come(self) -> None:
        assert best(reactions(*["18:40"] * 9, since=180)).thin
        assert best(reactions(*["18:40"] * 9, since=-9)).thin

    def test_six_links_in_one_mail_are_one_sitting_with_the_weight_of_one_click(self) -> None:
        begin = NOW - DAY
        clicks = [Reaction(f"c{number}", CLICKED, begin + number * timedelta(minutes=5)) for number in range(6)]
        (sitting,) = sittings_of([*clicks, Reaction("o", OPENED, begin - timedelta(minutes=2))], NOW)
        assert sitting.began == begin - timedelta(minutes=2)
        assert sitting.weight(sitting.began) == 3
        assert best(clicks).thin

    def test_what_follows_after_more_than_half_an_hour_is_another_sitting(self) -> None:
        begin, pause = NOW - DAY, timedelta(minutes=30)
        apart = [Reaction("a", OPENED, begin), Reaction("b", OPENED, begin + pause + timedelta(seconds=1))]
        assert len(sittings_of(apart, NOW)) == 2
        assert len(sittings_of([apart[0], Reaction("b", OPENED, begin + pause)], NOW)) == 1
