"""Clocks of entries that no event brings about: setting them, and what follows when a journey is published or ends.

What a clock that has come due means is decided in `intake.clocks`. A clock may be early, never late: whoever reads it
looks at the facts again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.clock import EntryClock, EntryRound, RoundKind
from journeys.entries import Absence, Broadcast
from journeys.model import Entry

# Rows are written in one order everywhere, so that two transactions never wait for each other.
_GIVEN = """
    INSERT INTO entry_clocks AS clock (journey_key, contact_id, fingerprint, anchor_at, due_at, cause_event_id)
    SELECT * FROM unnest(
        CAST(:journeys AS text[]), CAST(:contacts AS uuid[]), CAST(:fingerprints AS text[]),
        CAST(:anchors AS timestamptz[]), CAST(:dues AS timestamptz[]), CAST(:causes AS text[])
    ) AS given (journey_key, contact_id, fingerprint, anchor_at, due_at, cause_event_id)
    ORDER BY contact_id, journey_key
    ON CONFLICT (journey_key, contact_id) DO UPDATE SET
"""
_SET = text(f"""
    {_GIVEN}
        fingerprint = EXCLUDED.fingerprint, anchor_at = EXCLUDED.anchor_at, due_at = EXCLUDED.due_at,
        cause_event_id = EXCLUDED.cause_event_id, rung_at = NULL
    WHERE clock.anchor_at < EXCLUDED.anchor_at OR clock.fingerprint <> EXCLUDED.fingerprint
""")
_SET_FIRST = text(f"""
    {_GIVEN}
        fingerprint = EXCLUDED.fingerprint, anchor_at = EXCLUDED.anchor_at, due_at = EXCLUDED.due_at,
        cause_event_id = EXCLUDED.cause_event_id, rung_at = NULL
    WHERE clock.fingerprint <> EXCLUDED.fingerprint
""")
_LOOK_ANEW = text(f"""
    {_GIVEN}
        fingerprint = EXCLUDED.fingerprint, due_at = EXCLUDED.due_at, cause_event_id = EXCLUDED.cause_event_id,
        anchor_at = CASE WHEN clock.fingerprint = EXCLUDED.fingerprint
                    THEN greatest(clock.anchor_at, EXCLUDED.anchor_at) ELSE EXCLUDED.anchor_at END
""")
_BEGIN = text("""
    INSERT INTO entry_clocks AS clock (journey_key, contact_id, fingerprint, anchor_at, due_at)
    SELECT given.journey_key, id, given.fingerprint, began_at, began_at + given.span
    FROM contacts
    CROSS JOIN (SELECT CAST(:journey AS text), CAST(:fingerprint AS text), CAST(:since AS timestamptz),
                       CAST(:span AS interval)) AS given (journey_key, fingerprint, since, span)
    CROSS JOIN LATERAL (SELECT greatest(created_at, given.since)) AS beginning (began_at)
    WHERE id = ANY(CAST(:contacts AS uuid[])) AND NOT EXISTS (
        SELECT FROM entry_clocks AS known WHERE known.contact_id = contacts.id
        AND known.journey_key = given.journey_key AND known.fingerprint = given.fingerprint
    )
    ORDER BY id
    ON CONFLICT (journey_key, contact_id) DO UPDATE SET
        fingerprint = EXCLUDED.fingerprint, anchor_at = EXCLUDED.anchor_at, due_at = EXCLUDED.due_at,
        cause_event_id = NULL, rung_at = NULL
    WHERE clock.fingerprint <> EXCLUDED.fingerprint
""")


@dataclass(frozen=True)
class ClockSetting:
    """A contact's clock for a journey: from when on time counts, and when it is due. Instants are aware."""

    journey_key: str
    contact_id: UUID
    fingerprint: str
    anchor_at: datetime
    due_at: datetime
    cause_event_id: str | None = None


@dataclass(frozen=True)
class ClockStanding:
    """How the clocks of a journey stand: how many run, when the first of them is due, and how many have ever rung."""

    running: int
    next_due_at: datetime | None
    rung: int


