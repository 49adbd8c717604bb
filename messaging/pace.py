"""How fast a provider is given messages, and who goes when there are more. Pure; ADR 0021 says why it is so.

- A message that would have to wait longer than `NEAR` is promised a turn, the first instant that is nobody's yet, and
  comes back then. Turns are given in the order in which messages ask.
- What leaves is counted when it leaves, whatever was promised: who comes late, all at once, after an outage, is not let
  through faster than the pace. Who comes to a turn that the provider has no room for is promised another one.
- A turn that nobody comes to for `MISSED` is there for whoever asks next, so a provider is not kept idle.
- Transactional messages never wait. They count, so that the others make room.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

NEAR = timedelta(seconds=1)
"""What is this near goes at once: so much of its pace, at most, may come to a provider at one moment."""
MISSED = timedelta(seconds=5)
"""For how long a provider that has room waits for those it was promised to."""


@dataclass(frozen=True)
class Pace:
    """So many messages within a second at most; a number above 0, which need not be whole."""

    per_second: float

    @property
    def every(self) -> timedelta:
        """How far apart two messages are, on whole microseconds, so never too close together."""
        return timedelta(microseconds=math.ceil(1_000_000 / self.per_second))

    def described(self) -> str:
        """The pace in words."""
        if self.per_second >= 1:
            return f"{self.per_second:g} mail{'' if self.per_second == 1 else 's'} a second"
        return f"{self.per_second * 60:.4g} mails a minute"


@dataclass(frozen=True)
class Line:
    """What stands before one provider. Instants are aware."""

    promised: datetime
    """The first instant that is nobody's turn yet."""
    free: datetime
    """When the provider has room, as far as what has left so far takes it."""


@dataclass(frozen=True)
class Question:
    """May a message leave at this instant (aware)?"""

    at: datetime
    turn: datetime | None = None
    """What it was promised before, if anything."""
    waits: bool = True
    """False for what must not wait."""
    last: datetime | None = None
    """It does not wait beyond this."""


@dataclass(frozen=True)
class Answer:
    """What a message is told, and the line from then on. `turn` is when it is to come back; None: it leaves now.

    A turn beyond the last instant it could wait for is not promised: the line stays as it was.
    """

    line: Line
    turn: datetime | None = None


def answer(line: Line, question: Question, pace: Pace) -> Answer:
    """The answer to a message as the line stands. `messaging.lines` says the same in SQL."""
    at, turn = question.at, question.turn
    free = max(line.free, at)
    if not question.waits:
        return Answer(replace(line, free=free + pace.every))
    if (line.promised if turn is None else turn) > at + NEAR:  # others go first
        if line.free <= at - MISSED:
            # As if it had left when the wait for them began: more may follow, at the pace.
            return Answer(replace(line, free=at - MISSED + pace.every))
        return _promised(line, max(line.promised, free) if turn is None else turn, question, pace)
    if free > at + NEAR:
        return _promised(line, max(line.promised, free), question, pace)
    promised = max(line.promised, free) + pace.every if turn is None else line.promised
    return Answer(Line(promised, free + pace.every))


def _promised(line: Line, turn: datetime, question: Question, pace: Pace) -> Answer:
    if question.last is not None and turn > question.last:
        return Answer(line, turn)
    return Answer(replace(line, promised=max(line.promised, turn + pace.every)), turn)
