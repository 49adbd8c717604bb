"""What a workflow changes about the pretended contact, and the events that follow from that."""

from typing import Any

from activities import points
from activities.stages import told
from cli.simulation.steps_met import met_by_steps
from cli.simulation.world import World
from crm.events import DERIVED
from crm.stages import StageResult
from journeys.conditions.comparison import resolve
from journeys.scoring import SCORE_GIVEN
from journeys.stages import STAGE_CHANGED, StageMove, move_to
from journeys.step_references import filled
from journeys.steps.give_points import GIVEN
from journeys.steps.start import START_REQUESTED
from journeys.values import CONTACT_UPDATED
from kit.errors import Invalid
from workflows.ports import (
    ActionRequest,
    ActionResult,
    ChangeList,
    ChangeStage,
    GivePoints,
    RecomputeScore,
    SetAttributes,
    StartJourney,
)

LIST_JOINED = "list.joined"
LIST_LEFT = "list.left"


def set_attributes(world: World, request: SetAttributes) -> ActionResult:
    """Write attributes.

    Raises:
        Invalid: a value cannot be used.
    """
    entry = world.rides[request.enrollment_id].enrollment.entry_properties
    attributes = filled(request.attributes, met_by_steps(world, request.enrollment_id))
    values = {name: resolve(value, entry) for name, value in attributes.items()}
    missing = {name for name, value in values.items() if value is None and request.attributes[name] is not None}
    report = world.record.apply_traits({name: value for name, value in values.items() if name not in missing})
    if report.rejected:
        raise Invalid(f"Step {request.step} cannot set: {'; '.join(map(str, report.rejected))}")
    names = sorted(report.changed)
    done = bool(names) or _was_done(world, request, CONTACT_UPDATED)
    if names:
        _emit(world, request, CONTACT_UPDATED, {"changed": names})
    told = [f"changed {', '.join(names)}"] if names else []
    asked = sorted(str(request.attributes[name]).removeprefix("$") for name in missing)
    told += [f"there is no {', '.join(asked)}"] if asked else []
    return ActionResult(result="changed" if done else "unchanged", because="; ".join(told))


def change_list(world: World, request: ChangeList) -> ActionResult:
    """Join or leave a list."""
    event = LIST_JOINED if request.member else LIST_LEFT
    changed = world.record.change_list(request.list_key, member=request.member)
    done = changed or _was_done(world, request, event)
    if changed:
        _emit(world, request, event, {"list": request.list_key})
    if done:
        return ActionResult(result="joined" if request.member else "left", because=f"list {request.list_key}")
    already = "was on it already" if request.member else "was not on it"
    return ActionResult(result="unchanged", because=f"list {request.list_key}: the contact {already}")


def change_stage(world: World, request: ChangeStage) -> ActionResult:
    """Move the contact to a stage, as far as the rule allows."""
    if _was_done(world, request, STAGE_CHANGED):
        return ActionResult(result=StageMove.CHANGED, because=f"stage {request.to}")
    before = world.record.stage
    move = move_to(before, request.to, back=request.recycle)
    if move is StageMove.CHANGED:
        world.record.contact.stage = request.to.value
        _emit(world, request, STAGE_CHANGED, {"from": before.value, "to": request.to.value})
    return ActionResult(result=move, because=told(StageResult(move, before, world.record.stage), request))


def give_points(world: World, request: GivePoints) -> ActionResult:
    """Give points, which count at once.

    Raises:
        NotFound: there is no such model.
    """
    before = world.record.points(request.model).points
    given = points.properties_of(request, world.journey.key)
    event = world.happen(SCORE_GIVEN, given, at=request.now, event_id=_event_id(request, SCORE_GIVEN), source=DERIVED)
    if event is not None:
        world.arriving.extend(world.record.score(event))
    after = world.record.points(request.model).points
    return ActionResult(result=GIVEN, because=points.told(request, before, after))


def recompute_score(world: World, request: RecomputeScore) -> ActionResult:
    """Count again. Points of a simulation are counted at once, so nothing ever changes by it.

    Raises:
        NotFound: there is no such model.
    """
    points = world.record.points(request.model).points
    return ActionResult(result="unchanged", because=f"{points} points under {request.model}, before {points}")


def start_journey(world: World, request: StartJourney) -> ActionResult:
    """Note the start of another journey; what becomes of it there is another simulation."""
    if request.journey == world.journey.key:
        return ActionResult(result="already_running", because=f"the contact is inside {request.journey} already")
    _emit(world, request, START_REQUESTED, {"journey": request.journey})
    return ActionResult(result="started", because=f"{request.journey} is not part of this simulation")


def _event_id(request: ActionRequest, name: str) -> str:
    return f"{name}:{request.enrollment_id}:{request.step}:{request.iteration}"


def _was_done(world: World, request: ActionRequest, name: str) -> bool:
    return world.record.knows(_event_id(request, name))


def _emit(world: World, request: ActionRequest, name: str, properties: dict[str, Any]) -> None:
    world.happen(name, properties, at=request.now, event_id=_event_id(request, name), source=DERIVED)
