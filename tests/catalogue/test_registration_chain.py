"""The shipped journey `registration-chain`: it asks for one thing at a time, and only for what is missing."""

from cli.testing.journey import OpenJourney


async def test_it_asks_for_the_next_thing_that_is_missing(journey: OpenJourney) -> None:
    async with journey("registration-chain", contact={"first_name": "Ada", "locale": "en"}) as j:
        await j.event("registration.completed")
        j.assert_sent("series-hello", at="Mon 10:00")
        await j.finish()
        j.assert_sent("ask-for-genre", at="2026-06-04 10:00", times=1)
        assert j.assert_sent("staff-picks", at="2026-06-11 10:00").subject == "Three records we are playing"
        j.assert_sent("ask-for-birthday", at="2026-06-18 10:00", times=1)
        j.assert_not_sent("ask-for-name")
        j.assert_ended("completed", at="2026-07-18 10:00")


async def test_picks_suit_what_is_known(journey: OpenJourney) -> None:
    async with journey("registration-chain", contact={"favourite_genre": "jazz", "locale": "en"}) as j:
        await j.event("registration.completed")
        await j.finish()
        mail = j.assert_sent("staff-picks")
        assert mail.subject == "Three jazz records we are playing"
        assert "Detours" in mail.text
        assert "village church" not in mail.text


async def test_what_was_asked_for_in_vain_is_not_asked_for_again(journey: OpenJourney) -> None:
    async with journey("registration-chain", contact={"favourite_genre": "jazz", "first_name": None}) as j:
        await j.event("registration.completed")
        await j.finish()
        j.assert_sent("ask-for-name", times=1)
        j.assert_sent("ask-for-birthday", times=1)


async def test_who_told_everything_is_asked_nothing(journey: OpenJourney) -> None:
    known = {"first_name": "Ada", "favourite_genre": "jazz", "birthday": "1990-05-01"}
    async with journey("registration-chain", contact=known) as j:
        await j.event("registration.completed")
        await j.finish()
        j.assert_result("first-question", "else")
        for template in ("ask-for-genre", "ask-for-name", "ask-for-birthday"):
            j.assert_not_sent(template)


async def test_a_complete_profile_ends_it_at_once(journey: OpenJourney) -> None:
    async with journey("registration-chain") as j:
        await j.event("registration.completed")
        await j.advance(days=5)
        await j.event("profile.completed")
        j.assert_ended("goal_met", at="Sat 10:00")
        j.assert_not_sent("staff-picks")
