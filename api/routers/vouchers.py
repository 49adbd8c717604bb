"""Voucher pools and their codes. Issuing them is what journeys do."""

from typing import Annotated

from fastapi import APIRouter, Body, Path
from pydantic import TypeAdapter

from api import problems
from api.authentication import AccessDep
from api.dependencies import ClockDep, SessionDep
from api.operation import operation
from api.pagination import DEFAULT_LIMIT, CursorText, Limit, paged, read_cursor
from api.requests import JsonRoute
from api.schemas import vouchers as examples
from api.schemas.fields import Page, PlainText
from api.schemas.vouchers import PoolAnswer, PoolInput, PoolView, RedeemInput, RevokeInput, VoucherView
from crm.access import AuditRepository, Scope
from crm.models.voucher import VoucherRecord
from crm.vouchers import PoolStanding, UnknownVoucherPool, VoucherRepository
from journeys.values import Key
from journeys.vouchers import VoucherPool

router = APIRouter(tags=["Vouchers"], route_class=JsonRoute)

PoolKey = Annotated[Key, Path(description="The pool's key.", examples=["welcome"])]
CodePath = Annotated[PlainText, Path(description="The code; case and spaces do not matter.")]


@router.put(
    "/v1/voucher-pools/{key}",
    **operation(
        Scope.AUTHOR,
        problems.CONFLICT,
        body=True,
        summary="Make or change a voucher pool",
        operation_id="put_voucher_pool",
        response_model=PoolAnswer,
        example=examples.POOL_ANSWER,
    ),
)
async def put_voucher_pool(
    key: PoolKey,
    request: Annotated[PoolInput, Body(openapi_examples={"usual": {"value": examples.POOL_REQUEST}})],
    *,
    session: SessionDep,
    access: AccessDep,
) -> PoolAnswer:
    """Codes are generated as they are issued, or imported: sent with `codes`, in as many requests as it takes.

    Vouchers that were issued stay as they are. A limit below what has been issued ends the issuing.
    """
    vouchers = VoucherRepository(session)
    pool = VoucherPool(key=key, value=request.value, prefix=request.prefix, limit=request.limit)
    added = await vouchers.put_pool(pool, codes=request.codes)
    details = {"value": request.value, "limit": request.limit, "added": added}
    await AuditRepository(session).record(access.actor, "voucher_pool.put", f"voucher_pool:{key}", details)
    (standing,) = await vouchers.standing(key)
    return PoolAnswer(**_pool_view(standing).model_dump(), added=added)


@router.get(
    "/v1/voucher-pools",
    **operation(
        Scope.READ,
        summary="List the voucher pools",
        operation_id="list_voucher_pools",
        response_model=Page[PoolView],
        example=examples.POOLS,
    ),
)
async def list_voucher_pools(
    session: SessionDep, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
) -> Page[PoolView]:
    """Pools with their counts, in the order of their keys."""
    after = read_cursor(cursor, TypeAdapter[str](Key).validate_python)
    rows = await VoucherRepository(session).page(after=after, limit=limit + 1)
    items, following = paged(rows, limit, lambda standing: standing.pool.key)
    return Page[PoolView](items=[_pool_view(standing) for standing in items], next=following)


@router.get(
    "/v1/voucher-pools/{key}",
    **operation(
        Scope.READ,
        problems.UNKNOWN_VOUCHER_POOL,
        summary="Read a voucher pool",
        operation_id="get_voucher_pool",
        response_model=PoolView,
        example=examples.POOL,
    ),
)
async def get_voucher_pool(key: PoolKey, session: SessionDep) -> PoolView:
    """How many were issued, redeemed and revoked, and how many are left."""
    found = await VoucherRepository(session).standing(key)
    if not found:
        raise UnknownVoucherPool(f"There is no voucher pool '{key}'.", remedy="GET /v1/voucher-pools lists them.")
    return _pool_view(found[0])


@router.post(
    "/v1/vouchers/{code}/redeem",
    **operation(
        Scope.TRACK,
        problems.UNKNOWN_VOUCHER,
        problems.VOUCHER_EXPIRED,
        problems.VOUCHER_REVOKED,
        problems.VOUCHER_REDEEMED,
        body=True,
        summary="Redeem a voucher",
        operation_id="redeem_voucher",
        response_model=VoucherView,
        example=examples.VOUCHER,
    ),
)
async def redeem_voucher(
    code: CodePath,
    request: Annotated[RedeemInput, Body(openapi_examples={"usual": {"value": examples.REDEEM_REQUEST}})],
    *,
    session: SessionDep,
    clock: ClockDep,
) -> VoucherView:
    """Once, for one `reference`. The contact's event `voucher.redeemed` follows, on which goals can be met."""
    return _voucher_view(await VoucherRepository(session).redeem(code, request.reference, now=clock()))


@router.post(
    "/v1/vouchers/{code}/revoke",
    **operation(
        Scope.OPERATE,
        problems.UNKNOWN_VOUCHER,
        problems.VOUCHER_REDEEMED,
        body=True,
        summary="Take a voucher back",
        operation_id="revoke_voucher",
        response_model=VoucherView,
        example=examples.REVOKED,
    ),
)
async def revoke_voucher(
    code: CodePath,
    request: Annotated[RevokeInput, Body(openapi_examples={"usual": {"value": examples.REVOKE_REQUEST}})],
    *,
    session: SessionDep,
    clock: ClockDep,
    access: AccessDep,
) -> VoucherView:
    """It cannot be redeemed any more; one that nobody was given yet never will be given. Revoked again: the same."""
    voucher = await VoucherRepository(session).revoke(code, request.because, now=clock())
    details = {"because": request.because}
    await AuditRepository(session).record(access.actor, "voucher.revoke", f"voucher:{voucher.id}", details)
    return _voucher_view(voucher)


def _pool_view(standing: PoolStanding) -> PoolView:
    pool = standing.pool
    return PoolView(
        key=pool.key,
        value=pool.value,
        imported=pool.imported,
        prefix=pool.prefix,
        limit=pool.most,
        issued=standing.issued,
        redeemed=standing.redeemed,
        revoked=standing.revoked,
        left=standing.left,
    )


def _voucher_view(voucher: VoucherRecord) -> VoucherView:
    return VoucherView(
        code=voucher.code,
        pool=voucher.pool_key,
        contact_id=voucher.contact_id,
        issued_at=voucher.issued_at,
        expires_at=voucher.expires_at,
        redeemed_at=voucher.redeemed_at,
        reference=voucher.reference,
        revoked_at=voucher.revoked_at,
    )
