"""The stack of `dauerlauf up`, or parts of it, for as long as something is measured. Its processes are production's."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.seed import KEY_FILE
from cli.stack.record import Addresses
from cli.stack.supervisor import Part, Stack, StackOptions
from kit.database import Sessions, create_engine, create_sessions
from kit.settings import Settings


@dataclass(frozen=True)
class RunningStack:
    """A stack with a client of its API that may do everything, and sessions of its database."""

    api: httpx.AsyncClient
    addresses: Addresses
    sessions: Sessions


@asynccontextmanager
async def running_stack(*parts: Part) -> AsyncIterator[RunningStack]:
    """These parts, by default all, on free ports of the loopback, Temporal in memory; the catalogue is published."""
    with tempfile.TemporaryDirectory(prefix="dauerlauf-bench-", ignore_cleanup_errors=True) as directory:
        options = StackOptions(
            state_directory=Path(directory),
            api_port=0,
            inbox_port=0,
            smtp_port=0,
            temporal_port=0,
            ui_port=0,
            temporal_in_memory=True,
            parts=frozenset(parts or Part),
        )
        async with Stack(options) as stack:
            key = (Path(directory) / KEY_FILE).read_text().strip()
            engine = create_engine(Settings(database_url=stack.addresses.database_url))
            api = httpx.AsyncClient(base_url=stack.addresses.api, auth=(key, ""), trust_env=False, timeout=30)
            try:
                async with api:
                    yield RunningStack(api, stack.addresses, create_sessions(engine))
            finally:
                await engine.dispose()
