"""A process that sends one message and may be killed meanwhile: `python -m tests.support.sender`, request on stdin."""

import asyncio
import sys

from activities.messages import MessagingActivities
from kit.database import create_engine, create_sessions
from kit.settings import Settings
from messaging.channels.registry import open_channels
from workflows.ports import SendMessage


async def send() -> None:
    """Reads settings from the environment; prints the receipt."""
    settings = Settings()
    engine = create_engine(settings)
    sending = MessagingActivities(create_sessions(engine), open_channels(settings), settings)
    receipt = await sending.send_message(SendMessage.model_validate_json(sys.stdin.read()))
    print(receipt.model_dump_json())  # noqa: T201 -- the parent reads it
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(send())
