"""What the search attributes say of an enrollment, and which of them must change. Pure.

An upsert is the dearest thing a workflow can do, so what is known at the start is set there for nothing, and one
upsert per long wait changes step, state and due time together.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from journeys.outcomes import JourneyState
from journeys.plan import Plan
from workflows.limits import WORTH_SHOWING
from workflows.messages import JourneyRun
from workflows.names import CONTACT_ID, DUE_AT, JOURNEY_KEY, JOURNEY_STATE, JOURNEY_STEP, JOURNEY_VERSION


class Position(NamedTuple):
    """Where an enrollment stands: what it does, at which step, until when (aware UTC)."""

    state: JourneyState
    step: str | None
    due_at: datetime | None = None

    def worth_showing(self, now: datetime) -> bool:
        """Whether somebody may come to look at it: it is held up by people, or waits long enough."""
        if self.state in {JourneyState.PAUSED, JourneyState.NEEDS_ATTENTION}:
            return True
        return self.due_at is not None and self.due_at - now >= WORTH_SHOWING


def opening(plan: Plan, now: datetime) -> Position:
    """The position of an enrollment that starts `now`."""
    length = plan.nodes[plan.start].planned_wait()
    if length is None:
        return Position(JourneyState.RUNNING, plan.start)
    return Position(JourneyState.WAITING, plan.start, now + length)


def first_attributes(plan: Plan, run: JourneyRun, now: datetime) -> TypedSearchAttributes:
    """All search attributes of an enrollment that starts `now`."""
    position = opening(plan, now)
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(JOURNEY_KEY, plan.journey),
        SearchAttributePair(JOURNEY_VERSION, plan.version),
        SearchAttributePair(CONTACT_ID, str(run.contact_id)),
        SearchAttributePair(JOURNEY_STATE, position.state.value),
        SearchAttributePair(JOURNEY_STEP, plan.start),
    ]
    if position.due_at:
        pairs.append(SearchAttributePair(DUE_AT, position.due_at))
    return TypedSearchAttributes(pairs)


def changed_attributes(known: TypedSearchAttributes, position: Position) -> Sequence[SearchAttributeUpdate[Any]]:
    """The updates that make `known` say where the enrollment stands; none where it says so already."""
    return [
        *_change(known, JOURNEY_STATE, position.state.value),
        *_change(known, JOURNEY_STEP, position.step),
        *_due_change(known.get(DUE_AT), position.due_at),
    ]


def in_version(known: TypedSearchAttributes, version: int, position: Position) -> TypedSearchAttributes:
    """The attributes of a run that begins in another version of the journey."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(JOURNEY_VERSION, version),
        SearchAttributePair(JOURNEY_STATE, position.state.value),
    ]
    if position.step is not None:
        pairs.append(SearchAttributePair(JOURNEY_STEP, position.step))
    if position.due_at is not None:
        pairs.append(SearchAttributePair(DUE_AT, position.due_at))
    return known.updated(*pairs)


def _change(
    known: TypedSearchAttributes, key: SearchAttributeKey[str], value: str | None
) -> list[SearchAttributeUpdate[Any]]:
    if known.get(key) == value:
        return []
    return [key.value_unset() if value is None else key.value_set(value)]


def _due_change(known: datetime | None, due: datetime | None) -> list[SearchAttributeUpdate[Any]]:
    if due is None:
        return [] if known is None else [DUE_AT.value_unset()]
    if known is not None and abs(known - due) < WORTH_SHOWING:
        return []
    return [DUE_AT.value_set(due)]
