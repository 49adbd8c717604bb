"""Which instant a moment is, case by case. Times in the tests are on the wall of the contact unless they say UTC."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from journeys.dates import DateRefusal
from journeys.holidays import closed_on_holidays
from journeys.instants import Surroundings, describe_refusal, resolve
from journeys.moments import AnyMoment, DateMoment, Moment
from journeys.timing import NeverOpens, wall_instant
from journeys.window import Window

BERLIN = "Europe/Berlin"
MOMENT: TypeAdapter[Moment] = TypeAdapter(AnyMoment)


def instant(moment: Any, reached: str, zone: str = BERLIN, value: Any = None, **around: Any) -> str:
    """The moment as wall time with weekday, or why there is none. `reached` is wall time, too, unless it ends in Z."""
    info = ZoneInfo(zone)
    began = datetime.fromisoformat(reached)
    began = began if began.tzinfo else began.replace(tzinfo=info)
    around = {"zone": info, "reached": began, "now": began, "value": value} | around
    found = resolve(MOMENT.validate_python(moment), Surroundings(**around))
    if isinstance(found, DateRefusal):
        return found.name
    assert found.tzinfo is UTC
    local = found.astimezone(info)
    seconds = f"{local:%S}" if local.second else ""
    return f"{local:%a %Y-%m-%d %H:%M}{':' * bool(seconds)}{seconds}" + (" fold" if local.fold else "")


class TestCalendar:
    @pytest.mark.parametrize(
        ("moment", "reached", "due"),
        [
            ("1 day at 09:00", "2026-06-05T00:00", "Sat 2026-06-06 09:00"),
            ("1 day at 09:00", "2026-06-05T23:59:59", "Sat 2026-06-06 09:00"),
            ("1 day at 09:00:30", "2026-06-05T12:00", "Sat 2026-06-06 09:00:30"),
            ("2 weeks at 18:30", "2026-06-05T12:00", "Fri 2026-06-19 18:30"),
            ("3 months at 09:00", "2026-11-30T12:00", "Sun 2027-02-28 09:00"),
            ("1 month at 09:00", "2026-01-31T12:00", "Sat 2026-02-28 09:00"),
            ("1 year at 09:00", "2028-02-29T12:00", "Wed 2029-02-28 09:00"),
        ],
    )
    def test_days_are_counted_from_the_local_day(self, moment: str, reached: str, due: str) -> None:
        assert instant(moment, reached) == due

    @pytest.mark.parametrize(
        ("zone", "reached", "due"),
        [
            ("Europe/Berlin", "2026-03-28T12:00", "Sun 2026-03-29 09:00"),
            ("Europe/Berlin", "2026-10-24T12:00", "Sun 2026-10-25 09:00"),
            ("America/New_York", "2026-03-07T12:00", "Sun 2026-03-08 09:00"),
            ("America/New_York", "2026-10-31T12:00", "Sun 2026-11-01 09:00"),
            ("Australia/Lord_Howe", "2026-10-03T12:00", "Sun 2026-10-04 09:00"),
        ],
    )
    def test_nine_o_clock_stays_nine_o_clock_over_a_change_of_the_clocks(
        self, zone: str, reached: str, due: str
    ) -> None:
        # A peer takes the offset of the present: 10:00 in spring, 08:00 in autumn.
        assert instant("1 day at 09:00", reached, zone) == due

    def test_a_day_of_the_calendar_is_not_24_hours(self) -> None:
        reached = datetime(2026, 3, 28, 9, tzinfo=ZoneInfo(BERLIN))
        around = Surroundings(zone=ZoneInfo(BERLIN), reached=reached, now=reached)
        found = resolve(MOMENT.validate_python("1 day at 09:00"), around)
        assert isinstance(found, datetime)
        assert found - reached == timedelta(hours=23)

    def test_the_day_is_that_of_the_contact(self) -> None:
        assert instant("1 day at 09:00", "2026-06-05T16:00Z", "Asia/Tokyo") == "Sun 2026-06-07 09:00"
        assert instant("1 day at 09:00", "2026-06-05T05:00Z", "America/Los_Angeles") == "Fri 2026-06-05 09:00"


class TestClockChanges:
    def test_a_time_that_is_skipped_is_the_first_instant_after_the_gap(self) -> None:
        assert instant("1 day at 02:30", "2026-03-28T12:00") == "Sun 2026-03-29 03:00"
        assert instant("1 day at 02:00", "2026-03-28T12:00") == "Sun 2026-03-29 03:00"
        assert instant("1 day at 00:30", "2026-04-23T12:00", "Africa/Cairo") == "Fri 2026-04-24 01:00"

    def test_a_time_that_comes_twice_is_its_first_occurrence(self) -> None:
        assert instant("1 day at 02:30", "2026-10-24T12:00") == "Sun 2026-10-25 02:30"

    def test_where_the_first_occurrence_has_passed_it_is_the_second(self) -> None:
        zone = ZoneInfo("America/St_Johns")  # until 2011 the clocks went back one minute past midnight
        reached = datetime(2010, 11, 6, 23, 30, tzinfo=zone, fold=1)
        found = wall_instant(datetime(2010, 11, 7), zone, not_before=reached)  # noqa: DTZ001 -- a wall
        assert found >= reached
        assert wall_instant(datetime(2010, 11, 7), zone) < reached  # noqa: DTZ001 -- a wall

    def test_a_date_that_never_was_is_the_first_instant_after_it(self) -> None:
        assert instant("1 day at 09:00", "2011-12-29T12:00", "Pacific/Apia") == "Sat 2011-12-31 00:00"

    def test_an_aware_wall_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no offset"):
            wall_instant(datetime(2026, 1, 1, tzinfo=UTC), UTC)


class TestUntil:
    def test_an_offset_makes_it_the_same_instant_for_everybody(self) -> None:
        until = {"until": "2026-12-24T09:00:00+01:00"}
        assert instant(until, "2026-06-05T12:00") == "Thu 2026-12-24 09:00"
        assert instant(until, "2026-06-05T12:00", "Asia/Tokyo") == "Thu 2026-12-24 17:00"

    def test_without_one_it_is_that_time_where_the_contact_lives(self) -> None:
        until = {"until": "2026-12-24 09:00"}
        assert instant(until, "2026-06-05T12:00") == "Thu 2026-12-24 09:00"
        assert instant(until, "2026-06-05T12:00", "Asia/Tokyo") == "Thu 2026-12-24 09:00"

    def test_it_may_have_passed(self) -> None:
        assert instant({"until": "2026-01-01 09:00"}, "2026-06-05T12:00") == "Thu 2026-01-01 09:00"


class TestWindow:
    WEEKDAYS = Window.model_validate({"days": "mon-fri", "from": "08:00", "to": "20:00", "holidays": True})

    def test_it_is_the_next_opening(self) -> None:
        assert instant("next_window", "2026-06-05T21:00", window=self.WEEKDAYS) == "Mon 2026-06-08 08:00"
        assert instant("next_window", "2026-06-05T12:34:56", window=self.WEEKDAYS) == "Fri 2026-06-05 12:34:56"

    def test_holidays_of_the_region_are_closed(self) -> None:
        closed = closed_on_holidays("DE", "BY")
        assert instant("next_window", "2026-01-05T21:00", window=self.WEEKDAYS, closed=closed) == "Wed 2026-01-07 08:00"

    def test_it_is_sought_from_the_present(self) -> None:
        now = datetime(2026, 6, 6, 12, tzinfo=ZoneInfo(BERLIN))
        assert instant("next_window", "2026-06-05T12:00", window=self.WEEKDAYS, now=now) == "Mon 2026-06-08 08:00"

    def test_contacts_go_on_spread_over_the_time_the_window_says(self) -> None:
        window = self.WEEKDAYS.model_copy(update={"spread": timedelta(minutes=30)})
        assert instant("next_window", "2026-06-05T21:00", window=window, place=0.5) == "Mon 2026-06-08 08:15"
        assert instant("next_window", "2026-06-05T12:34:56", window=window, place=0.5) == "Fri 2026-06-05 12:34:56"

    def test_one_that_never_opens_is_an_error(self) -> None:
        with pytest.raises(NeverOpens):
            instant("next_window", "2026-06-05T21:00", window=self.WEEKDAYS, closed=lambda _: True)


class TestDates:
    @pytest.mark.parametrize(
        ("moment", "value", "due"),
        [
            ({"before": "1d"}, "2026-06-10T10:00:00+02:00", "Tue 2026-06-09 10:00"),
            ({"after": "2h"}, "2026-06-10T10:00:00+02:00", "Wed 2026-06-10 12:00"),
            ({"before": "1d", "at": "09:00"}, "2026-06-10T19:00:00Z", "Tue 2026-06-09 09:00"),
            ({"before": "1 day", "at": "09:00"}, "2026-06-10", "Tue 2026-06-09 09:00"),
            ({"before": "1 day"}, "2026-06-10T19:00:00+02:00", "Tue 2026-06-09 19:00"),
            ({"before": "1 day"}, "2026-06-10", "Tue 2026-06-09 00:00"),
            ({"after": "3 months", "at": "09:00"}, "2026-11-30", "Sun 2027-02-28 09:00"),
            ({"before": "1 month", "at": "09:00"}, "2026-03-31", "Sat 2026-02-28 09:00"),
            ({"after": "2w"}, "2026-06-10 10:00", "Wed 2026-06-24 10:00"),
        ],
    )
    def test_a_time_beside_a_date(self, moment: dict[str, Any], value: str, due: str) -> None:
        assert instant({"date": "$entry.starts_at", **moment}, "2026-06-01T12:00", value=value) == due

    @pytest.mark.parametrize(
        ("at", "value", "due"),
        [
            ({}, "2026-06-10T10:00:00Z", "Wed 2026-06-10 12:00"),
            ({"at": "09:00"}, "2026-06-10T22:30:00Z", "Thu 2026-06-11 09:00"),
            ({"at": "09:00"}, "2026-06-10", "Wed 2026-06-10 09:00"),
        ],
    )
    def test_the_date_itself(self, at: dict[str, str], value: str, due: str) -> None:
        assert instant({"on": "$contact.contract_end", **at}, "2026-06-01T12:00", value=value) == due

    def test_exact_time_before_a_date_and_a_calendar_day_differ_over_a_change_of_the_clocks(self) -> None:
        value = "2026-03-29T10:00:00+02:00"
        around = ("2026-03-01T12:00", BERLIN, value)
        assert instant({"before": "1d", "date": "$entry.at"}, *around) == "Sat 2026-03-28 09:00"
        assert instant({"before": "1 day", "date": "$entry.at"}, *around) == "Sat 2026-03-28 10:00"

    @pytest.mark.parametrize("value", [None, "", 0, "1970-01-01", "soon", "0001-01-01"])
    def test_what_is_no_date_gives_the_reason(self, value: Any) -> None:
        assert instant({"on": "$contact.birthday"}, "2026-06-01T12:00", value=value) in DateRefusal.__members__

    def test_the_reason_names_the_date_and_not_its_value(self) -> None:
        moment = DateMoment.model_validate({"on": "$contact.birthday"})
        assert describe_refusal(moment, DateRefusal.STAND_IN) == (
            "The date 'birthday' of the contact is one that producers write where they have none."
        )


class TestAnniversaries:
    @pytest.mark.parametrize(
        ("after", "reached", "due"),
        [
            ("2 weeks", "2026-01-01T12:00", "Tue 2026-01-13 10:00"),
            ("13 months", "2026-01-01T12:00", "Fri 2026-01-30 10:00"),
            ("800d", "2026-01-01T12:00", "Mon 2026-03-09 10:00"),
        ],
    )
    def test_the_moment_behind_a_return_that_comes_next_is_meant_however_long_ago_that_was(
        self, after: str, reached: str, due: str
    ) -> None:
        moment = {"after": after, "date": "$contact.birthday", "at": "10:00", "yearly": True}
        assert instant(moment, reached, value="1990-12-30") == due

    BIRTHDAY = {"on": "$contact.birthday", "at": "10:00", "yearly": True}  # noqa: RUF012 -- a constant

    @pytest.mark.parametrize(
        ("born", "reached", "due"),
        [
            ("1990-06-10", "2026-06-01T12:00", "Wed 2026-06-10 10:00"),
            ("1990-06-10", "2026-06-10T09:59:59", "Wed 2026-06-10 10:00"),
            ("1990-06-10", "2026-06-10T10:00:01", "Thu 2027-06-10 10:00"),
            ("1990-01-01", "2026-12-31T23:00", "Fri 2027-01-01 10:00"),
            ("2000-02-29", "2026-02-01T12:00", "Sat 2026-02-28 10:00"),
            ("2000-02-29", "2028-02-01T12:00", "Tue 2028-02-29 10:00"),
            ("2000-02-29T08:00:00Z", "2028-02-29T12:00", "Wed 2029-02-28 10:00"),
        ],
    )
    def test_a_birthday_returns_each_year(self, born: str, reached: str, due: str) -> None:
        assert instant(self.BIRTHDAY, reached, value=born) == due

    def test_a_week_before_it_may_lie_in_the_old_year(self) -> None:
        moment = {"before": "1 week", "date": "$contact.birthday", "at": "10:00", "yearly": True}
        assert instant(moment, "2026-12-20T12:00", value="1990-01-02") == "Sat 2026-12-26 10:00"
        assert instant(moment, "2026-12-27T12:00", value="1990-01-02") == "Sun 2027-12-26 10:00"

    def test_a_date_that_is_still_to_come_does_not_return_before_it_is(self) -> None:
        assert instant(self.BIRTHDAY, "2026-06-01T12:00", value="2030-07-01") == "Mon 2030-07-01 10:00"

    def test_the_day_is_that_of_the_contact(self) -> None:
        born = datetime(1990, 6, 10, 22, 30, tzinfo=UTC).isoformat()
        assert instant(self.BIRTHDAY, "2026-06-01T12:00", value=born) == "Thu 2026-06-11 10:00"
