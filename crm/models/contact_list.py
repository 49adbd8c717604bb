"""Lists and who is on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class ContactList(Base):
    """A named list. Made on first use."""

    __tablename__ = "lists"

    key: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ListMember(Base):
    """A contact on a list, since when and why."""

    __tablename__ = "list_members"

    list_key: Mapped[str] = mapped_column(ForeignKey("lists.key"), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    reason: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
