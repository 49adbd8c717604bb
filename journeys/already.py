"""Who fits an entry already when a journey is published: as a condition, so that they can be counted beforehand."""

from typing import Any

from pydantic import TypeAdapter

from journeys.conditions.registry import Condition
from journeys.entries import Absence
from journeys.model import Entry
from journeys.segment_entry import SegmentEntry

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def fitting_already(entry: Entry) -> Condition | None:
    """Whom `backfill` is about, whatever it says; None where an entry knows no such contacts.

    Members of the segment; contacts whose silence has lasted already. The audience is another question.
    """
    match entry.timed:
        case SegmentEntry(entered=str(key)):
            return _CONDITION.validate_python({"segment": key})
        case Absence() as absence:
            return _CONDITION.validate_python(_silent(absence))
        case _:
            return None


def _silent(absence: Absence) -> dict[str, Any]:
    signs = [{"event": name, "where": absence.where, "since": "ever"} for name in absence.of]
    silent = [{"none": {**sign, "within": absence.for_}} for sign in signs]
    return {"all": silent if absence.also_without else [{"any": signs}, *silent]}
