"""How the outside reaches journeys: start one, deliver an event, pause, resume, skip, retry, reschedule, explain.

For processes with a `Client` (relay, API, CLI), never for workflow code. Errors are those of `kit.errors`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from temporalio.api.common.v1 import Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest
from temporalio.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.converter import encode_search_attributes
from temporalio.exceptions import ApplicationError

from journeys.plan import Plan
from kit.clock import Clock, wall_clock
from kit.errors import Conflict, NotFound, Unavailable
from workflows.details import headline, introduction
from workflows.messages import Command, Decide, Delivery, Explanation, JourneyRun, Reschedule, Resume
from workflows.migration import ENDED_ALREADY, NO_TARGET
from workflows.names import ENROLLMENT_MEMO, WORKFLOW_TYPE
from workflows.position import first_attributes
from workflows.state import Migration

ANSWER_WITHIN = timedelta(seconds=10)
"""How long an update or a query waits for a worker."""

_AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
    }
)


class WorkflowFailing(Unavailable):
    """One workflow cannot answer now, though Temporal and its workers do."""


class StartResult(StrEnum):
    """What a start found."""

    STARTED = "started"
    ALREADY_RUNNING = "already_running"


class MigrateResult(StrEnum):
    """What became of a migration."""

    MIGRATED = "migrated"
    NO_TARGET = "no_target"
    GONE = "gone"


class DeliverResult(StrEnum):
    """What became of a delivery."""

    DELIVERED = "delivered"
    GONE = "gone"


async def start_journey(
    client: Client,
    run: JourneyRun,
    plan: Plan,
    *,
    workflow_id: str,
    task_queue: str,
    clock: Clock = wall_clock,
    delay: timedelta = timedelta(0),
) -> StartResult:
    """Start an enrollment's workflow. Repeating it starts nothing twice, even where the first one has ended already.

    With a `delay` its first step is taken that much later; simulations begin on another day by it.

    Raises:
        Unavailable: Temporal does not answer, or an earlier enrollment under this workflow id is still closing.
    """
    request = await _start_request(client, run, plan, workflow_id=workflow_id, clock=clock)
    request.task_queue.CopyFrom(TaskQueue(name=task_queue))
    if delay:
        request.workflow_start_delay.FromTimedelta(delay)
    async with translated(workflow_id):
        try:
            response = await client.workflow_service.start_workflow_execution(request, retry=True)
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise
            return await _compare_running(client.get_workflow_handle(workflow_id), run.enrollment_id)
    return StartResult.STARTED if response.started else StartResult.ALREADY_RUNNING


async def _start_request(
    client: Client, run: JourneyRun, plan: Plan, *, workflow_id: str, clock: Clock
) -> StartWorkflowExecutionRequest:
    """The start with the enrollment id as request id: the server drops a repeat, which the SDK's own call cannot."""
    converter = client.data_converter
    payloads = await converter.encode([run, str(run.enrollment_id), headline(plan), introduction(plan, run)])
    request = StartWorkflowExecutionRequest(
        namespace=client.namespace,
        identity=client.identity,
        request_id=str(run.enrollment_id),
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name=WORKFLOW_TYPE),
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
        input=Payloads(payloads=payloads[:1]),
        user_metadata=UserMetadata(summary=payloads[2], details=payloads[3]),
    )
    request.memo.fields[ENROLLMENT_MEMO].CopyFrom(payloads[1])
    encode_search_attributes(first_attributes(plan, run, clock()), request.search_attributes)
    return request


async def _compare_running(handle: WorkflowHandle[object, object], enrollment_id: UUID) -> StartResult:
    """Whether the running workflow of this id is ours already, or an earlier enrollment's that is about to end."""
    description = await handle.describe()
    if await description.memo_value(ENROLLMENT_MEMO, None) == str(enrollment_id):
        return StartResult.ALREADY_RUNNING
    raise Unavailable("An earlier enrollment of this contact is still closing.", remedy="Try again shortly.")


async def deliver(client: Client, workflow_id: str, delivery: Delivery) -> DeliverResult:
    """Tell a running enrollment which criteria an event met. The server drops a repeat by its request id.

    Raises:
        Unavailable: Temporal does not answer.
    """
    payloads = await client.data_converter.encode([delivery])
    request = SignalWorkflowExecutionRequest(
        namespace=client.namespace,
        identity=client.identity,
        request_id=_request_id(delivery),
        workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        signal_name="deliver",
        input=Payloads(payloads=payloads),
    )
    try:
        async with translated(workflow_id):
            await client.workflow_service.signal_workflow_execution(request, retry=True)
    except NotFound:
        return DeliverResult.GONE
    return DeliverResult.DELIVERED


def _request_id(delivery: Delivery) -> str:
    """While an enrollment is on its way to another version, it is told of an event once for each of the two."""
    versions = [] if delivery.version is None else [str(delivery.version)]
    return ":".join([delivery.event_id, str(delivery.enrollment_id), *versions])


