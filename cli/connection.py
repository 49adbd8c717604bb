"""Which installation a command speaks to, and one transaction with it.

What the environment names wins; without it the stack that runs on the state directory (`dauerlauf up`) is meant.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from cli.stack.record import Addresses, StackRecord, is_running
from kit.database import create_engine, create_sessions
from kit.errors import Unavailable
from kit.settings import Settings

Result = TypeVar("Result")


def local_addresses() -> Addresses | None:
    """Where the embedded stack of the state directory answers; None where none runs."""
    directory = Settings().state_directory
    return StackRecord.read(directory).addresses if is_running(directory) else None


def settings_here() -> Settings:
    """The settings of the environment; without DATABASE_URL, with the database of the embedded stack."""
    settings = Settings()
    addresses = None if "DATABASE_URL" in os.environ else local_addresses()
    return settings.model_copy(update={"database_url": addresses.database_url}) if addresses else settings


def in_transaction(work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    """Do the work in one transaction, from outside any event loop.

    Raises:
        Unavailable: PostgreSQL does not answer; nothing was done.
    """
    return asyncio.run(_run(work))


async def _run(work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
    engine = create_engine(settings_here())
    try:
        async with create_sessions(engine).begin() as session:
            return await work(session)
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(
            "PostgreSQL does not answer, or has no tables yet.",
            remedy="Start the stack with `dauerlauf up`, or set DATABASE_URL to the database it should use.",
        ) from error
    finally:
        await engine.dispose()
