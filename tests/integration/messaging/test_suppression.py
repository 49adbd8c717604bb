import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from journeys.values import MessageChannel
from kit.settings import Settings
from messaging.models import Suppression
from messaging.suppression import SuppressionList

EMAIL = MessageChannel.EMAIL


@pytest.fixture
def suppressed(session: AsyncSession) -> SuppressionList:
    return SuppressionList(session, Settings().digest_key)


async def test_a_suppressed_address_is_known_in_every_spelling(suppressed: SuppressionList) -> None:
    assert await suppressed.add(EMAIL, "Ada@Example.com", reason="hard bounce", source="provider")
    assert await suppressed.reason(EMAIL, "ada@example.com") == "hard bounce"
    assert await suppressed.reason(EMAIL, "bob@example.com") is None


async def test_the_first_reason_stands(suppressed: SuppressionList) -> None:
    await suppressed.add(EMAIL, "ada@example.com", reason="complaint", source="provider")
    assert not await suppressed.add(EMAIL, "ada@example.com", reason="hard bounce", source="provider")
    assert await suppressed.reason(EMAIL, "ada@example.com") == "complaint"


async def test_an_address_taken_off_may_be_written_to_again(suppressed: SuppressionList) -> None:
    await suppressed.add(EMAIL, "ada@example.com", reason="complaint", source="provider")
    assert await suppressed.remove(EMAIL, "ADA@example.com")
    assert await suppressed.reason(EMAIL, "ada@example.com") is None
    assert not await suppressed.remove(EMAIL, "ada@example.com")


async def test_the_address_itself_is_not_kept(suppressed: SuppressionList, session: AsyncSession) -> None:
    await suppressed.add(EMAIL, "ada@example.com", reason="complaint", source="provider")
    row = (await session.scalars(select(Suppression))).one()
    assert b"ada" not in row.address_digest
    assert "ada" not in f"{row.reason}{row.source}"
