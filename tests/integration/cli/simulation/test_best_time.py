"""Waiting for a pretended contact's own best time: its openings and clicks, past ones and scripted ones, lead there."""

from typing import Any

import pytest

from cli.testing.journey import OpenJourney
from tests.integration.cli.simulation.test_ways import tried

BEST: dict[str, Any] = {
    "id": "best",
    "wait": {"best_time": {"from": "08:00", "to": "20:00", "otherwise": "10:30"}},
}
MAIL: dict[str, Any] = {"id": "mail", "send": {"template": "review-request"}}
EVENINGS = [{"event": "mail.opened", "ago": f"{day}d 15h 20m"} for day in range(5)]
"""The five evenings before the start (Monday 10:00) at 18:40."""


async def test_a_mail_leaves_when_its_reader_reads_and_the_decision_says_why(journey: OpenJourney) -> None:
    async with journey(tried(BEST, MAIL), contact={"history": EVENINGS}) as j:
        await j.event("order.placed")
        j.assert_waiting(at="best", until="Mon 18:40")
        await j.finish()
        j.assert_sent("review-request", at="Mon 18:40")
        assert "18:40 is when this contact reacts most from 08:00 to 20:00: 5 of the 5 times" in j.timeline()


async def test_openings_during_the_journey_lead_to_a_time_where_there_was_none(journey: OpenJourney) -> None:
    again = {"id": "again", "wait": BEST["wait"]}
    async with journey(tried(BEST, {"wait": "7d"}, again, MAIL)) as j:
        await j.event("order.placed")
        j.assert_waiting(at="best", until="Mon 10:30")
        for _ in range(5):
            await j.advance_to("14:15")
            await j.event("mail.clicked")
            await j.advance(minutes=1)
        await j.finish()
        j.assert_result("best", "due", at="Mon 10:30")
        j.assert_sent("review-request", at="2026-06-08 14:15")


@pytest.mark.parametrize("machine", [True, False])
async def test_openings_by_machines_lead_nowhere(journey: OpenJourney, *, machine: bool) -> None:
    opened = [{**one, "properties": {"machine": machine}} for one in EVENINGS]
    async with journey(tried(BEST, MAIL), contact={"history": opened}) as j:
        await j.event("order.placed")
        j.assert_waiting(at="best", until="Mon 10:30" if machine else "Mon 18:40")


async def test_it_is_looked_up_anew_when_the_contact_moves_and_not_by_openings_meanwhile(journey: OpenJourney) -> None:
    async with journey(tried(BEST, MAIL), contact={"history": EVENINGS}) as j:
        await j.event("order.placed")
        for _ in range(4):  # asked now, 11:30 would be the best time
            await j.advance(minutes=31)
            await j.event("mail.clicked")
        j.assert_waiting(at="best", until="Mon 18:40")
        await j.event("contact.identified", {"time_zone": "America/New_York"})
        j.assert_waiting(at="best", until="Mon 12:40 America/New_York")


async def test_quiet_hours_asked_for_meanwhile_move_it_out_of_them(journey: OpenJourney) -> None:
    async with journey(tried(BEST, MAIL), contact={"history": EVENINGS}) as j:
        await j.event("order.placed")
        await j.event("contact.identified", {"quiet_hours": "18:30-08:00"})
        j.assert_waiting(at="best", until="Mon 18:25")
        await j.finish()
        j.assert_sent("review-request", at="Mon 18:25")


async def test_in_the_window_it_is_the_best_time_of_an_open_day(journey: OpenJourney) -> None:
    window = {"days": "mon-fri", "from": "09:00", "to": "20:00"}
    waits = {"id": "best", "wait": {"best_time": {"otherwise": "10:30", "in_window": True}}}
    evenings = [{"event": "mail.opened", "ago": f"{day}d 20m"} for day in range(5)]
    async with journey(tried(waits, MAIL, window=window), contact={"history": evenings}, start="2026-06-05 19:00") as j:
        await j.event("order.placed")
        j.assert_waiting(at="best", until="2026-06-08 18:40")


async def test_two_such_waits_lie_a_day_apart(journey: OpenJourney) -> None:
    async with journey(tried(BEST, {**BEST, "id": "next"}, MAIL), contact={"history": EVENINGS}) as j:
        await j.event("order.placed")
        await j.finish()
        j.assert_result("best", "due", at="Mon 18:40")
        j.assert_sent("review-request", at="Tue 18:40")
