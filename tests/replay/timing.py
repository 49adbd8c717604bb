"""The passages through waits for the contact's own time; see `tests.replay.scenarios`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from journeys.sittings import OPENED, Reaction
from tests.support.ports import World
from tests.support.temporal import Enroll, JourneyUnderTest

DAY = timedelta(days=1)
BEST: dict[str, Any] = {"id": "best", "wait": {"best_time": {"from": "08:00", "to": "20:00", "otherwise": "10:00"}}}


def in_the_evening(now: datetime) -> Sequence[Reaction]:
    """Openings at 16:40 UTC on the five days before."""
    evening = now.replace(hour=16, minute=40, second=0, microsecond=0)
    return tuple(Reaction(f"opened-{ago}", OPENED, evening - ago * DAY) for ago in range(1, 6))


async def wait_for_best_time(enroll: Enroll, world: World) -> JourneyUnderTest:
    """Thin data first; then a move to another zone, by when enough is known; then the message."""
    journey = await enroll(BEST, {"id": "voucher", "send": {"template": "voucher"}})
    before = (await journey.at("best")).until
    world.contact["time_zone"], world.reactions = "Europe/Helsinki", in_the_evening
    await journey.deliver("moved:best:contact", event_id="moved-house")
    await journey.until(lambda answer: answer.until != before)
    await journey.advance(2 * DAY)
    return journey


TIMING = (wait_for_best_time,)
