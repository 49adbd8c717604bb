from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from crm.enrollments import EnrollmentRepository, StepCounts
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion
from journeys.outcomes import JourneyState, StepVerdict
from kit.database import Sessions
from kit.errors import NotFound
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Left:
    """A departure as the repository is told of it."""

    ordinal: int
    step: str
    at: datetime
    next_step: str | None = None
    verdict: str = StepVerdict.PASSED
    result: str = ""
    because: str = ""
    cause_event_id: str | None = None
    entered_at: datetime = SOME_DAY
    version: int | None = None
    to_version: int | None = None


@pytest.fixture
async def version(session: AsyncSession) -> JourneyVersion:
    return await a_live_journey(session)


@pytest.fixture
async def enrollment(session: AsyncSession, version: JourneyVersion) -> Enrollment:
    contact = await a_contact(session)
    return await an_enrollment(session, contact.id, version, state=JourneyState.STARTING)


async def _record(session: AsyncSession, enrollment: Enrollment, **overrides: Any) -> Enrollment:
    standing: dict[str, Any] = {"state": JourneyState.WAITING, "step": "pause", "since": SOME_DAY, **overrides}
    enrollments = EnrollmentRepository(session)
    await enrollments.record(enrollment.id, **standing)
    found = await enrollments.get(enrollment.id)
    assert found is not None
    return found


class TestRecord:
    async def test_it_writes_where_the_enrollment_stands(self, session: AsyncSession, enrollment: Enrollment) -> None:
        found = await _record(session, enrollment, due_at=SOME_DAY + HOUR, attention="the mail server said no")

        assert (found.state, found.step, found.since) == ("waiting", "pause", SOME_DAY)
        assert (found.due_at, found.attention, found.ended_at) == (SOME_DAY + HOUR, "the mail server said no", None)

    async def test_decisions_are_kept_as_they_were_made(self, session: AsyncSession, enrollment: Enrollment) -> None:
        left = Left(0, "pause", SOME_DAY + HOUR, "mail", StepVerdict.PASSED, "arrived", "it came", "e1", SOME_DAY, 1)

        await _record(session, enrollment, step="mail", since=SOME_DAY + HOUR, decisions=[left])

        (stored,) = await EnrollmentRepository(session).decisions(enrollment.id)
        assert {name: getattr(stored, name) for name in asdict(left)} == asdict(left)

    async def test_writing_the_same_twice_changes_nothing(self, session: AsyncSession, enrollment: Enrollment) -> None:
        left = [Left(0, "pause", SOME_DAY + HOUR, "mail")]
        for _ in range(2):
            found = await _record(session, enrollment, step="mail", since=SOME_DAY + HOUR, decisions=left)

        assert found.step == "mail"
        assert len(await EnrollmentRepository(session).decisions(enrollment.id)) == 1

    async def test_an_ended_enrollment_stays_as_it_ended(self, session: AsyncSession, enrollment: Enrollment) -> None:
        end = SOME_DAY + 2 * HOUR
        await _record(session, enrollment, state=JourneyState.GOAL_MET, step=None, since=end, outcome="bought")

        found = await _record(session, enrollment, step="mail", since=end + HOUR)

        assert (found.state, found.step, found.outcome, found.ended_at) == ("goal_met", None, "bought", end)

    async def test_a_late_report_adds_its_decisions_and_moves_nothing_back(
        self, session: AsyncSession, enrollment: Enrollment
    ) -> None:
        newer = [Left(1, "mail", SOME_DAY + 2 * HOUR)]
        await _record(session, enrollment, step="late", since=SOME_DAY + 2 * HOUR, decisions=newer)

        found = await _record(
            session, enrollment, step="mail", since=SOME_DAY + HOUR, decisions=[Left(0, "pause", SOME_DAY + HOUR)]
        )

        assert found.step == "late"
        assert [one.ordinal for one in await EnrollmentRepository(session).decisions(enrollment.id)] == [0, 1]

    async def test_of_the_same_instant_the_report_with_the_newer_decision_stands(
        self, session: AsyncSession, enrollment: Enrollment
    ) -> None:
        await _record(
            session, enrollment, step="second", decisions=[Left(0, "pause", SOME_DAY), Left(1, "a", SOME_DAY)]
        )

        found = await _record(session, enrollment, step="first", decisions=[Left(0, "pause", SOME_DAY)])

        assert found.step == "second"

    async def test_the_first_report_counts_whatever_the_clocks_say(
        self, session: AsyncSession, enrollment: Enrollment
    ) -> None:
        """The row was made by the clock of intake, the report by that of Temporal."""
        found = await _record(session, enrollment, since=SOME_DAY - HOUR)

        assert found.state == "waiting"

    async def test_a_pause_at_the_same_step_is_written(self, session: AsyncSession, enrollment: Enrollment) -> None:
        await _record(session, enrollment)

        assert (await _record(session, enrollment, state=JourneyState.PAUSED)).state == "paused"

    async def test_an_unknown_enrollment_is_not_found(self, session: AsyncSession) -> None:
        with pytest.raises(NotFound):
            await EnrollmentRepository(session).record(
                uuid4(), state="waiting", step="pause", since=SOME_DAY, decisions=[Left(0, "pause", SOME_DAY)]
            )

    async def test_a_new_enrollment_may_begin_when_the_last_has_ended(
        self, session: AsyncSession, enrollment: Enrollment, version: JourneyVersion
    ) -> None:
        await _record(session, enrollment, state=JourneyState.COMPLETED, step=None)

        again = await an_enrollment(session, enrollment.contact_id, version)

        last = await EnrollmentRepository(session).last_of("welcome-test", enrollment.contact_id)
        assert last is not None
        assert last.id == again.id


