"""Who fits an entry already when a journey is published: as a condition, so that they can be counted beforehand."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from journeys.conditions.registry import Condition
from journeys.entries import Absence
from journeys.model import Entry
from journeys.segment_entry import SegmentEntry

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def fitting_already(entry: Entry, now: datetime) -> Condition | None:
    """Whom `backfill` is about at `now` (aware), whatever it says; None where an entry knows no such contacts.

    Members of the segment; contacts whose silence has lasted already. A silence that is counted by the calendar is
    taken to have begun on the day so long before today's, wherever they live. The audience is another question.
    """
    match entry.timed:
        case SegmentEntry(entered=str(key)):
            return _CONDITION.validate_python({"segment": key})
        case Absence() as absence:
            return _CONDITION.validate_python(_silent(absence, now))
        case _:
            return None


def _silent(absence: Absence, now: datetime) -> dict[str, Any]:
    signs = [{"event": name, "where": absence.where, "since": "ever"} for name in absence.of]
    silent = [{"none": {**sign, "within": _lasting(absence, now)}} for sign in signs]
    return {"all": silent if absence.also_without else [{"any": signs}, *silent]}


def _lasting(absence: Absence, now: datetime) -> timedelta:
    """How long the silence has lasted of those for whom it is just over."""
    return absence.for_ if isinstance(absence.for_, timedelta) else now.date() - absence.for_.before(now.date())
