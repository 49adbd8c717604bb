"""The passages through steps that concern lifecycle stages, tasks and points; see `tests.replay.scenarios`."""

from typing import Any

from tests.support.ports import World
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows.ports import ActionResult


async def change_stage(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.changing.then(ActionResult(result="changed"), ActionResult(result="kept", because="the stage stays customer"))
    back = {"to": "lead", "recycle": True, "reason": "Rejected by sales."}
    return await enroll({"stage": "mql"}, {"stage": back})


CALL: dict[str, Any] = {"id": "call", "task": {"title": "Call about $entry.order_id", "for": "sales", "due": "2d"}}
DONE: dict[str, Any] = {"wait_for": {"event": "task.done", "where": {"step": "call"}, "up_to": "5d"}}


async def task(enroll: Enroll, _world: World) -> JourneyUnderTest:
    letter = {"kind": "letter", "title": "Write", "due": "next_window", "details": "By hand.", "at_end": "cancel"}
    window = {"days": "mon-fri", "from": "08:00", "to": "20:00"}
    journey = await enroll(CALL, {"id": "called", **DONE}, {"id": "letter", "task": letter}, window=window)
    await journey.at("called")
    await journey.deliver("step:called")
    return journey


async def task_held_out(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.tasking.then(ActionResult(result="held_out", because="the contact passes through for comparison"))
    return await enroll(CALL)


async def score(enroll: Enroll, world: World) -> JourneyUnderTest:
    world.changing.always(ActionResult(result="given", because="+10 points under lead: 30, before 20"))
    return await enroll(
        {"score": {"model": "lead", "add": 10, "reason": "Came to the evening."}},
        {"score": {"model": "lead", "add": -5, "reason": "Has sent the record back."}},
    )


PEOPLE = (change_stage, task, task_held_out, score)
