"""Contacts and the identities they are known by. Reading and writing them is in `crm.contacts`."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class Contact(Base):
    """One person. Typed fields where the product reasons about them; everything else is in `attributes`."""

    __tablename__ = "contacts"
    __table_args__ = (Index("ix_contacts_test_users", "id", postgresql_where=text("test_address IS NOT NULL")),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    email: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    phone: Mapped[str | None]
    locale: Mapped[str | None]
    """Language, `de` or `en`, as the contact asked for; None: the default of the installation."""
    time_zone: Mapped[str | None]
    """IANA zone; None: the default of the installation."""
    country: Mapped[str | None]
    """ISO 3166-1 alpha-2."""
    region: Mapped[str | None]
    """ISO 3166-2 subdivision without the country, e.g. `BY`."""
    stage: Mapped[str] = mapped_column(default="visitor", server_default="visitor")
    """Lifecycle stage (`journeys.stages`), changed by `crm.stages` only; how it got there is in `stage_changes`."""
    test_address: Mapped[str | None]
    """The mail address at which an operator has made it a test user of drafts; None: it is none."""
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    @property
    def is_test_user(self) -> bool:
        """Whether it may be put into drafts: an operator has said so, of the address it still has."""
        return self.test_address is not None and self.test_address == self.email


class IdentityKind(StrEnum):
    """What kind of name a contact is known by."""

    USER_ID = "user_id"
    ANONYMOUS_ID = "anonymous_id"
    EMAIL = "email"


class Identity(Base):
    """A name that leads to exactly one contact. E-mail addresses are kept in lower case."""

    __tablename__ = "identities"

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
