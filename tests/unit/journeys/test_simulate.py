"""What a simulated journey is told."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from journeys.catalogue import catalogue
from journeys.conditions.comparison import matches
from journeys.documents import from_document
from journeys.simulate import ADDRESS, PretendedContact, Script, example_entry
from journeys.values import Comparison
from kit.errors import Invalid
from tests.support.journeys import journey, wheres_with_ranges

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 6, 5, 10, tzinfo=BERLIN)


def contact(**document: Any) -> PretendedContact:
    return from_document(PretendedContact, document, name="contact")


def test_a_contact_nobody_described_can_be_written_to() -> None:
    somebody = contact()
    assert somebody.attributes == {"email": ADDRESS}
    assert [(one.purpose, one.channel) for one in somebody.consents] == [("marketing", "email")]


def test_what_is_no_key_of_a_contact_is_an_attribute() -> None:
    ada = contact(first_name="Ada", attributes={"plan": "pro"}, email=None, lists=["vip"])
    assert ada.attributes == {"email": None, "first_name": "Ada", "plan": "pro"}
    assert ada.lists == ("vip",)


@pytest.mark.parametrize(
    ("written", "purposes"),
    [([], []), (None, []), ("sales", ["sales"]), (["marketing", {"purpose": "sales"}], ["marketing", "sales"])],
)
def test_consents_are_written_short_or_long(written: Any, purposes: list[str]) -> None:
    assert [one.purpose for one in contact(consents=written).consents] == purposes


def test_a_mistake_in_a_contact_is_told_with_its_place() -> None:
    with pytest.raises(Invalid, match=r"history\[0\].ago"):
        contact(history=[{"event": "order.placed", "ago": "yesterday"}])


def test_a_script_says_when_things_happen() -> None:
    events = [
        {"event": "a"},
        {"event": "b", "after": "2d"},
        {"event": "c", "at": "2026-06-08 18:30"},
        {"event": "d", "at": "2026-06-08T18:30:00+00:00"},
    ]
    script = from_document(Script, {"events": events}, name="script")
    assert [event.occurs(START, BERLIN) for event in script.events] == [
        START,
        START + timedelta(days=2),
        datetime(2026, 6, 8, 18, 30, tzinfo=BERLIN),
        datetime(2026, 6, 8, 18, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    "event", [{"event": "a", "after": "1d", "at": "2026-06-08 18:30"}, {"event": "a", "at": "next Tuesday"}]
)
def test_a_time_that_is_none_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        from_document(Script, {"events": [event]}, name="script")


def test_an_example_lets_a_contact_into_each_shipped_journey() -> None:
    for shipped in catalogue():
        assert matches(shipped.entry.where, example_entry(shipped), {}), shipped.key


def test_an_example_has_what_the_journey_looks_for_in_its_entry() -> None:
    made = journey(exit=[{"event": "order.refunded", "where": {"order_id": "$entry.order_id"}}])
    assert example_entry(made) == {"order_id": "example order_id"}


def test_an_example_has_a_date_where_the_journey_waits_for_one() -> None:
    made = journey(steps=[{"wait": {"before": "1 day", "date": "$entry.starts_at", "at": "09:00", "late": "now"}}])
    assert example_entry(made, date="2026-06-25") == {"starts_at": "2026-06-25"}


@given(wheres_with_ranges)
def test_an_example_satisfies_every_where_of_one_comparison_per_property(where: dict[str, Any]) -> None:
    made = journey(entry={"event": "order.placed", "where": where})
    asked = [one for one in made.entry.where.values() if isinstance(one, Comparison)]
    several = any(len(one.operators()) > 1 for one in asked)
    refers = "$entry" in str(where)
    example = example_entry(made)
    assert several or refers or None in example.values() or matches(made.entry.where, example, {})
