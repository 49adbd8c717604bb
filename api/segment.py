"""Segment's tracking calls as events of ours. Pure: what a call means, and what is wrong with it.

| call | event | properties |
| --- | --- | --- |
| identify | `contact.identified` | `traits` |
| track | its `event` | its `properties` |
| page, screen | `page.viewed`, `screen.viewed` | its `properties`, `name`, `category` |
| group | `contact.grouped` | `group_id`, `traits` |
| alias | `contact.aliased` | `previous_id` |
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_json

from api.schemas.tracking import Alias, AnyCall, Batch, Group, Identify, PageView, ScreenView, Track
from kit.errors import Problem

LARGEST_EVENT = 32 * 1024
"""Bytes of properties, traits and context of one event, as JSON."""
TOLERATED_SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Occurrence:
    """A call, read: who, what, when. At least one of the two ids is there; `previous_id` for alias only."""

    event_id: str
    name: str
    properties: dict[str, Any]
    occurred_at: datetime
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None = None


def read_call(call: AnyCall, *, now: datetime, new_id: Callable[[], str], envelope: Batch | None = None) -> Occurrence:
    """The event a call stands for. `now` is aware; `new_id` names events that have no id. See `findings` first."""
    name, properties = _name_and_properties(call)
    context = call.context if call.context is not None else envelope and envelope.context
    kept = {key: value for key, value in (context or {}).items() if key != "library"}
    if kept:
        properties = {"context": kept, **properties}
    return Occurrence(
        event_id=call.message_id or new_id(),
        name=name,
        properties=properties,
        occurred_at=_occurred_at(call, call.sent_at or (envelope.sent_at if envelope else None), now),
        user_id=call.user_id,
        anonymous_id=call.anonymous_id,
        previous_id=call.previous_id if isinstance(call, Alias) else None,
    )


def _name_and_properties(call: AnyCall) -> tuple[str, dict[str, Any]]:
    match call:
        case Identify():
            return "contact.identified", {"traits": call.traits or {}}
        case Track():
            return call.event, call.properties or {}
        case PageView() | ScreenView():
            said = {"name": call.name, "category": call.category}
            given = {key: value for key, value in said.items() if value is not None}
            return f"{call.type}.viewed", {**(call.properties or {}), **given}
        case Group():
            return "contact.grouped", {"group_id": call.group_id, "traits": call.traits or {}}
        case Alias():
            return "contact.aliased", {"previous_id": call.previous_id}


def _occurred_at(call: AnyCall, sent_at: datetime | None, now: datetime) -> datetime:
    """The instant the call names, corrected by how wrong the sender's clock is where that is more than a minute."""
    said = call.timestamp or call.original_timestamp
    if said is None:
        return now
    skew = now - sent_at if sent_at else timedelta()
    return said + skew if abs(skew) > TOLERATED_SKEW else said


def findings(calls: Sequence[AnyCall], *, at: Callable[[int], str]) -> Iterator[Problem]:
    """What is wrong with calls beyond their shape. `at` gives the JSON pointer to the call of an index."""
    for number, call in enumerate(calls):
        if isinstance(call, Alias) and call.user_id is None:
            yield Problem(
                f"{at(number)}/userId", "An alias needs the user it stands for.", "Add `userId` beside `previousId`."
            )
        elif call.user_id is None and call.anonymous_id is None:
            yield Problem(f"{at(number)}/userId", "The event belongs to no contact.", "Add `userId` or `anonymousId`.")


def oversized(calls: Sequence[AnyCall], *, at: Callable[[int], str]) -> Iterator[Problem]:
    """Calls whose content is larger than `LARGEST_EVENT`."""
    for number, call in enumerate(calls):
        parts = (getattr(call, "properties", None), getattr(call, "traits", None), call.context)
        if problem := size_problem(parts, where=at(number) or "/"):
            yield problem


def size_problem(parts: Iterable[dict[str, Any] | None], *, where: str) -> Problem | None:
    """What is wrong where these parts of one event are larger than `LARGEST_EVENT` together."""
    size = sum(len(to_json(part)) for part in parts if part)
    if size <= LARGEST_EVENT:
        return None
    what = f"The event holds {size:,} bytes; at most {LARGEST_EVENT:,} are accepted."
    return Problem(where, what, "Leave out what no journey needs.")
