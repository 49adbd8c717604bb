"""Vouchers as journeys speak of them: the pool a code comes from, and which voucher a message is about.

Issuing and redeeming is in `crm.vouchers`; a code is personal and never enters a plan or a workflow.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from journeys.duration import Duration
from journeys.refusals import refused
from journeys.values import Key, Strict, Whole

Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$", max_length=12)]
"""What generated codes begin with: capitals and digits."""
PoolValue = Annotated[str, StringConstraints(min_length=1, max_length=100)]
MOST_CODES = 10_000_000


class VoucherPool(Strict):
    """Where the codes of one kind of voucher come from, as it is written beside the shipped journeys."""

    key: Key
    value: PoolValue = Field(description="What a voucher is worth, in words such as `10 %`.")
    prefix: Prefix | None = Field(default=None, description="What generated codes begin with.")
    limit: Whole | None = Field(default=None, ge=1, le=MOST_CODES, description="How many are issued at most.")


class MessageVoucher(Strict):
    """The voucher a message is about: a new one of a pool, issued with the message, or the one of an earlier step."""

    pool: Key | None = Field(default=None, description="The pool a new, unique code is issued from.")
    valid: Duration | None = Field(
        default=None, description="How long it is valid: to the end of that day where the contact lives."
    )
    of: Key | None = Field(default=None, description="The step that issued it, where it is not a new one.")

    @model_validator(mode="after")
    def _new_or_known(self) -> MessageVoucher:
        if (self.pool is None) == (self.of is None):
            raise refused(
                "a message is about one voucher, a new one or that of an earlier step.",
                "Write `pool: …` for a new one, or `of: …` with the step that issued it.",
            )
        if self.valid is not None and (self.of is not None or not self.valid):
            raise refused(
                "`valid` says how long a new voucher is valid.", "Write a span longer than nothing, beside `pool`."
            )
        return self
