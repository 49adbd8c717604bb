"""`task`: have a person do something, and go on without waiting for it."""
# ruff: noqa: ARG002 -- `compile` has one signature for all kinds

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from journeys.duration import Duration
from journeys.moments import UNKNOWN_FORM, CalendarText, WindowText, form_of
from journeys.places import Path
from journeys.steps.base import BaseNode, BaseStep, Caused, Compiler
from journeys.tasks import TASK_CREATED
from journeys.values import Key, Strict

OWNER = "owner"
TODO = "todo"
CREATED, HELD_OUT = "created", "held_out"

_DUE_FORMS = frozenset({"duration", "calendar", "window"})


def _due_form(value: Any) -> str | None:
    form = form_of(value)
    return form if form in _DUE_FORMS else None


Due = Annotated[
    Annotated[Duration, Tag("duration")]
    | Annotated[CalendarText, Tag("calendar")]
    | Annotated[WindowText, Tag("window")],
    Discriminator(
        _due_form,
        custom_error_type=UNKNOWN_FORM,
        custom_error_message="no time a task can be due: write 2d, 1 day at 09:00 or next_window",
    ),
]
"""When a task is due, counted from the moment it is made."""

AtEnd = Literal["keep", "cancel"]


class TaskNode(BaseNode):
    """Make a task of `title` and `details` for `owner`."""

    kind: Literal["task"]
    task_kind: Key = TODO
    title: str
    details: str = ""
    owner: str = OWNER
    due: Due
    at_end: AtEnd = "keep"

    def causes(self) -> tuple[Caused, ...]:
        return (Caused(TASK_CREATED, {"kind": self.task_kind}),)


class Task(Strict):
    """What is to be done, by whom and by when. `$entry.x` in the texts is filled in with a property of the entry."""

    title: Annotated[str, Field(min_length=1, max_length=200, description="What is to be done, in a few words.")]
    kind: Key = Field(default=TODO, description="What sort of task it is, such as `call` or `letter`.")
    for_: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        default=OWNER, alias="for", description="A team or role; `owner`: the journey's owner."
    )
    due: Due
    details: str = Field(default="", max_length=2_000, description="Whatever else whoever does it should know.")
    at_end: AtEnd = Field(default="keep", description="What becomes of it, still open, when the enrollment ends.")


class TaskStep(BaseStep):
    """Give somebody a task. It is done when they say so: `wait_for: {event: task.done, where: {step: …}}`.

    Results: `created`; `held_out` for a contact of the holdout, for whom nothing is done.
    """

    kind: ClassVar[str] = "task"
    results: ClassVar[tuple[str, ...]] = (CREATED, HELD_OUT)
    task: Task

    def compile(self, step_id: str, compiler: Compiler, following: str | None) -> TaskNode:
        return TaskNode(
            kind="task",
            task_kind=self.task.kind,
            title=self.task.title,
            details=self.task.details,
            owner=self.task.for_,
            due=self.task.due,
            at_end=self.task.at_end,
            next=following,
        )

    def durations(self) -> Mapping[Path, timedelta]:
        return {("task", "due"): self.task.due} if isinstance(self.task.due, timedelta) else {}

    def texts(self) -> Mapping[Path, str]:
        return {("task", "title"): self.task.title, ("task", "details"): self.task.details}
