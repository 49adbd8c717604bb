"""The passages through steps that concern lifecycle stages, tasks and points; see `tests.replay.scenarios`."""

from tests.support.ports import World
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows.ports import ActionResult


async def change_stage(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.changing.then(ActionResult(result="changed"), ActionResult(result="kept", because="the stage stays customer"))
    back = {"to": "lead", "recycle": True, "reason": "Rejected by sales."}
    return await enroll({"stage": "mql"}, {"stage": back})


PEOPLE = (change_stage,)
