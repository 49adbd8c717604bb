"""Pretended time and the workflow's."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cli.simulation.shifting import CYCLE, brought_back, shift_into_future, shifted
from journeys.outcomes import JourneyState, StepVerdict
from workflows.details import instant
from workflows.ports import Progress, SendMessage
from workflows.state import Decision

NOW = datetime(2026, 6, 5, 10, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
days = st.integers(0, 26_000).map(lambda number: datetime(2000, 1, 1, 7, 30, tzinfo=UTC) + timedelta(days=number))


def a_request() -> SendMessage:
    decision = Decision(ordinal=0, step="a", verdict=StepVerdict.PASSED, entered_at=NOW, at=NOW, because="2026-06-05")
    progress = Progress(
        enrollment_id=UUID(int=1), state=JourneyState.RUNNING, step="b", since=NOW, decisions=[decision]
    )
    return SendMessage(
        enrollment_id=UUID(int=1),
        contact_id=UUID(int=2),
        step="b",
        iteration=1,
        now=NOW,
        progress=progress,
        template="voucher",
        channel="email",
        window={"from": "08:00"},
    )


def test_every_instant_of_a_request_is_shifted_and_nothing_else() -> None:
    request = a_request()
    moved = shifted(request, CYCLE)
    assert (moved.now, moved.progress.since, moved.progress.due_at) == (NOW + CYCLE, NOW + CYCLE, None)
    (decision,) = moved.progress.decisions
    assert (decision.at, decision.because) == (NOW + CYCLE, "2026-06-05")
    assert moved.window == {"from": "08:00"}
    assert shifted(moved, -CYCLE) == request
    assert shifted(request, timedelta(0)) is request


@given(day=days, present=days)
def test_a_shifted_day_lies_ahead_on_the_same_date_and_weekday(day: datetime, present: datetime) -> None:
    ahead = shift_into_future(day, present)
    there = day + ahead
    assert there > present or not ahead
    assert there >= present or day > present
    assert ahead % CYCLE == timedelta(0)
    assert (there.month, there.day, there.weekday(), there.time()) == (day.month, day.day, day.weekday(), day.time())


@given(day=days)
def test_the_clocks_of_berlin_change_on_the_same_days_a_cycle_later(day: datetime) -> None:
    there = day + CYCLE
    assert day.astimezone(BERLIN).utcoffset() == there.astimezone(BERLIN).utcoffset()


def test_what_lies_in_the_future_is_not_shifted() -> None:
    assert shift_into_future(NOW + timedelta(seconds=1), NOW) == timedelta(0)


def test_years_in_the_sentences_of_the_workflow_are_brought_back() -> None:
    due, written_on = NOW + timedelta(days=300) + CYCLE, NOW + CYCLE
    sentence = f"it was time {instant(due, 'Europe/Berlin', now=written_on)}. Room 2055 of 3 Jan 2056"
    assert brought_back(sentence, CYCLE) == "it was time Thu 1 Apr 2027 12:00 Europe/Berlin. Room 2055 of 3 Jan 2056"
    assert brought_back(sentence, timedelta(0)) == sentence
