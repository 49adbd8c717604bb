"""Which days are closed where."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from journeys.holidays import closed_on_holidays, holidays_note, holidays_where
from journeys.timing import next_opening
from journeys.window import Window

EPIPHANY = date(2026, 1, 6)


@pytest.mark.parametrize("region", ["BY", "DE-BY", "by", " de-by "])
def test_a_region_has_holidays_of_its_own(region: str) -> None:
    assert closed_on_holidays("DE", region)(EPIPHANY)
    assert not closed_on_holidays("DE", "NI")(EPIPHANY)
    assert not closed_on_holidays("DE")(EPIPHANY)


def test_holidays_of_the_country_hold_in_every_region() -> None:
    assert all(closed_on_holidays("DE", region)(date(2026, 12, 25)) for region in (None, "BY", "NI"))


def test_any_year_can_be_asked() -> None:
    closed = closed_on_holidays("US")
    assert closed(date(2026, 7, 4))
    assert closed(date(2031, 7, 4))
    assert not closed(date(2031, 7, 7))


@pytest.mark.parametrize("country", [None, "", "XX", "Germany", "\x00"])
def test_an_unknown_country_is_never_closed_and_says_so_without_repeating_it(country: str | None) -> None:
    assert not closed_on_holidays(country)(date(2026, 12, 25))
    assert holidays_note(country) == "The country of the contact is unknown: no holidays are respected."


def test_without_a_country_the_default_of_the_installation_is_closed_and_that_is_said() -> None:
    for country in (None, ""):
        closed, note = holidays_where(country, None, default="DE")
        assert closed(date(2026, 12, 25))
        assert note == (
            "The contact has no country: the holidays of DE, the default of the installation, are respected."
        )
    closed, note = holidays_where(None, "DE-BY", default="DE")
    assert closed(EPIPHANY)


def test_a_country_of_the_contacts_own_goes_before_the_default() -> None:
    closed, note = holidays_where("US", None, default="DE")
    assert (closed(date(2026, 7, 4)), closed(date(2026, 10, 3)), note) == (True, False, None)
    closed, note = holidays_where("XX", None, default="DE")
    assert (closed(date(2026, 12, 25)), note) == (False, holidays_note("XX"))
    closed, note = holidays_where(None, None, default="XX")
    assert (closed(date(2026, 12, 25)), note) == (False, holidays_note("XX"))


def test_an_unknown_region_leaves_the_holidays_of_the_country_and_says_so() -> None:
    assert closed_on_holidays("DE", "nowhere")(date(2026, 12, 25))
    assert holidays_note("DE", "nowhere") == (
        "The region of the contact is unknown: the holidays of DE as a whole are respected."
    )
    assert holidays_note("DE", "BY") is None
    assert holidays_note("DE") is None


def test_a_mail_due_on_christmas_eve_in_berlin_leaves_after_the_holidays() -> None:
    window = Window.model_validate({"days": "mon-fri", "from": "08:00", "to": "20:00", "holidays": True})
    zone = ZoneInfo("Europe/Berlin")
    asked = datetime(2026, 12, 24, 21, tzinfo=zone)
    opening = next_opening(window, asked, zone, closed_on_holidays("DE", "BE"))
    assert opening == datetime(2026, 12, 28, 7, tzinfo=UTC)
