"""A version on trial takes its share: always the same contacts, and more of them when the share grows."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from journeys.shares import takes

CONTACTS = [UUID(int=number * 7_919) for number in range(10_000)]
percents = st.integers(0, 100)


@given(st.uuids(), percents, percents)
def test_a_larger_share_takes_all_that_a_smaller_one_took(contact: UUID, one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert takes("welcome", 2, contact, percent=large) or not takes("welcome", 2, contact, percent=small)


@given(st.uuids())
def test_no_share_takes_nobody_and_the_whole_takes_everybody(contact: UUID) -> None:
    assert not takes("welcome", 2, contact, percent=0)
    assert takes("welcome", 2, contact, percent=100)


def test_the_share_is_respected_among_many() -> None:
    for percent in (1, 5, 20, 50, 95):
        taken = sum(takes("welcome", 2, contact, percent=percent) for contact in CONTACTS)
        # Ten thousand draws: five standard deviations are at most 250.
        assert abs(taken - percent * 100) < 250


def test_another_version_draws_anew() -> None:
    first = {contact for contact in CONTACTS if takes("welcome", 2, contact, percent=10)}
    second = {contact for contact in CONTACTS if takes("welcome", 3, contact, percent=10)}
    assert len(first & second) < len(first) / 2


def test_the_draw_never_changes() -> None:
    """A contact on trial today is on trial after an update of this software."""
    taken = [number for number in range(40) if takes("welcome", 2, UUID(int=number), percent=20)]
    assert taken == [7, 18, 33, 35]
