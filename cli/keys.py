"""`dauerlauf keys`: making, listing and revoking API keys, on the same functions as everything else (`crm.access`)."""

from collections.abc import Collection
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction
from crm.access import ApiKeyRepository, AuditRepository, Scope
from kit.database import Sessions

ACTOR = "cli"

app = typer.Typer(name="keys", help="API keys: make, list and revoke them.", no_args_is_help=True)


async def create_key(sessions: Sessions, *, name: str, scopes: Collection[str]) -> str:
    """Make an API key and return it: it is shown this once. Raises `kit.errors.Invalid` for unknown scopes."""
    async with sessions.begin() as session:
        return await _make(session, name, scopes)


async def _make(session: AsyncSession, name: str, scopes: Collection[str]) -> str:
    new = await ApiKeyRepository(session).create(name, scopes)
    await AuditRepository(session).record(ACTOR, "key.create", new.access.actor, {"scopes": sorted(scopes)})
    return new.key


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, as the listing shows it.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do; repeat it. One of {', '.join(Scope)}.")],
) -> None:
    """Make a key and print it. It is printed this once: only its digest is kept."""
    typer.echo(in_transaction(lambda session: _make(session, name, scope)))


@app.command("list")
def list_keys() -> None:
    """Show every key: prefix, name, scopes, and whether it still opens anything."""
    table = Table("prefix", "name", "scopes", "made", "state")
    for key in in_transaction(lambda session: ApiKeyRepository(session).all()):
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "valid"
        table.add_row(key.prefix, key.name, ", ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", state)
    Console().print(table)


@app.command()
def revoke(prefix: Annotated[str, typer.Argument(help="The key's prefix, as `dauerlauf keys list` shows it.")]) -> None:
    """End a key. The API stops taking it within five seconds."""

    async def end(session: AsyncSession) -> str:
        access = await ApiKeyRepository(session).revoke(prefix)
        await AuditRepository(session).record(ACTOR, "key.revoke", access.actor)
        return access.name

    typer.echo(f"The key '{in_transaction(end)}' ({prefix}) is revoked.")
