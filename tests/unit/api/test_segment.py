"""What a Segment call means as an event, and what is wrong with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from api.schemas.tracking import AnyCall, Batch
from api.segment import LARGEST_EVENT, Occurrence, findings, oversized, read_call

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CALLS: TypeAdapter[AnyCall] = TypeAdapter(AnyCall)


def a_call(**fields: Any) -> AnyCall:
    return CALLS.validate_python({"type": "track", "userId": "u1", "event": "order.placed", **fields})


def read(call: AnyCall, envelope: Batch | None = None) -> Occurrence:
    return read_call(call, now=NOW, new_id=lambda: "made-up", envelope=envelope)


def test_without_an_id_and_a_time_both_are_made_up() -> None:
    occurrence = read(a_call())
    assert (occurrence.event_id, occurrence.occurred_at) == ("made-up", NOW)


def test_numbers_are_read_as_the_ids_they_look_like() -> None:
    occurrence = read(a_call(userId=4711, messageId=1))
    assert (occurrence.user_id, occurrence.event_id) == ("4711", "1")


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_blank_is_absent(empty: str | None) -> None:
    assert read(a_call(anonymousId=empty, messageId=empty)).anonymous_id is None


@pytest.mark.parametrize("field", ["timestamp", "originalTimestamp"])
@pytest.mark.parametrize(
    "text", ["2026-03-01T10:30:00+01:00", "2026-03-01T09:30:00.000Z", "2026-03-01 09:30Z", "2026-03-01T09:30:00,0Z"]
)
def test_instants_are_read_in_the_usual_spellings(field: str, text: str) -> None:
    assert read(a_call(**{field: text})).occurred_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_a_wrong_clock_shifts_the_time_and_a_nearly_right_one_does_not() -> None:
    hour_slow = a_call(timestamp="2026-03-02T07:50:00Z", sentAt="2026-03-02T08:00:00Z")
    assert read(hour_slow).occurred_at == NOW - timedelta(minutes=10)
    nearly_right = a_call(timestamp="2026-03-02T08:50:00Z", sentAt="2026-03-02T08:59:30Z")
    assert read(nearly_right).occurred_at == NOW - timedelta(minutes=10)


def test_an_old_event_sent_now_keeps_its_time() -> None:
    imported = a_call(timestamp="1997-01-01T12:00:00Z", sentAt=NOW.isoformat())
    assert read(imported).occurred_at == datetime(1997, 1, 1, 12, tzinfo=UTC)


def test_what_the_batch_says_counts_for_calls_that_say_nothing() -> None:
    envelope = Batch.model_validate(
        {"batch": [], "sentAt": "2026-03-02T08:00:00Z", "context": {"campaign": "spring", "library": {"name": "x"}}}
    )
    occurrence = read(a_call(timestamp="2026-03-02T07:50:00Z"), envelope)
    assert occurrence.occurred_at == NOW - timedelta(minutes=10)
    assert occurrence.properties == {"context": {"campaign": "spring"}}
    own = read(a_call(context={"campaign": "autumn"}), envelope)
    assert own.properties == {"context": {"campaign": "autumn"}}


def test_the_name_of_the_library_is_not_kept() -> None:
    assert read(a_call(context={"library": {"name": "analytics-python"}})).properties == {}


def test_a_property_named_context_is_the_callers_own() -> None:
    assert read(a_call(properties={"context": "mine"}, context={"ip": "::1"})).properties == {"context": "mine"}


def test_a_page_keeps_name_and_category() -> None:
    call = CALLS.validate_python({"type": "page", "userId": "u", "name": "Pricing", "category": "Shop"})
    assert read(call).properties == {"name": "Pricing", "category": "Shop"}
    assert read(call).name == "page.viewed"


def test_every_call_without_contact_is_found() -> None:
    calls = [a_call(), a_call(userId=None), a_call(userId=None, anonymousId="a")]
    assert [problem.where for problem in findings(calls, at=lambda number: f"/batch/{number}")] == ["/batch/1/userId"]


def test_an_alias_needs_its_user() -> None:
    call = CALLS.validate_python({"type": "alias", "previousId": "a", "anonymousId": "b"})
    (problem,) = findings([call], at=lambda _: "")
    assert problem.where == "/userId"


@pytest.mark.parametrize("part", ["properties", "context"])
def test_an_event_larger_than_the_limit_is_found(part: str) -> None:
    limit = LARGEST_EVENT - len('{"a":""}')
    fits, exceeds = a_call(**{part: {"a": "x" * limit}}), a_call(**{part: {"a": "x" * (limit + 1)}})
    assert [problem.where for problem in oversized([fits, exceeds], at=lambda number: f"/batch/{number}")] == [
        "/batch/1"
    ]
