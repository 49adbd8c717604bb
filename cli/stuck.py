"""`dauerlauf stuck`: what is stuck, for people and for monitoring: exit code 1 where anything is."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction, settings_here
from intake.halts import Halt, halts, told_one_by_one
from intake.stuck import Search, Stuck, StuckGroup, StuckKind, groups, rows
from journeys.duration import parse_duration
from kit.clock import wall_clock
from kit.errors import Invalid, Problem

LISTED = 100
"""Enrollments named one by one at most: the longest stuck."""

console = Console(highlight=False, soft_wrap=True)


def stuck(
    *,
    journey: Annotated[str | None, typer.Option("--journey", help="Only of this journey.")] = None,
    kind: Annotated[list[StuckKind] | None, typer.Option("--kind", help="Only of this kind; repeat it.")] = None,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="DURATION", help="Only what has been stuck for longer, such as 2h.")
    ] = "0s",
    each: Annotated[bool, typer.Option("--each", help="Name the enrollments: the hundred longest stuck.")] = False,
) -> None:
    """Tell what is stuck, and what to do; exit code 1 where anything is, 0 where nothing is."""
    tolerance = timedelta(minutes=settings_here().stuck_after_minutes)
    now = wall_clock()
    kinds = frozenset(kind) if kind else frozenset(StuckKind)
    search = Search(now, tolerance, kinds, journey, now - _duration(older_than))
    lines = in_transaction(lambda session: _lines(session, search, asked=bool(kind or journey), each=each))
    for line in lines or ["Nothing is stuck."]:
        console.print(line, markup=False)
    if lines:
        raise typer.Exit(1)


async def _lines(session: AsyncSession, search: Search, *, asked: bool, each: bool) -> list[str]:
    """A line for each thing that is stuck. What concerns everybody is left out where something special is asked for."""
    found = await halts(session, search)
    told = search if asked else told_one_by_one(search, found)
    old = [halt for halt in found if halt.since is None or halt.since <= search.before]
    lines = [] if asked else [_halt_line(halt) for halt in old]
    if each:
        return lines + [_line(one) for one in await rows(session, told, limit=LISTED)]
    return lines + list(_group_lines(await groups(session, told)))


def _halt_line(halt: Halt) -> str:
    since = f"since {_instant(halt.since)}" if halt.since else "never until now"
    return f"{halt.kind.value}, {since}: {halt.sentence}"


def _group_lines(found: Iterable[StuckGroup]) -> Iterable[str]:
    for group in found:
        reason = f": {group.reason}" if group.reason else ""
        where = f"{group.journey_key} at {group.step or 'the start'}"
        yield f"{group.count} in {where}: {group.kind.value}, the first since {_instant(group.since)}{reason}"
        yield f"  {group.remedy}"


def _line(one: Stuck) -> str:
    reason = f": {one.reason}" if one.reason else ""
    where = f"{one.journey_key} at {one.step or 'the start'}"
    return f"{one.enrollment_id} in {where}: {one.kind.value} since {_instant(one.since)}{reason}"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _duration(text: str) -> timedelta:
    """The duration. Raises `Invalid` where it is none."""
    try:
        found: timedelta = parse_duration(text)
    except ValueError as error:
        problem = Problem("--older-than", f"{text!r} is no duration.", "Write for example 15m, 2h or 1d.")
        raise Invalid(problem.what, problems=[problem], remedy=problem.remedy) from error
    return found
