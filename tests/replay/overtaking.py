"""The passages on which one thing overtakes another; see `tests.replay.scenarios`."""

from datetime import timedelta

from tests.support.ports import SENT, SlowProvider, World, deferred_two_days, outage
from tests.support.temporal import Enroll, JourneyUnderTest, eventually
from workflows.ports import SendMessage

DAY = timedelta(days=1)


async def skipped_too_late(enroll: Enroll, world: World) -> JourneyUnderTest:
    """The message is with the provider already; the step behind it is not skipped in its place."""
    provider = SlowProvider()
    world.sending.then(provider)
    journey = await enroll(
        {"id": "voucher", "send": {"template": "voucher"}}, {"id": "listed", "list": {"add": "buyers"}}
    )
    await provider.has_it()
    await journey.skip()
    provider.accept()
    return journey


async def held_back_and_interrupted(enroll: Enroll, world: World) -> JourneyUnderTest:
    """The provider is down when its window opens, and it is paused then; what is behind it is not late for that."""

    async def asked_again() -> bool:
        return len(world.asked(SendMessage)) > 1

    world.sending.always(outage())
    world.sending.then(deferred_two_days)
    behind = {"id": "listed", "list": {"add": "buyers"}, "expires_after": "6h"}
    journey = await enroll({"id": "voucher", "send": {"template": "voucher"}}, behind)
    await journey.at("voucher")
    await journey.advance(2 * DAY)
    await eventually(asked_again)
    await journey.pause()
    await journey.at("voucher", "paused")
    world.sending.always(SENT)
    await journey.resume()
    return journey


async def ended_now(enroll: Enroll, _world: World) -> JourneyUnderTest:
    """A wait is moved into the past; what is behind it is not late for that."""
    journey = await enroll({"wait": "30d"}, {"id": "listed", "list": {"add": "buyers"}, "expires_after": "6h"})
    await journey.at("wait-1")
    await journey.reschedule(journey.run.entered_at - DAY)
    return journey


OVERTAKING = (skipped_too_late, held_back_and_interrupted, ended_now)
