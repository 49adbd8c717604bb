"""API keys, the answers given under an idempotency key, and the audit log.

What a scope allows is decided by the edge that demands it; here keys are made, checked and revoked. A key is shown
once: the database holds its prefix, to find and show it, and the SHA-256 of the whole.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.access import ApiKey, AuditEntry, IdempotencyRecord
from kit.errors import Invalid, NotFound, Problem

KEY_MARK = "dl"
PREFIX_LENGTH = 10
SECRET_BYTES = 24
REMEMBERED = timedelta(hours=48)
"""How long the answer to a request with an idempotency key is kept, at least."""


class Scope(StrEnum):
    """What a key may be used for. `admin` includes all others."""

    TRACK = "track"
    ENROLL = "enroll"
    READ = "read"
    AUTHOR = "author"
    OPERATE = "operate"
    ADMIN = "admin"


@dataclass(frozen=True)
class Access:
    """Who calls, and what they may do."""

    key_id: UUID
    name: str
    prefix: str
    scopes: frozenset[Scope]

    @property
    def actor(self) -> str:
        """The caller's opaque name in the audit log and in Temporal."""
        return f"key:{self.prefix}"

    def allows(self, scope: Scope) -> bool:
        """Whether this caller may do what needs `scope`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


@dataclass(frozen=True)
class NewKey:
    """A key that was just made. `key` exists nowhere else: hand it over and forget it."""

    key: str
    access: Access


def prefix_of(key: str) -> str | None:
    """The prefix of a key as we make them, or None where it cannot be one of ours."""
    mark, _, rest = key.partition("_")
    prefix, _, secret = rest.partition("_")
    return prefix if mark == KEY_MARK and len(prefix) == PREFIX_LENGTH and secret and key.isascii() else None


def key_digest(key: str) -> bytes:
    """SHA-256 of the whole key. No salt and no stretching: the secret is 192 random bits."""
    return hashlib.sha256(key.encode()).digest()


def parse_scopes(names: Collection[str]) -> frozenset[Scope]:
    """The scopes named. Raises `kit.errors.Invalid` for an unknown one, or for none at all."""
    known = {scope.value for scope in Scope}
    remedy = f"Choose from {', '.join(Scope)}."
    problems = [Problem("scopes", f"'{name}' is not a scope.", remedy) for name in names if name not in known]
    if problems or not names:
        raise Invalid("These scopes cannot be given to a key.", problems=problems, remedy=remedy)
    return frozenset(Scope(name) for name in names)


class ApiKeyRepository:
    """The keys of the API."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create(self, name: str, scopes: Collection[str]) -> NewKey:
        """Make a key with these scopes. Raises `kit.errors.Invalid` for scopes that do not exist."""
        granted = parse_scopes(scopes)
        prefix = secrets.token_hex(PREFIX_LENGTH // 2)
        key = f"{KEY_MARK}_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
        record = ApiKey(name=name, prefix=prefix, digest=key_digest(key), scopes=sorted(granted))
        self._session.add(record)
        await self._session.flush()
        return NewKey(key, _access(record))

    async def verify(self, key: str) -> Access | None:
        """Who holds this key, or None where it is unknown, wrong or revoked. One query, none for other text."""
        prefix = prefix_of(key)
        if prefix is None:
            return None
        record = await self._session.scalar(select(ApiKey).where(ApiKey.prefix == prefix))
        if record is None or record.revoked_at is not None:
            return None
        return _access(record) if hmac.compare_digest(record.digest, key_digest(key)) else None

    async def revoke(self, prefix: str) -> Access:
        """End the key with this prefix; doing so again changes nothing. Raises `kit.errors.NotFound`."""
        record = await self._session.scalar(select(ApiKey).where(ApiKey.prefix == prefix).with_for_update())
        if record is None:
            raise NotFound(f"There is no API key with the prefix '{prefix}'.", remedy="List the keys to see theirs.")
        if record.revoked_at is None:
            record.revoked_at = await self._session.scalar(select(func.now()))
            await self._session.flush()
        return _access(record)

    async def all(self) -> list[ApiKey]:
        """Every key, revoked ones too, oldest first."""
        return list(await self._session.scalars(select(ApiKey).order_by(ApiKey.id)))


def _access(record: ApiKey) -> Access:
    known = {scope.value for scope in Scope}
    scopes = frozenset(Scope(name) for name in record.scopes if name in known)
    return Access(key_id=record.id, name=record.name, prefix=record.prefix, scopes=scopes)


class ClaimState(StrEnum):
    """What an idempotency key turned out to be."""

    NEW = "new"
    ANSWERED = "answered"
    OTHER_REQUEST = "other_request"


@dataclass(frozen=True)
class Claim:
    """The outcome of claiming an idempotency key; `status` and `body` are the stored answer where there is one."""

    state: ClaimState
    status: int = 0
    body: Mapping[str, Any] | None = None


class IdempotencyRepository:
    """Answers by (API key, idempotency key). Claim, effect and answer belong into one transaction."""

    def __init__(self, session: AsyncSession, key_id: UUID) -> None:
        self._session = session
        self._key_id = key_id

    async def claim(self, key: str, request_digest: bytes) -> Claim:
        """Claim the key for this request, or find what was answered before.

        Waits up to five seconds for a transaction that holds the same key, then the database's lock time-out is
        raised. A claim that is rolled back was never made.
        """
        await self._forget_some()
        await self._session.execute(text("SELECT set_config('lock_timeout', '5s', true)"))
        fresh = insert(IdempotencyRecord).values(
            api_key_id=self._key_id, key=key, request_digest=request_digest, status=0, body={}
        )
        claimed = await self._session.scalar(fresh.on_conflict_do_nothing().returning(IdempotencyRecord.key))
        if claimed is not None:
            return Claim(ClaimState.NEW)
        found = (await self._session.scalars(select(IdempotencyRecord).where(*self._is(key)))).one()
        if not hmac.compare_digest(found.request_digest, request_digest):
            return Claim(ClaimState.OTHER_REQUEST)
        return Claim(ClaimState.ANSWERED, found.status, found.body)

    async def answer(self, key: str, *, status: int, body: Mapping[str, Any]) -> None:
        """Store the answer to a key claimed in this transaction."""
        await self._session.execute(update(IdempotencyRecord).where(*self._is(key)).values(status=status, body=body))

    def _is(self, key: str) -> tuple[Any, Any]:
        return IdempotencyRecord.api_key_id == self._key_id, IdempotencyRecord.key == key

    async def _forget_some(self) -> None:
        """Each claim sweeps out a few answers that are old enough, so that the table needs no one to clean it."""
        old = (
            select(IdempotencyRecord.key)
            .where(
                IdempotencyRecord.api_key_id == self._key_id,
                IdempotencyRecord.created_at < func.now() - REMEMBERED,
            )
            .limit(5)
            .with_for_update(skip_locked=True)
        )
        await self._session.execute(
            delete(IdempotencyRecord).where(
                IdempotencyRecord.api_key_id == self._key_id, IdempotencyRecord.key.in_(old.scalar_subquery())
            )
        )


class AuditRepository:
    """Who did what to what: append-only."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def record(self, actor: str, action: str, target: str, details: Mapping[str, Any] | None = None) -> None:
        """Note that `actor` did `action` to `target`. Opaque ids only: this outlives the people it speaks of."""
        self._session.add(AuditEntry(actor=actor, action=action, target=target, details=dict(details or {})))
        await self._session.flush()

    async def of(self, target: str) -> list[AuditEntry]:
        """What was done to `target`, newest first."""
        query = select(AuditEntry).where(AuditEntry.target == target).order_by(AuditEntry.id.desc())
        return list(await self._session.scalars(query))
