"""`dauerlauf demo`: the main job on real purchases, in a fresh state, in front of your eyes.

Brings the stack up, imports purchases through the HTTP API, shows journeys starting and mails arriving, walks one
contact of each journey through its whole life with time skipping, and stays up until Ctrl-C.
"""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from cli.catalogue import publish_catalogue
from cli.demo.importing import import_purchases
from cli.demo.life import STORIES, open_stage, tell
from cli.demo.purchases import Customer, customers
from cli.demo.telling import show_addresses, show_life, show_tables
from cli.demo.watching import watch
from cli.keys import create_key
from cli.stack.supervisor import Stack, StackOptions
from crm.access import Scope
from kit.database import Sessions, create_engine, create_sessions
from kit.settings import Settings

KEY_FILE = "api-key"


async def run_demo(*, state_directory: Path, contacts: int, once: bool, console: Console) -> None:
    """Run the demo. Everything in `state_directory` is removed first: the demo starts afresh each time."""
    shutil.rmtree(state_directory, ignore_errors=True)
    console.rule("[bold]Dauerlauf[/]: customer journeys as durable workflows")
    options = StackOptions(state_directory=state_directory)
    console.print(f"1. Starting the whole stack; its state and logs are in {state_directory}/")
    async with Stack(options, announce=lambda line: console.print(f"   [dim]{line}[/]")) as stack:
        settings = Settings(
            database_url=stack.addresses.database_url,
            smtp_port=int(stack.addresses.smtp.rpartition(":")[2]),
            public_url=stack.addresses.api,
        )
        async with _database(settings) as sessions:
            key = await _prepare(sessions, console, state_directory)
            await _import(stack, sessions, key, customers(contacts), console)
            await _tell_lives(settings, console)
        show_addresses(console, stack.addresses, key)
        if not once:
            await _until_interrupted(stack, console)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Sessions]:
    engine = create_engine(settings)
    try:
        yield create_sessions(engine)
    finally:
        await engine.dispose()


async def _prepare(sessions: Sessions, console: Console, state_directory: Path) -> str:
    """Publish the catalogue and make an API key; the key is also kept beside the state, readable by its owner only."""
    published = await publish_catalogue(sessions)
    key = await create_key(sessions, name="demo", scopes=frozenset(Scope))
    file = state_directory / KEY_FILE
    file.touch(mode=0o600)
    file.write_text(key, encoding="utf-8")
    console.print(f"2. Published the journeys {', '.join(published.journeys)} and their templates.")
    return key


async def _import(stack: Stack, sessions: Sessions, key: str, people: list[Customer], console: Console) -> None:
    purchases = sum(len(customer.purchases) for customer in people)
    console.print(f"3. Importing {purchases} real purchases of {len(people)} customers through POST /v1/batch …")
    await import_purchases(stack.addresses.api, key, people, console)
    console.print("4. Journeys start as the events take effect; the first mails arrive in the inbox.")
    await watch(sessions, stack.addresses.inbox, console)
    await show_tables(sessions, console)


async def _tell_lives(settings: Settings, console: Console) -> None:
    console.print("\n5. The same journeys to their end, with time skipping; everything but the clock is real.")
    async with open_stage(settings) as stage:
        for story in STORIES:
            show_life(console, await tell(stage, story))


async def _until_interrupted(stack: Stack, console: Console) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    console.print("The stack stays up. Press Ctrl-C to stop it.")
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(stack.wait())]
    done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
