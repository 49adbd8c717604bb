"""The books of a crowd: what database, inbox and Temporal say of its people, in a form that can be compared whole.

Also when they may be closed: `settle` waits until nothing is under way any more, `orphans_handed_back` shortens that.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psutil
from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import DBAPIError
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from crm.models.contact import Identity, IdentityKind
from crm.models.enrollment import Enrollment
from crm.models.event import Event, QueuedEvent
from crm.models.score import Score, ScoreEntry
from intake.models import IntakeFailure, OutboxEntry
from journeys.outcomes import JourneyState
from messaging.models import MessageRecord
from tests.support.crowd import Crowd
from tests.support.stack import LiveStack, found

_SETTLED_WITHIN_SECONDS = 150.0
_LOOK_AFTER_ORPHANS_SECONDS = 0.5
_IS_MOVING = Enrollment.state.in_([JourneyState.STARTING, JourneyState.RUNNING])


async def rows(crowd: Crowd, table: Any, *columns: Any, where: Sequence[ColumnElement[bool]] = ()) -> Sequence[Any]:
    """Columns of the crowd's rows of a table, each row beginning with the person's user id.

    Raises:
        DBAPIError: PostgreSQL is away.
    """
    query = (
        select(Identity.value, *columns)
        .select_from(Identity)
        .join(table, table.contact_id == Identity.contact_id)
        .where(Identity.kind == IdentityKind.USER_ID, Identity.value.startswith(f"{crowd.name}-"), *where)
    )
    async with crowd.live.sessions() as session:
        return (await session.execute(query)).all()


async def settle(crowd: Crowd) -> None:
    """Returns once every event was applied and carried, and every workflow has done what it can and is noted so.

    Temporal is asked too: what it was told may wait for a worker, and an end is written before its workflow is over.
    """
    under_way: dict[str, Any] = {}

    async def look() -> bool | None:
        try:
            under_way.update(await _under_way(crowd))
        except (DBAPIError, RPCError) as error:
            under_way["away"] = type(error).__name__
            return None
        return None if any(under_way.values()) else True

    await found(look, what=lambda: f"a settled stack, but {under_way}", within=_SETTLED_WITHIN_SECONDS)


async def _under_way(crowd: Crowd) -> Mapping[str, Any]:
    stored = await _stored_under_way(crowd)
    workflows = [] if any(stored.values()) else await _unsettled_workflows(crowd)
    # What the workflows did meanwhile may have made events.
    return {"away": "", "workflows": workflows, **(await _stored_under_way(crowd))}


async def _stored_under_way(crowd: Crowd) -> Mapping[str, Any]:
    moving = (Enrollment.workflow_id, Enrollment.state, Enrollment.step)
    return {
        "queued": await rows(crowd, QueuedEvent, QueuedEvent.sequence),
        "outbox": await rows(
            crowd,
            Enrollment,
            OutboxEntry.kind,
            OutboxEntry.last_error,
            where=[OutboxEntry.enrollment_id == Enrollment.id],
        ),
        "moving": await rows(crowd, Enrollment, *moving, where=[_IS_MOVING]),
    }


async def _unsettled_workflows(crowd: Crowd) -> Sequence[str]:
    """Workflows that a worker has something to do for, and those Temporal does not list as they are."""
    ids = [workflow_id for _, workflow_id in await rows(crowd, Enrollment, Enrollment.workflow_id)]
    described = await asyncio.gather(*(_described(crowd.live.temporal, one) for one in ids))
    listed = await _workflows(crowd)
    return [
        workflow_id
        for workflow_id, (status, busy) in zip(ids, described, strict=True)
        if busy or status not in listed[workflow_id]
    ]


async def _described(client: Client, workflow_id: str) -> tuple[str, bool]:
    """The status of the newest run, and whether a task or an activity of it waits or is being done."""
    description = await client.get_workflow_handle(workflow_id).describe()
    raw = description.raw_description
    assert description.status is not None
    return description.status.name, raw.HasField("pending_workflow_task") or bool(raw.pending_activities)


@asynccontextmanager
async def orphans_handed_back(crowd: Crowd) -> AsyncIterator[None]:
    """While entered, Temporal is told which attempts died with their worker; by itself it waits for their time-out.

    Nothing else is different: the attempt failed, the next one begins, and finds what the dead one left.
    """
    work = asyncio.create_task(_hand_back_for_ever(crowd))
    try:
        yield
    finally:
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled(), work.exception()


async def _hand_back_for_ever(crowd: Crowd) -> None:
    while True:
        with suppress(DBAPIError, RPCError):  # away now
            for _, workflow_id in await rows(crowd, Enrollment, Enrollment.workflow_id, where=[_IS_MOVING]):
                await _hand_back(crowd.live.temporal, workflow_id)
        await asyncio.sleep(_LOOK_AFTER_ORPHANS_SECONDS)


async def _hand_back(client: Client, workflow_id: str) -> None:
    try:
        description = (await client.get_workflow_handle(workflow_id).describe()).raw_description
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # not started yet
            return
        raise
    run_id = description.workflow_execution_info.execution.run_id
    for pending in description.pending_activities:
        begun = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        if begun and not _lives(pending.last_worker_identity):
            attempt = client.get_async_activity_handle(
                workflow_id=workflow_id, run_id=run_id, activity_id=pending.activity_id
            )
            await attempt.fail(ApplicationError("The worker died."))


def _lives(worker_identity: str) -> bool:
    """Whether the process of a worker of this machine runs; the SDK names itself `pid@host`."""
    return psutil.pid_exists(int(worker_identity.partition("@")[0]))


@dataclass(frozen=True)
class Books:
    """What is known of a crowd's people, by their user ids. Every list is sorted."""

    events: Counter[str]
    """How often each posted event is in the log."""
    points: Mapping[str, int]
    """The stored sum of each person."""
    reasons: Mapping[str, int]
    """The sum of each person's stored reasons."""
    enrollments: Sequence[tuple[str, str, str]]
    """Person, journey, state."""
    workflows: Mapping[str, Sequence[str]]
    """Per workflow id, the status of each of its runs."""
    messages: Mapping[UUID, tuple[str, str, str]]
    """Per message: person, template, state."""
    mails: Counter[UUID]
    """How often each message is in the inbox."""
    failures: Sequence[str] = field(default_factory=list)
    """Why events were set aside."""


