"""Enrollments over HTTP: starting, listing, explaining; Temporal is away unless a test brings it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import func, select
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from api.app import create_app
from api.temporal import TemporalConnection
from crm.access import AuditRepository, Scope
from crm.contacts import ContactRepository
from crm.enrollments import EnrollmentRepository
from crm.identities import ContactReference
from crm.journeys import JourneyRepository
from crm.models.access import AuditEntry
from crm.models.enrollment import Enrollment
from intake.models import OutboxEntry
from journeys.experiments import in_control_group
from journeys.model import Journey
from journeys.outcomes import JourneyState, StepVerdict
from kit.database import Sessions
from kit.settings import Settings
from tests.support.api import a_key, caller
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows.state import Decision

ADA = {"contact": {"user_id": "u1"}}


@pytest_asyncio.fixture
async def journey(sessions: Sessions) -> str:
    async with sessions.begin() as session:
        return (await a_live_journey(session, {"key": "hello"})).journey_key


@pytest_asyncio.fixture
async def enrollment(sessions: Sessions) -> Enrollment:
    """One that waits at its first step, as the database knows it."""
    async with sessions.begin() as session:
        version = await a_live_journey(session, {"key": "hello"})
        contact = await a_contact(session)
        return await an_enrollment(session, contact.id, version, state=JourneyState.WAITING)


async def rows(sessions: Sessions, table: Any) -> int:
    async with sessions() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.usefixtures("journey")
async def test_a_contact_is_started_once_and_then_runs_already(client: httpx.AsyncClient, sessions: Sessions) -> None:
    started = await client.post("/v1/journeys/hello/enrollments", json={**ADA, "properties": {"product_id": "P-7"}})
    assert started.status_code == 201
    assert started.json()["result"] == "started"
    assert started.json()["enrollment"]["state"] == "starting"
    again = await client.post("/v1/journeys/hello/enrollments", json=ADA)
    assert again.status_code == 200
    assert again.json()["result"] == "already_running"
    assert again.json()["enrollment"]["id"] == started.json()["enrollment"]["id"]
    assert await rows(sessions, Enrollment) == await rows(sessions, OutboxEntry) == 1


@pytest.mark.usefixtures("journey")
async def test_requests_at_once_start_a_contact_once(client: httpx.AsyncClient, sessions: Sessions) -> None:
    answers = await asyncio.gather(*(client.post("/v1/journeys/hello/enrollments", json=ADA) for _ in range(5)))
    assert sorted(answer.json()["result"] for answer in answers) == ["already_running"] * 4 + ["started"]
    assert await rows(sessions, OutboxEntry) == 1


async def test_a_refusal_is_an_answer_with_its_reason(client: httpx.AsyncClient, sessions: Sessions) -> None:
    audience = {"consent": {"purpose": "marketing", "channel": "email"}}
    async with sessions.begin() as session:
        await a_live_journey(session, {"key": "hello", "entry": {"event": "x", "audience": audience}})
    answer = await client.post("/v1/journeys/hello/enrollments", json=ADA)
    assert answer.status_code == 200
    assert answer.json()["result"] == "refused"
    assert answer.json()["reason"] == "audience"
    assert answer.json()["because"]
    assert await rows(sessions, Enrollment) == 0


class TestByHandPastAgain:
    """`bypass_again`: only what `again` says is passed over, and it is told."""

    PAST: ClassVar[dict[str, Any]] = {**ADA, "bypass_again": True}

    async def test_it_enters_and_the_explanation_and_the_audit_log_tell_of_it(
        self, client: httpx.AsyncClient, sessions: Sessions
    ) -> None:
        await self._ended(sessions, "never")
        assert (await client.post("/v1/journeys/hello/enrollments", json=ADA)).json()["reason"] == "already_entered"
        started = (await client.post("/v1/journeys/hello/enrollments", json=self.PAST)).json()
        explained = (await client.get(f"/v1/enrollments/{started['enrollment']['id']}/explain")).json()
        said = "a contact enters this journey only once"
        assert explained["enrollment"]["passed_over"] == said
        async with sessions() as session:
            [noted] = await AuditRepository(session).of(f"enrollment:{started['enrollment']['id']}")
        assert (noted.action, noted.details) == ("enrollment.start", {"passed_over": said})

    async def test_nobody_is_inside_twice(self, client: httpx.AsyncClient, sessions: Sessions) -> None:
        await self._ended(sessions, {"cooldown": "90d"})
        results = [await client.post("/v1/journeys/hello/enrollments", json=self.PAST) for _ in range(2)]
        assert [answer.json()["result"] for answer in results] == ["started", "already_running"]

    async def test_all_else_is_asked(self, client: httpx.AsyncClient, sessions: Sessions) -> None:
        await self._ended(sessions, "never", audience={"attribute": "plan", "is": "pro"})
        assert (await client.post("/v1/journeys/hello/enrollments", json=self.PAST)).json()["reason"] == "audience"

    @pytest.mark.usefixtures("journey")
    async def test_whoever_need_not_be_let_past_enters_as_all_do(self, client: httpx.AsyncClient) -> None:
        started = (await client.post("/v1/journeys/hello/enrollments", json=self.PAST)).json()
        assert (started["result"], started["enrollment"]["passed_over"]) == ("started", None)

    @pytest.mark.usefixtures("journey")
    async def test_it_needs_the_scope_of_an_operator(self, app: FastAPI, sessions: Sessions) -> None:
        async with caller(app, await a_key(sessions, Scope.ENROLL)) as enroller:
            answer = await enroller.post("/v1/journeys/hello/enrollments", json=self.PAST)
            usual = await enroller.post("/v1/journeys/hello/enrollments", json=ADA)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/missing-scope")
        assert "`bypass_again` needs the scope 'operate'" in answer.json()["detail"]
        assert usual.status_code == 201

    async def _ended(self, sessions: Sessions, again: Any, **entry: Any) -> None:
        """Ada has been through a journey that now takes her back as `again` says."""
        async with sessions.begin() as session:
            version = await a_live_journey(session, {"key": "hello", "entry": {"again": again, **entry}})
            ada = (await ContactRepository(session).resolve([ContactReference(user_id="u1")]))[0]
            await an_enrollment(session, ada, version, ended_at=datetime.now(UTC), state=JourneyState.COMPLETED)


async def test_a_journey_that_was_never_published_takes_nobody(client: httpx.AsyncClient, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        draft = {"key": "hello", "name": "x", "owner": "x", "entry": {}, "steps": [{"wait": "1d"}]}
        await JourneyRepository(session).put_draft(Journey.model_validate(draft))
    answer = await client.post("/v1/journeys/hello/enrollments", json=ADA)
    assert answer.json()["reason"] == "journey_not_live"


async def test_an_unknown_journey_is_a_problem_and_makes_no_contact(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/journeys/nope/enrollments", json=ADA)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/unknown-journey"
    assert (await client.get("/v1/contacts", params={"user_id": "u1"})).json()["items"] == []


@pytest.mark.usefixtures("journey")
async def test_the_same_idempotency_key_is_answered_as_at_first(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    answers = [await client.post("/v1/journeys/hello/enrollments", json=ADA, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def test_enrollments_are_listed_by_what_is_asked(
    client: httpx.AsyncClient, enrollment: Enrollment, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        other = await a_contact(session)
        version = await JourneyRepository(session).version("hello", 1)
        assert version is not None
        await an_enrollment(session, other.id, version, state=JourneyState.COMPLETED)

    async def listed(**params: Any) -> list[str]:
        return [item["id"] for item in (await client.get("/v1/enrollments", params=params)).json()["items"]]

    mine = str(enrollment.id)
    assert len(await listed()) == 2
    assert await listed(contact_id=str(enrollment.contact_id)) == [mine]
    assert await listed(state="waiting", journey="hello", step="pause") == [mine]
    assert await listed(journey="other") == []
    contact = f"/v1/contacts/{enrollment.contact_id}/enrollments"
    assert [item["id"] for item in (await client.get(contact)).json()["items"]] == [mine]
    first = (await client.get("/v1/enrollments", params={"limit": 1})).json()
    rest = (await client.get("/v1/enrollments", params={"limit": 1, "cursor": first["next"]})).json()
    assert first["items"][0]["id"] == mine
    assert rest["items"][0]["id"] != mine
    assert rest["next"] is None


async def test_decisions_are_read_in_their_order(
    client: httpx.AsyncClient, enrollment: Enrollment, sessions: Sessions
) -> None:
    decided = Decision(
        ordinal=1,
        step="pause",
        verdict=StepVerdict.PASSED,
        because="1 day is over",
        entered_at=SOME_DAY,
        at=SOME_DAY,
        next_step="mail",
    )
    asked = decided.model_copy(update={"ordinal": 2, "step": "asked", "cause_event_id": "answer-1"})
    sent = decided.model_copy(update={"ordinal": 3, "step": "mail"})
    async with sessions.begin() as session:
        await EnrollmentRepository(session).record(
            enrollment.id, state="running", step="mail", since=SOME_DAY, decisions=[decided, asked, sent]
        )
    items = (await client.get(f"/v1/enrollments/{enrollment.id}/decisions")).json()["items"]
    # What decided nothing by itself goes back to what led there, the entry in the end.
    causes = [(item["cause_event_id"], item["caused_by"]) for item in items]
    assert causes == [(None, enrollment.entry_event_id), ("answer-1", "answer-1"), (None, "answer-1")]
    item = items[0]
    assert (item["step"], item["verdict"], item["because"], item["next_step"]) == (
        "pause",
        "passed",
        "1 day is over",
        "mail",
    )


async def test_without_temporal_the_projection_is_explained_and_it_says_so(
    client: httpx.AsyncClient, enrollment: Enrollment
) -> None:
    explained = (await client.get(f"/v1/enrollments/{enrollment.id}/explain")).json()
    assert explained["source"] == "projection"
    assert explained["live"] is None
    assert "cannot be asked now" in explained["note"]
    assert explained["enrollment"]["step"] == "pause"


COMMANDS = {
    "pause": {},
    "resume": {},
    "skip": {},
    "retry": {},
    "reschedule": {"at": "2026-05-01T09:00:00+02:00"},
    "decide": {"answer": "approved"},
}


@pytest.mark.parametrize("action", COMMANDS)
async def test_without_temporal_a_command_is_a_problem_that_passes(
    client: httpx.AsyncClient, enrollment: Enrollment, sessions: Sessions, action: str
) -> None:
    answer = await client.post(f"/v1/enrollments/{enrollment.id}/{action}", json=COMMANDS[action])
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unavailable"
    assert answer.headers["retry-after"]
    assert await rows(sessions, AuditEntry) == 1  # the journey's publication only


async def test_an_exit_is_taken_while_temporal_is_away(
    client: httpx.AsyncClient, enrollment: Enrollment, sessions: Sessions
) -> None:
    answer = await client.post(f"/v1/enrollments/{enrollment.id}/exit", json={"reason": "moved away"})
    assert answer.status_code == 202
    assert answer.json()["result"] == "requested"
    async with sessions() as session:
        entry = (await session.scalars(select(OutboxEntry))).one()
        noted = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "enrollment.exit"))).one()
    assert entry.payload["criteria"] == ["exit:requested"]
    assert entry.payload["reason"] == "moved away"
    assert noted.target == f"enrollment:{enrollment.id}"


@pytest.mark.parametrize("action", COMMANDS)
async def test_an_ended_enrollment_takes_no_commands(
    client: httpx.AsyncClient, sessions: Sessions, action: str
) -> None:
    async with sessions.begin() as session:
        version = await a_live_journey(session, {"key": "hello"})
        contact = await a_contact(session)
        ended = await an_enrollment(session, contact.id, version, state=JourneyState.COMPLETED)
    answer = await client.post(f"/v1/enrollments/{ended.id}/{action}", json=COMMANDS[action])
    assert answer.status_code == 409
    assert "has ended as 'completed'" in answer.json()["detail"]
    exited = await client.post(f"/v1/enrollments/{ended.id}/exit")
    assert exited.json()["result"] == "already_ended"


@pytest.mark.parametrize("what", ["", "/decisions", "/explain"])
async def test_an_unknown_enrollment_is_a_problem(client: httpx.AsyncClient, what: str) -> None:
    answer = await client.get(f"/v1/enrollments/0199f5c1-7c1e-7a10-9d6b-3f2a8e5b1c4d{what}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/unknown-enrollment"


class TestWithTemporal:
    """One journey that really runs, steered and explained over HTTP."""

    @pytest_asyncio.fixture
    async def running(self, enroll: Enroll, sessions: Sessions) -> JourneyUnderTest:
        running = await enroll({"id": "rest", "wait": "3d"}, key="hello")
        async with sessions.begin() as session:
            version = await a_live_journey(session, {"key": "hello", "steps": [{"id": "rest", "wait": "3d"}]})
            contact = await a_contact(session)
            row = await an_enrollment(session, contact.id, version, state=JourneyState.WAITING)
            row.id, row.workflow_id = running.enrollment_id, running.workflow_id
        await running.at("rest")
        return running

    @pytest_asyncio.fixture
    async def operator(self, settings: Settings, temporal: WorkflowEnvironment, sessions: Sessions) -> Any:
        async def connected() -> Client:
            return temporal.client

        app: FastAPI = create_app(settings, temporal=TemporalConnection(connected))
        async with (
            app.router.lifespan_context(app),
            caller(app, await a_key(sessions, Scope.OPERATE, Scope.READ)) as client,
        ):
            yield client

    async def test_the_running_journey_explains_itself(
        self, operator: httpx.AsyncClient, running: JourneyUnderTest
    ) -> None:
        explained = (await operator.get(f"/v1/enrollments/{running.enrollment_id}/explain")).json()
        assert explained["source"] == "live"
        assert explained["live"]["step"] == "rest"
        assert explained["live"]["doing"] == "wait 3 days"

    async def test_pause_and_resume_are_answered_and_noted(
        self, operator: httpx.AsyncClient, running: JourneyUnderTest, sessions: Sessions
    ) -> None:
        at = f"/v1/enrollments/{running.enrollment_id}"
        paused = await operator.post(f"{at}/pause", json={"reason": "holiday"}, headers={"Idempotency-Key": "p1"})
        assert paused.status_code == 200
        assert paused.json()["now"]["state"] == "paused"
        resumed = await operator.post(f"{at}/resume")
        assert resumed.json()["now"]["state"] == "waiting"
        async with sessions() as session:
            noted = await session.scalars(
                select(AuditEntry).where(AuditEntry.target == f"enrollment:{running.enrollment_id}")
            )
            assert [entry.action for entry in noted] == ["enrollment.pause", "enrollment.resume"]

    async def test_resuming_shifts_the_wait_where_that_is_asked_and_notes_it(
        self, operator: httpx.AsyncClient, running: JourneyUnderTest, sessions: Sessions
    ) -> None:
        at = f"/v1/enrollments/{running.enrollment_id}"
        paused = await operator.post(f"{at}/pause")
        await running.at("rest", "paused")
        await running.advance(timedelta(days=5))
        resumed = await operator.post(f"{at}/resume", json={"timers": "shift"})
        before, after = (datetime.fromisoformat(answer.json()["now"]["until"]) for answer in (paused, resumed))
        assert after - before >= timedelta(days=5)
        async with sessions() as session:
            (noted,) = await session.scalars(select(AuditEntry).where(AuditEntry.action == "enrollment.resume"))
        assert noted.details == {"reason": "", "timers": "shift"}

    async def test_an_unknown_policy_of_resuming_is_a_problem(
        self, operator: httpx.AsyncClient, running: JourneyUnderTest
    ) -> None:
        answer = await operator.post(f"/v1/enrollments/{running.enrollment_id}/resume", json={"timers": "forget"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "/timers"

    async def test_the_end_of_a_wait_is_moved_and_that_is_noted(
        self, operator: httpx.AsyncClient, running: JourneyUnderTest, sessions: Sessions
    ) -> None:
        at = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)
        body = {"at": at.astimezone(ZoneInfo("Asia/Tokyo")).isoformat(), "reason": "the fair was put off"}
        moved = await operator.post(f"/v1/enrollments/{running.enrollment_id}/reschedule", json=body)
        assert moved.status_code == 200
        assert moved.json()["action"] == "reschedule"
        assert datetime.fromisoformat(moved.json()["now"]["until"]) == at
        async with sessions() as session:
            query = select(AuditEntry).where(AuditEntry.action == "enrollment.reschedule")
            (noted,) = await session.scalars(query)
        assert noted.details == {"reason": "the fair was put off", "at": at.isoformat()}

    async def test_an_approval_is_answered_once_and_noted_with_who_said_what(
        self, operator: httpx.AsyncClient, enroll: Enroll, sessions: Sessions
    ) -> None:
        steps: list[dict[str, Any]] = [
            {"id": "discount", "approve": {"by": "sales", "question": "20 % off?", "up_to": "3d"}},
            {"id": "rest", "wait": "3d"},
        ]
        running = await enroll(*steps, key="hello")
        async with sessions.begin() as session:
            version = await a_live_journey(session, {"key": "hello", "steps": steps})
            row = await an_enrollment(session, (await a_contact(session)).id, version, state=JourneyState.WAITING)
            row.id, row.workflow_id = running.enrollment_id, running.workflow_id
        await running.at("discount")
        waiting = (await operator.get("/v1/enrollments?state=waiting&step=discount")).json()["items"]
        assert [item["id"] for item in waiting] == [str(running.enrollment_id)]

        body = {"answer": "approved", "step": "discount", "reason": "a customer of ten years"}
        answer = await operator.post(f"/v1/enrollments/{running.enrollment_id}/decide", json=body)
        assert (answer.status_code, answer.json()["action"]) == (200, "decide")
        await running.at("rest")
        again = await operator.post(f"/v1/enrollments/{running.enrollment_id}/decide", json=body)
        assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict")
        async with sessions() as session:
            (noted,) = await session.scalars(select(AuditEntry).where(AuditEntry.action == "enrollment.decide"))
        assert noted.details == {"reason": "a customer of ten years", "answer": "approved"}

    @pytest.mark.parametrize("at", ["2026-05-01T09:00:00", "tomorrow", 5, None])
    async def test_only_an_instant_moves_a_wait(
        self, operator: httpx.AsyncClient, running: JourneyUnderTest, at: Any
    ) -> None:
        answer = await operator.post(f"/v1/enrollments/{running.enrollment_id}/reschedule", json={"at": at})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "/at"

    async def test_what_its_state_does_not_allow_is_a_conflict_in_the_journeys_own_words(
        self, operator: httpx.AsyncClient, running: JourneyUnderTest
    ) -> None:
        answer = await operator.post(f"/v1/enrollments/{running.enrollment_id}/retry")
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/conflict"
        assert len(answer.json()["detail"]) > 20

    async def test_an_enrollment_that_temporal_was_not_told_of_yet_cannot_be_steered(
        self, operator: httpx.AsyncClient, enrollment: Enrollment
    ) -> None:
        answer = await operator.post(f"/v1/enrollments/{enrollment.id}/pause")
        assert answer.status_code == 409
        assert "starts in a moment" in answer.json()["detail"]
        assert UUID(answer.json()["request_id"])


@pytest.mark.usefixtures("journey")
async def test_who_enters_over_the_api_is_drawn_into_the_control_group_as_it_is_set(
    app: FastAPI, client: httpx.AsyncClient, sessions: Sessions, settings: Settings
) -> None:
    app.state.settings = settings.model_copy(update={"control_group_percent": 50})
    for number in range(12):
        answer = await client.post("/v1/journeys/hello/enrollments", json={"contact": {"user_id": f"u{number}"}})
        assert answer.status_code == 201
    async with sessions() as session:
        drawn = {one.contact_id: one.control_group for one in await session.scalars(select(Enrollment))}
    assert drawn == {contact: in_control_group(contact, percent=50) for contact in drawn}
    assert set(drawn.values()) == {True, False}
