"""Vouchers on every way: a message about one has it, or that is told."""

from typing import Any

import pytest

from journeys.findings import KnownTemplate
from journeys.proofs.subject import subject_of
from journeys.proofs.vouchers import vouchers_present
from tests.support.journeys import journey

KNOWN = {
    "gift": KnownTemplate("transactional", frozenset({"voucher.code"})),
    "until": KnownTemplate("transactional", frozenset({"voucher.code", "voucher.expires_at"})),
    "plain": KnownTemplate("transactional"),
}
GIFT = {"id": "gift", "send": {"template": "gift", "voucher": {"pool": "gifts"}}}
SENT = {"result": {"step": "gift", "is": "sent"}}
AGAIN = {"send": {"template": "gift", "voucher": {"of": "gift"}}}


def rules(*steps: dict[str, Any]) -> list[str]:
    subject = subject_of(journey(steps=list(steps)))
    assert subject is not None
    return [note.rule for note in vouchers_present(subject, KNOWN)]


@pytest.mark.parametrize(
    "steps",
    [
        [GIFT, {"wait": "1d"}, AGAIN],
        [{"send": {"template": "plain"}}],
        [{"send": {"template": "until", "voucher": {"pool": "gifts", "valid": "7d"}}}],
        [{"if": {"in_list": "vip"}, "then": [GIFT, AGAIN]}],
        [{**GIFT, "expires_after": "1d"}, {"if": SENT, "then": [AGAIN]}],
        [{**GIFT, "expires_after": "1d"}, {"if": {"not": SENT}, "then": [{"exit": "no gift"}]}, AGAIN],
        [{"if": {"in_list": "vip"}, "then": [GIFT], "else": [{"exit": "nothing for you"}]}, AGAIN],
    ],
    ids=str,
)
def test_a_voucher_that_is_there_on_every_way_is_nothing_to_mend(steps: list[dict[str, Any]]) -> None:
    assert rules(*steps) == []


@pytest.mark.parametrize(
    ("steps", "rule"),
    [
        ([{"send": {"template": "gift"}}], "voucher-missing"),
        ([{"send": {"template": "until", "voucher": {"pool": "gifts"}}}], "voucher-never-expires"),
        ([GIFT, {"send": {"template": "until", "voucher": {"of": "gift"}}}], "voucher-never-expires"),
        ([{"if": {"in_list": "vip"}, "then": [GIFT]}, AGAIN], "voucher-may-be-missing"),
        ([{**GIFT, "expires_after": "1d"}, AGAIN], "voucher-may-be-missing"),
        ([{**GIFT, "expires_after": "1d"}, {"if": SENT, "else": [AGAIN]}], "voucher-may-be-missing"),
    ],
    ids=str,
)
def test_a_voucher_that_may_be_missing_is_told(steps: list[dict[str, Any]], rule: str) -> None:
    assert rules(*steps) == [rule]
