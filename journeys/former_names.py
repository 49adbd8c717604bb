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
"""By the name a step has now, those it had before, the oldest first. Steps that were never renamed are not in it.

Under no name are those of steps that are there no more, since another has taken their name: whoever has one of these
names now, has it since then.
"""
_GONE = ""


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
    for known in (*former.get(step, ()), None):
        name, until = (known.name, known.until) if known is not None else (step, None)
        given_up = [at for at in _given_up(name, former, but=step) if until is None or at <= until]
        yield Span(name=name, since=max([*given_up, *([since] if since else [])], default=None), until=until)
        since = until


def _given_up(name: str, former: FormerNames, *, but: str) -> Iterator[datetime]:
    """When other steps gave up a name: what they left under it is not that of whoever took it."""
    return (one.until for step, known in former.items() if step != but for one in known if one.name == name)


def carried_names(former: FormerNames, renamed: Mapping[str, str], at: datetime) -> dict[str, list[FormerName]]:
    """The former names after a move at `at` (aware) that gave steps new names: old name → new name."""
    names: dict[str, list[FormerName]] = {}
    for step, known in former.items():
        replaced = step not in renamed and step in renamed.values()
        names.setdefault(_GONE if replaced else renamed.get(step, step), []).extend(known)
    for before, now in renamed.items():
        if before != now:
            names[now] = [*former.get(before, ()), FormerName(name=before, until=at)]
    return names
