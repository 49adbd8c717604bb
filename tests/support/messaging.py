"""What tests of sending need: a contact on a journey, templates, a clock, channels that do as they are told."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crm.consent import ConsentRepository
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from journeys.outcomes import JourneyState
from journeys.values import MessageChannel
from kit.database import Sessions
from messaging.channels.base import Accepted, Outgoing
from messaging.models import Template
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment
from tests.support.templates import publish_shipped
from workflows.ports import Progress, SendMessage

NOON = datetime(2026, 6, 2, 10, 0, tzinfo=UTC)
"""A Tuesday noon in Berlin, no holiday."""


@dataclass
class TestClock:
    """A wall clock that only moves when told."""

    __test__ = False
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@dataclass
class RecordingChannel:
    """Takes every message and keeps it, or does what `behave` does instead."""

    provider: str = "recording"
    sent: list[Outgoing] = field(default_factory=list)
    behave: Callable[[Outgoing], Awaitable[Accepted]] | None = None
    closed: bool = False

    async def send(self, outgoing: Outgoing) -> Accepted:
        self.sent.append(outgoing)
        if self.behave is not None:
            return await self.behave(outgoing)
        return Accepted(f"accepted-{len(self.sent)}")

    async def close(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class Passage:
    """A contact in the middle of a journey, about to get a message."""

    contact: Contact
    enrollment: Enrollment

    def request(self, **overrides: Any) -> SendMessage:
        """The request of the step `mail`; `template` is `welcome`, a marketing template, unless overridden."""
        now = overrides.pop("now", NOON)
        progress = Progress(
            enrollment_id=self.enrollment.id, state=JourneyState.RUNNING, step=overrides.get("step", "mail"), since=now
        )
        given = {
            "enrollment_id": self.enrollment.id,
            "contact_id": self.contact.id,
            "step": "mail",
            "iteration": 1,
            "now": now,
            "progress": progress,
            "template": "welcome",
            "channel": MessageChannel.EMAIL,
        }
        return SendMessage(**{**given, **overrides})


async def a_passage(
    sessions: Sessions,
    *,
    consents: tuple[str, ...] = ("marketing",),
    entry: Mapping[str, Any] | None = None,
    state: JourneyState = JourneyState.RUNNING,
    **traits: Any,
) -> Passage:
    """A contact with consent, enrolled, with the product's own templates published; all committed."""
    async with sessions.begin() as session:
        await publish_shipped(session)
        contact = await a_contact(session, **{"locale": "en", **traits})
        version = await a_live_journey(session)
        enrollment = await an_enrollment(session, contact.id, version, state=state, entry_properties=entry)
        for purpose in consents:
            await ConsentRepository(session).record(
                contact.id, purpose=purpose, channel="email", state="granted", source="test", occurred_at=SOME_DAY
            )
    return Passage(contact, enrollment)


async def a_template(sessions: Sessions, key: str = "receipt", **overrides: Any) -> None:
    """A published template in English; transactional unless overridden."""
    given = {
        "version": 1,
        "locale": "en",
        "message_class": "transactional",
        "subject": "Your order",
        "html": "<html><body><p>Thank you, {{ contact.first_name }}.</p></body></html>",
        "text": None,
        "variables": [],
        "digest": b"",
    }
    async with sessions.begin() as session:
        session.add(Template(**{"key": key, **given, **overrides}))
