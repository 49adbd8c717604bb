"""Pretended time and the workflow's: they differ by a span that is fixed when an enrollment begins.

The workflow's clock starts at the server's present and can only be moved forward, so a journey that is to begin on a
given day, past or future, is shifted instead: every instant that leaves the workflow for an activity is brought back
to pretended time, every instant that comes to it is shifted the other way. Waits are spans, which no shift changes;
windows, weekdays and holidays are judged by activities, which see pretended time alone. What an author wrote (texts in
JSON documents, wall times without a zone) is no instant of the workflow and stays as it is.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

Anything = TypeVar("Anything")
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
