"""The ports of the workflow in a simulation: in memory, under the product's own rules. Nothing can leave from here.

The requests come in pretended time (`cli.simulation.shifting`). An error of the product fails the step for good, as
it does in production; any other is one of the simulation, and is kept to be shown.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.exceptions import ApplicationError

from cli.simulation import asking, changing, tasks
from cli.simulation.posting import post
from cli.simulation.world import World
from journeys.conditions.first import FirstHolding
from journeys.outcomes import JourneyState
from kit.errors import DauerlaufError
from workflows.ports import (
    ActionRequest,
    ActionResult,
    CalendarPort,
    ChangeList,
    ChangeStage,
    ChooseArm,
    ChosenArm,
    ContactPort,
    CreateTask,
    EnrollmentPort,
    GivePoints,
    JourneyPort,
    JudgeCondition,
    JudgeConditions,
    Judgement,
    MessagingPort,
    Progress,
    RecomputeScore,
    ResolvedInstant,
    ResolveInstant,
    SendMessage,
    SendReceipt,
    SetAttributes,
    StartJourney,
    TaskPort,
)

WorldOf = Callable[[UUID], World]
"""The world an enrollment is in."""


def activities(world_of: WorldOf) -> list[Callable[..., Any]]:
    """Everything a worker registers."""
    contacts, journeys = Contacts(world_of), Journeys(world_of)
    return [
        Enrollments(world_of).record_progress,
        Messages(world_of).send_message,
        contacts.judge_condition,
        contacts.judge_conditions,
        contacts.set_attributes,
        contacts.change_list,
        contacts.change_stage,
        contacts.give_points,
        contacts.recompute_score,
        journeys.start_journey,
        journeys.choose_arm,
        Calendars(world_of).resolve_instant,
        Tasks(world_of).create_task,
    ]


class _Port:
    def __init__(self, world_of: WorldOf) -> None:
        self._world_of = world_of

    @contextmanager
    def _acting(self, request: ActionRequest) -> Iterator[World]:
        """The world of a request, in which the progress that rides along is written already."""
        with self._writing(request.progress) as world:
            yield world

    @contextmanager
    def _writing(self, progress: Progress) -> Iterator[World]:
        world = self._world_of(progress.enrollment_id)
        try:
            world.write(progress)  # written again after a failure, it changes nothing
            yield world
        except DauerlaufError as error:
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from None
        except Exception as error:
            world.broken = world.broken or error
            raise ApplicationError(repr(error), type=type(error).__name__, non_retryable=True) from error


class Enrollments(_Port, EnrollmentPort):
    """Keeps where enrollments stand."""

    @activity.defn(name="record_progress")
    async def record_progress(self, request: Progress) -> None:
        """Write state, step and decisions."""
        with self._writing(request):
            pass


class Messages(_Port, MessagingPort):
    """Writes mails and keeps them."""

    @activity.defn(name="send_message")
    async def send_message(self, request: SendMessage) -> SendReceipt:
        """Gate and letter, and no carrier."""
        with self._acting(request) as world:
            return post(world, request)


class Contacts(_Port, ContactPort):
    """Asks and changes the pretended contact's record."""

    @activity.defn(name="judge_condition")
    async def judge_condition(self, request: JudgeCondition) -> Judgement:
        """Judge a condition."""
        with self._acting(request) as world:
            return asking.judge(world, request)

    @activity.defn(name="judge_conditions")
    async def judge_conditions(self, request: JudgeConditions) -> FirstHolding:
        """Find the first condition that holds."""
        with self._acting(request) as world:
            return asking.first_holding(world, request)

    @activity.defn(name="set_attributes")
    async def set_attributes(self, request: SetAttributes) -> ActionResult:
        """Write attributes; `contact.updated` happens where one changed."""
        with self._acting(request) as world:
            return changing.set_attributes(world, request)

    @activity.defn(name="change_list")
    async def change_list(self, request: ChangeList) -> ActionResult:
        """Join or leave a list; `list.joined` or `list.left` happens where membership changed."""
        with self._acting(request) as world:
            return changing.change_list(world, request)

    @activity.defn(name="change_stage")
    async def change_stage(self, request: ChangeStage) -> ActionResult:
        """Move the contact to a stage; `stage.changed` happens where it changed."""
        with self._acting(request) as world:
            return changing.change_stage(world, request)

    @activity.defn(name="give_points")
    async def give_points(self, request: GivePoints) -> ActionResult:
        """Give points once; `score.given` happens, and what follows from it."""
        with self._acting(request) as world:
            return changing.give_points(world, request)

    @activity.defn(name="recompute_score")
    async def recompute_score(self, request: RecomputeScore) -> ActionResult:
        """Count again what is counted at once anyway."""
        with self._acting(request) as world:
            return changing.recompute_score(world, request)


class Journeys(_Port, JourneyPort):
    """Notes that another journey would be started. Simulated is one journey at a time."""

    @activity.defn(name="start_journey")
    async def start_journey(self, request: StartJourney) -> ActionResult:
        """Have the contact enter, as far as that can be told here."""
        with self._acting(request) as world:
            return changing.start_journey(world, request)

    @activity.defn(name="choose_arm")
    async def choose_arm(self, request: ChooseArm) -> ChosenArm:
        """The arm drawn: of one contact no experiment finds a winner."""
        with self._acting(request):
            return ChosenArm(arm=request.drawn)


class Tasks(_Port, TaskPort):
    """Makes tasks that a test may complete."""

    @activity.defn(name="create_task")
    async def create_task(self, request: CreateTask) -> ActionResult:
        """Make a task once; `task.created` happens."""
        with self._acting(request) as world:
            return tasks.create_task(world, request)


class Calendars(_Port, CalendarPort):
    """Looks up instants in the pretended contact's calendar."""

    @activity.defn(name="resolve_instant")
    async def resolve_instant(self, request: ResolveInstant) -> ResolvedInstant:
        """Look up an instant; the progress tells of the wait for it."""
        with self._acting(request) as world:
            found = asking.instant_of(world, request)
            if found.at is not None and found.at > request.now:
                waiting = {"state": JourneyState.WAITING, "due_at": found.at}
                world.write(request.progress.model_copy(update=waiting))
        return ResolvedInstant(at=found.at, zone=found.zone, because=found.because)
