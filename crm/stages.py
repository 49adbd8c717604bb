"""Lifecycle stages: moving a contact, and the gap-free history of it. The rule of moving is in `journeys.stages`."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.contact import Contact
from crm.models.stage import StageChange
from journeys.stages import STAGE_CHANGED, Stage, StageMove, move_to
from kit.errors import NotFound


@dataclass(frozen=True)
class Wanted:
    """A stage that is asked for: why, by whom, when (aware), because of which event and enrollment.

    `back` allows a step back. `event_id` is the id that the event `stage.changed` is to have.
    """

    to: Stage
    event_id: str
    actor: str
    at: datetime
    reason: str = ""
    back: bool = False
    enrollment_id: UUID | None = None
    cause_event_id: str | None = None


@dataclass(frozen=True)
class StageResult:
    """What came of it. `before` is the stage the contact was in, `now` the one it is in."""

    move: StageMove
    before: Stage
    now: Stage


class StageRepository:
    """The stages of contacts, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def change(self, contact_id: UUID, wanted: Wanted) -> StageResult:
        """Move the contact as far as the rule allows, note it, and tell of it. Locks the contact's row.

        Raises:
            NotFound: the contact does not exist.
        """
        current = await self._locked(contact_id)
        move = move_to(current, wanted.to, back=wanted.back)
        if move is not StageMove.CHANGED:
            return StageResult(move, current, current)
        written = update(Contact).where(Contact.id == contact_id).values(stage=wanted.to.value)
        await self._session.execute(written)
        await self._note(contact_id, current, wanted)
        event = NewEvent(
            event_id=wanted.event_id,
            contact_id=contact_id,
            name=STAGE_CHANGED,
            occurred_at=wanted.at,
            properties={"from": current.value, "to": wanted.to.value},
            source=DERIVED,
        )
        await EventRepository(self._session).accept([event])
        return StageResult(move, current, wanted.to)

    async def page(self, contact_id: UUID, *, before: int | None = None, limit: int = 50) -> list[StageChange]:
        """The contact's changes, newest first, beginning behind the one with the id `before`."""
        query = select(StageChange).where(StageChange.contact_id == contact_id).order_by(StageChange.id.desc())
        if before is not None:
            query = query.where(StageChange.id < before)
        return list(await self._session.scalars(query.limit(limit)))

    async def _locked(self, contact_id: UUID) -> Stage:
        query = select(Contact.stage).where(Contact.id == contact_id).with_for_update(key_share=True)
        stage = await self._session.scalar(query)
        if stage is None:
            raise NotFound(f"There is no contact {contact_id}.", remedy="It may have been erased.")
        return Stage(stage)

    async def _note(self, contact_id: UUID, current: Stage, wanted: Wanted) -> None:
        row = {
            "contact_id": contact_id,
            "from_stage": current.value,
            "to_stage": wanted.to.value,
            "event_id": wanted.event_id,
            "enrollment_id": wanted.enrollment_id,
            "cause_event_id": wanted.cause_event_id,
            "reason": wanted.reason,
            "actor": wanted.actor,
            "at": wanted.at,
        }
        await self._session.execute(insert(StageChange).values(row))
