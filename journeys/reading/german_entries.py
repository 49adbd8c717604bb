"""How contacts get in by forms and segments, and out by a condition, in German."""

from datetime import timedelta

from journeys.reading.german_clauses import event, lasting, quoted
from journeys.segment_entry import Sample, SegmentEntry
from journeys.values import Where


def submits(form: str, where: Where) -> str:
    """A form is submitted."""
    return f"Ein Kontakt beginnt, wenn er das Formular {event(form, where)} absendet"


def changes_segment(entry: SegmentEntry) -> str:
    """Membership of a segment changes."""
    change = f"in das Segment {quoted(entry.segment)} kommt"
    if not entry.entered:
        change = f"das Segment {quoted(entry.segment)} verlässt"
    also = "; wer beim Veröffentlichen darin ist, beginnt ebenfalls" if entry.arms else ""
    if isinstance(entry.backfill, Sample):
        also = f"; {entry.backfill.sample} % derer, die beim Veröffentlichen darin sind, beginnen ebenfalls"
    return f"Ein Kontakt beginnt, wenn er {change}{also}"


def retried(span: timedelta) -> str:
    """The audience is judged again for a while."""
    return f"Trifft das noch nicht zu, wird es {lasting(span)} lang bei jeder Änderung des Kontakts erneut geprüft"


def leaves_when(clause: str) -> str:
    """A contact leaves as soon as a condition holds."""
    return f"Ein Kontakt verlässt die Journey, sobald {clause}"


def at_most(number: int) -> str:
    """So many enter in all."""
    return f"Insgesamt gibt es höchstens {number} Einstiege"
