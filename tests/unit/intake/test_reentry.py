"""The rules of re-entry, without a database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm.models.enrollment import Enrollment
from intake.reentry import LONGEST_KEY, EnrollmentRefusal, NotEnrolled, entry_key_of, reentry_refusal
from journeys.model import Again, Cooldown, PerProperty

ENDED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PREVIOUS = Enrollment(ended_at=ENDED)
PER_ORDER = PerProperty(per="order_id")
COOLDOWN = Cooldown(cooldown=timedelta(days=90))


def refusal(again: Again, now: datetime) -> EnrollmentRefusal | None:
    found = reentry_refusal(again, PREVIOUS, now)
    return found.reason if found else None


@pytest.mark.parametrize("again", ["never", PER_ORDER])
def test_once_means_once_for_ever(again: Again) -> None:
    assert refusal(again, ENDED + timedelta(days=3_650)) is EnrollmentRefusal.ALREADY_ENTERED


def test_after_exit_means_at_once_after_exit() -> None:
    assert refusal("after_exit", ENDED) is None


def test_a_cooldown_ends_at_its_last_instant_and_says_when() -> None:
    found = reentry_refusal(COOLDOWN, PREVIOUS, ENDED + timedelta(days=90) - timedelta(seconds=1))

    assert found == NotEnrolled(EnrollmentRefusal.COOLING_DOWN, "may enter again from 2026-05-31 09:00 UTC on")
    assert refusal(COOLDOWN, ENDED + timedelta(days=90)) is None


@pytest.mark.parametrize("again", ["never", "after_exit", COOLDOWN])
def test_only_one_per_property_tells_entries_apart(again: Again) -> None:
    assert entry_key_of(again, {"order_id": "o-1"}, "given") == ""


@pytest.mark.parametrize(
    ("properties", "given", "key"),
    [
        ({"order_id": "o-1"}, None, "o-1"),
        ({"order_id": 17}, None, "17"),
        ({"order_id": " o-1 "}, None, "o-1"),
        ({"order_id": "o-1"}, "o-2", "o-2"),
    ],
)
def test_the_entry_key_is_the_property_or_what_the_caller_gives(
    properties: dict[str, Any], given: str | None, key: str
) -> None:
    assert entry_key_of(PER_ORDER, properties, given) == key


def test_a_nested_property_may_be_the_key() -> None:
    assert entry_key_of(PerProperty(per="order.id"), {"order": {"id": "o-1"}}, None) == "o-1"


@pytest.mark.parametrize("value", [None, "", "  ", True, ["o-1"], {"id": 1}, "x" * (LONGEST_KEY + 1)])
def test_an_entry_without_a_usable_key_is_refused(value: Any) -> None:
    found = entry_key_of(PER_ORDER, {"order_id": value}, None)

    assert isinstance(found, NotEnrolled)
    assert found.reason is EnrollmentRefusal.NO_ENTRY_KEY
    assert "order_id" in found.because


@pytest.mark.parametrize("reason", EnrollmentRefusal)
def test_every_reason_is_explained(reason: EnrollmentRefusal) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "architecture" / "intake.md"
    assert f"`{reason}`" in page.read_text()
