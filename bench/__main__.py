"""`python -m bench`: measure against the budgets, all in one run, and print a table.

`python -m bench segments` measures only what is named. With `BENCH_JSON=file` the same as JSON. A further measurement
is a coroutine `(client, address, bar) → measurements` in a module of its own and a line in `MEASUREMENTS`. Exits with 1
where a budget is missed.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from bench import acceptance, enrollment, latency, reference_journey, segments, sending, timers, waiting
from bench.measurement import Measurement, show, write
from cli.stack.binaries import find_temporal_binary
from workflows.names import SEARCH_ATTRIBUTES

MEASUREMENTS: Mapping[str, Callable[[Client, str, Bar], Awaitable[list[Measurement]]]] = {
    "reference_journey": reference_journey.measure,
    "latency": latency.measure,
    "segments": segments.measure,
    "acceptance": acceptance.measure,
    "sending": sending.measure,
    "enrollment": enrollment.measure,
    "timers": timers.measure,
    "waiting": waiting.measure,
}


async def measure(names: Sequence[str] = ()) -> list[Measurement]:
    """Everything, or what is named, against one in-memory server of this run."""
    chosen = [MEASUREMENTS[name] for name in names or MEASUREMENTS]
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(find_temporal_binary()),
        dev_server_log_level="error",
        dev_server_startup_timeout=timedelta(seconds=60),
        data_converter=pydantic_data_converter,
        search_attributes=list(SEARCH_ATTRIBUTES),
    )
    async with environment:
        address = environment.client.service_client.config.target_host
        with Bar(console=Console(stderr=True), transient=True) as bar:
            return [item for one in chosen for item in await one(environment.client, address, bar)]


def main() -> int:
    """Measure, print, write; 1 where a budget is missed."""
    measurements = asyncio.run(measure(sys.argv[1:]))
    show(measurements)
    if path := os.environ.get("BENCH_JSON"):
        write(measurements, Path(path))
    return 0 if all(item.within for item in measurements) else 1


if __name__ == "__main__":
    sys.exit(main())
