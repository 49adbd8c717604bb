"""Making a task on behalf of a step: its texts filled in, its due time in the contact's calendar."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities.emitting import enrollment_of
from activities.enrollments import write_progress
from activities.errors import as_failures
from crm.calendars import Asked, Dates, look_up
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.tasks import NewTask, TaskRepository
from journeys.steps.task import CREATED, HELD_OUT, Due
from journeys.tasks import filled
from journeys.tryout import marked
from journeys.window import Window
from kit.database import Sessions
from kit.errors import NotFound
from kit.settings import Settings
from workflows.ports import ActionResult, CreateTask, TaskPort

_DUE: TypeAdapter[Any] = TypeAdapter(Due)


class TaskActivities(TaskPort):
    """`TaskPort` on PostgreSQL."""

    def __init__(self, sessions: Sessions, settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings

    @activity.defn(name="create_task")
    async def create_task(self, request: CreateTask) -> ActionResult:
        """Make a task once; emits `task.created`. A window that never opens is a non-retryable failure."""
        with as_failures():
            async with self._sessions.begin() as session:
                result = await self._create(session, request)
                await write_progress(session, request.progress)
                return result

    async def _create(self, session: AsyncSession, request: CreateTask) -> ActionResult:
        enrollment = await enrollment_of(session, request.enrollment_id)
        contact = await session.get(Contact, request.contact_id)
        if contact is None:
            raise NotFound(f"There is no contact {request.contact_id}.", remedy="It may have been erased.")
        if enrollment.holdout:
            return ActionResult(result=HELD_OUT, because="the contact passes through for comparison")
        task = new_task(request, enrollment, contact, settings=self._settings)
        made = await TaskRepository(session).create(task)
        return ActionResult(result=CREATED, because=told(str(made.id), made.owner))


def new_task(request: CreateTask, enrollment: Enrollment, contact: Contact, *, settings: Settings) -> NewTask:
    """The task that a request asks for.

    Raises:
        Invalid: it is due in the next window, and there is none.
    """
    entry = enrollment.entry_properties
    title = filled(request.title, entry)
    return NewTask(
        contact_id=request.contact_id,
        enrollment_id=request.enrollment_id,
        journey_key=enrollment.journey_key,
        step=request.step,
        iteration=request.iteration,
        kind=request.kind,
        title=marked(title) if enrollment.is_test else title,
        details=filled(request.details, entry),
        owner=request.owner,
        due_at=_due_at(request, Dates(contact, entry), settings),
        cancel_at_end=request.at_end == "cancel",
        created_at=request.now,
    )


def told(task: str, owner: str) -> str:
    """That a task was made, in a sentence."""
    return f"task {task} for {owner}"


def _due_at(request: CreateTask, dates: Dates, settings: Settings) -> datetime:
    due = _DUE.validate_python(request.due)
    if isinstance(due, timedelta):
        return request.now + due
    # People are no provider that must be spared: they have until the window opens, whoever the contact is.
    window = Window.model_validate({**request.window, "spread": None}) if request.window is not None else None
    found = look_up(due, Asked(request.now, request.now, window), dates, settings=settings.in_zone(request.time_zone))
    assert found.at is not None  # only dates may be missing
    return found.at
