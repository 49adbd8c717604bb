"""What a workflow asks about the pretended contact: conditions and moments. The rules are the product's own."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter

from activities.instants import moment_of
from cli.simulation.steps_met import met_by_steps
from cli.simulation.world import World
from crm.calendars import Asked, Dates, Found, look_up
from crm.reactions import reactions_among
from journeys.conditions.base import Facts, Needs
from journeys.conditions.first import FirstHolding
from journeys.conditions.first import first_holding as first_of
from journeys.conditions.registry import Condition
from journeys.moments import DateMoment
from journeys.step_references import filled
from journeys.window import Window
from workflows.ports import JudgeCondition, JudgeConditions, Judgement, ResolveInstant

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def judge(world: World, request: JudgeCondition) -> Judgement:
    """Whether a condition holds for the contact.

    Raises:
        Invalid: it cannot be judged.
    """
    steps = met_by_steps(world, request.enrollment_id)
    condition = _CONDITION.validate_python(filled(request.condition, steps))
    verdict = condition.judge(_facts(world, request, [condition], step_since=request.progress.since))
    return Judgement(holds=verdict.holds, because=verdict.because, cause_event_id=verdict.cause_event_id)


def first_holding(world: World, request: JudgeConditions) -> FirstHolding:
    """The first condition that holds for the contact.

    Raises:
        Invalid: one before it cannot be judged.
    """
    steps = met_by_steps(world, request.enrollment_id)
    conditions = [_CONDITION.validate_python(condition) for condition in filled(request.conditions, steps)]
    since = request.step_since or request.progress.since
    return first_of(conditions, _facts(world, request, conditions, step_since=since))


def _facts(
    world: World,
    request: JudgeCondition | JudgeConditions,
    conditions: Sequence[Condition],
    *,
    step_since: datetime,
) -> Facts:
    return world.record.facts(
        Needs.union(condition.needs() for condition in conditions),
        request.now,
        enrollment=world.rides[request.enrollment_id].enrollment,
        results=request.results,
        step_since=step_since,
        steps=met_by_steps(world, request.enrollment_id),
    )


def instant_of(world: World, request: ResolveInstant) -> Found:
    """The instant a moment is in the contact's calendar.

    Raises:
        Invalid: the next window is asked for, and there is none.
    """
    moment = moment_of(request.moment)
    window = Window.model_validate(request.window) if request.window is not None else None
    moved = None
    if isinstance(moment, DateMoment) and moment.moved_by and request.moved_by:
        moved = next((event for event in world.record.events if event.event_id == request.moved_by), None)
    entered = world.rides[request.enrollment_id].enrollment
    reactions = reactions_among(world.record.events)
    dates = Dates(world.record.contact, entered.entry_properties, moved, entered.entered_at, reactions)
    asked = Asked(reached=request.reached_at, now=request.now, window=window)
    return look_up(moment, asked, dates, settings=world.settings)
