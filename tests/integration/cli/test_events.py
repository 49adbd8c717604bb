"""`dauerlauf events`: what was set aside is shown by reason, and queued again when asked to."""

import asyncio

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from cli.events import app
from crm.models.event import QueuedEvent
from intake.failures import set_aside
from kit.database import Sessions
from tests.support.builders import a_contact, an_event

runner = CliRunner()


async def dauerlauf(*arguments: str) -> str:
    result = await asyncio.to_thread(runner.invoke, app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def here(sessions: Sessions, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    return sessions


@pytest.mark.usefixtures("here")
async def test_without_failures_it_says_so() -> None:
    assert "No event was set aside" in await dauerlauf("failures")


async def test_events_set_aside_are_counted_by_reason_and_queued_again(here: Sessions) -> None:
    async with here.begin() as session:
        contact = await a_contact(session)
        for _ in range(2):
            await set_aside(session, await an_event(session, contact.id), "Invalid: consent to nothing known")
    shown = await dauerlauf("failures")
    assert "Invalid: consent to nothing known" in shown
    assert "2" in shown
    assert "2 events are in the queue again" in await dauerlauf("retry")
    async with here() as session:
        assert (await session.execute(select(func.count()).select_from(QueuedEvent))).scalar_one() == 2
    assert "No event was set aside" in await dauerlauf("failures")
