"""What the mail to operators says."""

from datetime import UTC, datetime, timedelta

import pytest

from intake.alerts import Alert, as_mail, subject_of, text_of
from intake.halts import Halt, HaltKind
from intake.stuck import StuckGroup, StuckKind
from kit.settings import Settings
from messaging.channels.smtp import as_mime

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARKED = StuckGroup(
    "welcome", "mail", StuckKind.NEEDS_ATTENTION, "no\nvariable 'voucher'", 12, NOW - timedelta(hours=1)
)
LOST = StuckGroup("win-back", None, StuckKind.NOT_STARTED, "", 1, NOW - timedelta(minutes=9))
STILL = Halt(HaltKind.NOTHING_MOVES, NOW - timedelta(hours=2), 10_000)


@pytest.mark.parametrize(
    ("alert", "subject"),
    [
        (Alert(NOW, [LOST], []), "Dauerlauf: 1 enrollment is stuck"),
        (Alert(NOW, [PARKED, LOST], []), "Dauerlauf: 13 enrollments are stuck"),
        (Alert(NOW, [], [STILL]), "Dauerlauf: nothing moves"),
        (Alert(NOW, [PARKED], [STILL]), "Dauerlauf: 12 enrollments are stuck; nothing moves"),
    ],
)
def test_the_subject_says_how_many_and_what(alert: Alert, subject: str) -> None:
    assert subject_of(alert) == subject


def test_the_text_counts_by_step_and_reason_and_says_what_to_do_and_where_to_look() -> None:
    settings = Settings(
        public_url="https://journeys.example.com/",
        temporal_ui_url="https://temporal.example.com/",
        alert_email="o@x.de",
    )
    text = text_of(Alert(NOW, [PARKED, LOST], [STILL]), settings)
    assert "* 12 in welcome, step mail: needs attention, the first since 2026-03-02 08:00 UTC: no variable" in text
    assert "* 1 in win-back: not started, the first since 2026-03-02 08:51 UTC\n" in text
    assert "* nothing moves, since 2026-03-02 07:00 UTC: No worker has moved anything since then, and 10,000 or" in text
    assert "* needs attention: Mend what the reason names" in text
    assert "* https://journeys.example.com/v1/stuck\n" in text
    assert "* https://temporal.example.com/namespaces/default/workflows?query=JourneyState%20%3D%20" in text


def test_it_is_a_mail_in_plain_text_alone_that_no_answering_machine_answers() -> None:
    mail = as_mime(as_mail(Alert(NOW, [LOST], []), Settings(alert_email="ops@example.com")))
    assert (mail.get_content_type(), mail["To"], mail["Auto-Submitted"]) == (
        "text/plain",
        "ops@example.com",
        "auto-generated",
    )
