"""What publishing says: what it came to, and with `--plan` what would become of those inside."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from crm.models.journey import VersionMove
from crm.publication import Coming, Publication
from journeys.migration import Inside
from journeys.model import Entry
from journeys.outlook import Fate, MovedTimer, Outlook, Shift, StepOutlook
from messaging.pins import Pinned

_WIDEST = 400
_SHIFTS = {
    Shift.UNCHANGED: "stay as they are",
    Shift.EARLIER: "end earlier",
    Shift.LATER: "end later",
    Shift.AT_ONCE: "end at once",
    Shift.LOOKED_UP: "are looked up anew",
}


def print_outlook(
    console: Console, key: str, coming: Coming, outlook: Outlook | None, inside: Inside | None, *, share: int | None
) -> None:
    """Print what publishing the version would do, wholly or on trial; under every treatment where none was chosen."""
    if outlook is None:
        console.print(f"{key}: version {coming.version} would be the first one live; nobody is inside.", markup=False)
        return
    inside_old = f"version {outlook.old}, with {_contacts(outlook.count)} inside"
    if share is not None:
        what = f"version {coming.version} would take {share} % of the new contacts, on trial beside {inside_old}"
        console.print(f"{key}: {what}, who stay in it. Nothing has changed.", markup=False)
        return
    promoted = f", on trial with {coming.trial} %, would be promoted and" if coming.trial else " would"
    what = f"version {coming.version}{promoted} take the place of {inside_old}"
    console.print(f"{key}: {what}. Nothing has changed.", markup=False)
    for treatment in [inside] if inside else Inside:
        console.print(f"  {treatment.value:<8} {_fates(outlook, treatment)}", markup=False)
    if outlook.steps:
        # As wide as it is, into a pipe too: a step's id that is broken over two lines cannot be searched for.
        table = _table(outlook, migrating=inside in {None, Inside.MIGRATE})
        Console(file=console.file, width=_WIDEST, highlight=False).print(table, crop=False)
    if inside in {None, Inside.MIGRATE}:
        _print_migration(console, outlook)


def already_line(entry: Entry, number: int) -> str:
    """How many fit the entry already, and how many of them it means to let in."""
    share = entry.timed.backfilled if entry.timed is not None else 0
    fate = {0: "none of them enters", 100: "all of them come to its door"}.get(share, f"{share} % come to its door")
    return f"{_contacts(number)} {'fits' if number == 1 else 'fit'} the entry already: {fate} (`backfill`)."


def publication_line(key: str, publication: Publication) -> str:
    """What a publication came to, as a sentence or two."""
    version, ordered = publication.version, publication.move
    trial = f" on trial with {version.share} % of the new contacts" if version.share else ""
    said = f"{key}: version {version.version} is live{trial}."
    if ordered is not None:
        doing = "migrating to it" if ordered.inside == Inside.MIGRATE else "leaving"
        said += f" Those inside version {ordered.from_version} are {doing}: `dauerlauf moves {key}`."
    elif publication.before is not None and not version.share:
        said += f" Those inside version {publication.before} finish in it."
    return said


def pinned_line(key: str, moved: Pinned) -> str:
    """A template whose newest version a journey sends from now on."""
    which = f"{moved.template}: version {moved.newest} instead of {moved.version}"
    return f"{key}: version {moved.journey_version} sends {which} from now on."


def move_line(move: VersionMove) -> str:
    """A move and how far it has come."""
    waiting = move.ordered - move.moved - move.refused - move.gone
    where = f"out of version {move.from_version}, stopped by version {move.to_version}"
    if move.inside == Inside.MIGRATE:
        where = f"from version {move.from_version} to version {move.to_version}"
    state = "done" if move.ordered_at and not waiting else f"{waiting} waiting" + ("" if move.ordered_at else " so far")
    numbers = f"{move.ordered} found, {move.moved} moved, {move.refused} refused, {move.gone} had ended"
    refusal = f" Last refusal: {move.last_refusal}" if move.last_refusal else ""
    return f"{move.id}: {where}: {numbers}; {state}.{refusal}"


def _print_migration(console: Console, outlook: Outlook) -> None:
    for step in outlook.steps:
        for timer in step.moved:
            console.print(f"  {step.step}: {_timer(timer)}", markup=False)
    for event in outlook.leaving_criteria:
        sentence = f"version {outlook.new} also ends on {event}: whom it happened to since entry leaves."
        console.print(f"  migrate: {sentence}", markup=False)
    for problem in outlook.problems:
        console.print(f"  migrate is refused: {problem}", markup=False)


def _fates(outlook: Outlook, inside: Inside) -> str:
    words = {
        Fate.FINISHES: f"finish in version {outlook.old}",
        Fate.MOVES: f"go on in version {outlook.new}",
        Fate.NO_TARGET: "have no step to go on at",
        Fate.STOPS: f"leave: stopped by version {outlook.new}",
    }
    fates = {fate: number for fate, number in outlook.fates(inside).items() if number or fate is not Fate.NO_TARGET}
    return ", ".join(f"{number} {words[fate]}" for fate, number in fates.items())


def _table(outlook: Outlook, *, migrating: bool) -> Table:
    further = ("migrates to", "and will", "running timers") if migrating else ()
    table = Table("step", "contacts", "doing", *further, box=None, pad_edge=True)
    for step in outlook.steps:
        table.add_row(step.step, str(step.count), step.doing, *(_target(step) if migrating else ()))
    return table


def _target(step: StepOutlook) -> tuple[str, str, str]:
    target = "nowhere" if step.target is None else step.target + ("" if step.stays else " (arrives there)")
    timers = ", ".join(f"{number} {_SHIFTS[shift]}" for shift, number in step.timers.items())
    return target, step.then_doing, timers


def _timer(timer: MovedTimer) -> str:
    until = _instant(timer.until) if timer.until else _SHIFTS[timer.shift].removeprefix("end ")
    return f"{_contacts(timer.count)} from {_instant(timer.before)} to {until}"


def _contacts(number: int) -> str:
    return "1 contact" if number == 1 else f"{number} contacts"


def _instant(when: datetime) -> str:
    return f"{when.astimezone(UTC):%a %d %b %Y %H:%M} UTC"
