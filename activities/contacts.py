"""What journeys ask about a contact's record and do to it. The rules are in `crm` and `journeys.conditions`.

Each method is one transaction: the action, the event that follows from it, and the progress that rides along.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities import points, stages
from activities.emitting import emit, enrollment_of, was_done
from activities.enrollments import write_progress
from activities.errors import as_failures
from activities.steps_met import met_by_steps
from crm.contacts import ContactRepository
from crm.events import EventRepository
from crm.facts import load_facts
from crm.lists import ListRepository
from crm.scoring import ScoringRepository
from journeys.conditions.base import Facts, Needs
from journeys.conditions.comparison import resolve
from journeys.conditions.first import FirstHolding, first_holding
from journeys.conditions.registry import Condition
from journeys.step_references import StepsMet, filled
from journeys.values import Scalar, entry_reference, is_step_reference
from kit.database import Sessions
from kit.errors import Invalid
from workflows.ports import (
    ActionResult,
    ChangeList,
    ChangeStage,
    ContactPort,
    GivePoints,
    JudgeCondition,
    JudgeConditions,
    Judgement,
    RecomputeScore,
    SetAttributes,
)

CONTACT_UPDATED = "contact.updated"
LIST_JOINED = "list.joined"
LIST_LEFT = "list.left"

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


class ContactActivities(ContactPort):
    """`ContactPort` on PostgreSQL."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @activity.defn(name="judge_condition")
    async def judge_condition(self, request: JudgeCondition) -> Judgement:
        """Judge a condition. A condition that cannot be judged is a non-retryable failure."""
        with as_failures():
            async with self._sessions.begin() as session:
                judgement = await _judge(session, request)
                await write_progress(session, request.progress)
                return judgement

    @activity.defn(name="judge_conditions")
    async def judge_conditions(self, request: JudgeConditions) -> FirstHolding:
        """Find the first condition that holds. One before it that cannot be judged is a non-retryable failure."""
        with as_failures():
            async with self._sessions.begin() as session:
                found = await _first_holding(session, request)
                await write_progress(session, request.progress)
                return found

    @activity.defn(name="set_attributes")
    async def set_attributes(self, request: SetAttributes) -> ActionResult:
        """Write attributes; emits `contact.updated` where one changed. An unusable value is a non-retryable failure."""
        with as_failures():
            async with self._sessions.begin() as session:
                result = await _set_attributes(session, request)
                await write_progress(session, request.progress)
                return result

    @activity.defn(name="change_list")
    async def change_list(self, request: ChangeList) -> ActionResult:
        """Join or leave a list; emits `list.joined` or `list.left` where membership changed."""
        with as_failures():
            async with self._sessions.begin() as session:
                result = await _change_list(session, request)
                await write_progress(session, request.progress)
                return result

    @activity.defn(name="change_stage")
    async def change_stage(self, request: ChangeStage) -> ActionResult:
        """Move the contact to a stage; emits `stage.changed` where it changed."""
        with as_failures():
            async with self._sessions.begin() as session:
                result = await stages.change_stage(session, request)
                await write_progress(session, request.progress)
                return result

    @activity.defn(name="give_points")
    async def give_points(self, request: GivePoints) -> ActionResult:
        """Give points once; emits `score.given` and `score.crossed`. An unknown model is a non-retryable failure."""
        with as_failures():
            async with self._sessions.begin() as session:
                result = await points.give_points(session, request)
                await write_progress(session, request.progress)
                return result

    @activity.defn(name="recompute_score")
    async def recompute_score(self, request: RecomputeScore) -> ActionResult:
        """Recompute; emits `score.crossed` where a threshold is crossed upwards for the first time."""
        with as_failures():
            async with self._sessions.begin() as session:
                result = await _recompute_score(session, request)
                await write_progress(session, request.progress)
                return result


async def _judge(session: AsyncSession, request: JudgeCondition) -> Judgement:
    steps = await met_by_steps(session, request, request.condition)
    condition = _CONDITION.validate_python(filled(request.condition, steps))
    facts = await _facts(session, request, [condition], step_since=request.progress.since, steps=steps)
    verdict = condition.judge(facts)
    return Judgement(holds=verdict.holds, because=verdict.because, cause_event_id=verdict.cause_event_id)


