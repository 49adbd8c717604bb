"""The shipped journey `special-occasion`: before Advent, which moves."""

import pytest

from cli.testing.journey import OpenJourney

ADA = {"first_name": "Ada", "locale": "en"}


@pytest.mark.parametrize(("year", "day"), [(2026, "2026-11-25"), (2027, "2027-11-24"), (2022, "2022-11-23")])
async def test_it_comes_on_the_wednesday_before_the_first_sunday_in_advent(
    journey: OpenJourney, year: int, day: str
) -> None:
    async with journey("special-occasion", contact=ADA, start=f"{year}-11-15 12:00") as j:
        await j.advance(days=35)
        assert "FEST-SAMPLE-1" in j.assert_sent("advent-gift", at=f"{day} 09:00", times=1).text
        j.assert_sent("advent-reminder", times=1)
        j.assert_ended("completed")


async def test_who_has_bought_presents_is_left_in_peace(journey: OpenJourney) -> None:
    async with journey("special-occasion", contact=ADA, start="2026-11-15 12:00") as j:
        await j.advance(days=12)
        await j.event("voucher.redeemed", {"pool": "occasion"})
        j.assert_ended("goal_met")
        await j.advance(days=20)
        j.assert_not_sent("advent-reminder")


async def test_it_comes_again_the_next_year_on_that_years_day(journey: OpenJourney) -> None:
    async with journey("special-occasion", contact=ADA, start="2026-11-15 12:00") as j:
        await j.advance(days=380)
        j.assert_sent("advent-gift", times=2)
        assert any(f"{mail.at:%Y-%m-%d}" == "2027-11-24" for mail in j.mails)


async def test_without_consent_nobody_is_written_to(journey: OpenJourney) -> None:
    async with journey("special-occasion", contact={"consents": []}, start="2026-11-15 12:00") as j:
        await j.advance(days=12)
        j.assert_not_entered(reason="audience")
