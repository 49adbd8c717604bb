"""Consent: recording what a contact declared, and what stands of it. Who must have it is decided elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.consent import Consent


class ConsentState(StrEnum):
    """What a declaration says."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class ConsentRepository:
    """Declarations of consent, append-only, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def record(
        self,
        contact_id: UUID,
        *,
        purpose: str,
        channel: str,
        state: str,
        source: str,
        occurred_at: datetime,
        wording: str | None = None,
        evidence: Mapping[str, Any] | None = None,
    ) -> bool:
        """Append a declaration; returns whether what stands has changed. An instant in the future counts as now.

        Raises:
            Invalid: purpose, channel or state is none we know.
        """
        raise NotImplementedError

    async def standing(self, contact_id: UUID) -> frozenset[tuple[str, str]]:
        """Purposes and channels for which the newest declaration, by occurrence, is a grant."""
        raise NotImplementedError

    async def history(self, contact_id: UUID) -> list[Consent]:
        """Every declaration, newest first."""
        raise NotImplementedError
