"""Who calls: the API key from the request, checked with at most one query, and the scope an operation demands.

A key that was found valid is believed for five seconds without asking again, so a revocation takes effect within
that time. Keys themselves live in `crm.access`.
"""

import base64
import binascii
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.openapi.models import HTTPBase as HTTPBaseModel
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from api import problems
from api.dependencies import SessionsDep
from api.errors import ProblemError
from crm.access import Access, ApiKeyRepository, Scope, key_digest
from kit.database import Sessions

BELIEVED_SECONDS = 5.0
MOST_BELIEVED = 1_000
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="dauerlauf", Basic realm="dauerlauf"'}


class AccessCache:
    """Keys found valid within the last five seconds, by digest. Wrong keys are never kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._believed: dict[bytes, tuple[float, Access]] = {}

    async def verify(self, sessions: Sessions, key: str) -> Access | None:
        """Who holds this key; asks the database where it was not asked lately."""
        digest = key_digest(key)
        now = self._clock()
        known = self._believed.get(digest)
        if known is not None and now < known[0]:
            return known[1]
        async with sessions() as session:
            access = await ApiKeyRepository(session).verify(key)
        self._believed.pop(digest, None)
        if access is not None:
            if len(self._believed) >= MOST_BELIEVED:
                self._believed.clear()
            self._believed[digest] = (now + BELIEVED_SECONDS, access)
        return access


class _Documented(SecurityBase):
    """A way to send the key, as the OpenAPI document tells it. The key itself is read by `authenticate`."""

    def __init__(self, scheme_name: str, model: HTTPBaseModel) -> None:
        self.scheme_name = scheme_name
        self.model = model

    async def __call__(self) -> None:
        """Nothing: this only documents."""


BEARER = _Documented("bearer", HTTPBearerModel(description="`Authorization: Bearer <API key>`"))
BASIC = _Documented(
    "writeKey",
    HTTPBaseModel(scheme="basic", description="The API key as user name, no password: as Segment's libraries do."),
)


def key_in(header: str) -> str:
    """The API key in an `Authorization` header: the bearer token, or the user name of basic authentication.

    Raises `ProblemError` where there is no header, or it is neither.
    """
    if not header.strip():
        raise ProblemError(
            problems.MISSING_KEY,
            "The request has no API key. Send it as 'Authorization: Bearer <key>'.",
            headers=CHALLENGE,
        )
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user, _, _ = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = ""
        if user:
            return user
    raise ProblemError(
        problems.INVALID_KEY,
        "The header Authorization holds no API key. Send 'Bearer <key>', or the key as basic authentication's user.",
        headers=CHALLENGE,
    )


async def authenticate(
    request: Request,
    sessions: SessionsDep,
    _bearer: Annotated[None, Security(BEARER)],
    _basic: Annotated[None, Security(BASIC)],
) -> Access:
    """The caller. Raises `ProblemError` (401) without a key that is valid now."""
    cache: AccessCache = request.app.state.access_cache
    access = await cache.verify(sessions, key_in(request.headers.get("authorization", "")))
    if access is None:
        raise ProblemError(
            problems.INVALID_KEY,
            "The API key is unknown, incomplete or revoked. Make one with `dauerlauf keys create`.",
            headers=CHALLENGE,
        )
    return access


AccessDep = Annotated[Access, Depends(authenticate)]


def require(scope: Scope) -> Callable[[Access], Awaitable[None]]:
    """A dependency that lets only callers with `scope` pass."""

    async def demand(access: AccessDep) -> None:
        demand_scope(access, scope, "This")

    return demand


def demand_scope(access: Access, scope: Scope, what: str) -> None:
    """Raise `ProblemError` (403) where the caller lacks `scope`, which `what` needs: the subject of the sentence."""
    if not access.allows(scope):
        held = ", ".join(sorted(access.scopes)) or "none"
        raise ProblemError(
            problems.MISSING_SCOPE,
            f"{what} needs the scope '{scope}'; the key '{access.name}' has: {held}.",
        )
