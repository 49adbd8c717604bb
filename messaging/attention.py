"""What a contact has been sent and what waits to be sent to it, over all journeys and channels: read and kept here.

The rules are in `messaging.frequency`. Two sends to one contact are kept apart by a lock that no one else takes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from journeys.frequency import AtCap, Priority, Words
from kit.settings import Settings
from messaging.frequency import Cap, Frequency, Place
from messaging.ledger import MessageKey
from messaging.models import MessageClass, MessageRecord, MessageState, WaitingMessage
from messaging.verdicts import Deferred, Refused

COUNTED = (MessageState.HANDING_OVER, MessageState.HANDED_OVER, MessageState.UNKNOWN)
"""What the contact has got, or may have got."""
_BY_CALENDAR = timedelta(days=2)
"""No day of the calendar is as long as this."""


def treated(
    message_class: MessageClass,
    priority: Priority,
    at_cap: AtCap,
    repeat: Words | timedelta | None,
    *,
    settings: Settings,
) -> Frequency:
    """How a message is to be treated under the settings. What was sent is not in it yet.

    Only marketing messages are counted and capped. For a sales message only what it says of repetition holds, and the
    settings' period.
    """
    caps = (
        Cap(settings.weekly_cap, timedelta(days=7)),
        Cap(settings.daily_cap, timedelta(days=1), by_calendar=settings.daily_cap_by_calendar),
    )
    return Frequency(
        priority=priority,
        at_cap=at_cap,
        repeat=timedelta(hours=settings.repeat_after_hours) if repeat is None else repeat,
        longest_wait=timedelta(hours=settings.cap_wait_hours),
        caps=tuple(cap for cap in caps if cap.most) if message_class is MessageClass.MARKETING else (),
    )


class Attention:
    """One contact's, as far as it concerns one message; within the caller's transaction."""

    def __init__(self, session: AsyncSession, contact_id: UUID, key: MessageKey) -> None:
        self._session = session
        self._contact_id = contact_id
        self._key = key
        self._own: Place | None = None

    async def lock(self) -> None:
        """Wait until no other send to this contact is between its gate and the end of its claim's transaction."""
        # Not the contact's row: intake locks that one together with rows this transaction holds already.
        key = func.hashtextextended(f"attention:{self._contact_id}", 0)
        await self._session.execute(select(func.pg_advisory_xact_lock(key)))

    async def read(self, frequency: Frequency, template: str, at: datetime) -> Frequency:
        """The same with what was sent, and with who waits. Call `lock` before."""
        sent = await self._sent(frequency, template, at)
        message = replace(frequency, message=_name(self._key), line=await self._line() if frequency.caps else ())
        self._own = message.own
        counted = (one.counted_at for one in sent if one.message_class == MessageClass.MARKETING)
        before = (one.counted_at for one in sent if one.template_key == template)
        return replace(message, sent=tuple(counted), sent_before=max(before, default=None))

    async def note(self, objection: Refused | Deferred | None) -> None:
        """Write down the place a verdict gives the message in the line, or that it has none any more."""
        place = None
        if isinstance(objection, Deferred):
            # Held up by something else meanwhile, it keeps its place.
            place = objection.place or (replace(self._own, until=objection.until) if self._own else None)
        if place is not None:
            await self._take(place)
        elif self._own is not None:
            its_own = (getattr(WaitingMessage, name) == value for name, value in vars(self._key).items())
            await self._session.execute(delete(WaitingMessage).where(*its_own))

    async def _sent(self, frequency: Frequency, template: str, at: datetime) -> Sequence[Row[Any]]:
        """The messages the contact may have got that count for a cap, or that were made from the template."""
        message = MessageRecord
        others = not_(and_(*(getattr(message, name) == value for name, value in vars(self._key).items())))
        spans = [_BY_CALENDAR if cap.by_calendar else cap.span for cap in frequency.caps]
        recent = message.counted_at > at - max(spans, default=timedelta())
        query = select(message.counted_at, message.template_key, message.message_class).where(
            message.contact_id == self._contact_id,
            message.state.in_(COUNTED),
            message.counted_at.is_not(None),
            or_(recent, message.template_key == template),
            others,
        )
        return (await self._session.execute(query)).all()

    async def _line(self) -> tuple[Place, ...]:
        """The contact's line. Who is not at the step any more has left it."""
        at_step = and_(Enrollment.id == WaitingMessage.enrollment_id, Enrollment.step == WaitingMessage.step)
        query = select(WaitingMessage).join(Enrollment, at_step)
        rows = await self._session.scalars(
            query.where(
                WaitingMessage.contact_id == self._contact_id, Enrollment.ended_at.is_(None), ~self._of_earlier_rounds()
            )
        )
        return tuple(_place(row) for row in rows)

    def _of_earlier_rounds(self) -> ColumnElement[bool]:
        """Places of this very step from when it was begun before: they were left with it."""
        key = self._key
        same = and_(WaitingMessage.enrollment_id == key.enrollment_id, WaitingMessage.step == key.step)
        return and_(same, WaitingMessage.channel == key.channel, WaitingMessage.iteration != key.iteration)

    async def _take(self, place: Place) -> None:
        its_own = vars(place) | vars(self._key) | {"contact_id": self._contact_id}
        its_own.pop("message")  # which is made of the key
        taken = insert(WaitingMessage).values(**its_own)
        moved = {name: taken.excluded[name] for name in ("until", "priority", "unsent")}
        await self._session.execute(delete(WaitingMessage).where(self._of_earlier_rounds()))
        await self._session.execute(taken.on_conflict_do_update(constraint="pk_waiting_messages", set_=moved))


def _place(row: WaitingMessage) -> Place:
    key = MessageKey(row.enrollment_id, row.step, row.iteration, row.channel)
    return Place(_name(key), Priority(row.priority), row.since, row.last, row.until, row.unsent)


def _name(key: MessageKey) -> str:
    return ":".join(str(part) for part in vars(key).values())
