"""The hours in which a contact does not want to be written to, and when there is an opening outside them. Pure.

Quiet hours are the window's counterpart: closed from the first time of day to the second, open for the rest of every
day, by the wall clock where the contact lives. So what `journeys.timing` says of nights and changed clocks holds.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from journeys.timing import HORIZON_DAYS, NeverOpens, next_opening, open_every_day
from journeys.window import Window

QUIET_HOURS = "quiet_hours"
"""The attribute of a contact that holds them."""
REMEDY = 'Write the quiet hours as two times of the day, such as "21:00-08:00", or null to remove them'
_SPAN = re.compile(
    r"(?P<from>([01]?[0-9]|2[0-3]):[0-5][0-9])\s*[-\u2013]\s*(?P<to>([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)"
)


def normalize_quiet_hours(value: str) -> str:
    """Quiet hours as they are stored: `21:00-08:00`.

    Raises:
        ValueError: these are none, in a sentence that says what to write and does not quote the value.
    """
    found = _SPAN.fullmatch(value.strip())
    if found is None:
        raise ValueError(REMEDY)
    start, end = (_time(found[part]) for part in ("from", "to"))
    if start == end:
        raise ValueError("Quiet hours of a whole day would let nothing through: withdraw the consent instead")
    return f"{start:%H:%M}-{end:%H:%M}"


def _time(text: str) -> time:
    return time(0) if text == "24:00" else time.fromisoformat(text.zfill(5))


def outside(quiet_hours: object) -> Window | None:
    """The window that is open outside these quiet hours; None where there are none, or nothing that could be read."""
    try:
        start, _, end = normalize_quiet_hours(str(quiet_hours or "")).partition("-")
    except ValueError:
        return None
    return Window(from_=time.fromisoformat(end), to=time.fromisoformat(start))


def next_common_opening(
    windows: Sequence[Window | None], now: datetime, zone: tzinfo, closed: Callable[[date], bool] = open_every_day
) -> datetime:
    """The first instant (UTC), not before `now` (aware), at which all of these windows are open.

    `now` itself where they are; None among them is always open.

    Raises:
        NeverOpens: one of them, or all of them at once, do not open within 366 days.
    """
    found, horizon = now, now + timedelta(days=HORIZON_DAYS)
    while True:
        # Each only moves it forward, and never beyond an instant at which all are open.
        later = found
        for window in windows:
            later = next_opening(window, later, zone, closed)
        if later == found:
            return next_opening(None, found, zone, closed)
        if later > horizon:
            raise NeverOpens(
                f"The window does not open outside the contact's quiet hours within {HORIZON_DAYS} days.",
                remedy="Give the window more hours, or ask the contact for other quiet hours.",
            )
        found = later
