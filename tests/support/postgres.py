"""A real PostgreSQL for tests: one embedded server per pytest process, migrated once, emptied before each test.

Fixtures: `postgres` (the server), `database_url` (the migrated database), `engine`, `sessions`, `session` (all tables
empty), `empty_database_url` (a database without any table). Rows are made in `tests.support.builders`.
"""

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cli.stack.embedded import EmbeddedPostgres
from kit.database import Sessions, create_engine, create_sessions
from kit.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

# Only tables with rows are emptied: truncating thirty empty tables costs a test more than most tests take.
_EMPTY_FUNCTION = """
    CREATE OR REPLACE FUNCTION pg_temp.empty_all() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        name text;
        found boolean;
        filled text[] := '{}';
    BEGIN
        FOR name IN SELECT quote_ident(relname) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
              AND NOT relispartition AND relname <> 'alembic_version'
        LOOP
            EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO found;
            IF found THEN filled := filled || name; END IF;
        END LOOP;
        IF filled <> '{}' THEN
            EXECUTE 'TRUNCATE ' || array_to_string(filled, ', ') || ' CASCADE';
        END IF;
    END $$
"""


def alembic_config(database_url: str) -> Config:
    """The configuration with which alembic migrates that database, wherever pytest was started."""
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["database_url"] = database_url
    return config


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running server of this pytest process; it does not wait for the disk."""
    with (
        tempfile.TemporaryDirectory(prefix="dauerlauf-test-", ignore_cleanup_errors=True) as directory,
        EmbeddedPostgres(Path(directory), durable=False) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def database_url(postgres: EmbeddedPostgres) -> str:
    """URL of the database with the schema of the newest migration. Not emptied: take `engine` for that."""
    command.upgrade(alembic_config(postgres.url), "head")
    return postgres.url


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """URL of a database of its own, without any table; gone after the test."""
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield postgres.url_of(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def _emptier(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '10s'")  # a transaction left open by a test is told, not waited for
        connection.execute(_EMPTY_FUNCTION)
        yield connection


@pytest_asyncio.fixture
async def engine(database_url: str, _emptier: psycopg.Connection) -> AsyncIterator[AsyncEngine]:
    """An engine as a process has it, on empty tables."""
    _emptier.execute("SELECT pg_temp.empty_all()")
    engine = create_engine(Settings(database_url=database_url))
    yield engine
    await engine.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    """The session factory of a process, on empty tables."""
    return create_sessions(engine)


@pytest_asyncio.fixture
async def session(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """One session, rolled back at the end. Take `sessions.begin()` where somebody else must see the rows."""
    async with sessions() as session:
        yield session
