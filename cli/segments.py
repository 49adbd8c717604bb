"""Segments in files, for those who check and simulate journeys without a database."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from journeys.documents import from_document
from journeys.loader import load_model, read_text
from journeys.segments import Segment, demand_askable, in_order


def read_segments(sources: Iterable[Path | Mapping[str, Any]]) -> list[Segment]:
    """The segments in files (YAML), one in each, or in documents; those that others ask for first.

    Raises:
        Invalid: one of them has mistakes, each with its place.
    """
    segments = [_read(source) for source in sources]
    for segment in segments:
        demand_askable(segment.condition)
    return in_order(segments)


def _read(source: Path | Mapping[str, Any]) -> Segment:
    if isinstance(source, Path):
        return load_model(Segment, read_text(source, name="segment"), name="segment", source=source.name)
    return from_document(Segment, dict(source), name="segment")
