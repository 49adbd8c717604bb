"""The shipped journey `newsletter`: an example that goes to nobody until somebody gives it a date."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.testing.journey import OpenJourney
from journeys.catalogue import catalogue
from journeys.checks import check_moments

EVE = "2099-11-30 10:00"
READER: dict[str, Any] = {"first_name": "Ada", "lists": ["newsletter"]}


@pytest.mark.parametrize(
    ("genre", "template"),
    [("jazz", "newsletter-jazz"), ("classical", "newsletter-classical"), ("soul", "newsletter-mixed")],
)
async def test_readers_get_what_suits_their_taste_in_the_morning_where_they_live(
    journey: OpenJourney, genre: str, template: str
) -> None:
    reader = {**READER, "favourite_genre": genre, "locale": "en", "time_zone": "Asia/Tokyo"}
    async with journey("newsletter", contact=reader, start=EVE) as j:
        await j.advance_to("2099-12-01 09:00")
        assert j.assert_sent(template, at="2099-12-01 08:30").subject.startswith("Plattenpost")
        assert len(j.mails) == 1
        await j.event("order.placed")
        j.assert_ended("goal_met")


async def test_who_is_known_to_read_in_the_evening_gets_it_then(journey: OpenJourney) -> None:
    evenings = [{"event": "mail.clicked", "ago": f"{day}d 15h 20m"} for day in range(6)]
    async with journey("newsletter", contact={**READER, "history": evenings}, start=EVE) as j:
        await j.advance(days=2)
        j.assert_result("when-it-is-read", "due", at="2099-12-01 18:40")
        j.assert_sent("newsletter-mixed", at="2099-12-01 18:40")


async def test_who_orders_nothing_leaves_after_two_weeks(journey: OpenJourney) -> None:
    async with journey("newsletter", contact=READER, start=EVE) as j:
        await j.finish()
        j.assert_sent("newsletter-mixed", times=1)
        j.assert_ended("completed")


async def test_who_withdraws_the_consent_is_out_at_once(journey: OpenJourney) -> None:
    async with journey("newsletter", contact=READER, start=EVE) as j:
        await j.advance(days=1)
        await j.event("consent.withdrawn", {"purpose": "marketing", "channel": "email"})
        j.assert_ended("exited")


@pytest.mark.parametrize("lists", [[], ["newsletter", "sunset"]], ids=["no reader", "left in peace"])
async def test_nobody_else_gets_it(journey: OpenJourney, lists: list[str]) -> None:
    async with journey("newsletter", contact={"lists": lists}, start=EVE) as j:
        await j.advance(days=2)
        j.assert_not_entered(reason="audience")


async def test_a_reader_gets_nothing_before_its_date(journey: OpenJourney) -> None:
    async with journey("newsletter", contact=READER) as j:
        await j.advance(days=365)
        j.assert_not_entered()
        j.assert_not_sent()


def test_no_shipped_broadcast_goes_off_in_this_century() -> None:
    broadcasts = [shipped for shipped in catalogue() if shipped.entry.broadcast is not None]
    assert broadcasts
    for shipped in broadcasts:
        assert check_moments(shipped, datetime(2099, 1, 1, tzinfo=UTC)) == []