class TestReading:
    async def test_running_are_those_that_have_not_ended_with_their_versions(
        self, session: AsyncSession, version: JourneyVersion
    ) -> None:
        contact, other = await a_contact(session), await a_contact(session)
        running = await an_enrollment(session, contact.id, version)
        await an_enrollment(session, contact.id, version, state=JourneyState.EXITED)
        await an_enrollment(session, other.id, version)

        ((found, of_version),) = await EnrollmentRepository(session).running_of(contact.id)

        assert (found.id, of_version.version) == (running.id, version.version)

    async def test_the_last_is_that_of_the_entry_key(self, session: AsyncSession, version: JourneyVersion) -> None:
        contact = await a_contact(session)
        first = await an_enrollment(session, contact.id, version, entry_key="order-1")
        await an_enrollment(session, contact.id, version, entry_key="order-2")
        enrollments = EnrollmentRepository(session)

        last = await enrollments.last_of("welcome-test", contact.id, "order-1")

        assert last is not None
        assert last.id == first.id
        assert await enrollments.last_of("welcome-test", contact.id) is None

    async def test_pages_hold_what_matches_all_that_is_asked(
        self, session: AsyncSession, version: JourneyVersion
    ) -> None:
        other_version = await a_live_journey(session, {"key": "other"})
        contacts = [(await a_contact(session)).id for _ in range(3)]
        made = [(await an_enrollment(session, contact, version, step="mail")).id for contact in contacts]
        await an_enrollment(session, contacts[0], other_version)
        await an_enrollment(session, contacts[0], version, entry_key="x", state=JourneyState.EXITED)
        enrollments = EnrollmentRepository(session)

        first = await enrollments.page(journey="welcome-test", state="running", step="mail", limit=2)
        rest = await enrollments.page(journey="welcome-test", state="running", after=first[-1].id)

        assert [one.id for one in [*first, *rest]] == made
        assert len(await enrollments.page(contact_id=contacts[0])) == 3


