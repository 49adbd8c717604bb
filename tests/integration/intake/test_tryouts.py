"""What a test run brings about lets its contact into nothing that is live; what the contact does itself does."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from crm.events import DERIVED
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion, VersionState
from crm.models.steering import Steer
from crm.steering import AtStep, Operator, SteeringRepository, inside
from crm.tryouts import KEPT_FOR, Pace, TryoutRepository
from intake.tryouts import follows_from_test
from journeys.migration import Inside
from kit.database import Sessions
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment, an_event


async def runs(sessions: Sessions) -> tuple[Enrollment, Enrollment]:
    """A test run and a live enrollment of one contact."""
    async with sessions.begin() as session:
        contact, version = await a_contact(session), await a_live_journey(session)
        live = await an_enrollment(session, contact.id, version)
        await a_live_journey(session, {"key": "tried"})
        test = await an_enrollment(session, contact.id, await a_live_journey(session, {"key": "tried"}))
        test.tested_draft = 2
    return test, live


async def test_what_a_step_of_a_test_brings_about_is_known_by_its_id_through_points_and_segments(
    sessions: Sessions,
) -> None:
    test, live = await runs(sessions)

    async def brought_about(by: UUID, *, source: str = DERIVED) -> list[bool]:
        async with sessions.begin() as session:

            async def happens(name: str, rest: str, **properties: str) -> tuple[int, bool]:
                event_id = f"{name}:{rest}"
                event = await an_event(
                    session, test.contact_id, name, event_id=event_id, properties=properties, source=source
                )
                return event.sequence, await follows_from_test(session, event)

            sequence, joined = await happens("list.joined", f"{by}:vip:1", list="vip")
            _, crossed = await happens("score.crossed", f"{test.contact_id}:interest:10:score.given:{by}:give:1")
            _, entered = await happens("segment.entered", f"vips:{test.contact_id}:{sequence}", segment="vips")
            _, done = await happens("task.completed", f"task-of-{by}", enrollment=str(by))
            return [joined, crossed, entered, done]

    assert await brought_about(test.id) == [True] * 4
    assert await brought_about(live.id) == [False] * 4


async def test_what_a_producer_sends_under_such_an_id_is_no_tests(sessions: Sessions) -> None:
    test, _ = await runs(sessions)
    async with sessions.begin() as session:
        event = await an_event(session, test.contact_id, event_id=f"list.joined:{test.id}:vip:1", source="api")
        assert not await follows_from_test(session, event)


async def test_orders_for_a_step_pass_a_test_by_and_the_brakes_hold_it(sessions: Sessions) -> None:
    test, live = await runs(sessions)
    async with sessions.begin() as session:
        steering, everybody = SteeringRepository(session), Operator("tests", "")
        at_step = AtStep(str(test.step))
        assert await steering.count("tried", Steer.EXIT, at_step) == 0
        assert await steering.count(live.journey_key, Steer.EXIT, at_step) == 1
        pausing = await steering.pause("tried", everybody)
        assert (await session.scalars(inside(pausing, 10))).all() == [test.id]
        kept = await session.get_one(JourneyVersion, ("tried", 1))
        kept.state = VersionState.TEST
        await session.flush()
        stopped = await steering.stop("tried", everybody, Inside.STOP)
        assert stopped.inside == 1
        await session.refresh(kept)
        assert kept.state == VersionState.STOPPED  # the gate lets nothing more leave


async def test_drafts_that_were_tried_long_ago_are_forgotten_with_their_runs_and_nothing_else_is(
    sessions: Sessions,
) -> None:
    later = SOME_DAY + KEPT_FOR + timedelta(days=9)
    kept: dict[str, int] = {}

    async def tried(name: str, *, ended_at: datetime | None, created_at: datetime = SOME_DAY) -> None:
        async with sessions.begin() as session:
            draft = await a_live_journey(session, {"key": "tried"})
            version = await TryoutRepository(session).keep(draft, Pace())
            version.created_at, kept[name] = created_at, version.version
            run = await an_enrollment(session, (await a_contact(session)).id, version, ended_at=ended_at)
            run.tested_draft = 2

    await tried("old", ended_at=SOME_DAY)
    await tried("still on", ended_at=None)
    await tried("ended lately", ended_at=later - timedelta(days=9))
    await tried("young", ended_at=None, created_at=later)
    await tried("newest", ended_at=SOME_DAY)
    async with sessions.begin() as session:
        assert await TryoutRepository(session).forget(later) == 1
        assert await TryoutRepository(session).forget(later) == 0
        versions = set(await session.scalars(select(JourneyVersion.version)))
        runs = set(await session.scalars(select(Enrollment.version)))
    del kept["old"]
    assert (versions, runs) == ({1, *kept.values()}, set(kept.values()))
