"""What events do to membership of segments: the contacts they concern are judged anew, by one statement per segment.

Only segments whose condition an event may change are asked for, and for a contact that is new all of them. What
follows is an event, accepted in the same transaction. Time is watched by `intake.segment_clocks`.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import NewEvent
from crm.models.event import Event
from crm.segment_statement import Cause
from crm.segments import NEWCOMERS_SINCE, LiveSegment, MembershipChange, SegmentRepository
from journeys.segments import touched_by

_VERSION_WITH_TIME = 7


class Memberships:
    """The memberships that a batch of events may change. The caller holds the locks of the contacts."""

    def __init__(
        self, session: AsyncSession, segments: Sequence[LiveSegment], scored: Collection[str], now: datetime
    ) -> None:
        self._segments = SegmentRepository(session)
        self._live = segments
        self._scored = scored
        self._now = now
        self._waiting: dict[str, dict[UUID, Cause]] = {live.key: {} for live in segments}
        self._latest: dict[UUID, str] = {}

    @classmethod
    async def of(cls, session: AsyncSession, scored: Collection[str], now: datetime) -> "Memberships":
        """Those of the segments there are; no definition changes until the transaction ends."""
        segments = SegmentRepository(session)
        await segments.hold()
        return cls(session, await segments.live(), scored, now)

    def note(self, event: Event, derived: Sequence[NewEvent] = ()) -> None:
        """An event has taken effect, and these events follow from it at once."""
        self._latest[event.contact_id] = str(event.sequence)
        cause = Cause(f"after {event.name}", event.event_id)
        told: list[Event | NewEvent] = [event, *derived]
        for live in self._live:
            if is_newcomer(event.contact_id, live.swept_at) or any(
                touched_by(live.segment.condition, one.name, one.properties, scored=one.name in self._scored)
                for one in told
            ):
                self._waiting[live.key][event.contact_id] = cause

    async def settle(self, contact_id: UUID | None = None) -> list[NewEvent]:
        """Set right what waits, of one contact or of all; returns the events that follow."""
        events = []
        for live in self._live:
            waiting = self._waiting[live.key]
            causes = (
                dict(waiting) if contact_id is None else {one: waiting[one] for one in waiting if one == contact_id}
            )
            if not causes:
                continue
            for one in causes:
                del waiting[one]
            changes = await self._segments.judge(live, self._now, causes)
            for change in changes:
                self._pass_on(change)
                events.append(change.event(self._now, self._latest[change.contact_id]))
        return events

    def _pass_on(self, change: MembershipChange) -> None:
        """Segments that ask for this one are judged after it: they stand behind it in the order."""
        cause = Cause(f"{'in' if change.entered else 'no longer in'} the segment '{change.segment}'")
        for live in self._live:
            if change.segment in live.segment.condition.needs().segments:
                self._waiting[live.key].setdefault(change.contact_id, cause)


def is_newcomer(contact_id: UUID, swept_at: datetime) -> bool:
    """Whether the contact may have been made after everybody was judged. Its id tells when it was made."""
    if contact_id.version != _VERSION_WITH_TIME:
        return False
    made_at = datetime.fromtimestamp((contact_id.int >> 80) / 1_000, UTC)
    return made_at > swept_at - NEWCOMERS_SINCE


def first_id_since(moment: datetime) -> UUID:
    """The least id of a contact that was made at `moment` (aware) or later."""
    return UUID(int=int(moment.timestamp() * 1_000) << 80 | _VERSION_WITH_TIME << 76)


SWEPT_EVERY = timedelta(minutes=5)
"""So often contacts are looked for that are new and of whom no event has told."""
