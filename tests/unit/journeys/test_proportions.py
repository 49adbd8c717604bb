"""Rates, differences and winners: the values of the literature, and what must hold for all counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.proportions import Counted, chance, difference_interval, rate_interval, winner_of


def near(value: float) -> object:
    return pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize(
    ("met", "entered", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_rates_have_the_intervals_that_newcombe_gives_for_wilsons_method(
    met: int, entered: int, low: float, high: float
) -> None:
    assert rate_interval(Counted(entered, met)) == (near(low), near(high))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_differences_have_the_intervals_of_newcombes_table(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Table II of the paper, method 10."""
    found = difference_interval(Counted(first[1], first[0]), Counted(second[1], second[0]))
    assert found == (near(low), near(high))


def test_the_chance_of_a_difference_is_that_of_the_pooled_test() -> None:
    assert chance(Counted(100, 30), Counted(100, 45)) == pytest.approx(0.02846, abs=1e-5)  # z = -2.1909
    assert chance(Counted(100, 30), Counted(100, 30)) == 1
    assert chance(Counted(0, 0), Counted(100, 30)) == chance(Counted(9, 0), Counted(9, 0)) == 1


def test_a_clear_difference_names_a_winner() -> None:
    found = winner_of({"a": Counted(1_000, 100), "b": Counted(1_000, 150)})
    assert found.winner == "b"
    assert found.because == "'b' is best: 'a' 100 of 1000, 'b' 150 of 1000; by chance in 0.07% of cases at most"


def test_a_difference_that_chance_explains_names_none() -> None:
    found = winner_of({"a": Counted(1_000, 100), "b": Counted(1_000, 110)})
    assert found.winner is None
    assert found.because == "no winner: 'a' 100 of 1000, 'b' 110 of 1000; 'b' and 'a' may differ by chance (46.6%)"


def test_a_lower_confidence_is_content_with_less() -> None:
    arms = {"a": Counted(1_000, 100), "b": Counted(1_000, 125)}
    assert [winner_of(arms, confidence).winner for confidence in (0.99, 0.95, 0.9)] == [None, None, "b"]


def test_with_more_arms_each_comparison_is_held_to_more() -> None:
    two = {"a": Counted(1_000, 100), "b": Counted(1_000, 129)}
    assert winner_of(two).winner == "b"
    assert winner_of(two | {"c": Counted(1_000, 100)}).winner is None


def test_the_best_must_be_better_than_the_second_best() -> None:
    arms = {"a": Counted(1_000, 50), "b": Counted(1_000, 150), "c": Counted(1_000, 145)}
    assert winner_of(arms).winner is None


counts = st.integers(0, 2_000).flatmap(lambda n: st.builds(Counted, st.just(n), st.integers(0, n)))
confidences = st.floats(0.5, 0.999)


@given(counts, confidences)
def test_a_rate_lies_in_its_interval(counted: Counted, confidence: float) -> None:
    low, high = rate_interval(counted, confidence)
    assert 0 <= low <= counted.rate + 1e-12
    assert counted.rate <= high + 1e-12 <= 1 + 1e-12


@given(counts, counts)
def test_turning_a_comparison_round_turns_its_interval_round(first: Counted, second: Counted) -> None:
    low, high = difference_interval(first, second)
    turned = difference_interval(second, first)
    assert turned.low == pytest.approx(-high)
    assert turned.high == pytest.approx(-low)
    assert chance(first, second) == pytest.approx(chance(second, first))
    assert 0 <= chance(first, second) <= 1


@given(st.dictionaries(st.sampled_from("abcd"), counts, min_size=2), confidences)
def test_a_winner_has_the_best_rate(arms: dict[str, Counted], confidence: float) -> None:
    winner = winner_of(arms, confidence).winner
    assert winner is None or arms[winner].rate == max(counted.rate for counted in arms.values())
