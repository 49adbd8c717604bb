"""Segments in files, for those who check and simulate journeys without a database."""

from collections.abc import Iterable
from pathlib import Path

from journeys.loader import load_model
from journeys.segments import Segment, demand_askable


def read_segments(files: Iterable[Path]) -> list[Segment]:
    """The segments in files (YAML), one in each.

    Raises:
        Invalid: one of them has mistakes, each with its place.
    """
    segments = [load_model(Segment, file.read_text("utf-8"), name="segment", source=file.name) for file in files]
    for segment in segments:
        demand_askable(segment.condition)
    return segments
