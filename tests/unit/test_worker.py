"""What a worker process assembles for the watch."""

import asyncio

import pytest

from kit.database import create_engine, create_sessions
from kit.settings import MailProvider, Settings
from worker import alert_channel, run_watch


@pytest.mark.parametrize(
    ("settings", "provider"),
    [
        (Settings(), None),
        (Settings(alert_email="ops@example.com"), "smtp"),
        (Settings(alert_email="ops@example.com", mail_provider=MailProvider.SENDGRID), None),
    ],
)
async def test_operators_are_told_where_there_is_somebody_to_tell_and_a_carrier(
    settings: Settings, provider: str | None
) -> None:
    channel = alert_channel(settings)
    assert (channel.provider if channel else None) == provider


async def test_a_process_watches_though_nothing_answers_yet() -> None:
    """Neither PostgreSQL nor Temporal is there when a machine starts."""
    settings = Settings(database_url="postgresql://127.0.0.1:1/none", alert_email="ops@example.com")
    engine = create_engine(settings)
    watching = asyncio.create_task(run_watch(settings, create_sessions(engine)))
    done, _ = await asyncio.wait([watching], timeout=0.1)
    assert not done
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await engine.dispose()
