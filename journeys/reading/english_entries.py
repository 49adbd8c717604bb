"""How contacts get in by forms and segments, and out by a condition, in English."""

from datetime import timedelta

from journeys.reading.english_clauses import event, lasting
from journeys.segment_entry import Sample, SegmentEntry
from journeys.values import Where


def submits(form: str, where: Where) -> str:
    """A form is submitted."""
    return f"A contact enters when it submits the form {event(form, where)}"


def changes_segment(entry: SegmentEntry) -> str:
    """Membership of a segment changes."""
    change = "comes into" if entry.entered else "leaves"
    also = "; who is in it at publication enters, too" if entry.arms else ""
    if isinstance(entry.backfill, Sample):
        also = f"; {entry.backfill.sample} % of those who are in it at publication enter, too"
    return f'A contact enters when it {change} the segment "{entry.segment}"{also}'


def retried(span: timedelta) -> str:
    """The audience is judged again for a while."""
    return f"Where that does not hold yet, it is asked again at each change of the contact for {lasting(span)}"


def leaves_when(clause: str) -> str:
    """A contact leaves as soon as a condition holds."""
    return f"A contact leaves as soon as {clause}"


def at_most(number: int) -> str:
    """So many enter in all."""
    return f"At most {number} enter in all"
