"""Contacts: finding one by the names it is known by, making it, and writing what is said of it.

Which name leads where is decided in `crm.identities`, which trait is which field in `journeys.traits`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.identities import Assignment, ContactReference, Name, Owner
from crm.models.contact import Contact, Identity, IdentityKind
from journeys.traits import SortedTraits, TraitReport, sort_traits
from kit.errors import Invalid, NotFound, Unavailable

__all__ = ["ContactReference", "ContactRepository", "TraitReport"]

_ATTEMPTS = 5

_KNOWN_NAMES = text("""
    SELECT i.kind, i.value, i.contact_id,
           ARRAY(SELECT DISTINCT o.kind FROM identities o WHERE o.contact_id = i.contact_id) AS kinds
    FROM unnest(CAST(:kinds AS text[]), CAST(:names AS text[])) AS given (kind, value)
    JOIN identities i USING (kind, value)
""")
_MISSING_CONTACT = text("""
    SELECT id FROM unnest(CAST(:ids AS uuid[])) AS given (id)
    WHERE NOT EXISTS (SELECT FROM contacts c WHERE c.id = given.id) LIMIT 1
""")
_MAKE_CONTACTS = text("""
    WITH made AS MATERIALIZED (
        SELECT uuidv7() AS id, email, position
        FROM unnest(CAST(:emails AS text[])) WITH ORDINALITY AS given (email, position)
    ), stored AS (
        INSERT INTO contacts (id, email) SELECT id, email FROM made ORDER BY position
    )
    SELECT id FROM made ORDER BY position
""")
_ATTACH_NAMES = text("""
    INSERT INTO identities (kind, value, contact_id)
    SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:names AS text[]), CAST(:ids AS uuid[]))
    ON CONFLICT DO NOTHING RETURNING kind
""")
_FILL_ADDRESSES = text("""
    UPDATE contacts c SET email = given.email, updated_at = now()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:emails AS text[])) AS given (id, email)
    WHERE c.id = given.id AND c.email IS NULL
