"""`dauerlauf suppress`: an address nothing is sent to any more, and taking it off the list again."""

from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction, settings_here
from cli.keys import ACTOR
from intake.suppression import lift_as_ordered, suppress_as_ordered
from journeys.values import MessageChannel
from kit.errors import Invalid, Problem

SHORTEST, LONGEST = 3, 320
"""Characters of an address, as the API takes it."""


def suppress(
    address: Annotated[str, typer.Argument(help="The address; it is not kept, only a keyed digest of it.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the digest and in the audit log.")],
    lift: Annotated[bool, typer.Option("--lift", help="Take it off the list: it may be written to again.")] = False,
    channel: Annotated[MessageChannel, typer.Option("--channel", help="The way it is an address of.")] = (
        MessageChannel.EMAIL
    ),
) -> None:
    """Never send to an address again, and end running journeys that would only write to it.

    Lifted, it may be written to again as consents allow; nobody enters a journey, or goes on in one, by that.
    """
    _demand_address(address)
    order, key = (lift_as_ordered if lift else suppress_as_ordered), settings_here().digest_key

    async def carry_out(session: AsyncSession) -> bool:
        return await order(session, key, channel, address, reason=reason, by=ACTOR)

    changed = in_transaction(carry_out)
    Console(highlight=False, soft_wrap=True).print(_told(lift=lift, changed=changed), markup=False)


def _demand_address(address: str) -> None:
    if not SHORTEST <= len(address.strip()) <= LONGEST or "\x00" in address:
        problem = Problem("ADDRESS", "This is no address.", "Write it as mails are sent to it: ada@example.com.")
        raise Invalid(problem.what, problems=[problem])


def _told(*, lift: bool, changed: bool) -> str:
    if lift:
        return "It is off the list, as consents allow." if changed else "It was not on the list. Nothing has changed."
    if changed:
        return "Nothing is sent to it any more. Journeys that would only write to it are being ended."
    return "It was on the list already; the first reason stands. Nothing has changed."
