"""When a window opens, case by case. Times in the tests are wall times of the contact unless they say UTC."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journeys.timing import NeverOpens, is_open, next_opening, zone_or_default
from journeys.window import Window

WEEKDAYS_AT_EIGHT = {"days": "mon-fri", "from": "08:00", "to": "09:00"}


def opening(window: dict[str, Any], asked: str, zone: str, closed: tuple[str, ...] = ()) -> str:
    """The next opening as wall time with weekday; `asked` is wall time, too, its second occurrence with `fold`."""
    text, fold, _ = asked.partition(" fold")
    now = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=1 if fold else 0)
    days = {date.fromisoformat(day) for day in closed}
    found = next_opening(Window.model_validate(window), now, ZoneInfo(zone), days.__contains__)
    assert found.tzinfo is UTC
    local = found.astimezone(ZoneInfo(zone))
    return f"{local:%a %Y-%m-%d %H:%M}" + (" fold" if local.fold else "")


class TestWhereAPeerIsWrong:
    """Four findings from running a peer's code; each gave the answer in the comment."""

    def test_in_tokyo_a_weekday_window_asked_on_friday_opens_on_monday(self) -> None:
        # The peer: Saturday, for it tests the weekday in UTC.
        assert opening(WEEKDAYS_AT_EIGHT, "2026-06-05T12:00", "Asia/Tokyo") == "Mon 2026-06-08 08:00"

    def test_in_tokyo_a_weekday_window_asked_on_saturday_does_not_lose_monday(self) -> None:
        # The peer: Tuesday.
        assert opening(WEEKDAYS_AT_EIGHT, "2026-06-06T12:00", "Asia/Tokyo") == "Mon 2026-06-08 08:00"

    def test_in_los_angeles_a_monday_window_opens_on_monday(self) -> None:
        # The peer: Sunday 18:00.
        window = {"days": "mon", "from": "18:00", "to": "19:00"}
        assert opening(window, "2026-06-05T12:00", "America/Los_Angeles") == "Mon 2026-06-08 18:00"

    @pytest.mark.parametrize(
        ("zone", "asked", "opens"),
        [
            ("America/New_York", "2026-03-07T12:00", "Sun 2026-03-08 09:00"),  # the peer: 10:00
            ("America/New_York", "2026-10-31T12:00", "Sun 2026-11-01 09:00"),  # the peer: 08:00
            ("Europe/Berlin", "2026-03-28T12:00", "Sun 2026-03-29 09:00"),
            ("Europe/Berlin", "2026-10-24T12:00", "Sun 2026-10-25 09:00"),
        ],
    )
    def test_nine_o_clock_stays_nine_o_clock_over_a_change_of_the_clocks(
        self, zone: str, asked: str, opens: str
    ) -> None:
        assert opening({"from": "09:00", "to": "10:00"}, asked, zone) == opens

    @pytest.mark.parametrize(
        "name", ["Mars/Olympus", "europe/berlin", "../etc/passwd", "America", "UTC+1", "\x00", " "]
    )
    def test_a_zone_that_does_not_exist_falls_back_and_says_so_without_repeating_it(self, name: str) -> None:
        # The peer: an exception, retried for ever, and the contact stuck.
        zone, note = zone_or_default(name, "Europe/Berlin")
        assert zone == ZoneInfo("Europe/Berlin")
        assert note == "The time zone of the contact is unknown: Europe/Berlin is used."


class TestZones:
    def test_a_known_zone_is_used_without_a_word(self) -> None:
        assert zone_or_default("Asia/Tokyo", "Europe/Berlin") == (ZoneInfo("Asia/Tokyo"), None)

    @pytest.mark.parametrize("name", [None, ""])
    def test_a_contact_without_a_zone_gets_the_default(self, name: str | None) -> None:
        zone, note = zone_or_default(name, "Europe/Berlin")
        assert zone == ZoneInfo("Europe/Berlin")
        assert note == "The contact has no time zone: Europe/Berlin is used."

    def test_an_unknown_default_gives_way_to_utc(self) -> None:
        zone, note = zone_or_default("nowhere", "nowhere either")
        assert zone == ZoneInfo("UTC")
        assert note is not None
        assert note.endswith("UTC is used.")


