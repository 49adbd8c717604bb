"""The database edge: engine, sessions, the declarative base with its one naming convention.

Nobody but this module commits. An edge (request, activity, intake batch) opens `sessions.begin()` and passes the
session down; everything below uses `flush()` at most (ADR 0002).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from kit.settings import Settings

NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Sessions = async_sessionmaker[AsyncSession]


class Base(DeclarativeBase):
    """Base of every table. Datetimes are aware; dicts are JSONB; strings are text."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[Mapping[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        dict[str, Any]: JSONB(),
    }


def sqlalchemy_url(database_url: str) -> str:
    """`postgresql://…` as SQLAlchemy wants it for psycopg 3, whichever of the usual prefixes came in."""
    _, _, rest = database_url.partition("://")
    return f"postgresql+psycopg://{rest}"


def create_engine(settings: Settings) -> AsyncEngine:
    """An engine for one process and one event loop. Connects lazily; call `dispose()` at the end."""
    return create_async_engine(
        sqlalchemy_url(settings.database_url),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,  # what goes into statements is personal; it must not reach a log
        connect_args={"connect_timeout": 5, "application_name": "dauerlauf", "options": "-c timezone=UTC"},
    )


def create_sessions(engine: AsyncEngine) -> Sessions:
    """The session factory of a process. Use `async with sessions.begin() as session:` at an edge."""
    return async_sessionmaker(engine, expire_on_commit=False)


def create_engine_beside(sessions: Sessions) -> AsyncEngine:
    """An engine for single statements beside the transactions of these sessions; call `dispose()` at the end.

    It has connections of its own, so that it never waits for whoever waits for it. Each statement is committed at once,
    and not waited for until it is on the disk: a crash of the server may undo those of its last second.
    """
    return create_async_engine(
        sessions.kw["bind"].url,
        isolation_level="AUTOCOMMIT",
        pool_size=2,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "dauerlauf",
            "options": "-c timezone=UTC -c synchronous_commit=off",
        },
    )
