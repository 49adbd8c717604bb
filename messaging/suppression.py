"""Addresses nothing may be sent to: put on the list, taken off, asked for. Only a keyed digest of them is kept.

So the list outlives the erasure of a contact, and a stolen copy of it cannot be tested against known addresses.
"""

import hashlib
import hmac
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from journeys.values import MessageChannel
from messaging.models import Suppression


def normalised(address: str) -> str:
    """One spelling per mailbox: lower case, Unicode composed, domain decoded. Works on invalid addresses too.

    Local parts are lower-cased although a server may tell them apart: suppressing one too many is the safe side.
    """
    try:
        return validate_email(address, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return address.strip().lower()


def address_digest(key: SecretStr, channel: MessageChannel, address: str) -> bytes:
    """HMAC-SHA256 over channel and normalised address."""
    text = f"{channel}\n{normalised(address)}"
    return hmac.new(key.get_secret_value().encode(), text.encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class SuppressionList:
    """The suppressions of this installation, through one session. `key` is `settings.digest_key`."""

    session: AsyncSession
    key: SecretStr

    async def add(self, channel: MessageChannel, address: str, *, reason: str, source: str) -> bool:
        """Suppress an address. Returns False where it was suppressed already (the first reason stands)."""
        statement = insert(Suppression).values(
            channel=channel, address_digest=address_digest(self.key, channel, address), reason=reason, source=source
        )
        added = await self.session.scalar(statement.on_conflict_do_nothing().returning(Suppression.channel))
        return added is not None

    async def remove(self, channel: MessageChannel, address: str) -> bool:
        """Take an address off the list. Returns False where it was not on it."""
        statement = delete(Suppression).where(
            Suppression.channel == channel, Suppression.address_digest == address_digest(self.key, channel, address)
        )
        return await self.session.scalar(statement.returning(Suppression.channel)) is not None

    async def reason(self, channel: MessageChannel, address: str) -> str | None:
        """Why an address is suppressed; None where it is not."""
        found: str | None = await self.session.scalar(
            select(Suppression.reason).where(
                Suppression.channel == channel, Suppression.address_digest == address_digest(self.key, channel, address)
            )
        )
        return found
