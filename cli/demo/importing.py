"""Sends the demo's purchases through the HTTP API, in batches, as any shop would."""

from datetime import UTC, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.demo.purchases import Customer, calls
from kit.errors import Unavailable

BATCH = 100


async def import_purchases(api: str, key: str, people: list[Customer], console: Console) -> None:
    """Post every call of every customer to `/v1/batch`, one batch after the other so that their order is kept.

    Raises `Unavailable` where the API does not accept a batch; what it had accepted before has taken effect.
    """
    now = datetime.now(UTC)
    messages = [call for customer in people for call in calls(customer, now)]
    columns = (TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with httpx.AsyncClient(base_url=api, auth=(key, ""), timeout=30) as client:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("events accepted", total=len(messages))
            for start in range(0, len(messages), BATCH):
                batch = messages[start : start + BATCH]
                await _post(client, batch)
                progress.advance(task, len(batch))


async def _post(client: httpx.AsyncClient, batch: list[dict[str, Any]]) -> None:
    answer = await client.post("/v1/batch", json={"batch": batch})
    if answer.is_error:
        raise Unavailable(f"The API refused a batch ({answer.status_code}): {answer.text[:500]}")
