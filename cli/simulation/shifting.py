"""Pretended time and the workflow's: the same calendar, some cycles of 28 years apart.

A server's clock can be moved forward and never back, so an enrollment that is to begin in the past runs as many cycles
of 28 years later as it takes: until 2099 the calendar then has the same dates on the same weekdays, and the clocks
change on the same days. One that begins in the future needs no shift.

What differs between the cycles (Easter, and so holidays; birthdays) is judged by activities, and these see pretended
time: every instant that leaves the workflow for an activity is brought back, every instant that comes to it is shifted
the other way. What an author wrote (texts in JSON documents, times on a wall) is no instant of the workflow and stays.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

Anything = TypeVar("Anything")
CYCLE = timedelta(days=10_227)
"""28 years: dates and weekdays come again together, as long as no century without a leap day lies between."""

_INSTANT = re.compile(r"\b((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} [A-Z][a-z]{2} )(\d{4})( \d\d:\d\d )")
"""An instant as `workflows.details` writes it, with its year."""

ShiftOf = Callable[[UUID], timedelta]
"""How far the workflow of an enrollment is ahead of pretended time."""


def shifted(value: Anything, by: timedelta) -> Anything:
    """The value with every aware datetime in it moved; models, lists, tuples and dicts are looked into."""
    return _shift(value, by) if by else value


def _shift(value: Any, by: timedelta) -> Any:
    match value:
        case datetime() if value.tzinfo is not None:
            return value + by
        case BaseModel():
            changed = {name: _shift(getattr(value, name), by) for name in type(value).model_fields}
            return value.model_copy(update=changed)
        case list() | tuple():
            return type(value)(_shift(item, by) for item in value)
        case dict():
            return {key: _shift(item, by) for key, item in value.items()}
        case _:
            return value


def shift_into_future(instant: datetime, present: datetime) -> timedelta:
    """The least shift, in whole cycles, that brings an instant behind the present. Both are aware."""
    late = present - instant
    return CYCLE * (late // CYCLE + 1) if late >= timedelta(0) else timedelta(0)


def brought_back(sentence: str, by: timedelta) -> str:
    """A sentence the workflow wrote, with the years of its instants brought back to pretended time."""
    years = by // CYCLE * 28
    return _INSTANT.sub(lambda found: f"{found[1]}{int(found[2]) - years}{found[3]}", sentence) if years else sentence


class Shifting(Interceptor):
    """Lets a worker's activities live in pretended time. Each takes one request that names its `enrollment_id`."""

    def __init__(self, shift_of: ShiftOf) -> None:
        self._shift_of = shift_of

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """The interceptor of the SDK's chain."""
        return _ShiftedActivity(next, self._shift_of)


class _ShiftedActivity(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, shift_of: ShiftOf) -> None:
        super().__init__(following)
        self._shift_of = shift_of

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        (request,) = input.args
        ahead = self._shift_of(request.enrollment_id)
        input.args = [shifted(request, -ahead)]
        return shifted(await super().execute_activity(input), ahead)
