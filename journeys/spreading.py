"""Where in the spread of a window each contact has its place, so that not all messages leave at its opening. Pure.

The rules, stated once:

- A contact's place is drawn by a hash, stays the same for ever, and places lie evenly over the spread.
- Only what was held back is spread. What comes while the window is open leaves at once.
- Nobody waits beyond the first closing behind the opening, nor beyond the instant until which the message is of use:
  where that comes before the spread ends, places lie as evenly over the time until then.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from uuid import UUID

from journeys.quiet import next_common_opening
from journeys.timing import first_closing, open_every_day
from journeys.window import Window


def place_of(contact_id: UUID, among: str = "") -> float:
    """The contact's place, from 0 (at once) to below 1 (at the end of the spread); another one `among` others."""
    drawn = hashlib.sha256(":".join(filter(None, ("spread", among, str(contact_id)))).encode()).digest()[:4]
    return int.from_bytes(drawn) / (1 << 32)


def next_place(
    windows: Sequence[Window | None],
    now: datetime,
    zone: tzinfo,
    closed: Callable[[date], bool] = open_every_day,
    *,
    place: float = 0.0,
    of_use_until: datetime | None = None,
) -> datetime:
    """The instant (UTC), not before `now` (aware), at which what is held back by these windows leaves.

    `now` itself where all of them are open. Else the place within the longest spread that they ask for, from when all
    of them are open, on whole seconds behind it. None among them is always open.

    Raises:
        NeverOpens: one of them, or all of them at once, do not open within 366 days.
    """
    opening = next_common_opening(windows, now, zone, closed)
    asked = [window.spread for window in windows if window is not None and window.spread is not None]
    if not asked or opening <= now:
        return opening
    end = opening + max(asked)
    if of_use_until is not None:
        end = min(end, max(opening, of_use_until))
    ends = (first_closing(window, opening, end, zone, closed) for window in windows)
    spread = min([end, *ends]) - opening
    return opening + timedelta(seconds=int(spread.total_seconds() * place))
