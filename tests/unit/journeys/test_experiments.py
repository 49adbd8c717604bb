"""Who is in which group: by share, for ever, and independently of other experiments."""

from collections import Counter
from math import sqrt
from uuid import UUID, uuid5

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from journeys.experiments import arm_of, held_out, in_control_group

SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
CONTACTS = [uuid5(SPACE, str(number)) for number in range(20_000)]
SIGMAS = 4.5
"""So far a count may be off by chance; the contacts are fixed, so a test that passes does so for ever."""

contacts = st.uuids()
names = st.sampled_from("abcdefgh")
arms = st.dictionaries(names, st.integers(1, 100), min_size=1, max_size=5)


def as_expected(count: int, share: float, of: int = len(CONTACTS)) -> bool:
    return abs(count - of * share) <= SIGMAS * sqrt(of * share * (1 - share)) + 1


@pytest.mark.parametrize(
    "shares",
    [{"a": 50, "b": 50}, {"a": 90, "b": 10}, {"a": 99, "b": 1}, {"a": 10, "b": 20, "c": 30, "d": 40}],
    ids=str,
)
def test_arms_get_contacts_in_proportion_to_their_shares(shares: dict[str, int]) -> None:
    counts = Counter(arm_of(contact, "subject-line", shares) for contact in CONTACTS)
    assert all(as_expected(counts[arm], share / sum(shares.values())) for arm, share in shares.items())


@given(contacts, st.text(max_size=10), arms)
def test_the_answer_depends_on_nothing_but_contact_experiment_and_shares(
    contact: UUID, experiment: str, shares: dict[str, int]
) -> None:
    backwards = dict(reversed(shares.items()))
    assert arm_of(contact, experiment, shares) == arm_of(UUID(str(contact)), experiment, backwards)


@given(contacts, arms, names, st.integers(1, 100))
def test_an_added_arm_takes_contacts_and_moves_nobody_between_the_others(
    contact: UUID, shares: dict[str, int], added: str, share: int
) -> None:
    assume(added not in shares)
    before = arm_of(contact, "x", shares)
    assert arm_of(contact, "x", {added: share, **shares}) in {before, added}


@given(contacts, st.lists(names, min_size=2, max_size=4, unique=True))
def test_an_added_arm_may_take_its_share_evenly_from_all(contact: UUID, given_names: list[str]) -> None:
    """50/50 becomes 40/40/20: the others keep their proportion, so nobody moves between them."""
    *old, added = given_names
    before = arm_of(contact, "x", dict.fromkeys(old, 50))
    assert arm_of(contact, "x", dict.fromkeys(old, 40) | {added: 20}) in {before, added}


@given(contacts, arms, st.integers(1, 100))
def test_a_larger_share_keeps_whoever_the_smaller_one_had(contact: UUID, shares: dict[str, int], more: int) -> None:
    arm = min(shares)
    if arm_of(contact, "x", shares) == arm:
        assert arm_of(contact, "x", shares | {arm: shares[arm] + more}) == arm


def test_experiments_are_independent_of_each_other() -> None:
    shares = {"a": 50, "b": 50}
    both = Counter((arm_of(one, "first", shares), arm_of(one, "second", shares)) for one in CONTACTS)
    assert all(as_expected(both[first, second], 0.25) for first in "ab" for second in "ab")


def test_holdouts_and_the_control_group_are_independent_of_each_other_and_of_arms() -> None:
    shares = {"a": 50, "b": 50}
    groups = Counter(
        (
            held_out(one, "welcome", percent=20),
            held_out(one, "care", percent=20),
            in_control_group(one, percent=20),
            arm_of(one, "welcome", shares),
        )
        for one in CONTACTS
    )
    for first in (True, False):
        for second in (True, False):
            for third in (True, False):
                share = 0.5
                for held in (first, second, third):
                    share *= 0.2 if held else 0.8
                assert as_expected(groups[first, second, third, "a"], share)


@pytest.mark.parametrize("percent", [0, 1, 5, 50, 100])
def test_so_many_are_held_out_as_is_said(percent: int) -> None:
    assert as_expected(sum(held_out(one, "welcome", percent=percent) for one in CONTACTS), percent / 100)
    assert as_expected(sum(in_control_group(one, percent=percent) for one in CONTACTS), percent / 100)


@given(contacts, st.integers(0, 100), st.integers(0, 100))
def test_a_larger_group_holds_all_of_the_smaller_one(contact: UUID, first: int, second: int) -> None:
    smaller, larger = sorted((first, second))
    if held_out(contact, "welcome", percent=smaller):
        assert held_out(contact, "welcome", percent=larger)
    if in_control_group(contact, percent=smaller):
        assert in_control_group(contact, percent=larger)


def test_who_is_in_which_group_never_changes() -> None:
    """Written down: another answer would move contacts of running experiments."""
    shares = {"a": 50, "b": 30, "c": 20}
    assert "".join(arm_of(one, "subject-line", shares) for one in CONTACTS[:12]) == "acbabcabcaba"
    assert [number for number in range(200) if held_out(CONTACTS[number], "welcome", percent=5)] == [
        2,
        3,
        16,
        106,
        107,
        115,
        124,
        186,
        187,
    ]
