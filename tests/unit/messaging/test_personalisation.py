import pytest

from kit.errors import Invalid
from kit.settings import Settings
from messaging.channels.base import Mailbox
from messaging.personalisation import one_line, sender_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë  Öz", "Zoë Öz"),
        ("Ada\r\nBcc: x@example.com", "Ada Bcc: x@example.com"),
        ("Ada\x00\u2028\u202e\tL", "Ada L"),
        ("   ", ""),
        ("x" * 500, "x" * 100),
    ],
)
def test_a_name_becomes_fit_for_a_header(text: str, expected: str) -> None:
    assert one_line(text) == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("Plattenladen <hallo@example.com>", Mailbox("hallo@example.com", "Plattenladen")),
        ("hallo@example.com", Mailbox("hallo@example.com", "")),
        ('"Laden, Platten" <hallo@example.com>', Mailbox("hallo@example.com", "Laden, Platten")),
    ],
)
def test_the_sender_is_read_from_the_settings(setting: str, expected: Mailbox) -> None:
    assert sender_of(Settings(mail_from=setting)) == expected


@pytest.mark.parametrize("setting", ["", "Plattenladen", "Plattenladen <>", "<a b@example.com>"])
def test_a_sender_without_address_says_which_setting_to_mend(setting: str) -> None:
    with pytest.raises(Invalid, match="DAUERLAUF_MAIL_FROM"):
        sender_of(Settings(mail_from=setting))