class TestDaysAndHours:
    def test_an_open_window_opens_now_to_the_microsecond(self) -> None:
        now = datetime(2026, 6, 5, 8, 30, 12, 345678, tzinfo=UTC)
        assert next_opening(Window.model_validate(WEEKDAYS_AT_EIGHT), now, UTC) == now

    def test_no_window_is_always_open(self) -> None:
        now = datetime(2026, 6, 5, 3, tzinfo=UTC)
        assert next_opening(None, now, UTC) == now

    @pytest.mark.parametrize(
        ("asked", "opens"),
        [
            ("2026-06-05T07:59:59", "Fri 2026-06-05 08:00"),
            ("2026-06-05T08:00", "Fri 2026-06-05 08:00"),
            ("2026-06-05T08:59", "Fri 2026-06-05 08:59"),
            ("2026-06-05T09:00", "Mon 2026-06-08 08:00"),
        ],
    )
    def test_from_is_inside_and_to_is_outside(self, asked: str, opens: str) -> None:
        assert opening(WEEKDAYS_AT_EIGHT, asked, "Europe/Berlin") == opens

    @pytest.mark.parametrize("hours", [{}, {"from": "08:00", "to": "08:00"}, {"from": "00:00", "to": "24:00"}])
    def test_equal_times_mean_the_whole_day(self, hours: dict[str, str]) -> None:
        window = {"days": "sat,sun", **hours}
        assert opening(window, "2026-06-05T23:59", "Europe/Berlin") == "Sat 2026-06-06 00:00"
        assert opening(window, "2026-06-07T23:59", "Europe/Berlin") == "Sun 2026-06-07 23:59"

    def test_a_naive_present_is_refused(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            next_opening(None, datetime(2026, 6, 5), UTC)  # noqa: DTZ001 -- the point of the test

    def test_a_zone_a_day_ahead_judges_its_own_weekday(self) -> None:
        now = datetime(2026, 6, 5, 12, tzinfo=UTC)  # Saturday 02:00 in Kiritimati
        window = Window.model_validate({"days": "sat"})
        assert is_open(window, now, ZoneInfo("Pacific/Kiritimati"))
        assert not is_open(window, now, ZoneInfo("Pacific/Pago_Pago"))


class TestNights:
    NIGHT = {"days": "mon-fri", "from": "22:00", "to": "06:00"}  # noqa: RUF012 -- a constant

    def test_a_night_is_not_turned_into_a_day(self) -> None:
        # A peer swaps the times when the end is earlier and sends from 06:00 to 22:00.
        assert opening(self.NIGHT, "2026-06-03T12:00", "Europe/Berlin") == "Wed 2026-06-03 22:00"
        assert opening(self.NIGHT, "2026-06-03T03:00", "Europe/Berlin") == "Wed 2026-06-03 03:00"
        assert opening(self.NIGHT, "2026-06-03T06:00", "Europe/Berlin") == "Wed 2026-06-03 22:00"

    def test_a_night_belongs_to_the_day_it_opens(self) -> None:
        assert opening(self.NIGHT, "2026-06-06T03:00", "Europe/Berlin") == "Sat 2026-06-06 03:00"
        assert opening(self.NIGHT, "2026-06-06T22:00", "Europe/Berlin") == "Mon 2026-06-08 22:00"
        assert opening(self.NIGHT, "2026-06-08T03:00", "Europe/Berlin") == "Mon 2026-06-08 22:00"

    def test_a_holiday_closes_the_night_that_opens_on_it_and_not_its_own_morning(self) -> None:
        window = {**self.NIGHT, "holidays": True}
        assert opening(window, "2026-06-04T03:00", "Europe/Berlin", ("2026-06-04",)) == "Thu 2026-06-04 03:00"
        assert opening(window, "2026-06-04T12:00", "Europe/Berlin", ("2026-06-04",)) == "Fri 2026-06-05 22:00"

    def test_until_midnight_is_the_evening(self) -> None:
        window = {"from": "18:00", "to": "24:00"}
        assert opening(window, "2026-06-04T23:59", "Europe/Berlin") == "Thu 2026-06-04 23:59"
        assert opening(window, "2026-06-05T00:00", "Europe/Berlin") == "Fri 2026-06-05 18:00"


class TestClockChanges:
    def test_an_opening_in_the_skipped_hour_comes_right_after_it(self) -> None:
        assert opening({"from": "02:30", "to": "08:00"}, "2026-03-28T12:00", "Europe/Berlin") == "Sun 2026-03-29 03:00"

    def test_a_window_inside_the_skipped_hour_does_not_open_that_day(self) -> None:
        assert opening({"from": "02:15", "to": "02:45"}, "2026-03-28T12:00", "Europe/Berlin") == "Mon 2026-03-30 02:15"

    def test_an_opening_in_the_repeated_hour_is_its_first_occurrence(self) -> None:
        assert opening({"from": "02:30", "to": "08:00"}, "2026-10-24T12:00", "Europe/Berlin") == "Sun 2026-10-25 02:30"

    def test_in_the_repeated_hour_the_wall_clock_decides_again(self) -> None:
        window = {"from": "02:15", "to": "02:45"}
        assert opening(window, "2026-10-25T02:50", "Europe/Berlin") == "Sun 2026-10-25 02:15 fold"
        assert opening(window, "2026-10-25T02:00 fold", "Europe/Berlin") == "Sun 2026-10-25 02:15 fold"
        assert opening(window, "2026-10-25T02:50 fold", "Europe/Berlin") == "Mon 2026-10-26 02:15"

    def test_clocks_that_go_back_into_the_window_open_it(self) -> None:
        assert opening({"from": "22:00", "to": "02:30"}, "2026-10-25T02:40", "Europe/Berlin") == (
            "Sun 2026-10-25 02:00 fold"
        )

    def test_a_day_without_midnight_opens_at_its_first_instant(self) -> None:
        # In Cairo the clocks skip from midnight to one o'clock.
        assert opening({"days": "fri"}, "2026-04-23T12:00", "Africa/Cairo") == "Fri 2026-04-24 01:00"

    def test_a_date_that_never_was_is_passed_over(self) -> None:
        # Samoa had no 30 December 2011.
        assert opening({"from": "08:00", "to": "09:00"}, "2011-12-29T12:00", "Pacific/Apia") == "Sat 2011-12-31 08:00"
        assert opening({"days": "fri"}, "2011-12-29T12:00", "Pacific/Apia") == "Fri 2012-01-06 00:00"


class TestHolidays:
    def test_closed_days_are_passed_over_where_the_window_respects_them(self) -> None:
        window = {**WEEKDAYS_AT_EIGHT, "holidays": True}
        closed = ("2026-12-24", "2026-12-25")
        assert opening(window, "2026-12-23T12:00", "Europe/Berlin", closed) == "Mon 2026-12-28 08:00"

    def test_closed_days_are_no_matter_where_it_does_not(self) -> None:
        assert opening(WEEKDAYS_AT_EIGHT, "2026-12-23T12:00", "Europe/Berlin", ("2026-12-24",)) == (
            "Thu 2026-12-24 08:00"
        )

    def test_a_window_that_never_opens_says_so(self) -> None:
        window = Window.model_validate({"days": "mon-fri", "holidays": True})
        with pytest.raises(NeverOpens, match="does not open within 366 days"):
            next_opening(window, datetime(2026, 6, 6, tzinfo=UTC), UTC, lambda _: True)

    def test_a_window_that_opens_on_the_last_day_looked_at_is_found(self) -> None:
        now = datetime(2026, 6, 6, tzinfo=UTC)
        window = Window.model_validate({"holidays": True})
        last = now.date() + timedelta(days=366)
        assert next_opening(window, now, UTC, lambda day: day != last).date() == last