""")


@dataclass(frozen=True)
class _Resolution:
    contact_ids: list[UUID]
    made: frozenset[UUID]


class _NameTaken(Exception):
    """Another transaction attached a name between our look and our write."""


class ContactRepository:
    """Contacts and their identities, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, contact_id: UUID) -> Contact | None:
        """The contact, or None."""
        return await self._session.get(Contact, contact_id)

    async def find(self, reference: ContactReference) -> Contact | None:
        """The contact that `resolve` would lead to, or None where it would make one."""
        owner = (await self._known([reference])).owner(reference)
        return await self.get(owner) if isinstance(owner, UUID) else None

    async def resolve(self, references: Sequence[ContactReference]) -> list[UUID]:
        """The contact of each reference, in order; makes those that do not exist and attaches names not yet taken.

        Raises:
            NotFound: a `contact_id` does not exist.
        """
        return (await self._resolve(references)).contact_ids

    async def upsert(self, reference: ContactReference, traits: Mapping[str, Any]) -> tuple[Contact, bool]:
        """Make the contact or change it; the second value says whether it was made.

        Raises:
            Invalid: a trait is not usable; lists every finding, and nothing is written.
            NotFound: the `contact_id` does not exist.
        """
        sorted_traits = sort_traits(traits)
        if sorted_traits.rejected:
            raise Invalid("The contact's traits cannot be used.", problems=sorted_traits.rejected)
        resolution = await self._resolve([reference])
        contact_id = resolution.contact_ids[0]
        await self._write(contact_id, sorted_traits)
        return await self._session.get_one(Contact, contact_id), contact_id in resolution.made

    async def apply_traits(self, contact_id: UUID, traits: Mapping[str, Any]) -> TraitReport:
        """Write the usable traits and report the others. Locks the contact's row until the transaction ends.

        Raises:
            NotFound: the contact does not exist.
        """
        return await self._write(contact_id, sort_traits(traits))

    async def page(self, *, after: UUID | None = None, limit: int = 50) -> list[Contact]:
        """Contacts in order of their making, beginning behind `after`."""
        query = select(Contact).order_by(Contact.id).limit(limit)
        if after is not None:
            query = query.where(Contact.id > after)
        return list(await self._session.scalars(query))

    async def _resolve(self, references: Sequence[ContactReference]) -> _Resolution:
        await self._demand_existing([r.contact_id for r in references if r.contact_id is not None])
        for _ in range(_ATTEMPTS):
            assignment = await self._known(references)
            for reference in references:
                assignment.assign(reference)
            if not assignment.attached:
                return _Resolution([_existing(owner) for owner in assignment.assigned], frozenset())
            try:
                async with self._session.begin_nested():
                    return await self._store(assignment)
            except _NameTaken:
                continue  # Somebody else took one meanwhile: look again, with theirs among the known ones.
        raise Unavailable("The contact's names are being taken by others again and again.", remedy="Try again.")

    async def _known(self, references: Sequence[ContactReference]) -> Assignment:
        names = list(dict.fromkeys(name for reference in references for name in reference.names))
        rows = await self._session.execute(
            _KNOWN_NAMES, {"kinds": [kind for kind, _ in names], "names": [value for _, value in names]}
        )
        known = Assignment()
        for kind, value, contact_id, kinds in rows:
            known.owners[kind, value] = contact_id
            known.kinds.update((contact_id, borne) for borne in kinds)
        return known

    async def _demand_existing(self, contact_ids: Sequence[UUID]) -> None:
        if not contact_ids:
            return
        missing = await self._session.scalar(_MISSING_CONTACT, {"ids": list(contact_ids)})
        if missing is not None:
            raise NotFound(f"There is no contact {missing}.", remedy="Leave contact_id out to find it by other names.")

    async def _store(self, assignment: Assignment) -> _Resolution:
        made: Sequence[UUID] = ()
        if assignment.newcomers:
            made = (await self._session.scalars(_MAKE_CONTACTS, {"emails": assignment.newcomers})).all()

        def contact_id(owner: Owner) -> UUID:
            return made[owner] if isinstance(owner, int) else owner

        # In one order everywhere, so that two transactions never wait for each other.
        attached = sorted((name, contact_id(owner)) for name, owner in assignment.attached.items())
        await self._attach(attached)
        await self._fill_addresses([pair for pair in attached if pair[1] not in made])
        return _Resolution([contact_id(owner) for owner in assignment.assigned], frozenset(made))

    async def _attach(self, attached: Sequence[tuple[Name, UUID]]) -> None:
        rows = await self._session.execute(
            _ATTACH_NAMES,
            {
                "kinds": [kind for (kind, _), _ in attached],
                "names": [value for (_, value), _ in attached],
                "ids": [owner for _, owner in attached],
            },
        )
        if len(rows.all()) < len(attached):
            raise _NameTaken

    async def _fill_addresses(self, attached: Sequence[tuple[Name, UUID]]) -> None:
        addresses = {owner: value for (kind, value), owner in attached if kind == IdentityKind.EMAIL}
        if addresses:
            await self._session.execute(_FILL_ADDRESSES, {"ids": list(addresses), "emails": list(addresses.values())})

    async def _write(self, contact_id: UUID, traits: SortedTraits) -> TraitReport:
        contact = await self._session.get(
            Contact, contact_id, with_for_update={"key_share": True}, populate_existing=True
        )
        if contact is None:
            raise NotFound(f"There is no contact {contact_id}.", remedy="It may have been erased.")
        values, changed = changes_of(contact, traits)
        if changed:
            await self._session.execute(
                update(Contact)
                .where(Contact.id == contact_id)
                .values(**values, updated_at=func.now())
                .returning(Contact)
                .execution_options(populate_existing=True)
            )
        if email := values.get("email"):
            # An address that leads to another contact already keeps doing so; this one is only written to.
            name = {"kind": IdentityKind.EMAIL, "value": email.lower(), "contact_id": contact_id}
            await self._session.execute(insert(Identity).values(name).on_conflict_do_nothing())
        return TraitReport(changed, traits.rejected)


def _existing(owner: Owner) -> UUID:
    assert isinstance(owner, UUID)
    return owner


def changes_of(contact: Contact, traits: SortedTraits) -> tuple[dict[str, Any], frozenset[str]]:
    """Columns to write, and the names of fields and attributes that differ."""
    values: dict[str, Any] = {name: value for name, value in traits.fields.items() if getattr(contact, name) != value}
    changed = set(values)
    attributes = dict(contact.attributes)
    for name, value in traits.attributes.items():
        if value is None:
            attributes.pop(name, None)
        else:
            attributes[name] = value
        if not _same(contact.attributes.get(name), value):
            changed.add(name)
            values["attributes"] = attributes
    return values, frozenset(changed)


def _same(old: Any, new: Any) -> bool:
    """Equality that tells 1 from true, as JSON does."""
    return type(old) is type(new) and bool(old == new)