async def _first_holding(session: AsyncSession, request: JudgeConditions) -> FirstHolding:
    steps = await met_by_steps(session, request, request.conditions)
    conditions = [_CONDITION.validate_python(condition) for condition in filled(request.conditions, steps)]
    since = request.step_since or request.progress.since
    return first_holding(conditions, await _facts(session, request, conditions, step_since=since, steps=steps))


async def _facts(
    session: AsyncSession,
    request: JudgeCondition | JudgeConditions,
    conditions: Sequence[Condition],
    *,
    step_since: datetime,
    steps: StepsMet,
) -> Facts:
    """What the conditions look at, read once for all of them."""
    return await load_facts(
        session,
        request.contact_id,
        Needs.union(condition.needs() for condition in conditions),
        request.now,
        enrollment=await enrollment_of(session, request.enrollment_id),
        results=request.results,
        step_since=step_since,
        steps=steps,
    )


async def _set_attributes(session: AsyncSession, request: SetAttributes) -> ActionResult:
    # Before anything is written: what others have changed since the first attempt is newer, and would go untold.
    if await was_done(session, request, CONTACT_UPDATED):
        return ActionResult(result="changed")
    traits, missing = await _resolved(session, request)
    report = await ContactRepository(session).apply_traits(request.contact_id, traits)
    if report.rejected:
        raise Invalid(f"Step {request.step} cannot set: {'; '.join(map(str, report.rejected))}")
    names = sorted(report.changed)
    if names:
        await emit(session, request, CONTACT_UPDATED, {"changed": names})
    told = [f"changed {', '.join(names)}"] if names else []
    told += [f"there is no {', '.join(missing)}"] if missing else []
    return ActionResult(result="changed" if names else "unchanged", because="; ".join(told))


async def _resolved(session: AsyncSession, request: SetAttributes) -> tuple[dict[str, Any], list[str]]:
    """The values to write, and the properties asked for that are nowhere: those change nothing."""
    attributes = filled(request.attributes, await met_by_steps(session, request, request.attributes))
    entry: Mapping[str, Any] = {}
    if any(entry_reference(value) for value in request.attributes.values()):
        entry = (await enrollment_of(session, request.enrollment_id)).entry_properties
    values = {name: resolve(value, entry) for name, value in attributes.items()}
    missing = {name for name, value in attributes.items() if _is_missing(value, values[name])}
    asked = sorted(str(request.attributes[name]).removeprefix("$") for name in missing)
    return {name: value for name, value in values.items() if name not in missing}, asked


def _is_missing(asked: Scalar, found: Any) -> bool:
    return found is None and (entry_reference(asked) is not None or is_step_reference(asked))


async def _change_list(session: AsyncSession, request: ChangeList) -> ActionResult:
    event = LIST_JOINED if request.member else LIST_LEFT
    done = ActionResult(result="joined" if request.member else "left", because=f"list {request.list_key}")
    if await was_done(session, request, event):  # who has come or gone since the first attempt has the last word
        return done
    changed = await ListRepository(session).change(
        request.contact_id,
        list_key=request.list_key,
        member=request.member,
        reason=f"enrollment {request.enrollment_id}",
    )
    if changed:
        await emit(session, request, event, {"list": request.list_key})
        return done
    already = "was on it already" if request.member else "was not on it"
    return ActionResult(result="unchanged", because=f"list {request.list_key}: the contact {already}")


async def _recompute_score(session: AsyncSession, request: RecomputeScore) -> ActionResult:
    change = await ScoringRepository(session).recompute(request.contact_id, request.model, request.now)
    await EventRepository(session).accept(change.crossed)
    thresholds = [str(event.properties["threshold"]) for event in change.crossed]
    told = f"{change.after} points under {request.model}, before {change.before}"
    told += f"; rose over {', '.join(thresholds)}" if thresholds else ""
    told += f"; {len(change.unusable)} events could not be judged" if change.unusable else ""
    return ActionResult(result="changed" if change.before != change.after else "unchanged", because=told)
