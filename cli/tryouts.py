"""`dauerlauf try`: a test user in a draft before it is published; `dauerlauf test-users`: who that may be."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from cli.authoring import demand_sound
from cli.connection import in_transaction
from crm.access import AuditRepository
from crm.contacts import ContactRepository
from crm.identities import ContactReference
from crm.journeys import JourneyRepository
from crm.models.journey import JourneyVersion
from crm.tryouts import Pace, TryoutRepository
from intake.tryouts import NotTried, Trying, Tryout, try_draft
from journeys.duration import parse_duration
from journeys.loader import load_document, load_file
from kit.clock import wall_clock
from kit.errors import Conflict, Invalid, NotFound, Problem

ACTOR = "cli"
Address = Annotated[str, typer.Argument(help="The contact's mail address.")]
console = Console(highlight=False, soft_wrap=True)

app = typer.Typer(name="test-users", help="Contacts that may be put into drafts.", no_args_is_help=True)


def try_out(
    file: Annotated[Path, typer.Argument(help="The journey file; it is stored as draft.", exists=True, dir_okay=False)],
    address: Annotated[str, typer.Argument(help="The mail address of a test user.")],
    *,
    waits: Annotated[
        str | None, typer.Option("--waits", help="Each wait lasts at most so long, such as 1m; windows are open.")
    ] = None,
    arms: Annotated[
        list[str] | None, typer.Option("--arm", metavar="EXPERIMENT=ARM", help="The arm to go; repeat it.")
    ] = None,
    properties: Annotated[
        list[str] | None,
        typer.Option("--property", metavar="NAME=VALUE", help="What `$entry.NAME` stands for; read as YAML."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="End a test run that is still on, and begin anew.")
    ] = False,
) -> None:
    """Store a journey as draft and put a test user into it: a real journey with real mails, marked as a test."""
    journey = load_file(file)
    pace = Pace(_duration(waits), _pairs("--arm", arms))
    written = _pairs("--property", properties)
    entry = {name: load_document(value, source=name, name="value")[0] for name, value in written.items()}
    tryout = Tryout(entry, pace, restart)

    async def store(session: AsyncSession) -> JourneyVersion:
        await demand_sound(session, [journey])
        return await JourneyRepository(session).put_draft(journey)

    # Two transactions: who changes a draft and who is in one are locked in another order.
    in_transaction(store)
    found = in_transaction(lambda session: _try(session, journey.key, address, tryout))
    if isinstance(found, NotTried):
        raise Conflict(f"{journey.key} is not tried: {found.because}.")
    what = "is tried" if found.begun else "is tried already, and the same draft; --restart begins anew"
    console.print(f"{journey.key}: {what}, enrollment {found.enrollment.id}.", markup=False)


async def _try(session: AsyncSession, key: str, address: str, tryout: Tryout) -> Trying | NotTried:
    journeys = JourneyRepository(session)
    await journeys.hold([key])
    draft = await journeys.draft(key)
    if draft is None:
        raise Conflict(f"Journey {key} has no draft any more.", remedy="Somebody has published it: try again.")
    return await try_draft(session, draft, await _contact(session, address), tryout, by=ACTOR, now=wall_clock())


@app.command()
def add(address: Address) -> None:
    """Let a contact be put into drafts, at this address."""
    in_transaction(lambda session: _mark(session, address, test_user=True))
    console.print(f"{address} is a test user.", markup=False)


@app.command()
def remove(address: Address) -> None:
    """Have a contact be no test user any more: test runs send it nothing from now on."""
    in_transaction(lambda session: _mark(session, address, test_user=False))
    console.print(f"{address} is no test user any more.", markup=False)


@app.command("list")
def list_test_users() -> None:
    """Show who may be put into drafts."""
    table = Table("contact", "address", "test user")
    for one in in_transaction(lambda session: TryoutRepository(session).test_users()):
        state = "yes" if one.is_test_user else "no: the address was another one"
        table.add_row(str(one.id), one.email or "", state)
    console.print(table)


async def _mark(session: AsyncSession, address: str, *, test_user: bool) -> None:
    contact_id = await _contact(session, address)
    await TryoutRepository(session).mark(contact_id, test_user=test_user)
    action = "contact.test_user" if test_user else "contact.no_test_user"
    await AuditRepository(session).record(ACTOR, action, f"contact:{contact_id}")


async def _contact(session: AsyncSession, address: str) -> UUID:
    contact = await ContactRepository(session).find(ContactReference(email=address))
    if contact is None:
        raise NotFound(f"There is no contact with the address {address}.", remedy="Identify it over the API first.")
    return contact.id


def _duration(text: str | None) -> timedelta | None:
    """The duration. Raises `Invalid` where it is none, or no time at all."""
    if text is None:
        return None
    try:
        found: timedelta = parse_duration(text)
    except ValueError:
        found = timedelta()
    if not found:
        problem = Problem("--waits", f"{text!r} is no duration.", "Write for example 30s, 1m or 1h.")
        raise Invalid(problem.what, problems=[problem], remedy=problem.remedy)
    return found


def _pairs(option: str, texts: Sequence[str] | None) -> Mapping[str, str]:
    """What is written as NAME=VALUE; a value is text. Raises `Invalid` where a part is missing."""
    pairs = [text.partition("=") for text in texts or ()]
    if wrong := [text for text, (name, _, value) in zip(texts or (), pairs, strict=True) if not (name and value)]:
        problems = [Problem(f"{option} {text}", "This is no pair.", f"Write {option} name=value.") for text in wrong]
        raise Invalid(f"{option} takes a name and a value.", problems=problems)
    return {name: value for name, _, value in pairs}
