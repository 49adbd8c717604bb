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

from cli.demo.importing import import_purchases
from cli.demo.life import STORIES, open_stage, tell
from cli.demo.purchases import Customer, customers
from cli.demo.telling import show_addresses, show_crossing, show_life, show_tables
from cli.demo.watching import watch
from cli.seed import ensure_key
from cli.stack.record import is_running
from cli.stack.supervisor import Stack, StackOptions
from kit.database import Sessions, create_engine, create_sessions
from kit.errors import Conflict
from kit.settings import Settings

SHOP = {
    "DAUERLAUF_MAIL_FROM": "Plattenladen <hallo@plattenladen.example>",
    "DAUERLAUF_POSTAL_ADDRESS": "Plattenladen, Musterweg 1, 12345 Musterstadt",
}
"""The sender of the demo's mails, who does not exist."""


async def run_demo(*, state_directory: Path, contacts: int, once: bool, console: Console) -> None:
    """Run the demo. Everything in `state_directory` is removed first: the demo starts afresh each time.

    Raises:
        Conflict: a demo runs on it already.
    """
    if is_running(state_directory):
        raise Conflict(
            f"A stack runs on {state_directory} already.",
            remedy=f"Stop it with Ctrl-C, or with `dauerlauf down --state-directory {state_directory}`.",
        )
    shutil.rmtree(state_directory, ignore_errors=True)
    console.rule("[bold]Dauerlauf[/]: customer journeys as durable workflows")
    options = StackOptions(state_directory=state_directory, environment=SHOP)
    console.print(f"1. Starting the whole stack; its state and logs are in {state_directory}/")
    async with Stack(options, announce=lambda line: console.print(f"   [dim]{line}[/]")) as stack:
        settings = Settings(
            database_url=stack.addresses.database_url,
            smtp_port=int(stack.addresses.smtp.rpartition(":")[2]),
            public_url=stack.addresses.api,
            mail_from=SHOP["DAUERLAUF_MAIL_FROM"],
            postal_address=SHOP["DAUERLAUF_POSTAL_ADDRESS"],
        )
        async with _database(settings) as sessions:
            console.print("2. A new stack comes with the catalogue's journeys, their templates and an API key.")
            key = await ensure_key(sessions, state_directory)
            await _import(stack, sessions, key, customers(contacts), console)
            await _tell_lives(settings, console)
        show_addresses(console, stack.addresses, key)
        if not once:
            await _until_interrupted(stack, console)
    console.print("The stack has stopped. Without ONCE=1 it stays up to look at; `make up` starts yours.")


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Sessions]:
    engine = create_engine(settings)
    try:
        yield create_sessions(engine)
    finally:
        await engine.dispose()


async def _import(stack: Stack, sessions: Sessions, key: str, people: list[Customer], console: Console) -> None:
    purchases = sum(len(customer.purchases) for customer in people)
    console.print(f"3. Importing {purchases} real purchases of {len(people)} customers through POST /v1/batch …")
    await import_purchases(stack.addresses.api, key, people, console)
    console.print("4. Journeys start as the events take effect; first mails arrive in the inbox.")
    await watch(sessions, stack.addresses.inbox, console)
    await show_tables(sessions, console)
    await show_crossing(sessions, console)


async def _tell_lives(settings: Settings, console: Console) -> None:
    console.print("\n5. The same journeys to their end, with time skipping; all but the clock is real.")
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
