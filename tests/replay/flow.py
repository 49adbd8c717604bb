"""The passages through steps that lead elsewhere or let somebody else decide; see `tests.replay.scenarios`."""

from tests.support.ports import World
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows.ports import ActionResult


async def start(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.starting.then(ActionResult(result="refused", because="cooling_down: may enter again from … on"))
    properties = {"product": "$entry.product_id", "seats": 3}
    return await enroll(
        {"start": {"journey": "onboarding", "properties": properties, "entry_key": "$entry.order_id"}},
        {"start": {"journey": "care"}},
    )


FLOW = (start,)
