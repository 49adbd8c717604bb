"""The wall clock, as a thing that is passed in. Workflow code never uses it: it has `workflow.now()`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present instant as an aware datetime in UTC."""


def wall_clock() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
