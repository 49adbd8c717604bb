import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.contacts import ContactReference, ContactRepository
from crm.models.contact import Contact, Identity
from kit.database import Sessions
from kit.errors import Invalid, NotFound
from tests.support.builders import a_contact


async def _count(session: AsyncSession, table: type[Contact | Identity]) -> int:
    return (await session.scalars(select(func.count()).select_from(table))).one()


class TestResolve:
    async def test_it_makes_what_is_missing_and_finds_it_again(self, session: AsyncSession) -> None:
        contacts = ContactRepository(session)
        references = [ContactReference(user_id="ada", email="Ada@example.com"), ContactReference(anonymous_id="b1")]

        first = await contacts.resolve(references)
        second = await contacts.resolve(references)

        assert first == second
        assert len(set(first)) == 2
        assert (await contacts.find(ContactReference(email="ada@example.com"))) is not None

    async def test_a_batch_about_one_person_makes_one_contact(self, session: AsyncSession) -> None:
        found = await ContactRepository(session).resolve(
            [
                ContactReference(anonymous_id="browser"),
                ContactReference(anonymous_id="browser", user_id="ada"),
                ContactReference(user_id="ada", email="ada@example.com"),
                ContactReference(email="ada@example.com"),
            ]
        )

        assert len(set(found)) == 1
        assert await _count(session, Identity) == 3

    async def test_contacts_are_answered_in_the_order_asked(self, session: AsyncSession) -> None:
        contacts = ContactRepository(session)
        references = [ContactReference(user_id=f"user-{number}", email=f"{number}@example.com") for number in range(50)]

        found = await contacts.resolve(references)

        stored = {contact.id: contact.email for contact in await contacts.page(limit=100)}
        assert [stored[contact_id] for contact_id in found] == [reference.email for reference in references]

    async def test_an_address_given_along_becomes_that_of_a_contact_without_one(self, session: AsyncSession) -> None:
        contacts = ContactRepository(session)
        (contact_id,) = await contacts.resolve([ContactReference(user_id="ada")])

        await contacts.resolve([ContactReference(user_id="ada", email="ada@example.com")])
        await contacts.resolve([ContactReference(user_id="ada", email="other@example.com")])

        contact = await session.get_one(Contact, contact_id, populate_existing=True)
        assert contact.email == "ada@example.com"

    async def test_a_contact_id_that_does_not_exist_is_not_found(self, session: AsyncSession) -> None:
        with pytest.raises(NotFound):
            await ContactRepository(session).resolve(
                [ContactReference(user_id="ada"), ContactReference(contact_id=uuid4())]
            )

    async def test_nothing_asked_is_nothing_answered(self, session: AsyncSession) -> None:
        assert await ContactRepository(session).resolve([]) == []

    async def test_two_at_the_same_time_make_one_contact(self, sessions: Sessions) -> None:
        """Each holds its transaction open until the other waits for the same name."""
        reference = ContactReference(user_id="ada", anonymous_id="browser")

        async def resolve() -> UUID:
            async with sessions.begin() as session:
                return (await ContactRepository(session).resolve([reference]))[0]

        async with sessions.begin() as first:
            (made,) = await ContactRepository(first).resolve([reference])
            others = [asyncio.create_task(resolve()) for _ in range(3)]
            await _until_blocked(sessions, others=len(others))
        found = await asyncio.gather(*others)

        async with sessions() as session:
            assert set(found) == {made}
            assert await _count(session, Contact) == 1
            assert await _count(session, Identity) == 2

    async def test_many_at_the_same_time_with_names_in_any_order_do_not_block_each_other(
        self, sessions: Sessions
    ) -> None:
        references = [ContactReference(user_id=f"user-{number}") for number in range(40)]

        async def resolve(given: list[ContactReference]) -> list[UUID]:
            async with sessions.begin() as session:
                return await ContactRepository(session).resolve(given)

        orders = [references, references[::-1], references[::2] + references[1::2], references]
        found = await asyncio.gather(*(resolve(order) for order in orders))

        async with sessions() as session:
            assert {contact_id for ids in found for contact_id in ids} == set(found[0])
            assert await _count(session, Contact) == 40


