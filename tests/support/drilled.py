"""A journey of a crowd that only waits, to be steered as a whole while parts of the stack die."""

from collections import Counter
from typing import Any

from crm.models.enrollment import Enrollment
from crm.models.event import Event
from tests.support.books import rows, settle
from tests.support.crowd import Crowd
from tests.support.stack import found

_ENTRY = "drill.began"


async def let_in(crowd: Crowd) -> str:
    """Publish a journey of the crowd's own, and have everybody come to its wait of thirty days. Returns its key."""
    key, event = crowd.name, f"{_ENTRY}.{crowd.name}"
    document = {"key": key, "name": "Drill", "owner": "ops", "entry": {"event": event}, "steps": [{"wait": "30d"}]}
    (await crowd.live.api.put(f"/v1/journeys/{key}", json=document)).raise_for_status()
    (await crowd.live.api.post(f"/v1/journeys/{key}/publish")).raise_for_status()
    for person in crowd.people:
        call = {"userId": person.user_id, "event": event, "messageId": f"{person.user_id}-began"}
        (await crowd.live.api.post("/v1/track", json=call)).raise_for_status()
    await settle(crowd)
    return key


async def order(crowd: Crowd, action: str, **how: Any) -> None:
    """Order it for the whole journey, and wait until the order has been given to everybody inside."""
    answer = await crowd.live.api.post(f"/v1/journeys/{crowd.name}/{action}", json=how)
    assert answer.status_code == 202, answer.text

    async def given() -> bool | None:
        return True if (await newest_order(crowd))["ordered"] == crowd.size else None

    await found(given, what=lambda: f"{action} ordered for {crowd.size}")


async def carried_out(crowd: Crowd) -> dict[str, Any]:
    """The newest order, once it is done."""

    async def done() -> dict[str, Any] | None:
        steering = await newest_order(crowd)
        return steering if steering["done"] else None

    steering = await found(done, what=lambda: "the order carried out")
    await settle(crowd)
    return steering


async def newest_order(crowd: Crowd) -> dict[str, Any]:
    """What was ordered last, and how far it has come."""
    steering: dict[str, Any] = (await crowd.live.get(f"/v1/journeys/{crowd.name}/steerings"))["items"][0]
    return steering


async def standing(crowd: Crowd, state: str) -> set[str]:
    """The outcomes of the enrollments, once all of them are written down in this state."""

    async def look() -> set[str] | None:
        found_now = await rows(crowd, Enrollment, Enrollment.state, Enrollment.outcome)
        states.clear()
        states.update(one for _, one, _ in found_now)
        return {outcome for _, _, outcome in found_now} if states == {state: crowd.size} else None

    states: Counter[str] = Counter()
    return await found(look, what=lambda: f"all {state}, but {states}")


async def due_times(crowd: Crowd) -> dict[str, Any]:
    """When each person's wait ends."""
    return dict(await rows(crowd, Enrollment, Enrollment.due_at))


async def ends_told(crowd: Crowd) -> Counter[str]:
    """How often each person's end was told as an event."""
    told = await rows(crowd, Event, Event.sequence, where=[Event.name == "journey.exited"])
    return Counter(user_id for user_id, _ in told)
