"""The command `dauerlauf demo` and its options; what it shows is in `cli.demo.run`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.demo.run import run_demo


def demo(
    *,
    state_directory: Annotated[
        Path, typer.Option(help="Where the demo keeps its state; removed at the start of each run.")
    ] = Path(".dauerlauf/demo"),
    contacts: Annotated[int, typer.Option(min=1, max=2_355, help="How many customers' purchases to import.")] = 100,
    once: Annotated[bool, typer.Option("--once", help="End by itself instead of waiting for Ctrl-C.")] = False,
) -> None:
    """Run the main job on real purchases, in a fresh state, and show it."""
    console = Console()
    try:
        asyncio.run(run_demo(state_directory=state_directory, contacts=contacts, once=once, console=console))
    except KeyboardInterrupt:
        console.print("\nInterrupted; the stack has stopped.")
        raise typer.Exit(130) from None
