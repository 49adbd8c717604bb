"""What steps were called before: what is stored under a name belongs to exactly one step."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from journeys.former_names import FormerName, FormerNames, carried_names, spans_of

START = datetime(2026, 3, 2, tzinfo=UTC)
NAMES = ["a", "b", "c", "d"]
renamings = st.lists(st.permutations(NAMES), max_size=5)
"""Moves that give the same four steps their names anew; shifted names are among them."""


def owners(name: str, at: datetime, former: FormerNames) -> list[str]:
    return [step for step in NAMES if any(span.covers(name, at) for span in spans_of(step, former))]


@given(renamings, st.sampled_from(NAMES), st.data())
def test_whatever_a_step_left_behind_is_found_under_its_present_name_and_no_other(
    moves: list[list[str]], written: str, data: st.DataObject
) -> None:
    after = data.draw(st.integers(0, len(moves)), "moves before it was stored")
    at, present = START + timedelta(days=after, hours=-1), written
    former: FormerNames = {}
    for number, names in enumerate(moves):
        new = dict(zip(NAMES, names, strict=True))
        former = carried_names(former, new, START + timedelta(days=number))
        present = present if number < after else new[present]
    assert owners(written, at, former) == [present]


def test_a_new_step_under_a_name_of_before_has_what_is_stored_since_the_move() -> None:
    former = carried_names({}, {"wait-1": "wait-2"}, START)
    assert former == {"wait-2": [FormerName(name="wait-1", until=START)]}
    (before, now) = spans_of("wait-2", former)
    assert before.covers("wait-1", START - timedelta(seconds=1))
    assert not before.covers("wait-1", START)
    assert now.covers("wait-2", START)
    assert not now.covers("wait-2", START - timedelta(seconds=1))
