"""What a simulation gets right: everything a real contact would meet, through the real workflow."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest

from cli.testing.journey import OpenJourney
from journeys.simulate import PretendedContact
from journeys.spreading import place_of
from kit.errors import Conflict, Invalid, NotFound

ORDER = {"order_id": "o-1", "order_number": 1, "product_id": "cd-1"}
CONSENT = {"consent": {"purpose": "marketing"}}
GIFT: dict[str, Any] = {
    "id": "gift",
    "send": {"template": "voucher", "voucher": {"pool": "gifts", "valid": "7d"}, "repeat": "always"},
}
REMINDER: dict[str, Any] = {"send": {"template": "voucher", "voucher": {"of": "gift"}, "repeat": "always"}}


def a_journey(*steps: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "key": "tried",
        "name": "Tried",
        "owner": "tests",
        "entry": {"event": "order.placed"},
        "steps": list(steps) or [{"wait": "1d"}],
        **parts,
    }


class TestTime:
    async def test_half_a_year_is_walked_step_by_step(self, journey: OpenJourney) -> None:
        steps: list[dict[str, Any]] = [{"wait": "30d"}, {"send": {"template": "review-request"}}] * 6
        async with journey(a_journey(*steps), start="2026-01-01 12:00") as j:
            await j.event("order.placed")
            await j.finish()
            j.assert_sent("review-request", times=6)
            assert [f"{mail.at.astimezone(j.now.tzinfo):%d.%m. %H:%M}" for mail in j.mails] == [
                "31.01. 12:00",
                "02.03. 12:00",
                "01.04. 13:00",  # 24 hours times 30, over the change of the clocks
                "01.05. 13:00",
                "31.05. 13:00",
                "30.06. 13:00",
            ]

    @pytest.mark.parametrize("year", [2010, 2026, 2040])
    async def test_past_and_future_are_alike(self, journey: OpenJourney, year: int) -> None:
        easter = {2010: "2010-04-06", 2026: "2026-04-07", 2040: "2040-04-03"}[year]
        window = {"days": "mon-fri", "from": "09:00", "to": "17:00", "holidays": True}
        steps = (
            {"wait": "1 day at 08:00"},
            {"send": {"template": "review-request"}},
            {"wait": {"until": "2055-01-01 00:00", "late": "now"}},
        )
        before = {2010: "2010-04-01 18:00", 2026: "2026-04-02 18:00", 2040: "2040-03-29 18:00"}[year]
        async with journey(a_journey(*steps, window=window), contact={"country": "DE"}, start=before) as j:
            await j.event("order.placed")
            await j.advance(days=10)
            j.assert_sent("review-request", at=f"{easter} 09:00")
            j.assert_waiting(until="2055-01-01 00:00")

    @pytest.mark.parametrize("waits", [[], [{"wait": "next_window"}]], ids=["held back", "waited for"])
    async def test_what_a_window_held_back_leaves_at_its_place_in_the_spread(
        self, journey: OpenJourney, waits: list[dict[str, Any]]
    ) -> None:
        window = {"from": "09:00", "to": "17:00", "spread": "2h"}
        send = {"send": {"template": "review-request"}}
        async with journey(a_journey(*waits, send, window=window), start="2026-06-02 18:00") as j:
            await j.event("order.placed")
            await j.finish()
            place = timedelta(hours=2) * place_of(PretendedContact().id) // timedelta(minutes=1)
            j.assert_sent("review-request", at=f"2026-06-03 {9 + place // 60:02}:{place % 60:02}")

    async def test_waits_end_in_the_contacts_own_zone(self, journey: OpenJourney) -> None:
        plan = a_journey({"wait": "1 day at 09:00"})
        async with journey(plan, contact={"time_zone": "America/New_York"}, start="2026-03-07 12:00") as j:
            await j.event("order.placed")
            j.assert_waiting(until="Sun 09:00")
            j.assert_waiting(until="Sun 13:00 UTC")
            await j.finish()
            j.assert_ended(at="2026-03-08 09:00")

    async def test_a_contact_without_a_zone_has_the_one_of_the_journey(self, journey: OpenJourney) -> None:
        plan = a_journey({"wait": "1 day at 09:00"}, time_zone="America/New_York")
        async with journey(plan, start="2026-03-07 12:00") as j:
            await j.event("order.placed")
            j.assert_waiting(until="Sun 13:00 UTC")

    async def test_exact_time_passes_where_the_clocks_change(self, journey: OpenJourney) -> None:
        async with journey(a_journey({"wait": "1d"}), start="2026-03-28 12:00") as j:
            await j.event("order.placed")
            await j.advance(hours=24)
            j.assert_ended(at="2026-03-29 13:00")

    async def test_time_stops_where_it_is_told_to(self, journey: OpenJourney) -> None:
        async with journey(a_journey({"wait": "1d"}, {"set": {"late": True}})) as j:
            await j.event("order.placed")
            await j.advance(hours=23, minutes=59)
            j.assert_attribute("late", None)
            await j.advance(minutes=1)
            j.assert_attribute("late", value=True)

    async def test_a_long_silence_before_the_entry_is_no_matter(self, journey: OpenJourney) -> None:
        async with journey(a_journey()) as j:
            await j.advance(days=400)
            await j.event("order.placed")
            await j.finish()
            j.assert_ended(at="2027-07-07 10:00")


class TestEntry:
    async def test_another_event_or_other_properties_let_nobody_in(self, journey: OpenJourney) -> None:
        async with journey("voucher-and-review") as j:
            await j.event("page.viewed", ORDER)
            await j.event("order.placed", {**ORDER, "order_number": 2})
            j.assert_not_entered()

    async def test_the_audience_is_judged(self, journey: OpenJourney) -> None:
        async with journey("voucher-and-review", contact={"consents": []}) as j:
            await j.event("order.placed", ORDER)
            j.assert_not_entered(reason="audience")
            await j.event("consent.granted")
            await j.event("order.placed", ORDER)
            j.assert_entered()

    async def test_a_cooldown_is_kept(self, journey: OpenJourney) -> None:
        plan = a_journey(entry={"event": "order.placed", "again": {"cooldown": "10d"}})
        async with journey(plan) as j:
            await j.event("order.placed")
            await j.event("order.placed")
            j.assert_not_entered(reason="already_running")
            await j.advance(days=10)
            await j.event("order.placed")
            j.assert_not_entered(reason="cooling_down")
            await j.advance(days=2)
            await j.event("order.placed")
            j.assert_entered(times=2)

    async def test_several_run_side_by_side_each_in_its_own_time(self, journey: OpenJourney) -> None:
        entry = {"event": "order.placed", "again": {"per": "order_id"}}
        goal = {"type": "sell", "event": "order.paid", "where": {"order_id": "$entry.order_id"}}
        async with journey(a_journey({"wait": "3d"}, {"list": {"add": "slow"}}, entry=entry, goal=goal)) as j:
            await j.event("order.placed", {"order_id": 1})
            await j.advance(days=1)
            await j.event("order.placed", {"order_id": 2})
            await j.advance(days=1)
            await j.event("order.paid", {"order_id": 2})
            j.assert_ended("goal_met")
            j.assert_waiting(until="Thu 10:00")
            await j.finish()
            j.assert_in_list("slow")

    async def test_a_contact_enters_without_an_event(self, journey: OpenJourney) -> None:
        async with journey(a_journey({"set": {"seen": "$entry.page"}}, entry={})) as j:
            await j.enroll({"page": "/prices"})
            j.assert_ended()
            j.assert_attribute("seen", "/prices")

    async def test_silence_leads_into_a_journey_once_it_has_lasted(self, journey: OpenJourney) -> None:
        entry = {"absence": {"of": "order.placed", "for": "90d"}, "again": "after_exit"}
        async with journey(a_journey({"wait": "1d"}, entry=entry)) as j:
            await j.advance(days=200)
            j.assert_not_entered()
            await j.event("order.placed")
            await j.advance(days=60)
            await j.event("order.placed")
            await j.advance(days=89, hours=23)
            j.assert_not_entered()
            await j.advance(hours=1)
            j.assert_entered()
            await j.finish()
            await j.event("order.placed")
            await j.finish()
            j.assert_entered(times=2)

    async def test_silence_is_counted_by_the_calendar_of_where_the_contact_lives_then(
        self, journey: OpenJourney
    ) -> None:
        entry = {"absence": {"of": "order.placed", "for": "1 month"}}
        plan = a_journey({"wait": "1d"}, entry=entry)
        async with journey(plan, contact={"time_zone": "Asia/Tokyo"}, start="2026-05-01 08:30") as j:
            await j.event("order.placed")
            await j.event("contact.identified", {"time_zone": "America/New_York"})  # where it was 30 April, 19:30
            await j.advance(days=29, hours=23)
            j.assert_not_entered()
            await j.advance(hours=1)
            j.assert_entered()

    async def test_coming_into_a_segment_leads_into_a_journey_and_time_leads_out(self, journey: OpenJourney) -> None:
        buyers = {"key": "buyers", "name": "Buyers", "condition": {"event": "order.placed", "within": "7d"}}
        idle = {"key": "idle", "name": "Idle", "condition": {"not": {"segment": "buyers"}}}
        left = {"event": "segment.entered", "where": {"segment": "idle"}}
        parts = {"entry": {"segment": {"entered": "buyers"}}, "exit": [left], "goal": None}
        async with journey(a_journey({"wait": "30d"}, **parts), segments=[idle, buyers]) as j:
            await j.advance(days=1)
            j.assert_not_entered()
            await j.event("order.placed")
            j.assert_entered()
            await j.advance(days=6)
            await j.event("order.placed")
            await j.advance(days=6)
            j.assert_waiting()
            await j.finish()
            j.assert_ended("exited", at="Mon 10:00")

    async def test_a_contact_is_in_a_segment_for_good_when_told_so(self, journey: OpenJourney) -> None:
        pro = {"key": "pro", "name": "Pro", "condition": {"attribute": "plan", "is": "pro"}}
        steps = {"if": {"segment": "pro"}, "then": [{"list": {"add": "paid"}}]}
        for contact, paid in (({}, False), ({"plan": "pro"}, True), ({"segments": ["pro"]}, True)):
            async with journey(a_journey(steps), contact=contact, segments=[pro]) as j:
                await j.event("order.placed")
                (j.assert_in_list if paid else j.assert_not_in_list)("paid")

    async def test_a_birthday_leads_into_a_journey_every_year(self, journey: OpenJourney) -> None:
        entry = {"date": {"of": "birthday", "yearly": True, "at": "09:00", "before": "7 days"}, "again": "after_exit"}
        async with journey(a_journey({"wait": "1d"}, entry=entry), contact={"birthday": "1980-02-29"}) as j:
            await j.finish()
            j.assert_entered()
            j.assert_ended(at="2027-02-22 09:00")
            await j.event("contact.identified", {"birthday": "1980-05-03"})
            await j.advance_to("2027-04-26 09:00")
            j.assert_running()
            j.assert_entered(times=2)

    async def test_a_broadcast_leads_into_a_journey_at_its_time_where_the_contact_lives(
        self, journey: OpenJourney
    ) -> None:
        entry = {"broadcast": {"at": "2027-12-01 10:00"}, "again": "after_exit"}
        async with journey(a_journey({"wait": "1d"}, entry=entry)) as j:
            await j.finish()
            j.assert_entered()
            j.assert_ended(at="2027-12-02 10:00")

    async def test_a_spread_broadcast_leads_into_a_journey_at_the_contacts_place(self, journey: OpenJourney) -> None:
        entry = {"broadcast": {"at": "2027-12-01 10:00", "spread": "2h"}}
        async with journey(a_journey({"wait": "1d"}, entry=entry)) as j:
            await j.finish()
            place = timedelta(hours=2) * place_of(PretendedContact().id, "tried") // timedelta(minutes=1)
            j.assert_ended(at=f"2027-12-02 {10 + place // 60:02}:{place % 60:02}")

    async def test_points_lead_into_a_journey(self, journey: OpenJourney) -> None:
        history = [{"event": "order.placed", "ago": f"{days}d"} for days in (50, 40, 30, 20, 10)]
        async with journey("loyal-customer", contact={"history": history}) as j:
            j.assert_not_entered()
            await j.event("order.placed")
            j.assert_entered()
            j.assert_sent("loyal-customer")


class TestLeaving:
    async def test_a_withdrawn_consent_ends_what_needed_it(self, journey: OpenJourney) -> None:
        async with journey("voucher-and-review") as j:
            await j.event("order.placed", ORDER)
            await j.event("consent.withdrawn")
            j.assert_ended("exited", reason="consent to marketing by email withdrawn")
            j.assert_not_sent()

    async def test_an_exit_condition_ends_it_as_soon_as_it_holds_and_keeps_out_whom_it_holds_for(
        self, journey: OpenJourney
    ) -> None:
        made = a_journey({"wait": "30d"}, exit_when={"attribute": "plan", "is": "pro"})
        made["entry"]["again"] = "after_exit"
        async with journey(made) as j:
            await j.event("order.placed", ORDER)
            await j.advance(days=1)
            await j.event("contact.identified", {"plan": "pro"})
            j.assert_ended("exited")
            await j.event("order.placed", ORDER)
            j.assert_ended("exited")

    async def test_an_event_of_another_order_does_not_end_it(self, journey: OpenJourney) -> None:
        async with journey("voucher-and-review") as j:
            await j.event("order.placed", ORDER)
            await j.event("order.refunded", {"order_id": "o-2"})
            j.assert_running()
            await j.event("order.refunded", {"order_id": "o-1"})
            j.assert_ended("exited", reason="order.refunded")

    async def test_what_a_step_does_may_end_the_journey(self, journey: OpenJourney) -> None:
        goal = {"type": "serve", "event": "list.joined", "where": {"list": "vip"}}
        async with journey(a_journey({"list": {"add": "vip"}}, {"wait": "9d"}, goal=goal)) as j:
            await j.event("order.placed")
            j.assert_ended("goal_met")

    async def test_an_event_counts_once(self, journey: OpenJourney) -> None:
        async with journey(a_journey({"if": {"event": "page.viewed", "at_least": 2}, "then": [{"exit": "two"}]})) as j:
            await j.event("page.viewed", event_id="same")
            await j.event("page.viewed", event_id="same")
            await j.event("order.placed")
            j.assert_result("if-1", "no")


class TestMail:
    @pytest.mark.parametrize(
        ("contact", "reason"),
        [
            ({"email": None}, "no_address"),
            ({"consents": ["sales"]}, "no_consent"),
        ],
        ids=str,
    )
    async def test_the_gate_refuses_with_its_reason(
        self, journey: OpenJourney, contact: dict[str, Any], reason: str
    ) -> None:
        async with journey(a_journey({"send": {"template": "review-request"}}), contact=contact) as j:
            await j.event("order.placed")
            j.assert_refused("review-request", reason=reason)
            j.assert_not_sent()
            j.assert_ended("completed")

    async def test_a_journey_that_would_only_write_to_a_suppressed_address_is_not_begun(
        self, journey: OpenJourney
    ) -> None:
        contact = {"suppressed": True}
        async with journey(a_journey({"send": {"template": "review-request"}}), contact=contact) as j:
            await j.event("order.placed")
            assert not j._simulation.world.rides

    async def test_the_gate_refuses_a_suppressed_address_in_a_journey_that_does_more(
        self, journey: OpenJourney
    ) -> None:
        steps = ({"send": {"template": "review-request"}}, {"start": {"journey": "other"}})
        async with journey(a_journey(*steps), contact={"suppressed": True}) as j:
            await j.event("order.placed")
            j.assert_refused("review-request", reason="suppressed")

    async def test_a_mail_is_in_the_contacts_language_and_about_the_contact(self, journey: OpenJourney) -> None:
        contact = {"locale": "en-GB", "first_name": "Ada"}
        about = {"voucher": {"pool": "first-order"}}
        async with journey(a_journey({"send": {"template": "voucher", **about}}), contact=contact) as j:
            await j.event("order.placed", {"product_name": "Kind of Blue"})
            mail = j.assert_sent("voucher", step="send-1", at="10:00", times=1)
            assert (mail.locale, mail.subject) == ("en", "Ada, 10% off your next CD")
            assert "Kind of Blue" in mail.text
            assert "PLATTE10-SAMPLE-1" in mail.text

    async def test_a_template_nobody_wrote_needs_attention(self, journey: OpenJourney) -> None:
        async with journey(a_journey({"send": {"template": "nobody-wrote-it"}})) as j:
            await j.event("order.placed")
            j.assert_needs_attention(at="send-1", because="no template 'nobody-wrote-it'")
            await j.skip()
            j.assert_ended("completed")


class TestOperating:
    async def test_a_paused_journey_stands_still(self, journey: OpenJourney) -> None:
        async with journey(a_journey({"wait": "1d"}, {"set": {"passed": True}})) as j:
            await j.event("order.placed")
            await j.pause()
            await j.advance(days=3)
            j.assert_attribute("passed", None)
            await j.resume()
            j.assert_ended(at="Thu 10:00")

    async def test_what_is_not_allowed_is_said(self, journey: OpenJourney) -> None:
        async with journey(a_journey()) as j:
            await j.event("order.placed")
            with pytest.raises(Conflict, match="not paused"):
                await j.resume()


class TestSources:
    async def test_a_journey_nobody_knows_is_not_found(self, journey: OpenJourney) -> None:
        with pytest.raises(NotFound, match="welcome"):
            journey("nobody-knows-it")

    async def test_a_journey_with_errors_is_refused_with_them(self, journey: OpenJourney) -> None:
        twice = {"id": "twice", "wait": "1d"}
        with pytest.raises(Invalid, match="twice"):
            journey(a_journey(twice, twice))

    async def test_a_contact_that_cannot_be_is_refused(self, journey: OpenJourney) -> None:
        with pytest.raises(Invalid):
            journey("welcome", contact={"country": "Atlantis"})


class TestVouchers:
    async def test_each_enrollment_has_one_of_its_own_and_its_reminder_shows_the_same(
        self, journey: OpenJourney
    ) -> None:
        steps = (GIFT, {"wait": "5d"}, REMINDER)
        async with journey(a_journey(*steps, entry={"event": "order.placed", "again": "after_exit"})) as j:
            for number in (1, 2):
                await j.event("order.placed")
                await j.finish()
                assert f"GIFTS-SAMPLE-{number}" in j.assert_sent("voucher", step="gift", times=number).text
            reminders = [mail for mail in j.mails if mail.step == "send-1"]
            assert ["GIFTS-SAMPLE-1" in mail.text for mail in reminders] == [True, False]
            assert "08.06.2026" in reminders[0].text

    @pytest.mark.parametrize("redeemed", [True, False], ids=["redeemed", "expired"])
    async def test_nobody_is_reminded_of_what_is_used_up(self, journey: OpenJourney, *, redeemed: bool) -> None:
        async with journey(a_journey(GIFT, {"wait": "5d" if redeemed else "9d"}, REMINDER)) as j:
            await j.event("order.placed")
            if redeemed:
                await j.event("voucher.redeemed", {"pool": "gifts"})
            await j.finish()
            j.assert_refused("voucher", reason="no_voucher")

    async def test_a_pool_that_is_sold_out_is_the_result_of_the_step(self, journey: OpenJourney) -> None:
        sold_out = {"if": {"result": {"step": "gift", "is": "sold_out"}}, "then": [{"exit": "too late"}]}
        async with journey(a_journey(GIFT, sold_out, REMINDER), contact={"sold_out": ["gifts"]}) as j:
            await j.event("order.placed")
            j.assert_refused("voucher", reason="sold_out")
            j.assert_ended("exited", reason="too late")


class TestRetry:
    ENTRY: ClassVar[dict[str, Any]] = {
        "event": "order.placed",
        "audience": {"attribute": "plan", "is": "pro"},
        "retry": "30m",
    }

    async def test_a_profile_that_comes_later_lets_in_by_the_event_of_before(self, journey: OpenJourney) -> None:
        async with journey(a_journey(entry=self.ENTRY), start="2026-03-02 12:00") as j:
            await j.event("order.placed")
            assert not j._simulation.world.rides
            await j.advance(minutes=20)
            await j.event("contact.identified", {"plan": "pro"})
            await j.event("contact.identified", {"plan": "free"})
            await j.event("contact.identified", {"plan": "pro"})
            (ride,) = j._simulation.world.rides.values()
            assert ride.enrollment.entered_at == datetime(2026, 3, 2, 12, 0, tzinfo=j._simulation.world.zone)

    async def test_after_the_time_the_refusal_stands(self, journey: OpenJourney) -> None:
        async with journey(a_journey(entry=self.ENTRY)) as j:
            await j.event("order.placed")
            await j.advance(minutes=31)
            await j.event("contact.identified", {"plan": "pro"})
            assert not j._simulation.world.rides


class TestEnds:
    async def test_the_end_of_the_steps_and_an_exit_are_events_that_can_be_claimed(self, journey: OpenJourney) -> None:
        choice = {"id": "vip", "if": {"attribute": "vip", "is": True}, "then": [{"id": "out", "exit": "no need"}]}
        async with journey(a_journey({"id": "pause", "wait": "1d"})) as j:
            await j.event("order.placed")
            j.assert_no_event("journey.completed")
            await j.finish()
            ended = j.assert_event("journey.completed", where={"step": "pause"}, at="Tue 10:00", times=1)
            assert ended.properties == {"journey": "tried", "step": "pause"}
            assert "event journey.completed" in j.timeline()
            with pytest.raises(AssertionError, match=r"'journey\.exited' has not happened"):
                j.assert_event("journey.exited")
        async with journey(a_journey(choice | {"else": []}), contact={"vip": True}) as j:
            await j.event("order.placed")
            j.assert_event("journey.exited", where={"step": "out"})

    async def test_a_goal_met_is_an_event_and_the_end_by_it_is_none(self, journey: OpenJourney) -> None:
        goal = {"type": "sell", "event": "order.paid"}
        async with journey(a_journey(goal=goal)) as j:
            await j.event("order.placed")
            await j.event("order.paid")
            j.assert_ended("goal_met")
            j.assert_event("journey.goal_met", where={"journey": "tried"}, times=1)
            j.assert_no_event("journey.completed")
            j.assert_no_event("journey.exited")

    async def test_a_journey_follows_upon_its_own_end_as_its_rule_of_entry_says(self, journey: OpenJourney) -> None:
        own = {"event": "journey.completed", "where": {"journey": "tried"}, "again": {"cooldown": "3d"}}
        async with journey(a_journey(entry=own)) as j:
            await j.event("journey.completed", {"journey": "tried"})
            await j.finish()
            j.assert_entered(times=1)
            j.assert_not_entered(reason="cooling_down")
