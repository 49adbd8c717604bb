"""A new version of a points model: everybody's score is counted again under it, and segments that ask for it follow.

Part of what `intake.clocks` does. Pages are transactions of their own, and how far they have come is kept with the
version. Nobody is told of it, for a new way of counting is no change in anybody's life; unless the version was
published to tell: then by `score.crossed` for each threshold a score rises over, and by `segment.entered` and
`segment.left` for whoever comes in or leaves.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import EventRepository
from crm.models.contact import Contact
from crm.models.event import Event
from crm.models.score import Score, ScoreModel
from crm.score_sheets import LiveModel
from crm.scoring import ScoringRepository
from crm.segment_statement import Cause
from crm.segments import SegmentRepository
from intake.failures import is_outage
from intake.segment_clocks import judge_anew, judge_quietly
from kit.database import Sessions

CONTACTS_AT_ONCE = 200
_OPEN = and_(ScoreModel.live, ScoreModel.recounted_at.is_(None))

_log = structlog.get_logger(__name__)


async def count_on(sessions: Sessions, now: datetime) -> int:
    """Count the scores of the next contacts again; returns how many contacts were looked at. `now` is aware."""
    async with sessions.begin() as session:
        query = select(ScoreModel).where(_OPEN).order_by(ScoreModel.key).limit(1)
        version = await session.scalar(query.with_for_update(skip_locked=True))
        if version is None:
            return 0
        live = await ScoringRepository(session).demand_live(version.key)
        page = await _next_page(session, version.recounted_to)
        changed = {one for one in await _behind(session, live, page) if await _has_changed(session, live, one, now)}
        await _have_segments_follow(session, live, changed, now)
        if page:
            version.recounted_to = page[-1]
        if len(page) < CONTACTS_AT_ONCE:
            version.recounted_at = now
            _log.info("scores_recounted", model=version.key, version=version.version)
        return len(page)


async def open_since(session: AsyncSession) -> datetime | None:
    """Since when a version waits for everybody's score to be counted under it; None where none does."""
    since: datetime | None = await session.scalar(select(func.min(ScoreModel.created_at)).where(_OPEN))
    return since


async def _next_page(session: AsyncSession, after: UUID | None) -> Sequence[UUID]:
    query = select(Contact.id).order_by(Contact.id).limit(CONTACTS_AT_ONCE)
    return (await session.scalars(query if after is None else query.where(Contact.id > after))).all()


async def _behind(session: AsyncSession, live: LiveModel, page: Sequence[UUID]) -> Sequence[UUID]:
    """Those of the contacts whose score stands under another version, or who have none and did what now counts."""
    own = and_(Score.contact_id == Contact.id, Score.model_key == live.model.key)
    counted = exists().where(Event.contact_id == Contact.id, Event.name.in_(live.model.events))
    behind = or_(exists().where(own, Score.model_version != live.version), and_(~exists().where(own), counted))
    return (await session.scalars(select(Contact.id).where(Contact.id.in_(page), behind).order_by(Contact.id))).all()


async def _has_changed(session: AsyncSession, live: LiveModel, contact_id: UUID, now: datetime) -> bool:
    """Count one score again. One that cannot be is left to its contact's next event, and the others go on."""
    try:
        async with session.begin_nested():
            change = await ScoringRepository(session).recompute(contact_id, live.model.key, now)
            await EventRepository(session).accept(change.crossed if live.tells else ())
    except Exception as error:
        if is_outage(error):
            raise
        _log.error("score_not_recounted", model=live.model.key, reason=type(error).__name__)
        return False
    return change.before != change.after


async def _have_segments_follow(session: AsyncSession, live: LiveModel, changed: set[UUID], now: datetime) -> None:
    """One statement for each segment that asks for the score, and then for those that ask for such a segment."""
    key = live.model.key
    asking = [
        one.key for one in await SegmentRepository(session).live() if key in one.segment.condition.needs().score_models
    ]
    if changed and asking:
        cause = Cause(f"as version {live.version} of the points model '{key}' counts")
        await (judge_anew if live.tells else judge_quietly)(session, dict.fromkeys(asking, changed), now, cause)