class TestCounts:
    async def test_an_enrollment_that_has_not_begun_has_reached_no_step(
        self, session: AsyncSession, version: JourneyVersion
    ) -> None:
        await an_enrollment(session, (await a_contact(session)).id, version, state=JourneyState.STARTING)

        counts = await EnrollmentRepository(session).counts("welcome-test", version.version)

        assert counts == {"pause": StepCounts(), "mail": StepCounts()}

    async def test_each_contact_is_counted_where_it_is_and_where_it_was(
        self, session: AsyncSession, version: JourneyVersion
    ) -> None:
        left_pause = Left(0, "pause", SOME_DAY + HOUR, "mail")
        for standing in (
            {},
            {
                "state": JourneyState.NEEDS_ATTENTION,
                "step": "mail",
                "since": SOME_DAY + HOUR,
                "decisions": [left_pause],
            },
            {
                "state": JourneyState.COMPLETED,
                "step": None,
                "decisions": [left_pause, Left(1, "mail", SOME_DAY + HOUR, verdict=StepVerdict.REFUSED)],
            },
        ):
            contact = await a_contact(session)
            enrollment = await an_enrollment(session, contact.id, version, state=JourneyState.STARTING)
            await _record(session, enrollment, **standing)

        counts = await EnrollmentRepository(session).counts("welcome-test", version.version)

        assert counts == {
            "pause": StepCounts(arrivals=3, waiting=1, passed=2),
            "mail": StepCounts(arrivals=2, failed=1, refused=1),
        }

    async def test_a_version_that_does_not_exist_is_not_found(self, session: AsyncSession) -> None:
        with pytest.raises(NotFound):
            await EnrollmentRepository(session).counts("welcome-test", 9)


VERDICTS = st.sampled_from(sorted(set(StepVerdict) - {StepVerdict.EXITED, StepVerdict.MIGRATED}))
PASSAGES = st.lists(
    st.tuples(st.lists(VERDICTS, max_size=2), st.sampled_from(["stays", "is parked", "leaves"]), st.booleans()),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(passages=PASSAGES)
async def test_nobody_is_lost_arrivals_are_all_accounted_for(
    sessions: Sessions, passages: list[tuple[list[StepVerdict], str, bool]]
) -> None:
    """Arrivals come from the decisions before a step, all else from the step itself."""
    key = f"conservation-{uuid4().hex[:8]}"
    async with sessions.begin() as session:
        version = await a_live_journey(session, {"key": key})
        for verdicts, fate, repeated in passages:
            contact = (await a_contact(session)).id
            enrollment = await an_enrollment(session, contact, version, state=JourneyState.STARTING)
            for _ in range(1 + repeated):
                await _walk(session, enrollment.id, verdicts, fate)
        counts = await EnrollmentRepository(session).counts(key, version.version)

    assert counts["pause"].arrivals == len(passages)
    for count in counts.values():
        whole = asdict(count)
        assert whole.pop("arrivals") == sum(whole.values())


async def _walk(session: AsyncSession, enrollment_id: UUID, verdicts: Sequence[StepVerdict], fate: str) -> None:
    """Report step by step as a workflow does: the verdicts so far, then where it is and what becomes of it."""
    steps: list[str | None] = ["pause", "mail", None]
    left = [
        Left(number, str(steps[number]), SOME_DAY + number * HOUR, steps[number + 1], verdict)
        for number, verdict in enumerate(verdicts)
    ]
    at, since = steps[len(verdicts)], SOME_DAY + len(verdicts) * HOUR
    state = {"stays": JourneyState.WAITING, "is parked": JourneyState.NEEDS_ATTENTION}.get(fate, JourneyState.EXITED)
    if at is None:
        state = JourneyState.COMPLETED
    elif state is JourneyState.EXITED:
        left, at = [*left, Left(len(left), at, since, None, StepVerdict.EXITED)], None
    await EnrollmentRepository(session).record(enrollment_id, state=state, step=at, since=since, decisions=left)
