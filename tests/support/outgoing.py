"""Messages ready to leave, for tests of channels."""

from typing import Any
from uuid import uuid4

from messaging.channels.base import Mailbox, Outgoing
from tests.support.messaging import NOON


def an_outgoing(**overrides: Any) -> Outgoing:
    """A short mail to Ada."""
    given: dict[str, Any] = {
        "message_id": uuid4(),
        "sender": Mailbox("hallo@example.com", "Plattenladen"),
        "recipient": Mailbox("ada@example.com", "Ada"),
        "subject": "Hello",
        "html": "<p>Hello Ada</p>",
        "text": "Hello Ada\n",
        "at": NOON,
        "headers": {},
    }
    return Outgoing(**{**given, **overrides})
