"""The header `Idempotency-Key`: the same request sent twice takes effect once and is answered twice.

Claim, effect and stored answer are one transaction: a request that fails leaves its key free, and of two at the same
time one waits for the other. Only successes are remembered.
"""

import hashlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.authentication import AccessDep
from api.dependencies import SessionDep
from api.errors import ProblemError
from crm.access import Access, ClaimState, IdempotencyRepository

Answer = tuple[HTTPStatus, BaseModel]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of yours. The same key with the same request gets the same answer, for 48 hours.",
        examples=["6f1c2f0e-order-4711"],
    ),
]


class Once:
    """Runs the effect of a request, or gives the answer it was given before."""

    def __init__(self, session: AsyncSession, access: Access, key: str | None, digest: bytes) -> None:
        self._records = IdempotencyRepository(session, access.key_id)
        self._key = key
        self._digest = digest

    async def __call__(self, effect: Callable[[], Awaitable[Answer]]) -> JSONResponse:
        """The answer of `effect`. Raises `ProblemError` (409) where the key belongs to another request."""
        if self._key is None:
            status, model = await effect()
            return JSONResponse(model.model_dump(mode="json", by_alias=True), status)
        claim = await self._records.claim(self._key, self._digest)
        match claim.state:
            case ClaimState.OTHER_REQUEST:
                raise ProblemError(
                    problems.IDEMPOTENCY_KEY_REUSED,
                    "This Idempotency-Key was sent with another request before. Use a new key for a new request.",
                )
            case ClaimState.ANSWERED:
                return JSONResponse(claim.body, claim.status, {"Idempotency-Replayed": "true"})
            case ClaimState.NEW:
                status, model = await effect()
                body = model.model_dump(mode="json", by_alias=True)
                await self._records.answer(self._key, status=status, body=body)
                return JSONResponse(body, status)


async def once(
    request: Request, session: SessionDep, access: AccessDep, idempotency_key: IdempotencyKey = None
) -> Once:
    """The guard of this request."""
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return Once(session, access, idempotency_key, digest.digest())


OnceDep = Annotated[Once, Depends(once, scope="function")]
