"""A contact's own best time of day, as a journey writes that it waits for it.

How that time is told from what the contact reacted to is in `journeys.send_time`.
"""

from collections.abc import Iterator
from datetime import time, timedelta

from pydantic import Field, ValidationInfo, field_validator

from journeys.refusals import refused
from journeys.values import Flag, Strict
from journeys.window import WallTime, Window, within, write_time

SLOT = timedelta(minutes=5)
"""Best times are told to five minutes; a slot begins at a multiple of them and holds the four minutes behind it."""
SLOTS = timedelta(days=1) // SLOT
_SHORTEST = timedelta(hours=1)
_LONGEST_WAIT = timedelta(days=1) + timedelta(hours=1)


def slot_of(wall: time) -> int:
    """The slot of the day that a time of day lies in, from 0 on."""
    return timedelta(hours=wall.hour, minutes=wall.minute) // SLOT


def time_of(slot: int) -> time:
    """When a slot begins. Slots are counted on round the clock: -1 is the last one of the day."""
    hours, minutes = divmod(slot % SLOTS * (SLOT // timedelta(minutes=1)), 60)
    return time(hours, minutes)


class Hours(Strict):
    """The hours a best time is sought in, on the contact's wall, and what is taken where too little is known.

    `from` is inside, `to` is outside; `from` later than `to` goes over midnight, equal times are the whole day.
    """

    from_: WallTime = Field(
        default_factory=time, alias="from", description="The first time of day that may be chosen; by default 00:00."
    )
    to: WallTime = Field(
        default_factory=time, description="The end of the hours, which is not chosen itself; by default 24:00."
    )
    otherwise: WallTime = Field(description="The time of day where too little is known of the contact.")

    @field_validator("to")
    @classmethod
    def _leaves_a_choice(cls, to: time, info: ValidationInfo) -> time:
        from_ = info.data.get("from_")
        if from_ is not None and Window(from_=from_, to=to).lasts < _SHORTEST:
            raise refused("these hours are less than one.", "Leave an hour or more between `from` and `to`.")
        return to

    @field_validator("otherwise")
    @classmethod
    def _lies_within(cls, otherwise: time, info: ValidationInfo) -> time:
        from_, to = info.data.get("from_"), info.data.get("to")
        if from_ is not None and to is not None and not within(otherwise, from_, to):
            hours = f"{write_time(from_)} to {write_time(to)}"
            remedy = f"Write a time within {hours} (the end is outside), or change these hours."
            raise refused(f"{write_time(otherwise)} lies outside of {hours}.", remedy)
        return otherwise

    @property
    def whole_day(self) -> bool:
        """Whether every time of day may be chosen."""
        return self.from_ == self.to

    def slots(self, *windows: Window | None) -> Iterator[int]:
        """The slots that may be chosen, in the order of the hours: those only in which all windows may be open."""
        first = -(-timedelta(hours=self.from_.hour, minutes=self.from_.minute) // SLOT)
        for slot in range(first, first + SLOTS):
            wall = time_of(slot)
            hours = ((self.from_, self.to), *((window.from_, window.to) for window in windows if window is not None))
            if all(within(wall, from_, to) for from_, to in hours):
                yield slot % SLOTS


class BestTime(Hours):
    """When a contact is waited for: in these hours, and with `in_window` only while the journey's window is open."""

    in_window: Flag = Field(
        default=False,
        exclude_if=lambda value: not value,
        description="Only hours and days on which the journey's window is open.",
    )


class BestTimeMoment(Strict):
    """The next moment at which the contact's wall clock reads its own best time of day."""

    best_time: BestTime

    def lasts(self) -> tuple[timedelta, timedelta | None]:
        """A day at most, and the hour by which clocks change; how long a window is closed is not known beforehand."""
        return timedelta(), None if self.best_time.in_window else _LONGEST_WAIT

    def __str__(self) -> str:
        asked = self.best_time
        hours = "" if asked.whole_day else f" from {write_time(asked.from_)} to {write_time(asked.to)}"
        window = " while the send window is open" if asked.in_window else ""
        return f"the contact's best time{hours}{window} (otherwise {write_time(asked.otherwise)})"
