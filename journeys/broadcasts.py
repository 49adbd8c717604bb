"""When a broadcast reaches which time zone: pure functions of the moment and the zones there are.

A time of day where each contact lives is some forty instants within 26 hours: so many offsets from UTC are in use.
What is done at them is in `intake.broadcasts`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from journeys.entries import Broadcast
from journeys.spreading import place_of
from journeys.timing import wall_instant, zone_or_default


@dataclass(frozen=True)
class Instalment:
    """One instant (UTC) of a broadcast, and the zones whose contacts are reached at it; None: everybody left."""

    at: datetime
    zones: tuple[str, ...] | None


def instalments(broadcast: Broadcast, default_zone: str) -> list[Instalment]:
    """The instants of a broadcast, earliest first. The last is for everybody not reached by then.

    `default_zone` is that of the installation: of contacts without one, and of a moment that is neither an instant nor
    local.
    """
    if not broadcast.is_local:
        return [Instalment(instant_in(broadcast, zone_or_default(None, default_zone)[0]), None)]
    by_instant = zones_by_instant(broadcast.at)
    *earlier, last = sorted(by_instant)
    return [*(Instalment(at, by_instant[at]) for at in earlier), Instalment(last, None)]


def instant_in(broadcast: Broadcast, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of the broadcast for whom it is a time on the wall of this zone."""
    return broadcast.at.astimezone(UTC) if broadcast.at.tzinfo is not None else wall_instant(broadcast.at, zone)


def place_in(broadcast: Broadcast, instant: datetime, journey_key: str, contact_id: UUID) -> datetime:
    """When a contact enters whom the broadcast reaches at this instant: at its place in the spread, on whole seconds.

    The place is drawn for each journey anew, so that it is not always the same who are last.
    """
    if broadcast.spread is None:
        return instant
    return instant + timedelta(seconds=int(broadcast.spread.total_seconds() * place_of(contact_id, journey_key)))


@cache
def zones_by_instant(wall: datetime) -> dict[datetime, tuple[str, ...]]:
    """The instants at which clocks read this time (naive), each with the names of its zones in their order."""
    found: dict[datetime, list[str]] = defaultdict(list)
    for name in sorted(available_timezones()):
        found[wall_instant(wall, ZoneInfo(name))].append(name)
    return {at: tuple(names) for at, names in found.items()}


@dataclass(frozen=True)
class Passed:
    """How much of a broadcast lies behind: zones whose time has passed (of a local one), and whether all of it has."""

    zones: Sequence[str]
    all: bool


def passed(broadcast: Broadcast, now: datetime) -> Passed:
    """What of the broadcast has passed at `now` (aware), wherever the installation is."""
    if broadcast.at.tzinfo is not None:
        return Passed((), broadcast.at <= now)
    by_instant = zones_by_instant(broadcast.at)
    zones = tuple(name for at, names in sorted(by_instant.items()) if at <= now for name in names)
    return Passed(zones if broadcast.is_local else (), max(by_instant) <= now)
