"""What is stuck. Repairing it is in `api.routers.commands` for one, in `api.routers.steering` for many."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import ClockDep, SessionDep, SettingsDep
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.schemas.stuck import EXAMPLE, StuckPage, halt_view, stuck_view
from crm.access import Scope
from intake.halts import halts, told_one_by_one
from intake.stuck import Search, Stuck, StuckKind, rows
from journeys.values import Key

router = APIRouter(tags=["Enrollments"], route_class=JsonRoute)


@router.get(
    "/v1/stuck",
    **operation(
        Scope.READ,
        summary="List what is stuck",
        operation_id="list_stuck",
        response_model=StuckPage,
        example=EXAMPLE,
    ),
)
async def list_stuck(
    session: SessionDep,
    clock: ClockDep,
    settings: SettingsDep,
    *,
    kind: Annotated[list[StuckKind] | None, Query(description="Only of these kinds; repeat it.")] = None,
    journey: Annotated[Key | None, Query(description="Only of this journey.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorText = None,
) -> StuckPage:
    """Enrollments that should have gone on by now, longest first, and what does not work for everybody at once.

    While no worker moves anything, or workers are behind, those who are merely late are told in `installation` as one;
    ask for their `kind` to have them listed all the same.
    """
    search = Search(clock(), timedelta(minutes=settings.stuck_after_minutes), journey=journey)
    found = await halts(session, search)
    asked = Search(search.now, search.tolerance, frozenset(kind), journey) if kind else told_one_by_one(search, found)
    page = await rows(session, asked, after=read_cursor(cursor, _place), limit=limit + 1)
    items, following = paged(page, limit, _place_of)
    return StuckPage(
        items=[stuck_view(one) for one in items], next=following, installation=[halt_view(halt) for halt in found]
    )


def _place_of(one: Stuck) -> str:
    return f"{one.since.isoformat()} {one.enrollment_id}"


def _place(text: str) -> tuple[datetime, UUID]:
    """Where a page ended. Raises `ValueError` for what is no such place."""
    since, _, enrollment_id = text.partition(" ")
    found = datetime.fromisoformat(since)
    if found.tzinfo is None:
        raise ValueError("no place of a listing")
    return found, UUID(enrollment_id)
