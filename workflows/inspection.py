"""What Temporal says of an enrollment's workflow: whether it runs, what holds it up, or how it was ended.

For processes with a `Client`, never for workflow code. Errors are those of `kit.errors`.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.exceptions import FailureError

from kit.errors import NotFound
from workflows.messages import Outcome
from workflows.names import ENROLLMENT_MEMO, WORKFLOW_TYPE
from workflows.starter import translated

LONGEST_DETAIL = 200
_WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
_ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_ENDED_FROM_OUTSIDE = "'Terminated', 'Failed', 'TimedOut', 'Canceled'"


class Whereabouts(StrEnum):
    """What became of a workflow, as Temporal sees it."""

    RUNS = "runs"
    COMPLETED = "completed"
    """It came to its own end."""
    CLOSED = "closed"
    """It was ended from outside."""
    UNKNOWN = "unknown"
    """It never ran, or Temporal has forgotten it."""


@dataclass(frozen=True)
class Inspection:
    """What Temporal says of one enrollment.

    Attributes:
        whereabouts: What became of it.
        detail: What holds it up, or how it was ended, in words without personal data; empty where nothing is known.
        closed_at: When it ended, aware.
        outcome: Its own word on how it ended, where it completed.
    """

    whereabouts: Whereabouts
    detail: str = ""
    closed_at: datetime | None = None
    outcome: Outcome | None = None


async def inspect(client: Client, workflow_id: str, enrollment_id: UUID) -> Inspection:
    """What Temporal says of this enrollment; a workflow of the same id that is another enrollment's does not count.

    Raises:
        Unavailable: Temporal does not answer.
    """
    try:
        async with translated(workflow_id):
            description = await client.get_workflow_handle(workflow_id).describe()
            whose = await description.memo_value(ENROLLMENT_MEMO, None)
            if whose != str(enrollment_id):
                return Inspection(Whereabouts.UNKNOWN)
            if description.status is WorkflowExecutionStatus.RUNNING:
                return Inspection(Whereabouts.RUNS, _held_up_by(description))
            return await _ended(client, description)
    except NotFound:
        return Inspection(Whereabouts.UNKNOWN)


def _held_up_by(description: WorkflowExecutionDescription) -> str:
    """What is tried again and again, in words."""
    raw = description.raw_description
    for one in raw.pending_activities:
        if one.attempt > 1:
            said = one.last_failure.message or "no answer in time"
            return f"{one.activity_type.name} is tried again and again: {said}"[:LONGEST_DETAIL]
    if raw.HasField("pending_workflow_task"):
        task = raw.pending_workflow_task
        if task.attempt > 1:
            return "workers fail at going on with it again and again; their logs say why"
        return "it waits for a worker"
    return ""


async def _ended(client: Client, description: WorkflowExecutionDescription) -> Inspection:
    closed_at = description.close_time
    handle = client.get_workflow_handle(description.id, run_id=description.run_id, result_type=Outcome)
    try:
        outcome = await handle.result(follow_runs=False)
    except WorkflowFailureError as error:
        status = description.status.name.lower().replace("_", " ") if description.status else "closed"
        said = error.cause.message if isinstance(error.cause, FailureError) else ""
        detail = f"{status} in Temporal" + (f": {said}" if said else "")
        return Inspection(Whereabouts.CLOSED, detail[:LONGEST_DETAIL], closed_at)
    return Inspection(Whereabouts.COMPLETED, outcome.reason, closed_at, outcome)


async def ended_from_outside(client: Client, since: datetime) -> AsyncIterator[UUID]:
    """The enrollments whose workflows were ended from outside since then (aware). Later runs of them may be running.

    Raises:
        Unavailable: Temporal does not answer.
    """
    query = (
        f"WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus IN ({_ENDED_FROM_OUTSIDE}) "
        f"AND CloseTime >= '{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
    )
    async with translated("what was ended from outside"):
        async for execution in client.list_workflows(query):
            whose = await execution.memo_value(ENROLLMENT_MEMO, None)
            if isinstance(whose, str):
                yield UUID(whose)


@dataclass(frozen=True)
class Backlog:
    """What waits for a worker: about how many tasks, the oldest for how long."""

    tasks: int
    age: timedelta


async def backlog(client: Client, task_queue: str) -> Backlog:
    """What waits for workers of this task queue, workflows or activities: of the two, what waits for longer.

    Raises:
        Unavailable: Temporal does not answer.
    """
    waiting = [await _waiting(client, task_queue, kind) for kind in (_WORKFLOWS, _ACTIVITIES)]
    return max(waiting, key=lambda one: one.age)


async def _waiting(client: Client, task_queue: str, kind: TaskQueueType.ValueType) -> Backlog:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind, report_stats=True
    )
    async with translated(task_queue):
        answer = await client.workflow_service.describe_task_queue(request)
    return Backlog(answer.stats.approximate_backlog_count, answer.stats.approximate_backlog_age.ToTimedelta())
