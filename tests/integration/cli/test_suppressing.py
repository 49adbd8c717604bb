"""`dauerlauf suppress` on a real database: the same as over HTTP, and nothing of the address in what is kept."""

import pytest
from sqlalchemy import select

from cli.connection import settings_here
from cli.suppressing import suppress
from crm.models.access import AuditEntry
from intake.models import OutboxEntry
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.errors import Invalid
from messaging.suppression import SuppressionList
from tests.integration.cli.test_authoring import dauerlauf
from tests.support.builders import a_contact, a_live_journey, an_enrollment

ADA = "ada@example.com"


@pytest.fixture
def here(sessions: Sessions, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return sessions


async def reason(sessions: Sessions) -> str | None:
    async with sessions() as session:
        return await SuppressionList(session, settings_here().digest_key).reason(MessageChannel.EMAIL, ADA)


async def test_an_address_is_suppressed_once_told_to_running_journeys_and_lifted(here: Sessions) -> None:
    async with here.begin() as session:
        contact = await a_contact(session, email=ADA)
        await an_enrollment(session, contact.id, await a_live_journey(session))
    first = await dauerlauf(suppress, "Ada@Example.com", "--reason", "complaint")
    assert first == (0, "Nothing is sent to it any more. Journeys that would only write to it are being ended.\n")
    assert await reason(here) == "complaint"
    assert "already" in (await dauerlauf(suppress, ADA, "--reason", "again"))[1]
    assert (await dauerlauf(suppress, ADA, "--lift", "--reason", "a mistake"))[1].startswith("It is off the list")
    assert await reason(here) is None
    assert "not on the list" in (await dauerlauf(suppress, ADA, "--lift", "--reason", "a mistake"))[1]
    async with here() as session:
        told = (await session.scalars(select(OutboxEntry))).all()
        audited = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert len(told) == 1
    assert [(one.actor, one.action, one.details["reason"]) for one in audited if one.action.startswith("address")] == [
        ("cli", "address.suppress", "complaint"),
        ("cli", "address.suppress", "again"),
        ("cli", "address.lift", "a mistake"),
        ("cli", "address.lift", "a mistake"),
    ]
    assert all("ada" not in f"{one.target} {one.details}".lower() for one in audited)


async def test_what_is_no_address_is_told_and_nothing_is_kept(here: Sessions) -> None:  # noqa: ARG001
    with pytest.raises(Invalid, match="no address"):
        await dauerlauf(suppress, "a", "--reason", "complaint")
