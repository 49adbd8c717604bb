"""Finding who is stuck in the database: it agrees with the rule for one, pages by how long, and reads only indexes."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.event import QueuedEvent
from crm.models.journey import JourneyRecord
from intake import halts, stuck
from intake.halts import HaltKind
from intake.models import IntakeFailure, OutboxEntry
from intake.stuck import Search, StuckKind, kind_of
from journeys.outcomes import ENDED, JourneyState
from kit.database import Sessions
from tests.support.builders import a_contact, a_live_journey, an_enrollment

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SEARCH = Search(NOW, timedelta(minutes=5))
INSTANTS = [NOW - timedelta(days=9), NOW - timedelta(minutes=6), NOW - timedelta(minutes=4)]
STATES = [*(state for state in JourneyState if state not in ENDED), JourneyState.TERMINATED]


async def standings(session: AsyncSession) -> dict[UUID, StuckKind | None]:
    """An enrollment for every way to stand, in a journey that runs and in one that is paused; what the rule says."""
    expected: dict[UUID, StuckKind | None] = {}
    contact = await a_contact(session)
    for key, paused in (("runs", False), ("held", True)):
        version = await a_live_journey(session, {"key": key})
        if paused:
            await session.execute(update(JourneyRecord).where(JourneyRecord.key == key).values(paused_at=NOW))
        for number, (state, since, due_at) in enumerate(product(STATES, INSTANTS, [None, *INSTANTS])):
            enrollment = await an_enrollment(
                session, contact.id, version, state=state, entered_at=since, entry_key=str(number)
            )
            enrollment.due_at = due_at
            ended = state in ENDED
            rule = kind_of(state, since=since, due_at=due_at, late=SEARCH.late, journey_paused=paused)
            expected[enrollment.id] = None if ended else rule
    await session.flush()
    return expected


async def test_what_the_database_finds_is_what_the_rule_says(session: AsyncSession) -> None:
    expected = await standings(session)
    found = await stuck.rows(session, SEARCH, limit=1_000)
    assert {one.enrollment_id: one.kind for one in found} == {key: kind for key, kind in expected.items() if kind}
    assert [one.since for one in found] == sorted(one.since for one in found)

    paged, after = [], None
    while page := await stuck.rows(session, SEARCH, after=after, limit=15):
        paged += page
        after = page[-1].since, page[-1].enrollment_id
    assert paged == found
    grouped = await stuck.groups(session, SEARCH)
    assert sum(group.count for group in grouped) == len(found) == await stuck.count(session, SEARCH, most=1_000)
    for kind in StuckKind:
        only = Search(NOW, SEARCH.tolerance, frozenset({kind}), "runs", NOW - timedelta(days=1))
        some = [one for one in found if one.kind is kind and one.journey_key == "runs" and one.since < only.before]
        assert await stuck.rows(session, only, limit=1_000) == some


async def test_of_many_who_wait_only_those_are_read_who_are_stuck(session: AsyncSession) -> None:
    await a_live_journey(session)
    await session.execute(text("INSERT INTO contacts (id) SELECT uuidv7() FROM generate_series(1, 5000)"))
    await session.execute(
        text(
            "INSERT INTO enrollments (journey_key, version, entered_version, contact_id, workflow_id, state, step, "
            "since, due_at, entered_at) SELECT 'welcome-test', 1, 1, id, id::text, 'waiting', 'pause', now(), "
            "now() + interval '1 day', now() FROM contacts"
        )
    )
    await session.execute(text("ANALYZE enrollments"))
    for query in (stuck.page_of(SEARCH, limit=50), stuck.page_of(SEARCH, limit=50, news=True)):
        # A state that came as a parameter would be known to some plans only, and the indexes of no use to the others.
        assert {"'waiting'", "'starting'", "'needs_attention'"} <= set(re.findall(r"'[a-z_]+'", str(query)))
        dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
        written = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        plan = "\n".join([row[0] for row in await session.execute(text("EXPLAIN " + str(written).replace(":", r"\:")))])
        assert "ix_enrollments_due" in plan
        assert "ix_enrollments_moving" in plan
        assert "Seq Scan on enrollments" not in plan


async def test_queues_that_nobody_works_at_are_told_by_their_oldest(sessions: Sessions) -> None:
    ago = NOW - timedelta(minutes=6)
    async with sessions.begin() as session:
        contact = await a_contact(session)
        enrollment = await an_enrollment(session, contact.id, await a_live_journey(session), state=JourneyState.PAUSED)
        assert await halts.halts_in_database(session, SEARCH) == []
        session.add_all(
            [
                OutboxEntry(enrollment_id=enrollment.id, kind="deliver", payload={}, created_at=ago),
                OutboxEntry(enrollment_id=enrollment.id, kind="deliver", payload={}, created_at=ago),
                QueuedEvent(sequence=1, received_at=ago, contact_id=contact.id),
                QueuedEvent(sequence=2, received_at=NOW, contact_id=contact.id),
                IntakeFailure(
                    sequence=3, received_at=ago, contact_id=contact.id, reason="x", failed_at=NOW - timedelta(seconds=1)
                ),
            ]
        )
        await session.flush()
        found = await halts.halts_in_database(session, SEARCH)
    assert [(halt.kind, halt.count) for halt in found] == [
        (HaltKind.OUTBOX_WAITS, 1),
        (HaltKind.EVENTS_WAIT, 1),
        (HaltKind.EVENTS_SET_ASIDE, 1),
    ]
    assert [halt.since for halt in found[:2]] == [ago, ago]
    assert all(str(halt.count) in halt.sentence for halt in found)
