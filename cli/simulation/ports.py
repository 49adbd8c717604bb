"""The ports of the workflow in a simulation: in memory, under the product's own rules. Nothing can leave from here.

The requests come in pretended time (`cli.simulation.shifting`). An error of the product fails the step for good, as
it does in production; any other is one of the simulation, and is kept to be shown.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from temporalio import activity
from temporalio.exceptions import ApplicationError

from cli.simulation.posting import post
from cli.simulation.world import World
from crm.events import DERIVED
from journeys.conditions.comparison import resolve
from journeys.conditions.registry import Condition
from journeys.values import entry_reference
from kit.errors import DauerlaufError, Invalid
from workflows.ports import (
    ActionRequest,
    ActionResult,
    ChangeList,
    ContactPort,
    EnrollmentPort,
    JudgeCondition,
    Judgement,
    MessagingPort,
    Progress,
    RecomputeScore,
    SendMessage,
    SendReceipt,
    SetAttributes,
)

WorldOf = Callable[[UUID], World]
"""The world an enrollment is in."""

CONTACT_UPDATED = "contact.updated"
LIST_JOINED = "list.joined"
LIST_LEFT = "list.left"

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def activities(world_of: WorldOf) -> list[Callable[..., Any]]:
    """Everything a worker registers."""
    enrollments, messages, contacts = Enrollments(world_of), Messages(world_of), Contacts(world_of)
    return [
        enrollments.record_progress,
        messages.send_message,
        contacts.judge_condition,
        contacts.set_attributes,
        contacts.change_list,
        contacts.recompute_score,
    ]


@contextmanager
def _in(world: World, progress: Progress) -> Iterator[None]:
    """Write the progress that rides along, then do the action; written again after a failure, it changes nothing."""
    try:
        world.write(progress)
        yield
    except DauerlaufError as error:
        raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from None
    except Exception as error:
        world.broken = world.broken or error
        raise ApplicationError(repr(error), type=type(error).__name__, non_retryable=True) from error


class Enrollments(EnrollmentPort):
    """Keeps where enrollments stand."""

    def __init__(self, world_of: WorldOf) -> None:
        self._world_of = world_of

    @activity.defn(name="record_progress")
    async def record_progress(self, request: Progress) -> None:
        """Write state, step and decisions."""
        with _in(self._world_of(request.enrollment_id), request):
            pass


class Messages(MessagingPort):
    """Writes mails and keeps them."""

    def __init__(self, world_of: WorldOf) -> None:
        self._world_of = world_of

    @activity.defn(name="send_message")
    async def send_message(self, request: SendMessage) -> SendReceipt:
        """Gate and letter, and no carrier."""
        world = self._world_of(request.enrollment_id)
        with _in(world, request.progress):
            return post(world, request)


class Contacts(ContactPort):
    """Asks and changes the pretended contact's record."""

    def __init__(self, world_of: WorldOf) -> None:
        self._world_of = world_of

    @activity.defn(name="judge_condition")
    async def judge_condition(self, request: JudgeCondition) -> Judgement:
        """Judge a condition."""
        world = self._world_of(request.enrollment_id)
        with _in(world, request.progress):
            condition = _CONDITION.validate_python(request.condition)
            facts = world.record.facts(
                condition.needs(),
                request.now,
                enrollment=world.rides[request.enrollment_id].enrollment,
                results=request.results,
                step_since=request.progress.since,
            )
            verdict = condition.judge(facts)
        return Judgement(holds=verdict.holds, because=verdict.because, cause_event_id=verdict.cause_event_id)

    @activity.defn(name="set_attributes")
    async def set_attributes(self, request: SetAttributes) -> ActionResult:
        """Write attributes; `contact.updated` happens where one changed."""
        world = self._world_of(request.enrollment_id)
        with _in(world, request.progress):
            return _set(world, request)

    @activity.defn(name="change_list")
    async def change_list(self, request: ChangeList) -> ActionResult:
        """Join or leave a list; `list.joined` or `list.left` happens where membership changed."""
        world = self._world_of(request.enrollment_id)
        with _in(world, request.progress):
            return _change_list(world, request)

    @activity.defn(name="recompute_score")
    async def recompute_score(self, request: RecomputeScore) -> ActionResult:
        """Count again what is counted at once anyway."""
        world = self._world_of(request.enrollment_id)
        with _in(world, request.progress):
            points = world.record.points(request.model).points
        return ActionResult(result="unchanged", because=f"{points} points under {request.model}, before {points}")


def _set(world: World, request: SetAttributes) -> ActionResult:
    entry = world.rides[request.enrollment_id].enrollment.entry_properties
    values = {name: resolve(value, entry) for name, value in request.attributes.items()}
    missing = {name for name, value in values.items() if value is None and entry_reference(request.attributes[name])}
    report = world.record.apply_traits({name: value for name, value in values.items() if name not in missing})
    if report.rejected:
        raise Invalid(f"Step {request.step} cannot set: {'; '.join(map(str, report.rejected))}")
    names = sorted(report.changed)
    done = bool(names) or _was_done(world, request, CONTACT_UPDATED)
    if names:
        _emit(world, request, CONTACT_UPDATED, {"changed": names})
    told = [f"changed {', '.join(names)}"] if names else []
    asked = sorted(str(entry_reference(request.attributes[name])) for name in missing)
    told += [f"the entry has no {', '.join(asked)}"] if asked else []
    return ActionResult(result="changed" if done else "unchanged", because="; ".join(told))


def _change_list(world: World, request: ChangeList) -> ActionResult:
    event = LIST_JOINED if request.member else LIST_LEFT
    changed = world.record.change_list(request.list_key, member=request.member)
    done = changed or _was_done(world, request, event)
    if changed:
        _emit(world, request, event, {"list": request.list_key})
    if done:
        return ActionResult(result="joined" if request.member else "left", because=f"list {request.list_key}")
    already = "was on it already" if request.member else "was not on it"
    return ActionResult(result="unchanged", because=f"list {request.list_key}: the contact {already}")


def _event_id(request: ActionRequest, name: str) -> str:
    return f"{name}:{request.enrollment_id}:{request.step}:{request.iteration}"


def _was_done(world: World, request: ActionRequest, name: str) -> bool:
    return world.record.knows(_event_id(request, name))


def _emit(world: World, request: ActionRequest, name: str, properties: dict[str, Any]) -> None:
    world.happen(name, properties, at=request.now, event_id=_event_id(request, name), source=DERIVED)