async def _until_blocked(sessions: Sessions, *, others: int) -> None:
    """Returns when so many connections wait for a lock."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with sessions() as session:
        while (await session.scalars(query)).one() < others:
            await session.rollback()


class TestUpsert:
    async def test_it_says_whether_the_contact_was_made(self, session: AsyncSession) -> None:
        contacts = ContactRepository(session)

        contact, made = await contacts.upsert(ContactReference(user_id="ada"), {"first_name": "Ada", "plan": "pro"})
        again, made_again = await contacts.upsert(ContactReference(user_id="ada"), {"plan": "free", "seats": 2})

        assert (made, made_again) == (True, False)
        assert again.id == contact.id
        assert again.first_name == "Ada"
        assert again.attributes == {"plan": "free", "seats": 2}

    async def test_one_unusable_trait_keeps_everything_from_being_written(self, session: AsyncSession) -> None:
        with pytest.raises(Invalid) as caught:
            await ContactRepository(session).upsert(
                ContactReference(user_id="ada"), {"country": "Utopia", "time_zone": "Nowhere", "plan": "pro"}
            )

        assert [problem.where for problem in caught.value.problems] == ["traits.country", "traits.time_zone"]
        assert await _count(session, Contact) == 0


class TestApplyTraits:
    async def test_it_names_what_changed_and_only_that(self, session: AsyncSession) -> None:
        contact = await a_contact(session, first_name="Ada", plan="pro", seats=1)

        report = await ContactRepository(session).apply_traits(
            contact.id, {"firstName": "Ada", "country": "de", "plan": "free", "seats": True}
        )

        assert report.changed == {"country", "plan", "seats"}

    async def test_null_removes(self, session: AsyncSession) -> None:
        contact = await a_contact(session, plan="pro", phone="+49301234567")

        report = await ContactRepository(session).apply_traits(
            contact.id, {"plan": None, "phone": None, "never_there": None}
        )

        found = await session.get_one(Contact, contact.id)
        assert report.changed == {"plan", "phone"}
        assert (found.attributes, found.phone) == ({}, None)

    async def test_the_usable_traits_stand_where_others_are_rejected(self, session: AsyncSession) -> None:
        contact = await a_contact(session)

        report = await ContactRepository(session).apply_traits(contact.id, {"country": "Utopia", "region": "BY"})

        assert report.changed == {"region"}
        assert [problem.where for problem in report.rejected] == ["traits.country"]

    async def test_a_new_address_leads_to_the_contact_from_now_on(self, session: AsyncSession) -> None:
        contacts = ContactRepository(session)
        contact = await a_contact(session, email="old@example.com")

        await contacts.apply_traits(contact.id, {"email": "New@example.com"})

        for address in ("new@example.com", "old@example.com"):
            found = await contacts.find(ContactReference(email=address))
            assert found is not None
            assert found.id == contact.id

    async def test_an_address_that_leads_to_somebody_else_keeps_leading_there(self, session: AsyncSession) -> None:
        contacts = ContactRepository(session)
        ada = await a_contact(session, email="shared@example.com")
        grace = await a_contact(session, email="grace@example.com")

        await contacts.apply_traits(grace.id, {"email": "shared@example.com"})

        found = await contacts.find(ContactReference(email="shared@example.com"))
        assert found is not None
        assert found.id == ada.id
        assert (await session.get_one(Contact, grace.id)).email == "shared@example.com"

    async def test_the_time_of_the_change_is_kept_only_where_something_changed(self, sessions: Sessions) -> None:
        async with sessions.begin() as session:
            contact = await a_contact(session, plan="pro")
            made = contact.updated_at
        async with sessions.begin() as session:
            await ContactRepository(session).apply_traits(contact.id, {"plan": "pro"})
            assert (await session.get_one(Contact, contact.id)).updated_at == made
            await ContactRepository(session).apply_traits(contact.id, {"plan": "free"})
            assert (await session.get_one(Contact, contact.id)).updated_at > made

    async def test_an_unknown_contact_is_not_found(self, session: AsyncSession) -> None:
        with pytest.raises(NotFound):
            await ContactRepository(session).apply_traits(uuid4(), {"plan": "pro"})


async def test_pages_follow_each_other_without_gap_or_repetition(session: AsyncSession) -> None:
    made = [(await a_contact(session)).id for _ in range(7)]
    contacts = ContactRepository(session)

    seen: list[UUID] = []
    while page := await contacts.page(after=seen[-1] if seen else None, limit=3):
        seen += [contact.id for contact in page]

    assert seen == made


async def test_finding_makes_nothing(session: AsyncSession) -> None:
    assert await ContactRepository(session).find(ContactReference(user_id="nobody")) is None
    assert await ContactRepository(session).get(uuid4()) is None
    assert await _count(session, Contact) == 0
