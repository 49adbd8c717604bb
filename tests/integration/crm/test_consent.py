from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import ConsentRepository
from crm.models.contact import Contact
from kit.errors import Invalid
from tests.support.builders import SOME_DAY, a_contact

MARKETING = ("marketing", "email")


@pytest.fixture
async def contact(session: AsyncSession) -> Contact:
    return await a_contact(session)


async def _record(session: AsyncSession, contact: Contact, state: str, at: datetime, **overrides: Any) -> bool:
    given = {"purpose": "marketing", "channel": "email", "source": "form", **overrides}
    return await ConsentRepository(session).record(contact.id, state=state, occurred_at=at, **given)


async def test_without_a_declaration_nothing_stands(session: AsyncSession, contact: Contact) -> None:
    assert await ConsentRepository(session).standing(contact.id) == frozenset()


async def test_a_grant_stands_until_it_is_withdrawn(session: AsyncSession, contact: Contact) -> None:
    consents = ConsentRepository(session)

    assert await _record(session, contact, "granted", SOME_DAY)
    assert await consents.standing(contact.id) == {MARKETING}
    assert await _record(session, contact, "withdrawn", SOME_DAY + timedelta(hours=1))
    assert await consents.standing(contact.id) == frozenset()
    assert await _record(session, contact, "granted", SOME_DAY + timedelta(hours=2))
    assert await consents.standing(contact.id) == {MARKETING}


async def test_each_purpose_stands_for_itself(session: AsyncSession, contact: Contact) -> None:
    await _record(session, contact, "granted", SOME_DAY)
    await _record(session, contact, "granted", SOME_DAY, purpose="sales")
    await _record(session, contact, "withdrawn", SOME_DAY + timedelta(hours=1))

    assert await ConsentRepository(session).standing(contact.id) == {("sales", "email")}


async def test_a_declaration_that_arrives_late_does_not_overrule_a_later_one(
    session: AsyncSession, contact: Contact
) -> None:
    await _record(session, contact, "withdrawn", SOME_DAY + timedelta(hours=1))

    changed = await _record(session, contact, "granted", SOME_DAY)

    assert not changed
    assert await ConsentRepository(session).standing(contact.id) == frozenset()
    assert len(await ConsentRepository(session).history(contact.id)) == 2


async def test_of_two_of_the_same_instant_the_one_recorded_last_stands(session: AsyncSession, contact: Contact) -> None:
    await _record(session, contact, "granted", SOME_DAY)
    await _record(session, contact, "withdrawn", SOME_DAY)

    assert await ConsentRepository(session).standing(contact.id) == frozenset()


async def test_a_clock_that_runs_ahead_gives_no_grant_that_outlives_a_withdrawal(
    session: AsyncSession, contact: Contact
) -> None:
    await _record(session, contact, "granted", datetime.now(UTC) + timedelta(days=365))

    await _record(session, contact, "withdrawn", datetime.now(UTC) + timedelta(days=1))

    assert await ConsentRepository(session).standing(contact.id) == frozenset()


async def test_the_history_keeps_wording_source_and_evidence(session: AsyncSession, contact: Contact) -> None:
    await _record(session, contact, "granted", SOME_DAY, wording="Yes, write to me.", evidence={"page": "/join"})
    await _record(session, contact, "withdrawn", SOME_DAY + timedelta(days=1), source="link")

    newest, oldest = await ConsentRepository(session).history(contact.id)

    assert (newest.state, newest.source, newest.wording) == ("withdrawn", "link", None)
    assert (oldest.wording, oldest.evidence, oldest.occurred_at) == ("Yes, write to me.", {"page": "/join"}, SOME_DAY)


@pytest.mark.parametrize(
    ("name", "value"), [("purpose", "spam"), ("channel", "pigeon"), ("state", "perhaps"), ("state", "GRANTED")]
)
async def test_a_word_that_is_none_of_ours_is_invalid(
    session: AsyncSession, contact: Contact, name: str, value: str
) -> None:
    given: dict[str, Any] = {"purpose": "marketing", "channel": "email", "state": "granted", name: value}

    with pytest.raises(Invalid) as caught:
        await ConsentRepository(session).record(contact.id, source="form", occurred_at=SOME_DAY, **given)

    assert [problem.where for problem in caught.value.problems] == [name]
