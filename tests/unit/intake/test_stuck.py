"""Who is stuck: every standing is classified in one way, and who waits for what is still to come is never stuck."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.halts import SENTENCES, HaltKind
from intake.stuck import REMEDIES, StuckKind, kind_of
from journeys.outcomes import ENDED, JourneyState

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATE = NOW - timedelta(minutes=5)
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
OPEN = [state for state in JourneyState if state not in ENDED]
EXPECTED = {
    JourneyState.STARTING: StuckKind.NOT_STARTED,
    JourneyState.RUNNING: StuckKind.OVERDUE,
    JourneyState.WAITING: StuckKind.OVERDUE,
    JourneyState.NEEDS_ATTENTION: StuckKind.NEEDS_ATTENTION,
    JourneyState.PAUSED: None,
}


@given(state=st.sampled_from(OPEN), since=INSTANTS, due_at=st.none() | INSTANTS, paused=st.booleans())
def test_whoever_is_stuck_is_so_in_the_one_way_of_its_state(
    *, state: JourneyState, since: datetime, due_at: datetime | None, paused: bool
) -> None:
    kind = kind_of(state, since=since, due_at=due_at, late=LATE, journey_paused=paused)
    assert kind in {None, EXPECTED[state]}
    is_late = (due_at is not None and due_at < LATE) if state is JourneyState.WAITING else since < LATE
    held = paused and state is not JourneyState.NEEDS_ATTENTION
    certain = state is JourneyState.NEEDS_ATTENTION or is_late
    assert (kind is not None) == (certain and not held and EXPECTED[state] is not None)


@given(since=INSTANTS, ahead=st.timedeltas(timedelta(0), timedelta(days=400)), paused=st.booleans())
def test_who_waits_for_what_is_still_to_come_is_never_stuck(*, since: datetime, ahead: timedelta, paused: bool) -> None:
    assert kind_of(JourneyState.WAITING, since=since, due_at=NOW + ahead, late=LATE, journey_paused=paused) is None


@pytest.mark.parametrize("state", sorted(ENDED))
def test_what_has_ended_is_not_stuck(state: JourneyState) -> None:
    assert kind_of(state, since=LATE - timedelta(days=1), due_at=None, late=LATE) is None


def test_whatever_is_found_comes_with_what_to_do() -> None:
    assert set(REMEDIES) == set(StuckKind)
    assert set(SENTENCES) == set(HaltKind)
