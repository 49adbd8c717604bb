"""Vouchers: pools, issuing a code once, redeeming and revoking it. Within the caller's transaction.

A code is given to one contact: imported ones are taken under a row lock that others skip, generated ones are random
and unique, and a pool with a limit is counted under a lock. Instants are aware.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import DERIVED, EventRepository, NewEvent
from crm.models.enrollment import Enrollment
from crm.models.voucher import VoucherPoolRecord, VoucherRecord
from crm.voucher_codes import mistyped, new_code, normalized, test_code
from journeys.former_names import Span
from journeys.vouchers import VoucherPool
from kit.errors import Conflict, NotFound

VOUCHER_REDEEMED = "voucher.redeemed"


class UnknownVoucherPool(NotFound):
    """No pool has this key."""


class UnknownVoucher(NotFound):
    """No voucher has this code, or it has not been issued."""


class VoucherExpired(Conflict):
    """It was valid, and is no longer."""


class VoucherRevoked(Conflict):
    """It was taken back."""


class VoucherRedeemed(Conflict):
    """It was redeemed for something else already."""


@dataclass(frozen=True)
class IssueKey:
    """What makes an issue the same issue, over retries and continued runs."""

    enrollment_id: UUID
    step: str
    iteration: int


@dataclass(frozen=True)
class PoolStanding:
    """A pool and its counts. `left` is None where nothing limits it."""

    pool: VoucherPoolRecord
    issued: int
    redeemed: int
    revoked: int
    left: int | None


class VoucherRepository:
    """Pools and vouchers, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put_pool(self, pool: VoucherPool, *, codes: Collection[str] | None = None) -> int:
        """Make a pool or change it, and add codes to one that imports them (not None); returns how many were new.

        Raises:
            Conflict: the pool generates its codes and these are imported, or the other way round; or a code belongs
                to another pool.
        """
        imported = codes is not None
        values = {"value": pool.value, "prefix": pool.prefix, "most": pool.limit}
        made = insert(VoucherPoolRecord).values(key=pool.key, imported=imported, **values)
        await self._session.execute(made.on_conflict_do_nothing())
        record = await self._locked_pool(pool.key)
        if record.imported != imported:
            has = "imported" if record.imported else "generated"
            raise Conflict(
                f"The pool {pool.key} has {has} codes.", remedy="Use another pool for codes of another kind."
            )
        for name, value in values.items():
            setattr(record, name, value)
        await self._session.flush()
        return await self._import(pool.key, [normalized(code) for code in codes or ()])

    async def add_pools(self, pools: Iterable[VoucherPool]) -> None:
        """Make pools that generate their codes, where there are none of their keys."""
        rows = [
            {"key": pool.key, "value": pool.value, "imported": False, "prefix": pool.prefix, "most": pool.limit}
            for pool in sorted(pools, key=lambda pool: pool.key)
        ]
        if rows:
            await self._session.execute(insert(VoucherPoolRecord).on_conflict_do_nothing(), rows)

    async def _import(self, pool_key: str, codes: Collection[str]) -> int:
        if not codes:
            return 0
        foreign = select(VoucherRecord.pool_key).where(
            VoucherRecord.code.in_(codes), VoucherRecord.pool_key != pool_key
        )
        if (owner := await self._session.scalar(foreign.limit(1))) is not None:
            raise Conflict(
                f"Some of these codes belong to the pool {owner}.", remedy="Give each pool codes of its own."
            )
        rows = [{"pool_key": pool_key, "code": code} for code in sorted(set(codes))]
        added = insert(VoucherRecord).on_conflict_do_nothing().returning(VoucherRecord.id)
        return len((await self._session.scalars(added, rows)).all())

    async def _locked_pool(self, key: str) -> VoucherPoolRecord:
        query = select(VoucherPoolRecord).where(VoucherPoolRecord.key == key).with_for_update()
        return (await self._session.scalars(query.execution_options(populate_existing=True))).one()

    async def pool(self, key: str) -> VoucherPoolRecord:
        """The pool. Raises `UnknownVoucherPool` where there is none."""
        record = await self._session.get(VoucherPoolRecord, key)
        if record is None:
            raise UnknownVoucherPool(f"There is no voucher pool '{key}'.", remedy="Make it, then retry the step.")
        return record

    async def keys(self) -> frozenset[str]:
        """The keys of the pools there are."""
        return frozenset(await self._session.scalars(select(VoucherPoolRecord.key)))

    async def standing(self, *keys: str) -> list[PoolStanding]:
        """The pools with their counts, by key; all of them where none is named."""
        query = select(VoucherPoolRecord).order_by(VoucherPoolRecord.key)
        return await self._counted(query.where(VoucherPoolRecord.key.in_(keys)) if keys else query)

    async def page(self, *, after: str | None = None, limit: int = 50) -> list[PoolStanding]:
        """Pools with their counts in order of their keys, beginning behind `after`."""
        query = select(VoucherPoolRecord).order_by(VoucherPoolRecord.key).limit(limit)
        return await self._counted(query if after is None else query.where(VoucherPoolRecord.key > after))

    async def _counted(self, query: Select[tuple[VoucherPoolRecord]]) -> list[PoolStanding]:
        """The pools a query finds; only their vouchers are counted."""
        pools = (await self._session.scalars(query)).all()
        counts = select(
            VoucherRecord.pool_key,
            func.count(VoucherRecord.issued_at),
            func.count(VoucherRecord.redeemed_at),
            func.count(VoucherRecord.revoked_at),
            func.count().filter(_IN_STOCK),
        ).where(VoucherRecord.pool_key.in_([pool.key for pool in pools]), ~VoucherRecord.is_test)
        counts = counts.group_by(VoucherRecord.pool_key)
        counted = {row[0]: row[1:] for row in await self._session.execute(counts)}
        return [_standing(pool, *counted.get(pool.key, (0, 0, 0, 0))) for pool in pools]

    async def issued(self, key: IssueKey) -> VoucherRecord | None:
        """The voucher that was issued under this key, or None."""
        query = select(VoucherRecord).where(VoucherRecord.enrollment_id == key.enrollment_id)
        found: VoucherRecord | None = await self._session.scalar(
            query.where(VoucherRecord.step == key.step, VoucherRecord.iteration == key.iteration)
        )
        return found

    async def newest_of(self, enrollment_id: UUID, names: Iterable[Span]) -> VoucherRecord | None:
        """The newest voucher that a step of an enrollment issued, under the names it has and had."""
        asked = list(names)
        query = (
            select(VoucherRecord)
            .where(VoucherRecord.enrollment_id == enrollment_id, VoucherRecord.step.in_([span.name for span in asked]))
            .order_by(VoucherRecord.issued_at.desc(), VoucherRecord.iteration.desc())
        )
        for voucher in await self._session.scalars(query):
            step, at = voucher.step, voucher.issued_at
            if step is not None and at is not None and any(span.covers(step, at) for span in asked):
                return voucher
        return None

    async def draw(self, pool_key: str) -> VoucherRecord | None:
        """A code that nobody has, kept from others until the transaction ends; None where the pool is sold out.

        It is not issued yet: nothing remains of it where `issue` does not follow.

        Raises:
            UnknownVoucherPool: there is no such pool.
        """
        pool = await self.pool(pool_key)
        if pool.most is not None and await self._count_issued(pool_key) >= pool.most:
            return None
        if not pool.imported:
            return VoucherRecord(pool_key=pool_key, code=new_code(pool.prefix))
        while (found := await self._session.scalar(_in_stock(pool_key).with_for_update(skip_locked=True))) is None:
            # What others hold at this moment may yet be given back.
            if not await self._session.scalar(select(exists(_in_stock(pool_key)))):
                return None
            await self._session.execute(_in_stock(pool_key).with_for_update())
        assert isinstance(found, VoucherRecord)
        return found

    async def make_up(self, pool_key: str) -> VoucherRecord:
        """A voucher for a test run, not issued yet: marked, of no stock, counted against no limit, worth nothing.

        Raises:
            UnknownVoucherPool: there is no such pool.
        """
        pool = await self.pool(pool_key)
        return VoucherRecord(pool_key=pool_key, code=test_code(pool.prefix), is_test=True)

    async def issue(
        self, voucher: VoucherRecord, key: IssueKey, contact_id: UUID, *, now: datetime, expires_at: datetime | None
    ) -> bool:
        """Give a drawn voucher to the contact; False where the pool was sold out meanwhile.

        One issue per key: callers lock the enrollment and look for an `issued` voucher first.
        """
        most = await self._session.scalar(
            select(VoucherPoolRecord.most).where(VoucherPoolRecord.key == voucher.pool_key)
        )
        if most is not None and not voucher.is_test:
            most = (await self._locked_pool(voucher.pool_key)).most
            if most is not None and await self._count_issued(voucher.pool_key) >= most:
                return False
        voucher.contact_id, voucher.enrollment_id = contact_id, key.enrollment_id
        voucher.step, voucher.iteration = key.step, key.iteration
        voucher.issued_at, voucher.expires_at = now, expires_at
        self._session.add(voucher)
        await self._session.flush()
        return True

    async def _count_issued(self, pool_key: str) -> int:
        issued = VoucherRecord.issued_at.is_not(None) & ~VoucherRecord.is_test
        query = select(func.count()).where(VoucherRecord.pool_key == pool_key, issued)
        return int(await self._session.scalar(query) or 0)

    async def find(self, code: str) -> VoucherRecord:
        """The voucher with this code, locked. Raises `UnknownVoucher` where there is none."""
        query = select(VoucherRecord).where(VoucherRecord.code == normalized(code)).with_for_update()
        found = await self._session.scalar(query.execution_options(populate_existing=True))
        if found is None:
            slip = " It seems to be mistyped: its check character does not fit." if mistyped(code) else ""
            raise UnknownVoucher(f"There is no voucher with this code.{slip}", remedy="Look at the code again.")
        assert isinstance(found, VoucherRecord)
        return found

    async def redeem(self, code: str, reference: str, *, now: datetime) -> VoucherRecord:
        """Redeem a voucher for `reference`; the contact's event `voucher.redeemed` follows. Asked again: the same.

        Raises:
            UnknownVoucher: there is none, nobody has been given it, or it was made up for a test run.
            VoucherRevoked, VoucherExpired, VoucherRedeemed: it cannot be redeemed, or not any more.
        """
        voucher = await self.find(code)
        if voucher.is_test:
            what = "This code was made up for a test run of a draft, and is worth nothing."
            raise UnknownVoucher(what, remedy="Try it with a voucher that a live journey has issued.")
        if voucher.redeemed_at is not None and voucher.reference == reference:
            return voucher
        if (reason := unusable(voucher, now)) is not None:
            raise reason
        voucher.redeemed_at, voucher.reference = now, reference
        await self._session.flush()
        await self._tell(voucher, now)
        return voucher

    async def _tell(self, voucher: VoucherRecord, now: datetime) -> None:
        if voucher.contact_id is None:
            return  # erased: nobody's journey is concerned
        journey = select(Enrollment.journey_key).where(Enrollment.id == voucher.enrollment_id)
        properties = {
            "pool": voucher.pool_key,
            "journey": await self._session.scalar(journey),
            "step": voucher.step,
            "reference": voucher.reference,
        }
        event = NewEvent(
            event_id=f"{VOUCHER_REDEEMED}:{voucher.id}",
            contact_id=voucher.contact_id,
            name=VOUCHER_REDEEMED,
            occurred_at=now,
            properties={name: value for name, value in properties.items() if value is not None},
            source=DERIVED,
        )
        await EventRepository(self._session).accept([event])

    async def revoke(self, code: str, because: str, *, now: datetime) -> VoucherRecord:
        """Take a voucher back; one that nobody has been given yet never will be. Asked again: the first time counts.

        Raises:
            UnknownVoucher: there is none.
            VoucherRedeemed: it has been redeemed.
        """
        voucher = await self.find(code)
        if voucher.redeemed_at is not None:
            raise VoucherRedeemed("The voucher has been redeemed.", remedy="What is done cannot be taken back here.")
        if voucher.revoked_at is None:
            voucher.revoked_at, voucher.revoked_because = now, because
            await self._session.flush()
        return voucher


