"""How entries by time are written and read."""

from typing import Any

import pytest

from journeys.documents import journey_from_document, to_document
from journeys.entries import Absence, DateEntry
from kit.errors import Invalid
from tests.support.journeys import journey


def absence(**parts: Any) -> Absence:
    return Absence.model_validate({"of": "order.placed", "for": "90d", **parts})


def problem(entry: Any) -> str:
    with pytest.raises(Invalid) as caught:
        journey(entry=entry)
    (only,) = caught.value.problems
    return str(only)


def test_one_name_may_be_written_without_a_list() -> None:
    assert absence() == absence(of=["order.placed"])
    document = to_document(journey(entry={"absence": {"of": "order.placed", "for": "12w"}}))
    assert document["entry"] == {"absence": {"of": ["order.placed"], "for": "84d"}}
    assert to_document(journey_from_document(document)) == document


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"absence": {"of": "x", "for": "1d"}, "event": "y"}, "`event` and `absence` are different ways in."),
        ({"absence": {"of": "x", "for": "1d"}, "where": {"a": 1}}, "`where` filters an event, and there is none."),
        ({"absence": {"of": [], "for": "1d"}}, "This is empty or too short."),
        ({"absence": {"of": "x"}}, "`for` is missing."),
        ({"absence": {"of": "x", "for": "three months"}}, "'three months' is not a duration."),
        ({"absence": {"of": "x", "for": "1d", "also_with": True}}, "Did you mean `also_without`?"),
        ({"absence": {"of": "x", "for": "1d", "backfill": "all"}}, "Allowed: none, matching."),
        ({"absence": {"of": "x", "for": "1d"}, "date": {"of": "y"}}, "`absence` and `date` are different ways in."),
        ({"date": {"of": "x", "before": "7d", "after": "7d"}}, "`before` and `after` cannot both be meant."),
        ({"date": {"of": "x", "before": "90m"}}, "A distance from a date is counted in days."),
        ({"date": {"of": "x", "yearly": True, "after": "2 years"}}, "never further away than a year."),
        ({"broadcast": {"at": "2026-12-01"}}, "'2026-12-01' does not say at what time."),
        ({"broadcast": {"at": "2026-12-01T10:00:00Z", "local": True}}, "With an offset from UTC it is one instant"),
        ({"broadcast": {"at": "2026-12-01 10:00", "spread": "2d"}}, "A spread is longer than nothing"),
        ({"broadcast": {"at": "2026-12-01 10:00"}, "event": "x"}, "`event` and `broadcast` are different ways in."),
        ({"date": {"of": "x", "at": 9}}, "9 is not a time of day."),
        ({"date": {"of": "x", "expires_after": "always"}}, "'always' is not a duration."),
        ({"date": {"of": "x", "leap_day": "feb-29"}}, "feb-28"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_told(entry: dict[str, Any], said: str) -> None:
    assert said in problem(entry)


def test_what_is_listened_to_makes_another_fingerprint_and_nothing_else_does() -> None:
    same = [absence(), absence(**{"for": "60d"}), absence(backfill="matching")]
    others = [absence(of="app.opened"), absence(where={"total": 5}), absence(also_without=True)]
    assert len({one.fingerprint for one in same}) == 1
    assert len({one.fingerprint for one in [*same, *others]}) == 4


def test_a_date_is_written_as_short_as_it_can_be() -> None:
    short: dict[str, Any] = {"date": {"of": "birthday", "yearly": True}}
    full = {"date": {**short["date"], "at": "09:00", "leap_day": "feb-28", "expires_after": "1d"}}
    assert to_document(journey(entry=full))["entry"] == short
    other = {"date": {"of": "contract.end", "before": "30 days", "at": "18:30", "expires_after": "never"}}
    assert to_document(journey(entry=other))["entry"] == other


def test_what_a_date_means_makes_another_fingerprint_and_its_use_does_not() -> None:
    def date(**parts: Any) -> str:
        return DateEntry.model_validate({"of": "birthday", **parts}).fingerprint

    others: list[dict[str, Any]] = [
        {"yearly": True},
        {"at": "10:00"},
        {"before": "1d"},
        {"after": "1d"},
        {"leap_day": "mar-1"},
        {"of": "x"},
    ]
    assert len({date(), *(date(**other) for other in others)}) == len(others) + 1
    assert date(expires_after="never") == date()


def test_a_broadcast_is_written_as_it_is_read() -> None:
    for broadcast in (
        {"at": "2026-12-01 10:00"},
        {"at": "2026-12-01 10:00", "local": False},
        {"at": "2026-12-01T10:00+01:00", "expires_after": "never"},
        {"at": "2026-12-01 10:00", "spread": "2h"},
    ):
        assert to_document(journey(entry={"broadcast": broadcast}))["entry"] == {"broadcast": broadcast}


def test_an_absence_of_contacts_without_is_begun_by_any_event() -> None:
    assert absence().clock_events == ("order.placed",)
    assert absence(also_without=True).clock_events == ("order.placed", "*")
