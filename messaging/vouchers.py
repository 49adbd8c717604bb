"""The voucher a message is about: drawn before the letter is written, issued once the gate has let the letter leave.

Both happen in the transaction that claims the message, so a code is issued exactly where a message is claimed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.voucher import VoucherRecord
from crm.vouchers import IssueKey, VoucherRepository, unusable
from journeys.former_names import FormerNames, spans_of
from journeys.outcomes import RefusalReason
from journeys.timing import zone_or_default
from journeys.vouchers import MessageVoucher
from kit.settings import Settings
from messaging.verdicts import Refused

SOLD_OUT = Refused(RefusalReason.SOLD_OUT, "The pool has no voucher left.")


@dataclass(frozen=True)
class VoucherOrder:
    """Which voucher a message is about, for whom, at which step. `now` is the workflow's time, aware."""

    asked: MessageVoucher
    key: IssueKey
    contact: Contact
    now: datetime
    former: FormerNames
    """What steps were called before, where they have been renamed."""
    is_test: bool = False
    """Whether it is of a test run of a draft: then the voucher is made up, and no code is used up."""


@dataclass(frozen=True)
class Chosen:
    """The voucher of a message; `new` where it is yet to be issued. `expires_at` is aware."""

    voucher: VoucherRecord
    value: str
    expires_at: datetime | None
    new: bool

    def variables(self, zone: ZoneInfo) -> Mapping[str, Any]:
        """What a template may say of it: `voucher.code`, `voucher.value`, and `voucher.expires_at` where they live."""
        return voucher_variables(self.voucher.code, self.value, self.expires_at, zone)


def voucher_variables(code: str, value: str, expires_at: datetime | None, zone: ZoneInfo) -> Mapping[str, Any]:
    """The variables of a voucher; one that does not expire has no `expires_at`."""
    expiry = {} if expires_at is None else {"expires_at": expires_at.astimezone(zone).isoformat()}
    return {"code": code, "value": value, **expiry}


def expiry_of(asked: MessageVoucher, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The last second of the day on which the voucher's time is over where the contact lives; None: never over."""
    if asked.valid is None:
        return None
    day = (now + asked.valid).astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, time(0), zone).astimezone(now.tzinfo) - timedelta(seconds=1)


class VoucherDesk:
    """Chooses and issues vouchers of messages, within the transaction of their claim."""

    def __init__(self, session: AsyncSession, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._vouchers = VoucherRepository(session)

    async def take_turn(self, key: IssueKey) -> None:
        """Keep other attempts of the same enrollment waiting until the transaction ends: one step, one voucher."""
        await self._session.execute(select(Enrollment.id).where(Enrollment.id == key.enrollment_id).with_for_update())

    def zone(self, contact: Contact) -> ZoneInfo:
        """Where the contact lives."""
        return zone_or_default(contact.time_zone, self._settings.default_time_zone)[0]

    async def choose(self, order: VoucherOrder) -> Chosen | Refused:
        """The voucher the message is to be about, or why there is none.

        Raises:
            UnknownVoucherPool: there is no such pool.
        """
        if order.asked.of is not None:
            return await self._known(order, order.asked.of)
        assert order.asked.pool is not None
        issued = await self._vouchers.issued(order.key)
        if issued is not None:
            return await self._chosen(issued, issued.expires_at, new=False)
        draw = self._vouchers.make_up if order.is_test else self._vouchers.draw
        drawn = await draw(order.asked.pool)
        if drawn is None:
            return SOLD_OUT
        return await self._chosen(drawn, expiry_of(order.asked, order.now, self.zone(order.contact)), new=True)

    async def _known(self, order: VoucherOrder, step: str) -> Chosen | Refused:
        issued = await self._vouchers.newest_of(order.key.enrollment_id, spans_of(step, order.former))
        if issued is None:
            return Refused(RefusalReason.NO_VOUCHER, f"The step {step} has issued no voucher.")
        if (reason := unusable(issued, order.now)) is not None:
            return Refused(RefusalReason.NO_VOUCHER, reason.message)
        return await self._chosen(issued, issued.expires_at, new=False)

    async def _chosen(self, voucher: VoucherRecord, expires_at: datetime | None, *, new: bool) -> Chosen:
        pool = await self._vouchers.pool(voucher.pool_key)
        return Chosen(voucher, pool.value, expires_at, new)

    async def issue(self, chosen: Chosen, order: VoucherOrder) -> Refused | None:
        """Issue the voucher where it is new; the refusal where the pool has been sold out meanwhile."""
        if not chosen.new:
            return None
        done = await self._vouchers.issue(
            chosen.voucher, order.key, order.contact.id, now=order.now, expires_at=chosen.expires_at
        )
        return None if done else SOLD_OUT
