"""`start`: another journey is asked for once, and what became of it is a decision."""

from tests.support.ports import World, fails_for_good, outage
from tests.support.temporal import Enroll
from workflows.ports import ActionResult, StartJourney

ONBOARDING = {
    "id": "onboarding",
    "start": {"journey": "onboarding", "entry_key": "$entry.order_id", "properties": {"seats": 3}},
}


async def test_it_says_what_is_to_be_started_and_goes_on(enroll: Enroll, world: World) -> None:
    journey = await enroll(ONBOARDING, {"id": "mail", "send": {"template": "voucher"}})
    await journey.outcome()
    (request,) = world.asked(StartJourney)
    assert (request.journey, request.entry_key, request.properties) == ("onboarding", "$entry.order_id", {"seats": 3})
    assert journey.decided() == [("onboarding", "passed", "started"), ("mail", "passed", "sent")]
    assert world.decided(journey.enrollment_id)[0].because == "enrollment 1, version 1"


async def test_a_refusal_is_recorded_with_its_reason(enroll: Enroll, world: World) -> None:
    world.starting.then(ActionResult(result="refused", because="audience: not on the list 'vip'"))
    journey = await enroll(ONBOARDING)
    await journey.outcome()
    assert journey.decided() == [("onboarding", "refused", "refused")]
    assert world.decided(journey.enrollment_id)[0].because == "audience: not on the list 'vip'"


async def test_after_an_outage_it_is_asked_for_again_under_the_same_key(enroll: Enroll, world: World) -> None:
    world.starting.then(outage())
    journey = await enroll(ONBOARDING)
    await journey.outcome()
    first, second = world.asked(StartJourney)
    assert (first.step, first.iteration) == (second.step, second.iteration) == ("onboarding", 1)


async def test_a_journey_that_does_not_exist_parks_it(enroll: Enroll, world: World) -> None:
    world.starting.then(fails_for_good("There is no journey onboarding."))
    journey = await enroll(ONBOARDING)
    parked = await journey.at("onboarding", "needs_attention")
    assert parked.attention == "NotFound: There is no journey onboarding."
    await journey.retry()
    await journey.outcome()
    assert journey.decided() == [("onboarding", "passed", "started")]
