"""The shipped journey `reactivation`: it starts by silence, and ends in silence."""

from cli.testing.journey import OpenJourney

ORDER = {"order_id": "o-1"}


async def test_half_a_year_of_silence_starts_it_and_an_order_ends_it_at_once(journey: OpenJourney) -> None:
    async with journey("reactivation", contact={"first_name": "Ada"}) as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=179)
        j.assert_not_entered()
        await j.advance(days=2)
        j.assert_entered()
        j.assert_sent("win-back")
        await j.event("order.placed", {"order_id": "o-2"})
        j.assert_ended("goal_met")
        j.assert_not_sent("win-back-incentive")


async def test_who_stays_silent_is_told_once_more_and_then_left_in_peace(journey: OpenJourney) -> None:
    async with journey("reactivation") as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=181)
        await j.advance(days=60)
        j.assert_sent("win-back", times=1)
        j.assert_sent("win-back-incentive", times=1)
        j.assert_sent("sunset", times=1)
        j.assert_in_list("sunset")
        j.assert_ended("exited", reason="stays silent")


async def test_a_login_is_a_sign_of_life(journey: OpenJourney) -> None:
    async with journey("reactivation") as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=170)
        await j.event("account.logged_in")
        await j.advance(days=20)
        j.assert_not_entered()


async def test_who_wants_to_stay_is_not_put_on_the_list(journey: OpenJourney) -> None:
    async with journey("reactivation") as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=181)
        await j.advance(days=40)
        j.assert_sent("sunset")
        await j.event("contact.stayed")
        j.assert_ended("exited")
        j.assert_not_in_list("sunset")


async def test_who_never_bought_cannot_be_won_back(journey: OpenJourney) -> None:
    async with journey("reactivation") as j:
        await j.event("account.logged_in")
        await j.advance(days=181)
        j.assert_not_entered(reason="audience")


FIFTH = "0190a000-0000-7000-8000-000000000000"
"""Of those who get no incentive, so that it shows whether it pays."""


async def test_one_in_five_gets_no_incentive_and_all_else_as_the_others(journey: OpenJourney) -> None:
    async with journey("reactivation", contact={"id": FIFTH}) as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=241)
        j.assert_result("does-it-pay", "nothing")
        j.assert_not_sent("win-back-incentive")
        j.assert_sent("sunset", times=1)
        j.assert_in_list("sunset")


async def test_openings_are_no_sign_of_life_but_keep_an_address_off_the_list(journey: OpenJourney) -> None:
    async with journey("reactivation") as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=170)
        await j.event("mail.opened")
        await j.advance(days=11)
        j.assert_entered()
        await j.event("mail.opened")
        await j.advance(days=20)
        j.assert_sent("win-back-incentive")
        await j.event("mail.opened")
        await j.advance(days=60)
        j.assert_sent("sunset", times=1)
        j.assert_not_in_list("sunset")
        j.assert_ended("exited", reason="opens and no more")


async def test_a_click_in_the_last_mail_is_a_sign_of_life(journey: OpenJourney) -> None:
    async with journey("reactivation") as j:
        await j.event("order.placed", ORDER)
        await j.advance(days=221)
        j.assert_sent("sunset")
        await j.event("mail.clicked")
        j.assert_waiting(at="await-order")
        j.assert_not_in_list("sunset")
