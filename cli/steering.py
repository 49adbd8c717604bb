"""Commands that steer what runs: `dauerlauf stop`, `pause`, `resume`; `release`, `skip`, `exit`, `retry` at a step."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction
from crm.journeys import JourneyRepository
from crm.models.steering import Steer, Steering
from crm.steering import AtStep, Operator, SteeringRepository
from journeys.conditions.registry import Condition
from journeys.loader import load_model
from journeys.migration import Inside
from journeys.resuming import Resuming
from journeys.values import Strict
from kit.errors import Invalid, Problem
from messaging.recall import beyond_recall

Key = Annotated[str, typer.Argument(help="The journey's key.")]
StepId = Annotated[str, typer.Argument(help="The step's id.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")]
DueOption = Annotated[
    str | None, typer.Option("--due-before", metavar="INSTANT", help="Only those whose wait would end before this.")
]
WhereOption = Annotated[
    str | None,
    typer.Option("--where", metavar="CONDITION", help="Only those whose contacts it holds for: '{segment: vip}'."),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Only so many: those who entered first.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Count whom it would find; change nothing.")]
ParkedOption = Annotated[bool, typer.Option("--parked", help="Only those who need attention.")]
AttentionOption = Annotated[
    str | None, typer.Option("--attention", metavar="TEXT", help="Only those who need it for a reason with this text.")
]
console = Console(highlight=False, soft_wrap=True)


def pause(key: Key, *, reason: ReasonOption = "") -> None:
    """Let nobody into a journey, send nothing, and freeze everybody inside."""
    _order(key, lambda repository: repository.pause(key, _me(reason)))


def resume(
    key: Key,
    *,
    timers: Annotated[
        Resuming, typer.Option("--timers", help="What becomes of the time that has passed.")
    ] = Resuming.CATCH_UP,
    reason: ReasonOption = "",
) -> None:
    """Let contacts in again, and have everybody go on whom pausing the journey has frozen."""
    _order(key, lambda repository: repository.resume(key, _me(reason), timers))


def stop(
    key: Key,
    *,
    inside: Annotated[Inside, typer.Option("--inside", help="finish, or stop: end everybody inside.")] = Inside.FINISH,
    reason: ReasonOption = "",
) -> None:
    """Have a journey take no new contacts; those inside finish, or are ended."""
    if inside is Inside.MIGRATE:
        problem = Problem("--inside", "There is no version to migrate to.", "Write finish or stop.")
        raise Invalid(problem.what, problems=[problem], remedy=problem.remedy)
    stopped = in_transaction(lambda session: SteeringRepository(session).stop(key, _me(reason), inside))
    contacts = "1 contact" if stopped.inside == 1 else f"{stopped.inside} contacts"
    fate = "finish" if stopped.steering is None else f"are being ended: `dauerlauf steerings {key}`"
    console.print(f"{key}: takes no new contacts any more. {contacts} inside {fate}.", markup=False)


def release(
    key: Key,
    step: StepId,
    *,
    due: DueOption = None,
    where: WhereOption = None,
    limit: LimitOption = None,
    plan: PlanOption = False,
    reason: ReasonOption = "",
) -> None:
    """End the running wait of everybody at a step now."""
    _at_step(key, Steer.RELEASE, AtStep(step, _instant(due), limit, where=_condition(where)), plan=plan, reason=reason)


def skip(
    key: Key,
    step: StepId,
    *,
    due: DueOption = None,
    where: WhereOption = None,
    limit: LimitOption = None,
    parked: ParkedOption = False,
    attention: AttentionOption = None,
    plan: PlanOption = False,
    reason: ReasonOption = "",
) -> None:
    """Have everybody at a step leave it undone and go on."""
    whom = AtStep(step, _instant(due), limit, parked, attention, _condition(where))
    _at_step(key, Steer.SKIP, whom, plan=plan, reason=reason)


def leave(
    key: Key,
    step: StepId,
    *,
    due: DueOption = None,
    where: WhereOption = None,
    limit: LimitOption = None,
    parked: ParkedOption = False,
    attention: AttentionOption = None,
    plan: PlanOption = False,
    reason: ReasonOption = "",
) -> None:
    """Have everybody at a step leave the journey."""
    whom = AtStep(step, _instant(due), limit, parked, attention, _condition(where))
    _at_step(key, Steer.EXIT, whom, plan=plan, reason=reason)


def retry(
    key: Key,
    step: StepId,
    *,
    limit: LimitOption = None,
    attention: AttentionOption = None,
    plan: PlanOption = False,
    reason: ReasonOption = "",
) -> None:
    """Have everybody at a step who needs attention there try it again."""
    _at_step(key, Steer.RETRY, AtStep(step, None, limit, attention=attention), plan=plan, reason=reason)


def steerings(key: Key) -> None:
    """Show what was ordered for many at once, newest first, and how far it has come."""
    lines = in_transaction(lambda session: _lines(session, key))
    for line in lines or [f"Nothing was ever ordered for {key}."]:
        console.print(line, markup=False)


def steering_line(order: Steering, out: int | None = None) -> str:
    """An order and how far it has come."""
    waiting = order.ordered - order.carried - order.refused - order.gone
    where = f" at {order.step}" if order.step else ""
    where += f", those with {order.attention!r}" if order.attention else ", those parked" if order.parked else ""
    how = f" ({order.timers})" if order.timers else ""
    state = (
        "done" if order.ordered_at and not waiting else f"{waiting} waiting" + ("" if order.ordered_at else " so far")
    )
    numbers = f"{order.ordered} found, {order.carried} carried out, {order.refused} refused, {order.gone} had ended"
    sent = "" if out is None else f" {out} messages were with the carrier already."
    refusal = f" Last refusal: {order.last_refusal}" if order.last_refusal else ""
    return f"{order.id}: {order.action}{where}{how} by {order.by}: {numbers}; {state}.{sent}{refusal}"


async def _lines(session: AsyncSession, key: str) -> list[str]:
    lines = []
    await JourneyRepository(session).demand_versions(key)
    for order in await SteeringRepository(session).orders(key):
        out = await beyond_recall(session, key, order.created_at) if order.action == Steer.STOP else None
        lines.append(steering_line(order, out))
    return lines


def _at_step(key: str, action: Steer, whom: AtStep, *, plan: bool, reason: str) -> None:
    if not plan:
        _order(key, lambda repository: repository.steer(key, action, whom, _me(reason)))
        return
    found = in_transaction(lambda session: SteeringRepository(session).count(key, action, whom))
    contacts = "1 contact" if found == 1 else f"{found} contacts"
    console.print(f"{key}: {action} would find {contacts} at {whom.step}. Nothing has changed.", markup=False)


def _order(key: str, ask: Callable[[SteeringRepository], Awaitable[Steering]]) -> None:
    order = in_transaction(lambda session: ask(SteeringRepository(session)))
    where = f" at {order.step}" if order.step else ""
    console.print(f"{key}: {order.action}{where} is ordered: `dauerlauf steerings {key}`.", markup=False)


def _me(reason: str) -> Operator:
    return Operator("cli", reason)


class _Whom(Strict):
    where: Condition


def _condition(text: str | None) -> Condition | None:
    """The condition, as journeys write it. Raises `Invalid` where it is none."""
    return None if text is None else load_model(_Whom, f"where: {text}", name="condition", source="--where").where


def _instant(text: str | None) -> datetime | None:
    """The instant; without an offset, in UTC. Raises `Invalid` where it is none."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        problem = Problem("--due-before", f"{text!r} is no instant.", "Write for example 2026-04-01T00:00:00+02:00.")
        raise Invalid(problem.what, problems=[problem], remedy=problem.remedy) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
