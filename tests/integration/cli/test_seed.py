"""What a new stack starts with, and that a restart neither overwrites journeys nor makes a second key."""

import stat
from pathlib import Path

import pytest

from cli.seed import KEY_FILE, ensure_key, seed
from crm.access import ApiKeyRepository
from crm.journeys import JourneyRepository
from journeys.catalogue import catalogue
from kit.database import Sessions
from kit.settings import Settings


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, state_directory=tmp_path)


async def test_a_new_stack_has_the_catalogue_live_and_a_key_only_its_owner_can_read(
    sessions: Sessions, settings: Settings
) -> None:
    await seed(settings)
    file = settings.state_directory / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    async with sessions() as session:
        live = [await JourneyRepository(session).live(journey.key) for journey in catalogue()]
        access = await ApiKeyRepository(session).verify(file.read_text().strip())
    assert all(live)
    assert access is not None


async def test_a_restart_leaves_journeys_and_key_as_they_are(sessions: Sessions, settings: Settings) -> None:
    await seed(settings)
    key = (settings.state_directory / KEY_FILE).read_text()
    changed = next(iter(catalogue())).model_copy(update={"name": "My own words"})
    async with sessions.begin() as session:
        await JourneyRepository(session).put_draft(changed)
        await JourneyRepository(session).publish(changed.key, by="test")
    await seed(settings)
    assert (settings.state_directory / KEY_FILE).read_text() == key
    async with sessions() as session:
        live = await JourneyRepository(session).live(changed.key)
    assert live is not None
    assert live.definition["name"] == "My own words"


async def test_a_lost_key_file_is_replaced_by_a_new_key(sessions: Sessions, settings: Settings) -> None:
    first = await ensure_key(sessions, settings.state_directory)
    (settings.state_directory / KEY_FILE).unlink()
    second = await ensure_key(sessions, settings.state_directory)
    assert first != second
    async with sessions() as session:
        assert await ApiKeyRepository(session).verify(second) is not None
