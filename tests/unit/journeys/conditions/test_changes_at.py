"""When time alone changes the verdict of a condition: found exactly, and never missed."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from journeys.conditions.base import Facts
from journeys.conditions.first import first_holding
from kit.errors import Invalid
from tests.support.journeys import NOW, condition, conditions, event, facts

RECENT = {"event": "x", "within": "7d", "since": "ever"}
LONG_AGO = Facts(now=NOW, events=[event("x", hours_ago=24 * 5), event("x", hours_ago=24)])


@pytest.mark.parametrize(
    ("document", "moment"),
    [
        (RECENT, NOW + timedelta(days=2)),
        ({"none": RECENT}, NOW + timedelta(days=2)),
        ({"not": {"all": [{"in_list": "vip"}, RECENT]}}, NOW + timedelta(days=2)),
        ({"any": [{**RECENT, "within": "6d"}, RECENT]}, NOW + timedelta(days=1)),
        ({**RECENT, "within": "2d"}, NOW + timedelta(days=1)),
        ({"event": "x", "since": "ever"}, None),
        ({"in_list": "vip"}, None),
    ],
    ids=str,
)
def test_it_is_when_the_first_event_is_too_long_ago(document: dict[str, Any], moment: datetime | None) -> None:
    found = condition(document).changes_at(LONG_AGO)
    assert found == (moment + timedelta(milliseconds=1) if moment else None)


@given(conditions, facts, st.integers(0, 60 * 24 * 60))
def test_a_verdict_stays_until_then(document: dict[str, Any], known: Facts, minutes: int) -> None:
    asked = condition(document)
    later = NOW + timedelta(minutes=minutes)
    with suppress(Invalid):
        now, again_at = asked.judge(known), asked.changes_at(known)
        assume(again_at is None or later < again_at)
        assert asked.judge(replace(known, now=later)).holds == now.holds


def test_several_conditions_change_with_the_first_of_them() -> None:
    asked = [condition({"none": {**RECENT, "within": days}}) for days in ("6d", "7d")]
    assert first_holding(asked, LONG_AGO).again_at == NOW + timedelta(days=1, milliseconds=1)
    assert first_holding([condition({"all": []}), *asked], LONG_AGO).again_at is None
