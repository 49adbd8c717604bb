"""What handlers are given: a session in one transaction per request, the Temporal client, the clock, the settings.

The transaction ends before the answer leaves: what is acknowledged is committed.
"""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.temporal import TemporalConnection
from kit.clock import Clock
from kit.database import Sessions
from kit.settings import Settings


def settings_of(request: Request) -> Settings:
    """The settings of this process."""
    return cast("Settings", request.app.state.settings)


def sessions_of(request: Request) -> Sessions:
    """The session factory, for handlers that need more than one transaction."""
    return cast("Sessions", request.app.state.sessions)


def clock_of(request: Request) -> Clock:
    """The clock of this process."""
    return cast("Clock", request.app.state.clock)


def temporal_of(request: Request) -> TemporalConnection:
    """The way to Temporal. It connects when it is first used."""
    return cast("TemporalConnection", request.app.state.temporal)


SettingsDep = Annotated[Settings, Depends(settings_of)]
SessionsDep = Annotated[Sessions, Depends(sessions_of)]
TemporalDep = Annotated[TemporalConnection, Depends(temporal_of)]
ClockDep = Annotated[Clock, Depends(clock_of)]


async def transaction(sessions: SessionsDep) -> AsyncIterator[AsyncSession]:
    """One session in one transaction: committed when the handler returns, rolled back when it raises."""
    async with sessions.begin() as session:
        yield session


# `scope="function"`: committed before the answer is sent. The default would commit after it.
SessionDep = Annotated[AsyncSession, Depends(transaction, scope="function")]
