"""Voucher pools and vouchers in requests and answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from api.schemas.fields import EXAMPLE_ID, EXAMPLE_INSTANT, Identifier, Input, Output, Page
from crm.voucher_codes import normalized, usable
from journeys.values import Whole
from journeys.vouchers import MOST_CODES, PoolValue, Prefix

MOST_AT_ONCE = 10_000


def _code(value: str) -> str:
    code = normalized(value)
    if not usable(code):
        raise ValueError("This is no code. | Write 1 to 100 letters, digits and signs without spaces and slashes.")
    return code


Code = Annotated[str, AfterValidator(_code)]


class PoolInput(Input):
    """A pool as it is to be. With `codes` it hands out these and no others; more can be sent later."""

    value: PoolValue = Field(description="What a voucher is worth, in words.", examples=["10 %"])
    prefix: Prefix | None = Field(default=None, description="What generated codes begin with.")
    limit: Whole | None = Field(default=None, ge=1, le=MOST_CODES, description="How many are issued at most.")
    codes: list[Code] | None = Field(
        default=None, max_length=MOST_AT_ONCE, description="Codes from outside; known ones count once."
    )


class PoolView(Output):
    """A pool and its counts."""

    key: str
    value: str
    imported: bool = Field(description="Whether it hands out codes from outside.")
    prefix: str | None
    limit: int | None
    issued: int
    redeemed: int
    revoked: int
    left: int | None = Field(description="How many can still be issued; null where nothing limits it.")


class PoolAnswer(PoolView):
    """The pool after writing."""

    added: int = Field(description="How many of the codes were new.")


class RedeemInput(Input):
    """What a voucher is redeemed for. The same `reference` again gets the same answer."""

    reference: Identifier = Field(description="Your id of it, such as the order.", examples=["order-4711"])


class RevokeInput(Input):
    """Why a voucher is taken back."""

    because: Identifier = Field(description="For people.", examples=["the order was returned"])


class VoucherView(Output):
    """A voucher and what became of it."""

    code: str
    pool: str
    contact_id: UUID | None = Field(description="Who was given it; null where nobody was, or was erased since.")
    issued_at: datetime | None
    expires_at: datetime | None = Field(description="The last instant at which it can be redeemed; null: no end.")
    redeemed_at: datetime | None
    reference: str | None = Field(description="What it was redeemed for.")
    revoked_at: datetime | None


POOL_REQUEST = {"value": "10 %", "prefix": "WELCOME", "limit": 5_000}
POOL = PoolView(
    key="welcome",
    value="10 %",
    imported=False,
    prefix="WELCOME",
    limit=5_000,
    issued=812,
    redeemed=97,
    revoked=2,
    left=4_188,
)
POOLS = Page[PoolView](items=[POOL], next=None)
POOL_ANSWER = PoolAnswer(**POOL.model_dump(), added=0)
REDEEM_REQUEST = {"reference": "order-4711"}
REVOKE_REQUEST = {"because": "the order was returned"}
VOUCHER = VoucherView(
    code="WELCOME-7KF3Q-M9XTA",
    pool="welcome",
    contact_id=EXAMPLE_ID,
    issued_at=EXAMPLE_INSTANT,
    expires_at=None,
    redeemed_at=EXAMPLE_INSTANT,
    reference="order-4711",
    revoked_at=None,
)
REVOKED = VOUCHER.model_copy(update={"redeemed_at": None, "reference": None, "revoked_at": EXAMPLE_INSTANT})
