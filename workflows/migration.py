"""How an enrollment's state goes over to another version of its journey. Pure; the main loop continues as new with it.

Where a contact goes on and when its wait ends is decided in `journeys.migration`; here it is applied to the state.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from journeys.former_names import carried_names
from journeys.migration import Due, Target, Timers, carried_criteria, due_in, renamed_repeats, target_of
from journeys.outcomes import ENDED, StepVerdict
from journeys.plan import Plan
from journeys.steps.wait import WaitUntilNode
from workflows.inbox import DECIDE, RETRY, SKIP
from workflows.messages import EXIT_REQUESTED
from workflows.state import Attention, Decision, EnrollmentState, Met, Migration, Rounds

ENDED_ALREADY = "Ended"
NO_TARGET = "NoTarget"
"""Kinds of objections to a migration, as types of the failure."""


def objection_to(
    migration: Migration, state: EnrollmentState, plan: Plan, enrollment_id: UUID
) -> tuple[str, str] | None:
    """Why an enrollment cannot be migrated: the kind, and a sentence; None where it can."""
    if migration.enrollment_id != enrollment_id:
        return ENDED_ALREADY, "This enrollment has ended; the contact has entered the journey again since."
    if state.state in ENDED or state.at is None:
        return ENDED_ALREADY, "The enrollment has ended; nothing of it can be changed any more."
    if migration.version != plan.version and target_of(state.at, plan, migration.to, migration.mapping) is None:
        there = migration.mapping.get(state.at, state.at) in migration.to.nodes
        lacking = "has on the other side of the goal only" if there else "does not have"
        what = f"The enrollment stands at step '{state.at}', which version {migration.version} {lacking}"
        return NO_TARGET, f"{what}, and no step was named for it to go on at."
    return None


def migrated(state: EnrollmentState, plan: Plan, migration: Migration, now: datetime) -> EnrollmentState:
    """The state in the newer version: at its target, with what was met and found out so far.

    A running wait follows the newer version, unless timers are kept; one that is over by now ends now. What failed
    is tried again where the newer version says it otherwise.
    """
    assert state.at is not None
    new = migration.to
    target = target_of(state.at, plan, new, migration.mapping)
    assert target is not None  # the move is only asked for where there is one
    since = state.since if target.continues else now
    due = _due(state, new, target, migration.timers, now)
    kept = due.at is not None and due.at == state.due_at
    failed = target.alike and plan.nodes[state.at] == new.nodes[target.step]
    return state.model_copy(
        update={
            "at": target.step,
            "since": since,
            "planned_at": state.planned_at if target.continues else now,
            "due_at": due.at if kept or due.at is None or state.due_at is None else max(due.at, state.paused_at or now),
            "begun": _begun(state, target, new),
            "resolution": state.resolution if kept else None,
            "held_back": state.held_back if kept else None,
            "held_until": None if kept else _held_until(state, target, new),
            "rescheduled": state.rescheduled if kept else "",
            "attention": _attention(state, target) if failed else None,
            "shifted_by": state.shifted_by if target.continues and due.at is not None else None,
            "dropping_before": _dropping(state),
            "commands": _commands(state, target, failed=failed),
            "met": _met(state, plan, new),
            "seen": [],
            "results": _renamed(state.results, plan, new, migration.mapping),
            "former": carried_names(state.former, _new_names(plan, new, migration.mapping), now),
            "iterations": _iterations(state, target),
            "rounds": _rounds(state, plan, new, migration.mapping),
            "ordinal": state.ordinal + 1,
            "journal": [*state.journal, _decision(state, plan, migration, target, now)],
            "why": f"moved from version {plan.version} to version {new.version}",
            "version": new.version,
            "migration": None,
        }
    )


def _due(state: EnrollmentState, new: Plan, target: Target, timers: Timers, now: datetime) -> Due:
    """When the wait ends. What pauses have shifted it by does not count as time it has waited."""
    stood_still = state.shifted_by or timedelta()
    return due_in(new, target, timers, since=state.since, due=state.due_at, now=now, stood_still=stood_still)


def _begun(state: EnrollmentState, target: Target, new: Plan) -> bool:
    """Whether a wait goes on whose end is looked up anew: one that has begun does not expire."""
    looked_up = isinstance(new.nodes[target.step], WaitUntilNode)
    return target.continues and looked_up and (state.begun or state.due_at is not None)


def _commands(state: EnrollmentState, target: Target, *, failed: bool) -> list[str]:
    """What was asked of the step and has not been done; of a step that is left behind, it has lost its object."""
    lost = (
        *(() if failed else (RETRY,)),
        *(() if target.continues else (SKIP,)),
        *(() if target.alike else (DECIDE,)),
    )
    return [command for command in state.commands if not command.startswith(lost)]


def _dropping(state: EnrollmentState) -> datetime | None:
    """Nothing was late where the wait that is left behind had not been over when the pause was: a held-back message."""
    if state.dropping_before is None or (state.due_at is not None and state.due_at >= state.dropping_before):
        return None
    return state.dropping_before


def _held_until(state: EnrollmentState, target: Target, new: Plan) -> datetime | None:
    """A message that its gate has held back is not late for that: neither it nor what is behind it."""
    held_back = target.alike and new.nodes[target.step].passes_with_time
    return (state.due_at or state.held_until) if held_back else None


def _met(state: EnrollmentState, plan: Plan, new: Plan) -> dict[str, Met]:
    """What was met, under the names of the newer version. Whoever was asked to leave leaves there, too."""
    carried = carried_criteria(plan, new)
    met = {name: state.met[before] for name, before in carried.items() if before in state.met}
    return met | {name: known for name, known in state.met.items() if name == EXIT_REQUESTED}


def _renamed(results: Mapping[str, str], plan: Plan, new: Plan, mapping: Mapping[str, str]) -> dict[str, str]:
    """Results of steps, those of renamed ones under the new name as well.

    Where names were shifted, a name says nothing any more of the step that had it before.
    """
    kept, renamed = {}, {}
    for step, result in results.items():
        target = target_of(step, plan, new, mapping)
        if step not in new.nodes or target is None or target.step == step:
            kept[step] = result
        if target is not None and target.alike:
            renamed[target.step] = result
    return {**kept, **renamed}


def _new_names(plan: Plan, new: Plan, mapping: Mapping[str, str]) -> dict[str, str]:
    """The renamed steps: old name → new name."""
    targets = {step: target_of(step, plan, new, mapping) for step in mapping if step in plan.nodes}
    return {step: target.step for step, target in targets.items() if target is not None and target.continues}


def _rounds(state: EnrollmentState, plan: Plan, new: Plan, mapping: Mapping[str, str]) -> dict[str, Rounds]:
    """The repeats under way, under their new names: rounds that were begun are not begun again.

    One that vanished is remembered: a later version may have it again.
    """
    assert state.at is not None
    names = renamed_repeats(state.rounds, state.at, plan, new, mapping)
    there = [step for step in state.rounds if step in plan.nodes and step in new.nodes]
    known = {step: rounds for step, rounds in state.rounds.items() if step not in names and step not in there}
    return known | {name: state.rounds[step] for step, name in names.items()}


def _attention(state: EnrollmentState, target: Target) -> Attention | None:
    """Why the enrollment is parked, at the step's new name."""
    return state.attention and state.attention.model_copy(update={"step": target.step})


def _iterations(state: EnrollmentState, target: Target) -> dict[str, int]:
    """Beginnings of steps. One that continues is not begun again: what it has done is not done twice.

    But a name that another step had counts on: what was sent under it is not taken for what is to be sent now.
    """
    assert state.at is not None
    stays = target.continues and (target.step == state.at or target.step not in state.iterations)
    begun = state.iterations[state.at] if stays else state.iterations.get(target.step, 0) + 1
    return {**state.iterations, target.step: begun}


def _decision(state: EnrollmentState, plan: Plan, migration: Migration, target: Target, now: datetime) -> Decision:
    assert state.at is not None
    return Decision(
        ordinal=state.ordinal,
        step=state.at,
        verdict=StepVerdict.MIGRATED,
        because=f"migrated from v{plan.version} to v{migration.version}",
        entered_at=state.since,
        at=now,
        next_step=target.step,
        version=plan.version,
        to_version=migration.version,
    )
