"""Tasks that journeys have given to people: list them, complete them, cancel them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.schemas import tasks as examples
from api.schemas.fields import Instant, Page, PlainText
from api.schemas.tasks import CancelRequest, DoneRequest, TaskView
from crm.access import Access, AuditRepository, Scope
from crm.tasks import Closing, TaskFilter, TaskRepository, TaskState
from journeys.values import Key

router = APIRouter(tags=["Tasks"], route_class=JsonRoute)


@router.get(
    "/v1/tasks",
    **operation(
        Scope.READ,
        summary="List tasks",
        operation_id="list_tasks",
        response_model=Page[TaskView],
        example=examples.PAGE,
    ),
)
async def list_tasks(
    session: SessionDep,
    *,
    state: Annotated[TaskState | None, Query(description="Only in this state.")] = None,
    owner: Annotated[PlainText | None, Query(description="Only of this team or role.")] = None,
    contact_id: Annotated[UUID | None, Query(description="Only for this contact.")] = None,
    journey: Annotated[Key | None, Query(description="Only of this journey.")] = None,
    due_before: Annotated[Instant | None, Query(description="Only those due before.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> Page[TaskView]:
    """In the order of their making. All filters given must hold."""
    asked = TaskFilter(state, owner, contact_id, journey, due_before)
    rows = await TaskRepository(session).page(asked, after=read_cursor(cursor, UUID), limit=limit + 1)
    items, following = paged(rows, limit, lambda row: row.id)
    return Page[TaskView](items=[TaskView.model_validate(row) for row in items], next=following)


def _closing(name: str, summary: str) -> dict[str, Any]:
    return operation(
        Scope.OPERATE,
        problems.NOT_FOUND,
        problems.CONFLICT,
        body=True,
        summary=summary,
        operation_id=f"{name}_task",
        response_model=TaskView,
        example=examples.EXAMPLE,
    )


@router.post("/v1/tasks/{task_id}/done", **_closing("complete", "Complete a task"))
async def complete_task(
    task_id: UUID,
    request: Annotated[DoneRequest, Body(openapi_examples={"usual": {"value": examples.DONE}})],
    *,
    session: SessionDep,
    access: AccessDep,
    clock: ClockDep,
) -> TaskView:
    """Journeys hear of it by the event `task.done`. The same outcome again changes nothing; another is a conflict."""
    return await _close(session, access, task_id, Closing(TaskState.DONE, request.outcome, access.actor, clock()))


@router.post("/v1/tasks/{task_id}/cancel", **_closing("cancel", "Cancel a task"))
async def cancel_task(
    task_id: UUID,
    request: Annotated[CancelRequest, Body(openapi_examples={"usual": {"value": examples.CANCEL}})],
    *,
    session: SessionDep,
    access: AccessDep,
    clock: ClockDep,
) -> TaskView:
    """For what is not to be done any more. Journeys hear of it by the event `task.cancelled`."""
    return await _close(session, access, task_id, Closing(TaskState.CANCELLED, request.reason, access.actor, clock()))


async def _close(session: AsyncSession, access: Access, task_id: UUID, closing: Closing) -> TaskView:
    task, closed = await TaskRepository(session).close(task_id, closing)
    if closed:
        details = {"outcome": closing.outcome}
        await AuditRepository(session).record(access.actor, f"task.{closing.state}", f"task:{task_id}", details)
    return TaskView.model_validate(task)
