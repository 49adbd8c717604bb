"""The pace of a provider and the line before it: what holds whoever asks when, and however late anybody comes."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.pace import MISSED, NEAR, Line, Pace, Question, answer

NOON = datetime(2026, 6, 2, 10, 0, tzinfo=UTC)
SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)


@dataclass(frozen=True)
class Mail:
    """A mail that wants to leave from an instant on, and comes late to every turn by so much."""

    asks: datetime
    late: timedelta = timedelta()
    waits: bool = True
    returns: bool = True


@dataclass
class Provider:
    """One with a pace: the mails that left, in their order, with when they did."""

    pace: Pace
    down_until: datetime = NOON
    """Nobody comes back before."""
    left: list[tuple[datetime, Mail]] = field(default_factory=list)
    asked: int = 0

    def given(self, mails: Sequence[Mail]) -> "Provider":
        line = Line(NOON - timedelta(days=1), NOON - timedelta(days=1))
        due: list[tuple[datetime, int, datetime | None]] = [
            (mail.asks, number, None) for number, mail in enumerate(mails)
        ]
        heapq.heapify(due)
        while due:
            at, number, turn = heapq.heappop(due)
            mail = mails[number]
            told = answer(line, Question(at, turn, mail.waits), self.pace)
            line, self.asked = told.line, self.asked + 1
            if told.turn is None:
                self.left.append((at, mail))
            elif mail.returns:
                assert told.turn > at + NEAR, "nobody is kept busy"
                heapq.heappush(due, (max(told.turn + mail.late, self.down_until), number, told.turn))
        return self

    def most(self, span: timedelta) -> float:
        """How many may leave within a span."""
        return (span + NEAR) / self.pace.every + 2


def milliseconds(most: int) -> st.SearchStrategy[timedelta]:
    return st.integers(0, most).map(lambda number: number * MILLISECOND)


def mails(late: st.SearchStrategy[timedelta], **also: st.SearchStrategy[bool]) -> st.SearchStrategy[list[Mail]]:
    asks = milliseconds(12_000).map(NOON.__add__)
    return st.lists(st.builds(Mail, asks=asks, late=late, **also), min_size=1, max_size=60)


paces = st.sampled_from([Pace(0.5), Pace(3), Pace(10), Pace(100)])
lates = st.one_of(st.just(timedelta()), milliseconds(900), milliseconds(40_000))


@given(
    mails(lates, waits=st.sampled_from([True, True, True, False]), returns=st.sampled_from([True, True, False])), paces
)
def test_no_mail_that_can_wait_leaves_faster_than_the_pace_however_late_others_come(
    wanted: list[Mail], pace: Pace
) -> None:
    provider = Provider(pace).given(wanted)

    for last, (until, mail) in enumerate(provider.left):
        if mail.waits:
            for first, (since, _) in enumerate(provider.left[: last + 1]):
                assert last - first + 1 <= provider.most(until - since)


@given(mails(lates, waits=st.sampled_from([True, True, True, False])), paces)
def test_every_mail_leaves_once_and_does_not_ask_for_ever(wanted: list[Mail], pace: Pace) -> None:
    provider = Provider(pace).given(wanted)

    assert sorted(id(mail) for _, mail in provider.left) == sorted(id(mail) for mail in wanted)
    assert provider.asked <= 12 * len(wanted)


@given(mails(st.just(timedelta())), paces)
def test_who_asks_first_leaves_first_to_within_a_second_and_comes_back_once(wanted: list[Mail], pace: Pace) -> None:
    provider = Provider(pace).given(wanted)

    for number, (at, mail) in enumerate(provider.left):
        overtaken = [other for other, later in provider.left[:number] if later.asks > mail.asks]
        assert all(at - other <= NEAR for other in overtaken)
    assert provider.asked <= 2 * len(wanted)


@given(mails(st.just(timedelta())), paces)
def test_a_provider_is_not_kept_idle_while_mails_wait(wanted: list[Mail], pace: Pace) -> None:
    provider = Provider(pace).given(wanted)

    first, last = min(mail.asks for mail in wanted), max(mail.asks for mail in wanted)
    end = max(at for at, _ in provider.left)
    assert end <= max(first, last) + len(wanted) * pace.every


@settings(max_examples=20)
@given(st.integers(2, 40))
def test_turns_that_nobody_comes_to_are_taken_by_who_asks_next(gone: int) -> None:
    lost = [Mail(NOON, returns=False) for _ in range(20 * gone)]
    next_ones = [Mail(NOON + MISSED + 2 * NEAR + number * SECOND / 10) for number in range(gone)]

    provider = Provider(Pace(10)).given([*lost, *next_ones])

    waited = [at - mail.asks for at, mail in provider.left if mail in next_ones]
    assert waited == [timedelta()] * gone


def test_who_comes_back_late_all_at_once_is_let_through_at_the_pace() -> None:
    up_again = NOON + timedelta(minutes=10)

    left = [at for at, _ in Provider(Pace(10), up_again).given([Mail(NOON)] * 300).left]

    assert [left.count(NOON), left.count(up_again)] == [11, 11]
    assert left[-1] == up_again + 288 * SECOND / 10


def test_mail_that_must_not_wait_leaves_and_the_others_make_room() -> None:
    urgent = [Mail(NOON + number * MILLISECOND, waits=False) for number in range(50)]
    other = Mail(NOON + 60 * MILLISECOND)

    provider = Provider(Pace(10)).given([*urgent, other])

    assert [at - mail.asks for at, mail in provider.left[:50]] == [timedelta()] * 50
    assert provider.left[50] == (NOON + 5 * SECOND, other)


def test_what_leaves_at_one_moment_is_a_second_s_worth_and_the_next_comes_back_to_its_own_turn() -> None:
    left = [at - NOON for at, _ in Provider(Pace(2)).given([Mail(NOON) for _ in range(6)]).left]

    assert left == [timedelta(), timedelta(), timedelta(), 1.5 * SECOND, 2 * SECOND, 2.5 * SECOND]


@pytest.mark.parametrize(
    ("per_second", "said"),
    [(100, "100 mails a second"), (1, "1 mail a second"), (0.5, "30 mails a minute"), (2.5, "2.5 mails a second")],
)
def test_a_pace_is_told_in_words(per_second: float, said: str) -> None:
    assert Pace(per_second).described() == said


@pytest.mark.parametrize(("per_second", "apart"), [(3, 333_334), (0.1, 10_000_000), (10_000, 100)])
def test_mails_are_never_closer_together_than_the_pace_allows(per_second: float, apart: int) -> None:
    assert Pace(per_second).every == timedelta(microseconds=apart)