async def close_books(crowd: Crowd) -> Books:
    """Read everything. Ask only when nothing is under way."""
    posted = await rows(crowd, Event, Event.event_id, where=[Event.source != "derived"])
    scores = await rows(crowd, Score, Score.points)
    entries = await rows(crowd, ScoreEntry, ScoreEntry.points)
    enrollments = await rows(crowd, Enrollment, Enrollment.journey_key, Enrollment.state)
    message = (MessageRecord.id, MessageRecord.template_key, MessageRecord.state)
    messages = await rows(crowd, MessageRecord, *message)
    reasons: Counter[str] = Counter()
    for user_id, points in entries:
        reasons[user_id] += points
    return Books(
        events=Counter(event_id for _, event_id in posted),
        points=dict(scores),
        reasons=dict(reasons),
        enrollments=sorted(tuple(row) for row in enrollments),
        workflows=await _workflows(crowd),
        messages={message_id: (user_id, template, state) for user_id, message_id, template, state in messages},
        mails=await _mails(crowd.live, crowd.name),
        failures=sorted(
            f"{user_id}: {reason}" for user_id, reason in await rows(crowd, IntakeFailure, IntakeFailure.reason)
        ),
    )


async def _mails(live: LiveStack, words: str) -> Counter[UUID]:
    """How often each message is in the inbox: the ledger's id is in the header Message-ID."""
    listed = (await live.inbox.get("/api/mails", params={"q": words, "limit": 500})).raise_for_status().json()
    received: Counter[UUID] = Counter()
    for mail in listed["mails"]:
        whole = (await live.inbox.get(f"/api/mails/{mail['id']}")).raise_for_status().json()
        received[UUID(dict(whole["headers"])["Message-ID"].strip("<>").partition("@")[0])] += 1
    return received


async def _workflows(crowd: Crowd) -> Mapping[str, Sequence[str]]:
    """Per workflow id of the crowd's enrollments, the status of every run Temporal knows."""
    known: dict[str, list[str]] = {
        workflow: [] for _, workflow in await rows(crowd, Enrollment, Enrollment.workflow_id)
    }
    async for execution in crowd.live.temporal.list_workflows():
        if execution.id in known:
            assert execution.status is not None
            known[execution.id].append(WorkflowExecutionStatus(execution.status).name)
    return known
