"""Consent: recording what a contact declared, and what stands of it. Who must have it is decided elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.consent import Consent
from journeys.values import MessageChannel, Purpose
from kit.errors import Invalid, Problem


class ConsentState(StrEnum):
    """What a declaration says."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


_VOCABULARY: Mapping[str, type[StrEnum]] = {"purpose": Purpose, "channel": MessageChannel, "state": ConsentState}

# By occurrence, since events may arrive late. A withdrawal and a grant of the same instant: the one recorded last.
NEWEST_FIRST = (Consent.occurred_at.desc(), Consent.id.desc())


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
        _demand_known(purpose=purpose, channel=channel, state=state)
        before = (purpose, channel) in await self.standing(contact_id)
        await self._session.execute(
            insert(Consent).values(
                contact_id=contact_id,
                purpose=purpose,
                channel=channel,
                state=state,
                source=source,
                wording=wording,
                evidence=dict(evidence or {}),
                # A clock that runs ahead must not give a grant precedence over later withdrawals.
                occurred_at=func.least(occurred_at, func.clock_timestamp()),
            )
        )
        return before != ((purpose, channel) in await self.standing(contact_id))

    async def standing(self, contact_id: UUID) -> frozenset[tuple[str, str]]:
        """Purposes and channels for which the newest declaration, by occurrence, is a grant."""
        newest = (
            select(Consent.purpose, Consent.channel, Consent.state)
            .distinct(Consent.purpose, Consent.channel)
            .where(Consent.contact_id == contact_id)
            .order_by(Consent.purpose, Consent.channel, *NEWEST_FIRST)
        )
        rows = await self._session.execute(newest)
        return frozenset((purpose, channel) for purpose, channel, state in rows if state == ConsentState.GRANTED)

    async def history(self, contact_id: UUID) -> list[Consent]:
        """Every declaration, newest first."""
        query = select(Consent).where(Consent.contact_id == contact_id).order_by(*NEWEST_FIRST)
        return list(await self._session.scalars(query))


def _demand_known(**given: str) -> None:
    problems = [
        Problem(name, "is none we know.", f"Write one of {', '.join(_VOCABULARY[name])}.")
        for name, value in given.items()
        if value not in list(_VOCABULARY[name])
    ]
    if problems:
        raise Invalid("The declaration of consent cannot be recorded.", problems=problems)
