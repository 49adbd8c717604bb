"""A Temporal development server that skips time, each workflow with its own clock; for the demo and simulations."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.testing import TimeSkipper, TimeSkippingConfig

from cli.stack.embedded import EmbeddedTemporal
from kit.settings import Settings
from kit.temporal import connect

_MAX_SKIPS = 100_000


@asynccontextmanager
async def time_skipping() -> AsyncIterator[TimeSkipper]:
    """An in-memory server whose workflows stand still in time until `fast_forward`. It ends with this block."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedTemporal(Path(directory), time_skipping=True)
        await asyncio.to_thread(server.start)
        try:
            client = await connect(Settings(), target_host=server.address, namespace="default", api_key=None, tls=False)
            config = TimeSkippingConfig(enabled=False, max_session_skip_count=_MAX_SKIPS)
            yield TimeSkipper(client, config=config)
        finally:
            await asyncio.to_thread(server.stop)
