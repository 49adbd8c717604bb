import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.segment import SegmentClock
from crm.segments import SegmentRepository
from journeys.segments import Backfill, Segment
from kit.database import Sessions
from kit.errors import Conflict, Invalid, NotFound
from tests.support.builders import SOME_DAY, a_contact, an_event


def segment(key: str, condition: Mapping[str, Any], **parts: Any) -> Segment:
    return Segment.model_validate({"key": key, "name": key, "condition": condition, **parts})


PRO = {"attribute": "plan", "is": "pro"}


async def test_a_definition_finds_who_is_there_and_says_how_many(session: AsyncSession) -> None:
    ada, eve = await a_contact(session, plan="pro"), await a_contact(session, plan="free")
    segments = SegmentRepository(session)

    made = await segments.define(segment("pro", PRO), backfill=Backfill.NONE, now=SOME_DAY)
    assert (made.created, made.version, made.members, made.entered, made.left, made.told) == (True, 1, 1, 1, 0, 0)
    (member,) = await segments.members("pro")
    assert (member.contact_id, member.since, member.because) == (ada.id, SOME_DAY, "as version 1 says")

    changed = segment("pro", {"not": PRO})
    made = await segments.define(changed, backfill=Backfill.MATCHING, now=SOME_DAY)
    assert (made.created, made.version, made.members, made.entered, made.left, made.told) == (False, 2, 1, 1, 1, 2)
    assert [one.contact_id for one in await segments.members("pro")] == [eve.id]
    assert await segments.member("pro", ada.id) is None


async def test_a_new_name_alone_changes_nobody(session: AsyncSession) -> None:
    segments = SegmentRepository(session)
    await a_contact(session, plan="pro")
    await segments.define(segment("pro", PRO), backfill=Backfill.NONE, now=SOME_DAY)
    renamed = segment("pro", PRO, description="Who pays.")

    made = await segments.define(renamed, backfill=Backfill.MATCHING, now=SOME_DAY)

    assert (made.version, made.members, made.entered, made.told) == (2, 1, 0, 0)
    assert (found := await segments.get("pro")) is not None
    assert found.segment == renamed


async def test_what_lives_is_what_is_defined_now_though_definitions_are_kept_in_memory(session: AsyncSession) -> None:
    segments = SegmentRepository(session)
    assert await segments.live() == []
    await segments.define(segment("pro", PRO), backfill=Backfill.NONE, now=SOME_DAY)
    (first,) = await segments.live()

    later = SOME_DAY + timedelta(hours=1)
    await segments.swept("pro", later)
    assert [one.swept_at for one in await segments.live()] == [later]

    await segments.define(segment("pro", {"not": PRO}), backfill=Backfill.NONE, now=later)
    (second,) = await segments.live()
    assert (first.segment.condition, second.segment.condition) == (
        segment("pro", PRO).condition,
        segment("pro", {"not": PRO}).condition,
    )
    await segments.remove("pro")
    assert await segments.live() == []


async def test_who_is_in_for_a_time_is_looked_at_when_it_is_over(session: AsyncSession) -> None:
    buyer, loyal = await a_contact(session), await a_contact(session)
    for contact, days in ((buyer, 3), (loyal, 1), (loyal, 2)):
        await an_event(session, contact.id, occurred_at=SOME_DAY - timedelta(days=days))
    recent = segment("recent", {"event": "order.placed", "within": "7d"})

    await SegmentRepository(session).define(recent, backfill=Backfill.NONE, now=SOME_DAY)

    due = {clock.contact_id: clock.due_at - SOME_DAY for clock in await session.scalars(select(SegmentClock))}
    tick = timedelta(milliseconds=1)
    assert due == {buyer.id: timedelta(days=4) + tick, loyal.id: timedelta(days=5) + tick}


async def test_a_segment_of_segments_follows_them(session: AsyncSession) -> None:
    ada = (await a_contact(session, plan="pro")).id
    segments = SegmentRepository(session)
    await segments.define(segment("z-inner", PRO), backfill=Backfill.NONE, now=SOME_DAY)
    await segments.define(segment("middle", {"segment": "z-inner"}), backfill=Backfill.NONE, now=SOME_DAY)
    await segments.define(segment("outer", {"not": {"segment": "middle"}}), backfill=Backfill.NONE, now=SOME_DAY)
    assert [live.key for live in await segments.live()] == ["z-inner", "middle", "outer"]
    assert (await segments.count("middle"), await segments.count("outer")) == (1, 0)

    made = await segments.define(segment("z-inner", {"not": PRO}), backfill=Backfill.MATCHING, now=SOME_DAY)

    assert (made.left, made.told) == (1, 3)
    assert (await segments.count("middle"), await segments.count("outer")) == (0, 1)
    assert (await segments.member("outer", ada)) is not None


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"segment": "unknown"}, "There is no segment 'unknown'. Define it first"),
        ({"segment": "outer"}, "The segments ask for one another: "),
        ({"entry": "plan"}, "condition.entry: `entry` is of somebody inside a journey"),
    ],
)
async def test_what_cannot_be_kept_is_refused(session: AsyncSession, condition: dict[str, Any], said: str) -> None:
    segments = SegmentRepository(session)
    await segments.define(segment("inner", PRO), backfill=Backfill.NONE, now=SOME_DAY)
    await segments.define(segment("outer", {"segment": "inner"}), backfill=Backfill.NONE, now=SOME_DAY)

    with pytest.raises(Invalid, match=re.escape(said)):
        await segments.define(segment("inner", condition), backfill=Backfill.NONE, now=SOME_DAY)


async def test_what_another_segment_asks_for_is_not_removed(session: AsyncSession) -> None:
    segments = SegmentRepository(session)
    await segments.define(segment("inner", PRO), backfill=Backfill.NONE, now=SOME_DAY)
    await segments.define(segment("outer", {"segment": "inner"}), backfill=Backfill.NONE, now=SOME_DAY)

    with pytest.raises(Conflict, match="The segment inner is asked for by the segment outer"):
        await segments.remove("inner")
    await segments.remove("outer")
    await segments.remove("inner")
    with pytest.raises(NotFound):
        await segments.remove("inner")
    assert not await segments.keys()


async def test_a_preview_counts_and_stores_nothing(session: AsyncSession) -> None:
    ada, _, odd = [(await a_contact(session, age=age)).id for age in (40, 20, "old")]
    condition = segment("x", {"attribute": "age", "is": {"at_least": 30}}).condition

    found = await SegmentRepository(session).preview(condition, SOME_DAY)

    assert (found.count, found.undecidable, found.sample) == (1, 1, [ada])
    assert odd not in found.sample
    assert not await SegmentRepository(session).keys()


async def test_no_definition_changes_while_somebody_follows_it(sessions: Sessions) -> None:
    async def define(wait: str) -> None:
        async with sessions.begin() as session:
            await session.execute(text(f"SET LOCAL lock_timeout = '{wait}'"))
            await SegmentRepository(session).define(segment("pro", PRO), backfill=Backfill.NONE, now=SOME_DAY)

    async with sessions.begin() as one, sessions.begin() as another:
        for follower in (one, another):
            await SegmentRepository(follower).hold()
        with pytest.raises(DBAPIError, match="lock timeout"):
            await define("50ms")
    await define("10s")