def unusable(voucher: VoucherRecord, now: datetime) -> Conflict | NotFound | None:
    """Why a voucher cannot be redeemed at `now`; None where it can."""
    if voucher.issued_at is None:
        return UnknownVoucher("There is no voucher with this code that was issued.", remedy="Look at the code again.")
    if voucher.revoked_at is not None:
        return VoucherRevoked("The voucher was revoked.", remedy="Issue another one.")
    if voucher.redeemed_at is not None:
        return VoucherRedeemed("The voucher was redeemed already.", remedy="Each can be redeemed once.")
    if voucher.expires_at is not None and voucher.expires_at < now:
        return VoucherExpired("The voucher has expired.", remedy="Issue another one.")
    return None


_IN_STOCK = VoucherRecord.issued_at.is_(None) & VoucherRecord.revoked_at.is_(None)


def _in_stock(pool_key: str) -> Select[tuple[VoucherRecord]]:
    return (
        select(VoucherRecord).where(VoucherRecord.pool_key == pool_key, _IN_STOCK).order_by(VoucherRecord.code).limit(1)
    )


def _standing(pool: VoucherPoolRecord, issued: int, redeemed: int, revoked: int, stock: int) -> PoolStanding:
    limits = [pool.most - issued] if pool.most is not None else []
    limits += [stock] if pool.imported else []
    return PoolStanding(pool, issued, redeemed, revoked, max(min(limits), 0) if limits else None)