class ClockRepository:
    """Clocks and rounds, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def set(self, settings: Sequence[ClockSetting]) -> None:
        """Set clocks, where that moves them on. A clock whose time counts from later on already stays as it is.

        One setting per journey and contact.
        """
        if settings:
            await self._session.execute(_SET, _columns(settings))

    async def set_first(self, settings: Sequence[ClockSetting]) -> None:
        """Set clocks of contacts that have none for the entry as it is; others stay as they are.

        One setting per journey and contact.
        """
        if settings:
            await self._session.execute(_SET_FIRST, _columns(settings))

    async def look_anew(self, settings: Sequence[ClockSetting]) -> None:
        """Have clocks looked at when they say, because what they hang on has changed; those that are new begin.

        One setting per journey and contact.
        """
        if settings:
            await self._session.execute(_LOOK_ANEW, _columns(settings))

    async def look_again(
        self, journey_key: str, contact_ids: Collection[UUID], now: datetime, *, apart: timedelta
    ) -> None:
        """Have those of these contacts' clocks that run looked at now.

        What a clock runs for may come earlier by up to `apart` than it was set for, and have passed by now. It is found
        nonetheless: from then on time counts from that much before it. What has passed for good stays so.
        """
        if not contact_ids:
            return
        # One that is due already was set to be looked at, or will be in a moment: it tells of nothing that lies ahead.
        ahead = func.least(EntryClock.anchor_at, EntryClock.due_at - apart)
        running = update(EntryClock).where(
            EntryClock.journey_key == journey_key,
            EntryClock.contact_id.in_(contact_ids),
            EntryClock.due_at.is_not(None),
        )
        anchor = case((EntryClock.due_at > now, ahead), else_=EntryClock.anchor_at)
        await self._session.execute(running.values(due_at=now, anchor_at=anchor))

    async def begin(
        self, journey_key: str, contact_ids: Sequence[UUID], absence: Absence, *, since: datetime | None
    ) -> None:
        """Begin the clocks of contacts that have none: when the contact was made, or at `since` where that is later.

        They are to be looked at when the silence may be over.
        """
        await self._session.execute(
            _BEGIN,
            {
                "journey": journey_key,
                "contacts": list(contact_ids),
                "fingerprint": absence.fingerprint,
                "since": since,
                "span": absence.soonest,
            },
        )

    async def follow(self, journey_key: str, *, before: Entry | None, after: Entry | None, moved: bool = False) -> None:
        """Have the clocks of a journey follow from one live entry to the next; None where no version is live.

        `moved` says that contacts without a time zone live elsewhere from now on. The rounds this takes are ordered
        here and made by the process that keeps the clocks. Until they are done, clocks of the entry before are void.
        """
        kinds = rounds_between(before, after, moved=moved)
        if RoundKind.CLEAR in kinds:
            given_up = update(EntryRound).where(EntryRound.journey_key == journey_key, EntryRound.finished_at.is_(None))
            await self._session.execute(given_up.values(finished_at=func.clock_timestamp(), outcome="given up"))
        self._session.add_all(EntryRound(journey_key=journey_key, kind=kind) for kind in kinds)
        await self._session.flush()

    async def standing(self, journey_key: str) -> ClockStanding:
        """How the clocks of a journey stand."""
        counts = select(
            func.count(EntryClock.due_at), func.min(EntryClock.due_at), func.count(EntryClock.rung_at)
        ).where(EntryClock.journey_key == journey_key)
        running, next_due_at, rung = (await self._session.execute(counts)).one()
        return ClockStanding(running, next_due_at, rung)

    async def rounds(self, journey_key: str, *, limit: int = 100) -> list[EntryRound]:
        """The newest rounds of a journey, newest first."""
        query = select(EntryRound).where(EntryRound.journey_key == journey_key).order_by(EntryRound.id.desc())
        return list(await self._session.scalars(query.limit(limit)))


def _columns(settings: Sequence[ClockSetting]) -> dict[str, list[Any]]:
    return {
        "journeys": [setting.journey_key for setting in settings],
        "contacts": [setting.contact_id for setting in settings],
        "fingerprints": [setting.fingerprint for setting in settings],
        "anchors": [setting.anchor_at for setting in settings],
        "dues": [setting.due_at for setting in settings],
        "causes": [setting.cause_event_id for setting in settings],
    }


def rounds_between(before: Entry | None, after: Entry | None, *, moved: bool = False) -> list[RoundKind]:
    """The rounds that bring clocks from one live entry to the next, in their order.

    `moved` says that contacts without a time zone live elsewhere from now on.
    """
    old, new = (entry.timed if entry is not None else None for entry in (before, after))
    arm = [RoundKind.ARM] if new is not None and new.arms else []
    moved = moved and new is not None and new.by_calendar
    announced = moved and isinstance(new, Broadcast)
    if old is None or new is None or old.fingerprint != new.fingerprint or announced:
        return [RoundKind.CLEAR, *arm] if old is not None else arm
    retime = [RoundKind.RETIME] if old.span != new.span or moved else []
    return [*retime, *arm] if new.backfilled > old.backfilled else retime
