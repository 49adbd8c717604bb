from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.lists import ListRepository
from crm.models.contact_list import ListMember
from tests.support.builders import a_contact


async def test_joining_and_leaving_tell_whether_they_changed_anything(session: AsyncSession) -> None:
    contact, lists = await a_contact(session), ListRepository(session)

    joined = [await lists.change(contact.id, list_key="vip", member=True, reason="bought") for _ in range(2)]
    left = [await lists.change(contact.id, list_key="vip", member=False, reason="left") for _ in range(2)]

    assert (joined, left) == ([True, False], [True, False])


async def test_a_list_is_made_by_its_first_member_and_keeps_its_others(session: AsyncSession) -> None:
    ada, grace, lists = await a_contact(session), await a_contact(session), ListRepository(session)

    await lists.change(ada.id, list_key="vip", member=True, reason="bought")
    await lists.change(ada.id, list_key="beta", member=True, reason="asked")
    await lists.change(grace.id, list_key="vip", member=True, reason="bought")
    await lists.change(grace.id, list_key="vip", member=False, reason="left")

    assert await lists.of(ada.id) == {"vip", "beta"}
    assert await lists.of(grace.id) == frozenset()


async def test_the_first_reason_stays(session: AsyncSession) -> None:
    contact, lists = await a_contact(session), ListRepository(session)

    await lists.change(contact.id, list_key="vip", member=True, reason="first")
    await lists.change(contact.id, list_key="vip", member=True, reason="second")

    assert (await session.scalars(select(ListMember.reason))).all() == ["first"]


async def test_leaving_a_list_nobody_made_changes_nothing(session: AsyncSession) -> None:
    contact = await a_contact(session)

    assert not await ListRepository(session).change(contact.id, list_key="never", member=False, reason="x")
