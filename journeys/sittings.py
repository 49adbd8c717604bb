"""What a contact did with its mails: single reactions, and the sittings they make up. Pure.

Reactions that follow each other within half an hour are one sitting: somebody read, and clicked here and there. It
counts once, as of its first reaction and with the weight of its heaviest, so that six links in one mail are no habit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

OPENED, CLICKED = "mail.opened", "mail.clicked"
WEIGHTS: Mapping[str, int] = {OPENED: 1, CLICKED: 3}
"""By event, what it weighs. A click is meant; of an opening a mail program tells, whoever looks at it."""
LOOK_BACK = timedelta(days=180)
"""Older reactions do not count."""
HALF_LIFE = timedelta(days=60)
"""A reaction weighs half as much as one that is so much younger: habits change."""
_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True)
class Reaction:
    """An opening or a click. `at` is aware; `machine`: no person did it, but a program that looks at mails."""

    event_id: str
    name: str
    at: datetime
    machine: bool = False


@dataclass(frozen=True)
class Sitting:
    """Reactions of one go, oldest first, at least one."""

    reactions: tuple[Reaction, ...]

    @property
    def began(self) -> datetime:
        """When the first of them was."""
        return self.reactions[0].at

    def weight(self, now: datetime) -> float:
        """What it weighs at `now` (aware): as much as its heaviest reaction, halved for each half-life of its age."""
        heaviest = max(WEIGHTS[reaction.name] for reaction in self.reactions)
        return float(heaviest * 0.5 ** ((now - self.began) / HALF_LIFE))


def sittings_of(reactions: Iterable[Reaction], now: datetime) -> tuple[Sitting, ...]:
    """The sittings of people within the time looked back on, oldest first, whatever order the reactions come in.

    Left out are machines, whatever has no weight, and what is not known at `now` (aware).
    """
    counted = [one for one in reactions if one.name in WEIGHTS and not one.machine and now - LOOK_BACK < one.at <= now]
    found: list[list[Reaction]] = []
    for reaction in sorted(counted, key=lambda one: (one.at, one.event_id)):
        if found and reaction.at - found[-1][-1].at <= _PAUSE:
            found[-1].append(reaction)
        else:
            found.append([reaction])
    return tuple(Sitting(tuple(reactions)) for reactions in found)
