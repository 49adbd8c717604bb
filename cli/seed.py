"""Makes an embedded stack ready for use: `python -m cli.seed` migrates, publishes the catalogue, makes an API key.

The catalogue is published into an empty database only: what a user publishes afterwards stays. The key has all scopes,
lies in the state directory, readable by its owner only, and is made again where its file is gone.
"""

import asyncio
from pathlib import Path

from sqlalchemy import select

from cli.catalogue import publish_catalogue
from cli.keys import create_key
from cli.stack.migrate import upgrade
from crm.access import Scope
from crm.models.journey import JourneyRecord
from kit.database import Sessions, create_engine, create_sessions
from kit.settings import Settings

KEY_FILE = "api-key"


async def seed(settings: Settings) -> None:
    """Publish and make what is missing. The tables must be there."""
    engine = create_engine(settings)
    try:
        sessions = create_sessions(engine)
        if await _is_new(sessions):
            await publish_catalogue(sessions)
        await ensure_key(sessions, settings.state_directory)
    finally:
        await engine.dispose()


async def ensure_key(sessions: Sessions, state_directory: Path) -> str:
    """The key of the stack on this state directory, made where there is none yet."""
    file = state_directory / KEY_FILE
    if file.exists():
        return file.read_text(encoding="utf-8").strip()
    key = await create_key(sessions, name="embedded stack", scopes=frozenset(Scope))
    file.touch(mode=0o600)
    file.write_text(f"{key}\n", encoding="utf-8")
    return key


async def _is_new(sessions: Sessions) -> bool:
    async with sessions() as session:
        return (await session.execute(select(JourneyRecord.key).limit(1))).first() is None


if __name__ == "__main__":
    settings = Settings()
    upgrade(settings.database_url)
    asyncio.run(seed(settings))
