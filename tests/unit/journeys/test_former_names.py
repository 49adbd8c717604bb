"""What steps were called before: what is stored under a name belongs to exactly one step."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from journeys.former_names import FormerName, FormerNames, carried_names, spans_of

START = datetime(2026, 3, 2, tzinfo=UTC)
NAMES = ["a", "b", "c", "d"]
renamings = st.lists(
    st.builds(
        lambda new, moved: {old: name for old, name in zip(NAMES, new, strict=True) if old in moved},
        st.permutations(NAMES),
        st.sets(st.sampled_from(NAMES)),
    ),
    max_size=5,
)
"""Moves that give some of the steps other names. A name that is left over is that of a new step; one that is taken from
a step without a new name is the end of that step."""


def owners(name: str, at: datetime, former: FormerNames) -> list[str]:
    return [step for step in NAMES if any(span.covers(name, at) for span in spans_of(step, former))]


def moved(steps: dict[str, object], new: dict[str, str]) -> dict[str, object]:
    """Who has which name after a move."""
    renamed = {name: steps[old] for old, name in new.items()}
    return {name: object() if name in new else step for name, step in steps.items()} | renamed


@given(renamings, st.sampled_from(NAMES), st.data())
def test_whatever_a_step_left_behind_is_found_under_its_present_name_and_no_other(
    moves: list[dict[str, str]], written: str, data: st.DataObject
) -> None:
    after = data.draw(st.integers(0, len(moves)), "moves before it was stored")
    at = START + timedelta(days=after, hours=-1)
    former: FormerNames = {}
    history: list[dict[str, object]] = [{name: object() for name in NAMES}]
    for number, new in enumerate(moves):
        former = carried_names(former, new, START + timedelta(days=number))
        history.append(moved(history[-1], new))
    assert owners(written, at, former) == [
        name for name, step in history[-1].items() if step is history[after][written]
    ]


def test_a_new_step_under_the_name_of_one_that_was_shifted_has_nothing_of_it() -> None:
    former = carried_names({}, {"wait-for-1": "wait-for-2"}, START)
    (span,) = spans_of("wait-for-1", former)
    assert not span.covers("wait-for-1", START - timedelta(seconds=1))
    assert span.covers("wait-for-1", START)


def test_a_new_step_under_a_name_of_before_has_what_is_stored_since_the_move() -> None:
    former = carried_names({}, {"wait-1": "wait-2"}, START)
    assert former == {"wait-2": [FormerName(name="wait-1", until=START)]}
    (before, now) = spans_of("wait-2", former)
    assert before.covers("wait-1", START - timedelta(seconds=1))
    assert not before.covers("wait-1", START)
    assert now.covers("wait-2", START)
    assert not now.covers("wait-2", START - timedelta(seconds=1))
