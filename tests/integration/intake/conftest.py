"""Fixtures of intake; what they are is written where they live."""

from tests.support.clocks import timekeeper
from tests.support.intake import intake

__all__ = ["intake", "timekeeper"]
