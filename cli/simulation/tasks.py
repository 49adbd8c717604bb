"""Tasks of a simulation: made under the product's own rules, kept in memory, done when somebody says so."""

from dataclasses import asdict
from datetime import datetime
from uuid import uuid4

from activities.tasks import new_task, told
from cli.simulation.world import Happening, Moment, World
from crm.events import DERIVED
from crm.models.task import Task
from crm.tasks import Closing, TaskState, properties_of
from journeys.steps.task import CREATED
from journeys.tasks import TASK_CREATED
from kit.errors import NotFound
from workflows.ports import ActionResult, CreateTask


def create_task(world: World, request: CreateTask) -> ActionResult:
    """Make the task once.

    Raises:
        Invalid: it is due in a window that never opens.
    """
    known = next((task for task in world.tasks if _is_of(task, request)), None)
    if known is None:
        enrollment = world.rides[request.enrollment_id].enrollment
        new = new_task(request, enrollment, world.record.contact, settings=world.settings)
        known = Task(id=uuid4(), **asdict(new), state=TaskState.OPEN.value, outcome="")
        world.tasks.append(known)
        world.tell(Moment(request.now, Happening.TASK, known.title, result=known.owner, until=known.due_at))
        event_id = f"{TASK_CREATED}:{request.enrollment_id}:{request.step}:{request.iteration}"
        world.happen(TASK_CREATED, properties_of(known), at=request.now, event_id=event_id, source=DERIVED)
    return ActionResult(result=CREATED, because=told(str(known.id), known.owner))


def complete_task(world: World, step: str, outcome: str, now: datetime) -> None:
    """Have somebody do the newest open task that this step has made.

    Raises:
        NotFound: there is none.
    """
    found = [task for task in world.tasks if task.step == step and task.state == TaskState.OPEN]
    if not found:
        raise NotFound(f"There is no open task of the step '{step}'.", remedy="Let the contact come to it first.")
    world.close_task(found[-1], Closing(TaskState.DONE, outcome, "simulation", now))


def _is_of(task: Task, request: CreateTask) -> bool:
    return (task.enrollment_id, task.step, task.iteration) == (request.enrollment_id, request.step, request.iteration)
