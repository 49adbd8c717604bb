"""An address put on the suppression list: who is only written to leaves at once, and the others go on."""

from typing import Any

import pytest

from crm.models.contact import Contact
from intake.models import EntryRefusal, OutboxEntry
from intake.suppression import SUPPRESSED, suppress
from journeys.values import MessageChannel
from kit.settings import Settings
from messaging.suppression import SuppressionList
from tests.integration.intake.test_consent_on_the_way import REST, enter, publish, stands
from tests.integration.intake.test_moves import Moving, moving
from tests.support.builders import a_contact
from tests.support.intake import Intake

__all__ = ["moving"]

KEY = Settings().digest_key
NEWS: dict[str, Any] = {"id": "news", "send": {"template": "news"}}


async def put_on_list(moving: Moving, address: str) -> bool:
    async with moving.intake.sessions.begin() as session:
        added = await suppress(session, KEY, MessageChannel.EMAIL, address, reason="complaint", source="ops")
    await moving.relay().drain()
    return added


async def address_of(moving: Moving) -> str:
    async with moving.intake.sessions() as session:
        [enrollment] = await moving.intake.enrollments()
        return str((await session.get_one(Contact, enrollment.contact_id)).email)


async def test_a_running_wait_ends_at_once_where_all_that_follows_would_go_there(moving: Moving) -> None:
    await publish(moving, REST, NEWS)
    await enter(moving)
    assert await put_on_list(moving, (await address_of(moving)).upper())
    assert (await stands(moving, None, "exited")).outcome == SUPPRESSED


@pytest.mark.parametrize("steps", [[REST], [NEWS, REST], [REST, NEWS, {"start": {"journey": "care"}}]])
async def test_what_does_not_depend_on_the_address_goes_on(moving: Moving, steps: list[dict[str, Any]]) -> None:
    await publish(moving, *steps)
    await enter(moving)
    await put_on_list(moving, await address_of(moving))
    await stands(moving, "rest")


async def test_the_address_of_somebody_else_ends_nothing_nor_does_a_second_time(moving: Moving) -> None:
    await publish(moving, REST, NEWS)
    await enter(moving)
    async with moving.intake.sessions.begin() as session:
        other = (await a_contact(session)).email
        await SuppressionList(session, KEY).add(
            MessageChannel.EMAIL, await address_of(moving), reason="bounce", source="ops"
        )
    assert await put_on_list(moving, str(other))
    assert not await put_on_list(moving, await address_of(moving))
    assert await moving.intake.count(OutboxEntry) == 0
    await stands(moving, "rest")


@pytest.mark.parametrize(
    ("steps", "refusals"),
    [
        ([REST, NEWS], ["suppressed"]),
        ([NEWS], ["suppressed"]),
        ([REST], []),
        ([NEWS, {"start": {"journey": "care"}}], []),
    ],
)
async def test_a_journey_that_would_only_write_there_is_not_begun(
    intake: Intake, steps: list[dict[str, Any]], refusals: list[str]
) -> None:
    intake.digest_key = KEY
    await intake.publish(steps=steps)
    ada, eve = [await intake.contact(email=f"{name}@customers.example") for name in ("ada", "eve")]
    async with intake.sessions.begin() as session:
        await suppress(
            session, KEY, MessageChannel.EMAIL, "ADA@customers.example", reason="complaint: personal", source="ops"
        )

    for contact in (ada, eve):
        await intake.tell(contact, "order.placed")

    assert [reason for reason, _ in await intake.refusals()] == refusals
    entered = [enrollment.contact_id for enrollment in await intake.enrollments()]
    assert entered == ([eve] if refusals else [ada, eve])
    assert not [refusal for refusal in await intake.rows(EntryRefusal) if "personal" in refusal.because]


async def test_whose_address_is_taken_off_the_list_enters_again(intake: Intake) -> None:
    intake.digest_key = KEY
    await intake.publish(steps=[NEWS])
    ada = await intake.contact(email="ada@customers.example")
    async with intake.sessions.begin() as session:
        await suppress(session, KEY, MessageChannel.EMAIL, "ada@customers.example", reason="bounce", source="ops")
    await intake.tell(ada, "order.placed")
    async with intake.sessions.begin() as session:
        await SuppressionList(session, KEY).remove(MessageChannel.EMAIL, "ada@customers.example")

    await intake.tell(ada, "order.placed")
    assert [enrollment.contact_id for enrollment in await intake.enrollments()] == [ada]
