"""What steps were called before a contact was moved to a version that renames them. Pure.

What a step left behind (a voucher, the event it met) stays stored under the name it had then.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel


class FormerName(BaseModel, frozen=True):
    """What a step of an enrollment was called until it was moved (aware UTC)."""

    name: str
    until: datetime


FormerNames = Mapping[str, Sequence[FormerName]]
"""By the name a step has now, those it had before, the oldest first. Steps that were never renamed are not in it."""


class Span(BaseModel, frozen=True):
    """A name, and from when until when the step had it (aware UTC); None: without that bound."""

    name: str
    since: datetime | None = None
    until: datetime | None = None

    def covers(self, name: str, at: datetime) -> bool:
        """Whether what was stored under this name at this instant is the step's."""
        after = self.since is None or at >= self.since
        return name == self.name and after and (self.until is None or at < self.until)


def spans_of(step: str, former: FormerNames) -> Iterator[Span]:
    """The names under which something of the step is stored. One that was another step's before counts since then."""
    since = None
    for known in former.get(step, ()):
        yield Span(name=known.name, since=since, until=known.until)
        since = known.until
    yield Span(name=step, since=since)


def carried_names(former: FormerNames, renamed: Mapping[str, str], at: datetime) -> dict[str, list[FormerName]]:
    """The former names after a move at `at` (aware) that gave steps new names: old name → new name."""
    names = {renamed.get(step, step): list(known) for step, known in former.items()}
    for before, now in renamed.items():
        if before != now:
            names[now] = [*former.get(before, ()), FormerName(name=before, until=at)]
    return names