async def migrate(client: Client, workflow_id: str, migration: Migration) -> tuple[MigrateResult, str]:
    """Have a running enrollment go over to another version; with the reason where it does not.

    Repeating it changes nothing.

    Raises:
        Conflict: The worker cannot read the version: it is older than what made it.
        Unavailable: Temporal or its workers do not answer.
    """
    try:
        await _update(client, workflow_id, "migrate", migration, "")
    except NotFound as error:
        return MigrateResult.GONE, error.message
    except Conflict as error:
        cause = error.__cause__.cause if isinstance(error.__cause__, WorkflowUpdateFailedError) else None
        if not isinstance(cause, ApplicationError) or cause.type not in _OBJECTIONS:
            raise
        return _OBJECTIONS[cause.type], cause.message
    return MigrateResult.MIGRATED, ""


_OBJECTIONS = {ENDED_ALREADY: MigrateResult.GONE, NO_TARGET: MigrateResult.NO_TARGET}


async def pause(client: Client, workflow_id: str, command: Command, *, request_id: str = "") -> Explanation:
    """Freeze an enrollment at its step. Pausing a paused one changes nothing. Raises as `resume`."""
    return await _update(client, workflow_id, "pause", command, request_id)


async def resume(client: Client, workflow_id: str, command: Resume, *, request_id: str = "") -> Explanation:
    """Let a paused enrollment go on.

    Args:
        client: Client of the namespace.
        workflow_id: Of the enrollment.
        command: Who asks, and why; and what becomes of the time that has passed.
        request_id: Of the caller's request: repeated, it is answered again and not carried out again.

    Raises:
        NotFound: No such enrollment runs.
        Conflict: Its state does not allow this; the sentence says why.
        Unavailable: Temporal or its workers do not answer.
    """
    return await _update(client, workflow_id, "resume", command, request_id)


async def skip(client: Client, workflow_id: str, command: Command, *, request_id: str = "") -> Explanation:
    """Leave the current step undone and go on. Raises as `resume`."""
    return await _update(client, workflow_id, "skip", command, request_id)


async def end(client: Client, workflow_id: str, command: Command, *, request_id: str = "") -> Explanation:
    """Have the enrollment leave. Raises as `resume`."""
    return await _update(client, workflow_id, "end", command, request_id)


async def retry(client: Client, workflow_id: str, command: Command, *, request_id: str = "") -> Explanation:
    """Take up the step that needs attention again. Raises as `resume`."""
    return await _update(client, workflow_id, "retry", command, request_id)


async def reschedule(client: Client, workflow_id: str, command: Reschedule, *, request_id: str = "") -> Explanation:
    """Move the end of the running wait. Raises as `resume`."""
    return await _update(client, workflow_id, "reschedule", command, request_id)


async def decide(client: Client, workflow_id: str, answer: Decide, *, request_id: str = "") -> Explanation:
    """Decide the approval that an enrollment waits for. Raises as `resume`; Conflict where it waits for none."""
    return await _update(client, workflow_id, "decide", answer, request_id)


async def explain(client: Client, workflow_id: str) -> Explanation:
    """Where an enrollment stands. An ended one is explained too, while Temporal keeps it. Raises as `resume`."""
    async with translated(workflow_id):
        handle = client.get_workflow_handle(workflow_id)
        answer: Explanation = await handle.query("explain", result_type=Explanation, rpc_timeout=ANSWER_WITHIN)
        return answer


async def _update(
    client: Client, workflow_id: str, name: str, command: Command | Migration, request_id: str
) -> Explanation:
    async with translated(workflow_id):
        handle = client.get_workflow_handle(workflow_id)
        answer: Explanation = await handle.execute_update(
            name,
            command,
            id=f"{name}:{request_id}" if request_id else None,
            result_type=Explanation,
            rpc_timeout=ANSWER_WITHIN,
        )
        return answer


@asynccontextmanager
async def translated(workflow_id: str) -> AsyncIterator[None]:
    """Errors of the client as errors of the product."""
    away = f"Temporal did not answer about {workflow_id} in time."
    try:
        yield
    except WorkflowUpdateFailedError as error:
        raise Conflict(getattr(error.cause, "message", str(error.cause))) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise Unavailable(away, remedy="Check that a worker runs, then try again.") from error
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise Unavailable(away, remedy="Check that a worker runs, then try again.") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound(f"No journey runs as {workflow_id}: it has ended, or never started.") from error
        if error.status is RPCStatusCode.FAILED_PRECONDITION:
            # Its task failed while it was asked, as where it ends at that moment. Temporal itself is there.
            raise WorkflowFailing(f"{workflow_id} could not answer just now.", remedy="Try again.") from error
        if error.status in _AWAY:
            raise Unavailable(away, remedy="Check that Temporal and a worker run, then try again.") from error
        raise
