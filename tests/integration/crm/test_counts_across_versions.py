"""The conservation law holds per step and version while enrollments move from version to version."""

from dataclasses import asdict, replace
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository, StepCounts
from crm.models.journey import JourneyVersion
from journeys.outcomes import JourneyState, StepVerdict
from kit.database import Sessions
from tests.integration.crm.test_enrollments import Left
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment

HOUR = timedelta(hours=1)
STEPS = {1: ["pause", "mail"], 2: ["mail", "rest", "thanks"], 3: ["thanks"]}


async def _versions(session: AsyncSession, key: str) -> dict[int, JourneyVersion]:
    return {
        version: await a_live_journey(session, {"key": key, "steps": [{"id": step, "wait": "1d"} for step in steps]})
        for version, steps in STEPS.items()
    }


async def test_who_migrated_is_counted_in_both_versions_where_it_was(session: AsyncSession) -> None:
    versions = await _versions(session, "moving")
    enrollment = await an_enrollment(session, (await a_contact(session)).id, versions[1], state=JourneyState.STARTING)
    enrollment.moving_to = 2
    repository = EnrollmentRepository(session)
    moved = Left(0, "pause", SOME_DAY, "rest", StepVerdict.MIGRATED, version=1, to_version=2)
    for _ in range(2):
        await repository.record(
            enrollment.id, state=JourneyState.WAITING, step="rest", since=SOME_DAY, decisions=[moved]
        )

    found = await repository.get(enrollment.id)
    assert found is not None
    assert (found.version, found.entered_version, found.moving_to) == (2, 1, None)
    assert (await repository.counts("moving", 1))["pause"] == StepCounts(arrivals=1, migrated=1)
    assert (await repository.counts("moving", 2))["rest"] == StepCounts(arrivals=1, waiting=1)
    assert (await repository.counts("moving", 2))["mail"] == StepCounts()


async def test_decisions_before_the_first_migration_belong_to_the_version_of_entry_however_late_they_come(
    session: AsyncSession,
) -> None:
    versions = await _versions(session, "late")
    enrollment = await an_enrollment(session, (await a_contact(session)).id, versions[1], state=JourneyState.STARTING)
    repository = EnrollmentRepository(session)
    early = Left(0, "pause", SOME_DAY, "mail")
    moved = Left(1, "mail", SOME_DAY + HOUR, "mail", StepVerdict.MIGRATED, version=1, to_version=2)
    since = SOME_DAY + HOUR
    await repository.record(enrollment.id, state=JourneyState.WAITING, step="mail", since=since, decisions=[moved])
    await repository.record(enrollment.id, state=JourneyState.WAITING, step="mail", since=SOME_DAY, decisions=[early])

    found = await repository.get(enrollment.id)
    assert found is not None
    assert (found.version, [row.version for row in await repository.decisions(enrollment.id)]) == (2, [1, 1])


@st.composite
def passages(draw: st.DrawFn) -> list[list[Left]]:
    """Enrollments as the decisions they made: walking, migrating, ending somewhere or nowhere."""
    return [draw(passage()) for _ in range(draw(st.integers(0, 5)))]


@st.composite
def passage(draw: st.DrawFn) -> list[Left]:
    version, index, decisions = 1, 0, list[Left]()
    for ordinal in range(draw(st.integers(0, 5))):
        at = SOME_DAY + ordinal * HOUR
        left = Left(ordinal, STEPS[version][index], at, version=version if version > 1 else None)
        if version < 3 and draw(st.booleans()):
            later = draw(st.integers(version + 1, 3))
            index = draw(st.integers(0, len(STEPS[later]) - 1))
            step = STEPS[later][index]
            left = replace(left, verdict=StepVerdict.MIGRATED, next_step=step, version=version, to_version=later)
            version = later
        elif index + 1 < len(STEPS[version]):
            index += 1
            left = replace(left, next_step=STEPS[version][index])
        decisions.append(left)
        if left.next_step is None:
            break
    return decisions


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=passages(), batch=st.integers(1, 6))
async def test_nobody_is_lost_between_versions(sessions: Sessions, found: list[list[Left]], batch: int) -> None:
    key = f"moving-{uuid4().hex[:8]}"
    async with sessions.begin() as session:
        versions = await _versions(session, key)
        for decisions in found:
            contact = (await a_contact(session)).id
            enrollment = await an_enrollment(session, contact, versions[1], state=JourneyState.STARTING)
            await _report(session, enrollment.id, decisions, batch)
        repository = EnrollmentRepository(session)
        counts = {version: await repository.counts(key, version) for version in STEPS}

    assert counts[1]["pause"].arrivals == len(found)
    for by_step in counts.values():
        for count in by_step.values():
            whole = asdict(count)
            assert whole.pop("arrivals") == sum(whole.values())
    migrated = sum(count.migrated for by_step in counts.values() for count in by_step.values())
    assert migrated == sum(left.verdict == StepVerdict.MIGRATED for decisions in found for left in decisions)


async def _report(session: AsyncSession, enrollment_id: UUID, decisions: list[Left], batch: int) -> None:
    """Report in batches, as a workflow does whose decisions wait for the next activity."""
    repository = EnrollmentRepository(session)
    for first in range(0, len(decisions), batch) if decisions else [0]:
        part = decisions[first : first + batch]
        last = part[-1] if part else None
        step = last.next_step if last else STEPS[1][0]
        await repository.record(
            enrollment_id,
            state=JourneyState.WAITING if step else JourneyState.COMPLETED,
            step=step,
            since=last.at if last else SOME_DAY,
            decisions=part,
        )
