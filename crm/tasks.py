"""Tasks for people: making, listing, completing, cancelling. Whatever becomes of one is an event of the contact."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.task import Task
from journeys.causes import Origin, event_id_of
from journeys.tasks import TASK_CANCELLED, TASK_CREATED, TASK_DONE
from kit.errors import Conflict, NotFound

ENROLLMENT_ENDED = "the enrollment has ended"


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


_EVENTS = {TaskState.DONE: TASK_DONE, TaskState.CANCELLED: TASK_CANCELLED}


@dataclass(frozen=True)
class NewTask:
    """A task to be made, by a step of an enrollment. `due_at` and `created_at` are aware."""

    contact_id: UUID
    enrollment_id: UUID
    journey_key: str
    step: str
    iteration: int
    kind: str
    title: str
    details: str
    owner: str
    due_at: datetime
    cancel_at_end: bool
    created_at: datetime


@dataclass(frozen=True)
class Closing:
    """How a task is closed: done with an outcome, or cancelled with a reason; by whom, and when (aware)."""

    state: TaskState
    outcome: str
    by: str
    at: datetime


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks are asked for; all that is given must hold. `due_before` is aware."""

    state: TaskState | None = None
    owner: str | None = None
    contact_id: UUID | None = None
    journey: str | None = None
    due_before: datetime | None = None


class TaskRepository:
    """Tasks, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create(self, new: NewTask) -> Task:
        """Make the task and tell of it. A repetition finds the one that was made, as it stands now."""
        written = insert(Task).values(**asdict(new), state=TaskState.OPEN.value).on_conflict_do_nothing()
        made = (await self._session.scalars(written.returning(Task))).one_or_none()
        if made is not None:
            event_id = event_id_of(TASK_CREATED, Origin(new.enrollment_id, new.step, new.iteration))
            await self._tell(made, TASK_CREATED, event_id, new.created_at, properties_of(made))
            return made
        same = select(Task).where(
            Task.enrollment_id == new.enrollment_id, Task.step == new.step, Task.iteration == new.iteration
        )
        return (await self._session.scalars(same)).one()

    async def get(self, task_id: UUID) -> Task | None:
        """The task, or None."""
        return await self._session.get(Task, task_id, populate_existing=True)

    async def page(self, asked: TaskFilter, *, after: UUID | None = None, limit: int = 50) -> list[Task]:
        """Tasks in the order of their making, beginning behind `after`."""
        query = select(Task).order_by(Task.id).limit(limit)
        for column, wanted in (
            (Task.state, asked.state),
            (Task.owner, asked.owner),
            (Task.contact_id, asked.contact_id),
            (Task.journey_key, asked.journey),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        if asked.due_before is not None:
            query = query.where(Task.due_at < asked.due_before)
        if after is not None:
            query = query.where(Task.id > after)
        return list(await self._session.scalars(query, execution_options={"populate_existing": True}))

    async def close(self, task_id: UUID, closing: Closing) -> tuple[Task, bool]:
        """Have the task done or cancelled, and tell of it; whether this was it, or it had been closed so before.

        Raises:
            NotFound: there is no such task.
            Conflict: it has been closed otherwise.
        """
        task = await self._session.get(Task, task_id, with_for_update=True, populate_existing=True)
        if task is None:
            raise NotFound(f"There is no task {task_id}.", remedy="List the tasks there are.")
        if task.state != TaskState.OPEN:
            if (task.state, task.outcome) != (closing.state, closing.outcome):
                said = f" with the outcome '{task.outcome}'" if task.state == TaskState.DONE else ""
                raise Conflict(f"The task is {task.state} already{said}.", remedy="Read it again.")
            return task, False
        task.state, task.outcome = closing.state.value, closing.outcome
        task.done_by, task.closed_at = closing.by, closing.at
        await self._session.flush()
        await self._tell_closed(task, closing)
        return task, True

    async def cancel_left(self, enrollment_id: UUID, at: datetime) -> None:
        """Cancel the open tasks of an enrollment that has ended, as far as their step says so."""
        closing = Closing(TaskState.CANCELLED, ENROLLMENT_ENDED, f"enrollment:{enrollment_id}", at)
        written = (
            update(Task)
            .where(Task.enrollment_id == enrollment_id, Task.state == TaskState.OPEN, Task.cancel_at_end)
            .values(state=closing.state.value, outcome=closing.outcome, done_by=closing.by, closed_at=at)
            .returning(Task)
        )
        for task in await self._session.scalars(written, execution_options={"populate_existing": True}):
            await self._tell_closed(task, closing)

    async def _tell_closed(self, task: Task, closing: Closing) -> None:
        name, properties = closed_event(task, closing)
        await self._tell(task, name, f"{name}:{task.id}", closing.at, properties)

    async def _tell(self, task: Task, name: str, event_id: str, at: datetime, properties: Mapping[str, Any]) -> None:
        event = NewEvent(
            event_id=event_id,
            contact_id=task.contact_id,
            name=name,
            occurred_at=at,
            properties=properties,
            source=DERIVED,
        )
        await EventRepository(self._session).accept([event])


def properties_of(task: Task) -> Mapping[str, Any]:
    """What the events of a task say of it: ids and keys, none of its texts."""
    return {
        "task": str(task.id),
        "kind": task.kind,
        "step": task.step,
        "journey": task.journey_key,
        "enrollment": str(task.enrollment_id),
        "owner": task.owner,
    }


def closed_event(task: Task, closing: Closing) -> tuple[str, dict[str, Any]]:
    """Name and properties of the event that a task was closed."""
    outcome = {"outcome": closing.outcome} if closing.state is TaskState.DONE else {}
    return _EVENTS[closing.state], {**properties_of(task), **outcome}
