"""Rules about the segments a journey names."""

from collections.abc import Collection, Iterator

from journeys.findings import Note, error
from journeys.mistakes import nearest
from journeys.model import Journey
from journeys.segments import segments_of


def unknown_segments(journey: Journey, known: Collection[str]) -> Iterator[Note]:
    """A segment that does not exist has no members, and nobody ever comes into it."""
    for key, path in dict.fromkeys(segments_of(journey)):
        if key not in known:
            meant = nearest(key, sorted(known))
            remedy = f"Did you mean '{meant}'?" if meant else f"Define it first: PUT /v1/segments/{key}."
            yield error("unknown-segment", path, f"There is no segment '{key}'.", remedy)
