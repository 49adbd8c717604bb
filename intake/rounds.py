"""Rounds: walks through the contacts on behalf of a journey's entry, a page per transaction, so a killed walk goes on.

A round is ordered in the transaction that publishes a journey (`crm.clocks`). The rounds of one journey are made in
their order, those of different ones side by side. What is done on a page is in `intake.arming` and `intake.broadcasts`.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import aliased

from crm.journeys import JourneyRepository
from crm.models.clock import EntryRound, RoundKind
from intake import arming, broadcasts
from intake.failures import is_outage
from intake.walks import Page, Present, Walk, live_entry
from kit.database import Sessions

DONE = "done"
NOT_LIVE = "the journey has no such entry any more"
_PUT_OFF = timedelta(minutes=5)

_log = structlog.get_logger(__name__)


async def walk_on(sessions: Sessions, present: Present) -> int:
    """Make the next page of a round that is due; returns how many contacts it looked at, 1 at least for a last page.

    0 where no round is due, or others have locked those that are, or the journey of the next one.
    """
    round_id = None
    try:
        async with sessions.begin() as session:
            chosen = await session.scalar(_next_round(present.now))
            # Whoever publishes the journey gives up its rounds, and would wait for this one while it waits for contacts
            # that intake holds, which waits for the journey.
            if chosen is None or not await JourneyRepository(session).hold_if_free(chosen.journey_key):
                return 0
            round_id = chosen.id
            live = await live_entry(session, chosen.journey_key)
            return await _walk(Walk(session, chosen, live, present.of(live)))
    except Exception as error:
        if is_outage(error) or round_id is None:
            raise
        _log.error("round_put_off", round=round_id, reason=type(error).__name__)
        async with sessions.begin() as session:
            put_off = update(EntryRound).where(EntryRound.id == round_id).values(due_at=present.now + _PUT_OFF)
            await session.execute(put_off)
        return 1


async def _walk(walk: Walk) -> int:
    chosen = walk.round
    chosen.begun_at = chosen.begun_at or walk.present.now
    page = await _PAGES[RoundKind(chosen.kind)](walk)
    if page is None:
        _finish(walk, NOT_LIVE)
        return 1
    if page.contact_ids:
        chosen.cursor = page.contact_ids[-1]
    chosen.contacts += len(page.contact_ids)
    chosen.done += page.done
    if page.is_last:
        _finish(walk, chosen.outcome or DONE)
    return max(len(page.contact_ids), 1)


def _finish(walk: Walk, outcome: str) -> None:
    one = walk.round
    one.finished_at, one.outcome = walk.present.now, outcome
    _log.info(
        "round_finished",
        journey=one.journey_key,
        kind=one.kind,
        contacts=one.contacts,
        done=one.done,
        outcome=outcome,
    )


def _next_round(now: datetime) -> Select[tuple[EntryRound]]:
    """The round that has waited longest and whose turn it is among those of its journey."""
    earlier = aliased(EntryRound)
    before = exists().where(
        earlier.journey_key == EntryRound.journey_key,
        earlier.id < EntryRound.id,
        earlier.finished_at.is_(None),
        earlier.due_at <= now,
    )
    query = select(EntryRound).where(EntryRound.finished_at.is_(None), EntryRound.due_at <= now, ~before)
    return query.order_by(EntryRound.due_at, EntryRound.id).limit(1).with_for_update(of=EntryRound, skip_locked=True)


_PAGES: Mapping[RoundKind, Callable[[Walk], Awaitable[Page | None]]] = {
    RoundKind.CLEAR: arming.clear,
    RoundKind.RETIME: arming.retime,
    RoundKind.ARM: arming.arm,
    RoundKind.BROADCAST: broadcasts.invite,
}
"""One page of each kind; None where the live entry has nothing to make the round for."""
