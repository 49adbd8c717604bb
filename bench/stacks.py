"""The stack of `dauerlauf up`, or parts of it, for as long as something is measured. Its processes are production's."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.seed import ensure_key
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
        parts_of_it = frozenset(parts or Part)
        options = StackOptions.on_free_ports(Path(directory), temporal_in_memory=True, parts=parts_of_it)
        async with Stack(options) as stack:
            engine = create_engine(Settings(database_url=stack.addresses.database_url))
            sessions = create_sessions(engine)
            key = await ensure_key(sessions, Path(directory))
            api = httpx.AsyncClient(base_url=stack.addresses.api, auth=(key, ""), trust_env=False, timeout=30)
            try:
                async with api:
                    yield RunningStack(api, stack.addresses, sessions)
            finally:
                await engine.dispose()
