"""The cap and the line in front of it: what holds for every series of messages, whoever wants to write when."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.frequency import AtCap, Priority, Repeat, described
from messaging.frequency import TURN, Cap, Frequency, Place, turn
from messaging.rules import judge
from messaging.verdicts import Deferred, Refused
from tests.unit.messaging.test_rules import FACTS, NOON

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WAIT = timedelta(days=7)


@dataclass(frozen=True)
class Wish:
    """A message that a journey wants to send from an instant on."""

    name: str
    at: datetime
    priority: Priority = Priority.NORMAL


@dataclass
class Mailbox:
    """A contact's, and what became of every wish. Time goes from one due instant to the next."""

    caps: tuple[Cap, ...]
    sent: dict[str, datetime] = field(default_factory=dict)
    refused: dict[str, datetime] = field(default_factory=dict)
    line: dict[str, Place] = field(default_factory=dict)
    passed_over: list[tuple[Place, Place]] = field(default_factory=list)

    def fulfil(self, wishes: list[Wish]) -> "Mailbox":
        due = {wish.name: (wish.at, wish) for wish in wishes}
        while due:
            at, wish = min(due.values(), key=lambda entry: (entry[0], entry[1].name))
            verdict = self._ask(wish, at)
            if isinstance(verdict, Deferred):
                assert verdict.until > at, "nobody is kept busy"
                due[wish.name] = verdict.until, wish
            else:
                del due[wish.name]
        return self

    def _ask(self, wish: Wish, at: datetime) -> Refused | Deferred | None:
        frequency = Frequency(
            message=wish.name,
            priority=wish.priority,
            longest_wait=WAIT,
            caps=self.caps,
            sent=tuple(self.sent.values()),
            line=tuple(self.line.values()),
        )
        verdict = judge(replace(FACTS, window=None, now=at, wall_now=at, frequency=frequency))
        own = self.line.pop(wish.name, None)
        if isinstance(verdict, Deferred):
            assert verdict.place is not None
            self.line[wish.name] = verdict.place
        elif verdict is None:
            self.sent[wish.name] = at
            place = own or frequency.place(at, None)
            self.passed_over += [(other, place) for other in frequency.ahead_of(place, at)]
        else:
            self.refused[wish.name] = at
        return verdict


wishes = st.lists(
    st.tuples(st.integers(0, 21 * 24 * 4), st.sampled_from(Priority)), min_size=1, max_size=14, unique_by=lambda w: w[0]
).map(lambda found: [Wish(f"m{n:02}", NOON + q * HOUR / 4, p) for n, (q, p) in enumerate(found)])
caps = st.sampled_from(
    [
        (Cap(1, timedelta(days=7)),),
        (Cap(3, timedelta(days=7)),),
        (Cap(1, DAY),),
        (Cap(1, DAY, by_calendar=True),),
        (Cap(2, timedelta(days=7)), Cap(1, DAY)),
    ]
)


@settings(max_examples=150, deadline=None)
@given(wishes, caps)
def test_no_window_ever_holds_more_than_its_cap(found: list[Wish], limits: tuple[Cap, ...]) -> None:
    box = Mailbox(limits).fulfil(found)
    for cap in limits:
        for at in box.sent.values():
            counted = [one for one in box.sent.values() if one <= at < cap.leaves(one, BERLIN)]
            assert len(counted) <= cap.most


@settings(max_examples=150, deadline=None)
@given(wishes, caps)
def test_every_message_leaves_or_is_refused_within_the_longest_wait(found: list[Wish], limits: tuple[Cap, ...]) -> None:
    box = Mailbox(limits).fulfil(found)
    for wish in found:
        ended = box.sent.get(wish.name) or box.refused[wish.name]
        assert wish.at <= ended <= wish.at + WAIT


@settings(max_examples=150, deadline=None)
@given(wishes, caps)
def test_nobody_overtakes_those_ahead_and_whoever_has_waited_long_is_overtaken_by_nobody_later(
    found: list[Wish], limits: tuple[Cap, ...]
) -> None:
    box = Mailbox(limits).fulfil(found)
    assert box.passed_over == []
    began = {wish.name: wish.at for wish in found}
    for early in found:
        for late in found:
            # While the one had waited half of what it may, the other came, and yet was sent first?
            if late.name in box.sent and began[late.name] > early.at:
                gone = box.sent.get(early.name) or box.refused[early.name]
                leaves = box.sent[late.name]
                patient = leaves - early.at < WAIT / 2
                assert patient or leaves >= gone


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 14 * 24 * 60), max_size=8), caps.map(lambda chosen: chosen[0]))
def test_alone_a_message_waits_for_the_very_instant_at_which_there_is_room(minutes: list[int], cap: Cap) -> None:
    sent = [NOON - number * timedelta(minutes=1) for number in minutes]
    found = turn([cap], sent, [], NOON, BERLIN)

    def counted(at: datetime) -> int:
        return sum(at < cap.leaves(one, BERLIN) for one in sent)

    assert counted(found) < cap.most
    assert found == NOON or counted(found - timedelta(microseconds=1)) >= cap.most


def test_a_calendar_day_ends_at_midnight_on_the_wall_also_when_the_clocks_change() -> None:
    cap = Cap(1, DAY, by_calendar=True)
    before_the_change = datetime(2026, 10, 25, 0, 30, tzinfo=BERLIN)
    assert cap.leaves(before_the_change, BERLIN) == datetime(2026, 10, 26, tzinfo=BERLIN)
    assert cap.leaves(before_the_change, BERLIN) - before_the_change.astimezone(UTC) == timedelta(hours=24, minutes=30)


def test_a_cap_that_was_lowered_lets_nothing_through_before_enough_has_left() -> None:
    sent = [NOON - number * DAY for number in (1, 2, 3)]
    assert turn([Cap(1, timedelta(days=7))], sent, [], NOON, BERLIN) == NOON + 6 * DAY


def test_a_place_is_kept_for_some_minutes_and_no_longer() -> None:
    place = Place("x", Priority.HIGH, since=NOON - DAY, last=NOON + WAIT, until=NOON)
    assert place.kept(NOON + TURN - timedelta(seconds=1))
    assert not place.kept(NOON + TURN)


@pytest.mark.parametrize(
    ("repeat", "words"),
    [(timedelta(days=30), "again after 30 days"), ("never", "only once"), ("always", "as often as it is asked for")],
)
def test_repetition_is_told_in_words(repeat: Repeat, words: str) -> None:
    assert described(repeat) == words


def test_what_is_to_be_left_out_at_the_cap_leaves_room_for_those_ahead_too() -> None:
    """Else whoever does not wait would get what the others wait for."""
    ahead = Place("first", Priority.HIGH, since=NOON - DAY, last=NOON + DAY, until=NOON)
    frequency = Frequency(message="x", at_cap=AtCap.SKIP, caps=(Cap(1, timedelta(days=7)),), line=(ahead,))
    found = judge(replace(FACTS, frequency=frequency))
    assert isinstance(found, Refused)
    assert found.because == "1 message goes first. It does not wait."
