from uuid import uuid4

import pytest

from kit.database import Sessions
from kit.errors import NotFound
from kit.settings import Settings
from messaging.personalisation import recipient
from tests.support.messaging import a_passage


async def test_a_template_may_speak_of_the_contact_the_entry_the_journey_and_the_sender(sessions: Sessions) -> None:
    passage = await a_passage(
        sessions, first_name="Zoë", last_name="Öz", favourite="jazz", entry={"order_id": "o1", "cart": {"cds": 2}}
    )
    settings = Settings(mail_from="Plattenladen <hallo@example.com>", postal_address="Musterweg 1")
    async with sessions() as session:
        to = await recipient(session, passage.contact.id, passage.enrollment.id, settings=settings)
    assert (to.name, to.locale) == ("Zoë Öz", "en")
    assert to.variables["contact"] == {
        "first_name": "Zoë",
        "last_name": "Öz",
        "email": passage.contact.email,
        "locale": "en",
        "favourite": "jazz",
    }
    assert to.variables["entry"] == {"order_id": "o1", "cart": {"cds": 2}}
    assert to.variables["journey"] == {"name": "A journey for tests"}
    assert to.variables["sender"] == {
        "name": "Plattenladen",
        "address": "hallo@example.com",
        "postal_address": "Musterweg 1",
    }


async def test_what_is_blank_is_missing(sessions: Sessions) -> None:
    passage = await a_passage(sessions, first_name=None, nickname="  ", entry={"a": "", "b": None, "c": 0})
    async with sessions() as session:
        to = await recipient(session, passage.contact.id, passage.enrollment.id, settings=Settings())
    assert {"first_name", "nickname"} & to.variables["contact"].keys() == set()
    assert to.variables["entry"] == {"c": 0}
    assert to.name == ""


async def test_an_attribute_cannot_pretend_to_be_a_field(sessions: Sessions) -> None:
    passage = await a_passage(sessions, first_name="Zoë")
    async with sessions.begin() as session:
        contact = await session.merge(passage.contact)
        contact.attributes = {"first_name": "Eve", "email": "eve@example.com"}
    async with sessions() as session:
        to = await recipient(session, passage.contact.id, passage.enrollment.id, settings=Settings())
    assert to.variables["contact"]["first_name"] == "Zoë"


async def test_an_erased_contact_is_told(sessions: Sessions) -> None:
    async with sessions() as session:
        with pytest.raises(NotFound):
            await recipient(session, uuid4(), uuid4(), settings=Settings())
