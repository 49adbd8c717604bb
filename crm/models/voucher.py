"""Vouchers: the pools they come from, and each code with what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from kit.database import Base


class VoucherPoolRecord(Base):
    """Where codes of one kind come from: generated when they are issued, or imported beforehand."""

    __tablename__ = "voucher_pools"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    imported: Mapped[bool]
    """Whether its codes were brought from outside; a pool never changes in this."""
    prefix: Mapped[str | None]
    most: Mapped[int | None]
    """How many are issued at most; None: as many as are asked for, or as there are codes."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class VoucherRecord(Base):
    """One code. Generated ones come into being as they are issued. It outlives its contact: a code is used once."""

    __tablename__ = "vouchers"
    __table_args__ = (
        UniqueConstraint("enrollment_id", "step", "iteration"),
        CheckConstraint("redeemed_at IS NULL OR issued_at IS NOT NULL", name="redeemed_after_issue"),
        Index("ix_vouchers_in_stock", "pool_key", "code", postgresql_where=text("issued_at IS NULL")),
        Index("ix_vouchers_pool_key_issued_at", "pool_key", "issued_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    pool_key: Mapped[str] = mapped_column(ForeignKey("voucher_pools.key"))
    code: Mapped[str] = mapped_column(unique=True)
    is_test: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it was made up for a test run of a draft: it is in no count, and nobody can redeem it."""
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    enrollment_id: Mapped[UUID | None] = mapped_column(ForeignKey("enrollments.id", ondelete="SET NULL"))
    step: Mapped[str | None]
    iteration: Mapped[int | None]
    issued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]
    reference: Mapped[str | None]
    """What it was redeemed for, as the shop calls it: an order."""
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
