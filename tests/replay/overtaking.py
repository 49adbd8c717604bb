"""The passages on which one thing overtakes another; see `tests.replay.scenarios`."""

import asyncio

from tests.support.ports import SENT, World
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows.ports import SendMessage, SendReceipt


async def skipped_too_late(enroll: Enroll, world: World) -> JourneyUnderTest:
    """The message is with the provider already; the step behind it is not skipped in its place."""
    handed_over, accepted = asyncio.Event(), asyncio.Event()

    async def slowly(_request: SendMessage) -> SendReceipt:
        handed_over.set()
        await accepted.wait()
        return SENT

    world.sending.then(slowly)
    journey = await enroll(
        {"id": "voucher", "send": {"template": "voucher"}}, {"id": "listed", "list": {"add": "buyers"}}
    )
    await asyncio.wait_for(handed_over.wait(), 10)
    await journey.skip()
    accepted.set()
    return journey


OVERTAKING = (skipped_too_late,)
