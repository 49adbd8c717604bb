"""`dauerlauf replay`: histories of a server against the code at hand, before a deploy. Reads; changes nothing."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from temporalio.client import Client

from cli.connection import local_addresses
from kit.errors import Unavailable
from kit.settings import Settings
from kit.temporal import connect
from workflows.names import WORKFLOW_TYPE
from workflows.replaying import replay as replay_history

PATIENCE_SECONDS = 30.0
console = Console(highlight=False, soft_wrap=True)


@dataclass
class Report:
    """What was replayed, and every difference found, as sentences."""

    replayed: int = 0
    undecided: int = 0
    """Histories caught in the middle of a step; another time they will tell."""
    differences: list[str] = field(default_factory=list)


def replay(
    *,
    query: Annotated[str, typer.Option(help="Visibility query, e.g. 'JourneyKey = \"welcome\"'.")] = "",
    sample: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 1_000,
) -> None:
    """Replay histories of a server against this code; exit code 1 where it would do something else today."""
    report = asyncio.run(_replay(query, sample))
    for difference in report.differences:
        console.print(difference, style="red", markup=False)
    if report.undecided:
        console.print(f"{report.undecided} histories were caught in the middle of a step and left out.")
    if not report.replayed:
        console.print("No workflow matches: nothing was replayed.")
        raise typer.Exit(1)
    if report.differences:
        console.print(
            f"{len(report.differences)} differences in {report.replayed} histories: this code would break running "
            "journeys. Guard the change with workflow.patched (CONTRIBUTING.md)."
        )
        raise typer.Exit(1)
    console.print(f"{report.replayed} histories replayed: this code does what was done.")


async def replay_from(
    client: Client, *, query: str = "", sample: int = 1_000, progress: Progress | None = None
) -> Report:
    """Replay up to `sample` journeys that match the visibility query, running and closed, newest first."""
    report = Report()
    task = progress.add_task("replayed", total=None) if progress else None
    async for workflow_id, run_id in _executions(client, query, sample):
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        try:
            # A history that ends amid a judgement keeps the SDK's replayer waiting for it: it tells nothing today.
            replayed = await asyncio.wait_for(replay_history(history), PATIENCE_SECONDS)
        except TimeoutError:
            report.undecided += 1
        else:
            report.replayed += 1
            report.differences += replayed.differences
        if progress and task is not None:
            progress.advance(task)
    return report


async def _executions(client: Client, query: str, sample: int) -> AsyncIterator[tuple[str, str]]:
    journeys = f'WorkflowType = "{WORKFLOW_TYPE}"'
    wanted = f"{journeys} AND ({query})" if query else journeys
    async for execution in client.list_workflows(wanted, limit=sample):
        yield execution.id, execution.run_id


async def _replay(query: str, sample: int) -> Report:
    overrides: dict[str, Any] = {}
    if "TEMPORAL_ADDRESS" not in os.environ and (addresses := local_addresses()):
        overrides = {"target_host": addresses.temporal}
    try:
        client = await connect(Settings(), **overrides)
    except RuntimeError as error:
        raise Unavailable(
            "Temporal does not answer.", remedy="Set TEMPORAL_ADDRESS to the server whose histories to replay."
        ) from error
    with Progress(console=console, transient=True) as progress:
        return await replay_from(client, query=query, sample=sample, progress=progress)
