"""The voucher of a message, in both languages."""

from journeys.reading import english_clauses, german_clauses
from journeys.vouchers import MessageVoucher


def in_english(voucher: MessageVoucher | None) -> str:
    """`, with a voucher of "welcome", valid for 30 days`; empty where the message is about none."""
    if voucher is None:
        return ""
    if voucher.of is not None:
        return f', about the voucher of "{voucher.of}"'
    valid = f", valid for {english_clauses.lasting(voucher.valid)}" if voucher.valid is not None else ""
    return f', with a voucher of "{voucher.pool}"{valid}'


def in_german(voucher: MessageVoucher | None) -> str:
    """`, mit einem Gutschein aus „welcome“, 30 Tage gültig`; empty where the message is about none."""
    if voucher is None:
        return ""
    if voucher.of is not None:
        return f", zum Gutschein aus {german_clauses.quoted(voucher.of)}"
    valid = f", {german_clauses.lasting(voucher.valid)} gültig" if voucher.valid is not None else ""
    return f", mit einem Gutschein aus {german_clauses.quoted(voucher.pool or '')}{valid}"
