"""The commands `dauerlauf up`, `status` and `down`: the embedded stack as people see it.

How the stack works is in `cli.stack`; what it keeps and how to mend it in `docs/operations/embedded-stack.md`.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.stack.measure import Usage, measure
from cli.stack.plan import StackOptions
from cli.stack.record import Addresses, StackRecord, is_running
from cli.stack.supervisor import Stack
from kit.errors import NotFound, Unavailable

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOP_SECONDS = 90.0
_LOOK_EVERY_SECONDS = 0.1

StateDirectory = Annotated[
    Path,
    typer.Option(envvar="DAUERLAUF_STATE_DIRECTORY", help="Where the stack keeps its data, mails and logs."),
]
console = Console(highlight=False, soft_wrap=True)


def _port(help_text: str, name: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        envvar=f"DAUERLAUF_{name}", min=0, max=65535, help=help_text, metavar="PORT", show_default=False
    )
    return option


def up(
    *,
    state_directory: StateDirectory = Path(".dauerlauf"),
    api_port: Annotated[int | None, _port("Port of the API; 0 takes any free one, here and below.", "API_PORT")] = None,
    inbox_port: Annotated[int | None, _port("Port of the inbox page.", "INBOX_PORT")] = None,
    smtp_port: Annotated[int | None, _port("Port on which the inbox takes mails.", "INBOX_SMTP_PORT")] = None,
    temporal_port: Annotated[int | None, _port("Port of Temporal.", "TEMPORAL_PORT")] = None,
    ui_port: Annotated[int | None, _port("Port of the Temporal UI.", "UI_PORT")] = None,
) -> None:
    """Run the whole stack on this machine: PostgreSQL, Temporal with its UI, worker, API and a mail inbox.

    A port that is not set is that of last time, the usual one, or any free one, whichever is free first.
    """
    options = StackOptions(
        state_directory=state_directory,
        api_port=api_port,
        inbox_port=inbox_port,
        smtp_port=smtp_port,
        temporal_port=temporal_port,
        ui_port=ui_port,
    )
    asyncio.run(_run(options))


def status(*, state_directory: StateDirectory = Path(".dauerlauf")) -> None:
    """Show what of the stack runs, where it answers and how much memory it takes."""
    record = _running(state_directory)
    usages = measure(record)
    _print_addresses(record.addresses)
    console.print(_process_table(usages, record))
    total = sum(usage.bytes for usage in usages)
    console.print(f"{total / 1e6:.0f} MB in all. State and logs: {state_directory.absolute()}")


def down(*, state_directory: StateDirectory = Path(".dauerlauf")) -> None:
    """Stop the stack that runs on the state directory, and wait until it is gone."""
    supervisor = _running(state_directory).supervisor
    process = supervisor.process() if supervisor is not None else None
    if process is None:
        raise NotFound("The stack is just starting or stopping.", remedy="Try again in a few seconds.")
    process.terminate()
    give_up = time.monotonic() + _STOP_SECONDS
    while is_running(state_directory):
        if time.monotonic() > give_up:
            raise Unavailable(
                f"The stack (process {process.pid}) did not stop within {_STOP_SECONDS:.0f} seconds.",
                remedy=f"End it for good with `kill -9 {process.pid}`: everything it started ends with it.",
            )
        time.sleep(_LOOK_EVERY_SECONDS)
    console.print("The stack has stopped.")


async def _run(options: StackOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    stack = Stack(options, announce=_announce)
    try:
        if await _unless(stop, stack.start()):
            _print_addresses(stack.addresses)
            console.print(f"State:    {stack.places.root}", style="dim")
            console.print(f"Logs:     {stack.places.logs}", style="dim")
            console.print("Ctrl-C stops it; so does `dauerlauf down`. The state stays.", style="dim")
            await _unless(stop, stack.wait())
    finally:
        if stop.is_set():
            _say("Stopping …")
        await stack.stop()
    _say("Stopped. `dauerlauf up` goes on where it was.")


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Does the work unless somebody asks to stop first; then it is cancelled. Whether it was done."""
    task = asyncio.ensure_future(work)
    asked = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return True
        return False
    finally:
        for one in (task, asked):
            one.cancel()
        await asyncio.gather(task, asked, return_exceptions=True)


def _running(state_directory: Path) -> StackRecord:
    """The record of the stack that runs on the directory.

    Raises:
        NotFound: none does.
    """
    if not is_running(state_directory):
        raise NotFound(
            f"No stack runs on {state_directory.absolute()}.",
            remedy="Start one with `dauerlauf up`, or name another directory with --state-directory.",
        )
    return StackRecord.read(state_directory)


def _announce(sentence: str) -> None:
    _say(Text.assemble((f"{datetime.now().astimezone():%H:%M:%S} ", "dim"), sentence))


def _say(words: str | Text) -> None:
    with contextlib.suppress(OSError):  # a terminal that is gone is no reason to leave the stack alone
        console.print(words)


def _print_addresses(addresses: Addresses) -> None:
    rows = {
        "API": addresses.api,
        "API docs": addresses.api_docs,
        "Inbox": addresses.inbox,
        "Temporal UI": addresses.temporal_ui,
        "Temporal": addresses.temporal,
        "SMTP": addresses.smtp,
    }
    table = Table(show_header=False, box=box.ROUNDED, border_style="dim")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, address in rows.items():
        if address:
            table.add_row(name, Text(address, style="cyan"))
    console.print(table)
    if addresses.database_url:  # too long for the table: it must stay in one piece to be copied
        console.print(Text(f"Database: {addresses.database_url}", style="dim"))


def _process_table(usages: Sequence[Usage], record: StackRecord) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for title in ("Process", "Id", "State", "Memory", "CPU", "Restarts", "Log"):
        table.add_column(title, justify="right" if title in {"Id", "Memory", "CPU", "Restarts"} else "left")
    for usage in usages:
        entry = usage.record
        table.add_row(
            entry.name,
            str(entry.pid),
            Text("running") if usage.running else Text("ended", style="bold red"),
            f"{usage.bytes / 1e6:.0f} MB",
            f"{usage.cpu_seconds:.1f} s",
            str(entry.restarts or ""),
            Path(entry.log).name if entry.log else "",
        )
    if record.started_at is not None:
        age = datetime.now(UTC) - record.started_at
        table.caption = f"up for {timedelta(seconds=round(age.total_seconds()))}"
    return table
