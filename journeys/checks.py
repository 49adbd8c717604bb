"""What is wrong or doubtful about a journey beyond its shape, before it is published: each a sentence with its place.

One rule is one function in `journeys.rules` and one line here. What is proven of every way is in `journeys.proofs`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from journeys.findings import Finding, KnownTemplate, KnownTemplates, Note, Severity
from journeys.model import Journey
from journeys.places import Places
from journeys.proofs.consent import mail_before_consent
from journeys.proofs.durations import every_way_ends
from journeys.proofs.subject import subject_of
from journeys.proofs.variables import variables_present
from journeys.proofs.vouchers import vouchers_present
from journeys.rules import (
    attributes,
    durations,
    entry,
    leaving,
    loops,
    messages,
    met,
    others,
    people,
    ranges,
    references,
    retrying,
    steps,
    vouchers,
    waits,
)
from journeys.rules.others import Others

RULES: tuple[Callable[[Journey], Iterable[Note]], ...] = (
    steps.two_steps_with_one_id,
    steps.unreachable_steps,
    durations.no_time_at_all,
    steps.too_many_or_too_deep,
    steps.both_ways_the_same,
    steps.one_experiment_two_ways,
    loops.too_many_rounds,
    loops.rounds_without_time,
    loops.events_of_earlier_rounds,
    waits.window_to_wait_for,
    waits.best_time_in_window,
    waits.late_is_said,
    references.results_of_steps,
    references.entry_references,
    references.no_step_yet,
    people.tasks_nobody_makes,
    people.nothing_asked,
    attributes.impossible_attributes,
    met.events_of_earlier_steps,
    vouchers.issued_by_an_earlier_step,
    ranges.impossible_ranges,
    ranges.decided_beforehand,
    entry.ended_by_the_entry_event,
    entry.comparison_without_goal,
    entry.goal_that_ends_with_the_steps,
    entry.starts_itself,
    entry.key_without_event,
    entry.return_unnoticed,
    entry.yearly_only_once,
    entry.broadcast_to_everybody,
    entry.backfill_not_said,
    retrying.audience_judged_again,
    leaving.exit_by_time,
    entry.window_that_never_opens,
    entry.spread_beyond_the_window,
    entry.broadcast_beyond_the_window,
)


def check(
    journey: Journey,
    known: KnownTemplates | None,
    *,
    places: Places | None = None,
    now: datetime | None = None,
    beside: Others | None = None,
) -> list[Finding]:
    """All findings of all rules, errors first.

    Args:
        journey: what to check.
        known: the published templates; None leaves out the rules about templates.
        places: turns paths into places with file and line; without it places are field paths.
        now: the present moment (aware); None leaves out the rules about moments that may have passed.
        beside: the other journeys, points models, segments and voucher pools; None leaves out the rules about those it
            names.
    """
    found = sorted(_notes(journey, known, beside), key=lambda note: note.severity is not Severity.ERROR)
    timely = check_moments(journey, now, places=places) if now is not None else []
    return [*(note.at(places or Places()) for note in found), *timely]


def check_moments(journey: Journey, now: datetime, *, places: Places | None = None) -> list[Finding]:
    """What lies behind already at `now` (aware) and would come too late: warnings, for whoever is about to publish."""
    return [note.at(places or Places()) for note in entry.moment_has_passed(journey, now)]


def _notes(journey: Journey, known: KnownTemplates | None, beside: Others | None) -> Iterator[Note]:
    for rule in RULES:
        yield from rule(journey)
    subject = subject_of(journey)
    if subject is not None:
        yield from every_way_ends(subject)
    if beside is not None:
        yield from others.unknown_references(journey, beside)
    if known is not None:
        yield from messages.templates(journey, known)
        yield from messages.said_in_vain(journey, known)
    if known is not None and subject is not None:
        yield from mail_before_consent(subject, known)
        yield from variables_present(subject, known)
        yield from vouchers_present(subject, known)


__all__ = ["RULES", "Finding", "KnownTemplate", "KnownTemplates", "Others", "Severity", "check", "check_moments"]
