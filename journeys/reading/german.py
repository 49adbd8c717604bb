"""A journey in German. Contacts are „der Kontakt“, names of events, lists and steps stand in quotation marks."""

from datetime import datetime, timedelta
from typing import Any

from journeys.best_time import BestTimeMoment
from journeys.entries import Absence
from journeys.model import Again, Cooldown, Goal, PerProperty
from journeys.moments import CalendarMoment, DateMoment, InstantMoment, WindowMoment, date_source
from journeys.places import Path
from journeys.reading.best_times import in_german as best_time_of
from journeys.reading.feasts import FEASTS_IN_GERMAN, at_feast
from journeys.reading.german_clauses import (
    CHANNELS,
    CONDITIONS,
    after,
    asked,
    clause,
    event,
    lasting,
    quoted,
    written,
)
from journeys.reading.german_details import about, alternative_event, entered_with, latest_of, of_use, passed_by
from journeys.reading.german_entries import at_most, changes_segment, leaves_when, retried, submits
from journeys.reading.german_frequency import of_journey, of_message
from journeys.reading.german_people import german_score, german_task
from journeys.reading.parts import clock, listed, runs
from journeys.reading.stages import german_stage_step, german_stages
from journeys.reading.vouchers import in_german as voucher_of
from journeys.reading.wording import Wording
from journeys.spans import Span, Unit
from journeys.steps.approve import OWNER, ApproveStep
from journeys.steps.branch import BranchStep
from journeys.steps.change_list import ListStep
from journeys.steps.decide import IfStep
from journeys.steps.leave import ExitStep
from journeys.steps.recompute_score import RecomputeScoreStep
from journeys.steps.repeat import RepeatStep
from journeys.steps.send import SendStep
from journeys.steps.set_attributes import SetStep
from journeys.steps.split import SplitStep, Winner
from journeys.steps.start import StartStep
from journeys.steps.wait import WaitStep
from journeys.steps.wait_for import AwaitedCondition, AwaitedEvent, AwaitedFirst, WaitForStep
from journeys.steps.wait_for_first import Alternative, ConditionAlternative
from journeys.values import EventCriterion
from journeys.window import Window

_DAYS = ("montags", "dienstags", "mittwochs", "donnerstags", "freitags", "samstags", "sonntags")
_MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
_GOALS = {
    "sell": "verkaufen",
    "serve": "betreuen",
    "speak": "ins Gespräch kommen",
    "save": "halten",
    "sizzle": "begeistern",
}


def _wait(step: WaitStep) -> str:
    match step.wait:
        case timedelta():
            return f"{lasting(step.wait)} warten"
        case CalendarMoment(span=span, at=at):
            on = "zum nächsten Tag" if span == Span(1, Unit.DAY) else f"zum Tag {lasting(span)} später"
            return f"Warten bis {on}, {clock(at)} Uhr"
        case WindowMoment():
            return "Warten, bis Nachrichten versendet werden dürfen"
        case InstantMoment():
            return f"Bis zum {_instant(step.wait.until)} warten{about(step.wait)}"
        case BestTimeMoment(best_time=asked_for):
            return best_time_of(asked_for)
        case DateMoment():
            return f"Warten bis {_beside(step.wait)}{about(step.wait)}"


def _instant(until: datetime) -> str:
    day = f"{until.day}. {_MONTHS[until.month - 1]} {until.year} um {clock(until.time())} Uhr"
    return day if until.tzinfo is None else f"{day} ({until:UTC%z})"


def _beside(moment: DateMoment) -> str:
    source, path = date_source(moment.reference)
    owner = "des Einstiegs" if source == "entry" else "des Kontakts"
    at = f", {clock(moment.at)} Uhr" if moment.at else ""
    returning = "nächsten Jahrestag des Datums" if moment.yearly else "Datum"
    date = f"{returning} {quoted(path)} {owner}" if path else _entry_or_later(moment, returning)
    if moment.on:
        return f"zum {date}{at}"
    return f"{lasting(moment.offset)} {'vor' if moment.before else 'nach'} dem {date}{at}"


def _entry_or_later(moment: DateMoment, returning: str) -> str:
    entry = f"{returning} des Einstiegs" if moment.yearly else "Einstieg"
    return (
        f"{entry} oder dem letzten {event(moment.moved_by.event, moment.moved_by.where)} seither"
        if moment.moved_by
        else entry
    )


def _wait_for(step: WaitForStep) -> str:
    awaited = step.wait_for
    match awaited:
        case AwaitedEvent():
            on = "Ab jetzt auf" if awaited.since == "step" else "Auf"
            named = event(awaited.event, awaited.where)
            return f"{on} das Ereignis {named} warten, höchstens {lasting(awaited.up_to)}"
        case AwaitedCondition():
            return f"Warten, bis {clause(awaited.condition)}, höchstens {lasting(awaited.up_to)}"
    if awaited.ranked:
        return f"{lasting(awaited.up_to)} warten; dann gilt das Erste hiervon, das zutrifft"
    return f"Auf das Erste hiervon warten, höchstens {lasting(awaited.up_to)}"


def _alternative(alternative: Alternative) -> str:
    if isinstance(alternative, ConditionAlternative):
        return f"Wenn {clause(alternative.condition)}"
    criterion = EventCriterion(event=alternative.event, where=alternative.where)
    return f"Wenn {alternative_event(criterion, since_step=alternative.since == 'step')}"


def _if(step: IfStep) -> str:
    return f"Prüfen, ob {clause(step.if_)}"


def _branch(_: BranchStep) -> str:
    return "Den ersten Weg nehmen, der zutrifft"


def _repeat(step: RepeatStep) -> str:
    rounds = step.repeat
    if rounds.until is None:
        return f"{rounds.times}-mal wiederholen"
    return f"Wiederholen, bis {clause(rounds.until)}, höchstens {rounds.times}-mal"


def _approve(step: ApproveStep) -> str:
    asked = step.approve
    by = "dem Verantwortlichen der Journey" if asked.by == OWNER else asked.by
    question = f": {asked.question.rstrip('.')}" if asked.question else ""
    return f"Von {by} entscheiden lassen, innerhalb von {after(asked.up_to)}{question}"


def _split(step: SplitStep) -> str:
    shares = listed([f"{arm.share} % {quoted(name)}" for name, arm in step.split.arms.items()], ", ")
    won = step.split.winner
    seeking = f"; den besseren Weg gehen alle, sobald {_compared(won)}" if won else ""
    return f"Die Kontakte für das Experiment {quoted(step.split.experiment)} aufteilen: {shares}{seeking}"


def _compared(won: Winner) -> str:
    return f"je {won.after} Kontakte mit {100 * won.confidence:.6g} % Sicherheit verglichen sind"


def _send(step: SendStep) -> str:
    what = f"{quoted(step.send.template)} {CHANNELS[step.send.channel]} senden"
    return f"{what}{voucher_of(step.send.voucher)}{latest_of(step.send)}{of_message(step.send)}"


def _set(step: SetStep) -> str:
    set_ = [f"{quoted(name)} auf {written(value)}" for name, value in step.set.items() if value is not None]
    removed = [quoted(name) for name, value in step.set.items() if value is None]
    parts = [f"{listed(set_, ' und ')} setzen"] if set_ else []
    parts += [f"{listed(removed, ' und ')} entfernen"] if removed else []
    return f"Beim Kontakt {' und '.join(parts)}"


def _list(step: ListStep) -> str:
    if step.list.add is not None:
        return f"Den Kontakt auf die Liste {quoted(step.list.add)} setzen"
    return f"Den Kontakt von der Liste {quoted(str(step.list.remove))} nehmen"


def _recompute_score(step: RecomputeScoreStep) -> str:
    return f"Die Punkte nach dem Punktemodell {quoted(step.recompute_score)} neu berechnen"


def _start(step: StartStep) -> str:
    other = f"{quoted(step.start.journey)} für den Kontakt{entered_with(step.start)}"
    return f"Die Journey {other} beginnen, ohne auf sie zu warten"


def _exit(step: ExitStep) -> str:
    return f"Die Journey verlassen: {step.exit}"


def _ways_of_branch(step: BranchStep, path: Path) -> str:
    if path[0] != "branch":
        return "Für alle anderen"
    way = step.branch[int(path[1])]
    return f"Wenn {clause(way.if_)}" + (f" ({quoted(way.name)})" if way.name else "")


def _ways_of_wait_for(step: WaitForStep, path: Path) -> str:
    if isinstance(step.wait_for, AwaitedFirst) and path[0] == "wait_for":
        first = step.wait_for.first_of[int(path[2])]
        return f"{_alternative(first)}{f' ({quoted(first.name)})' if first.name else ''}"
    return "Sobald es so weit ist" if path == ("then",) else "Wenn die Zeit vorher abläuft"


def _ways_of_wait(step: WaitStep, path: Path) -> str:
    return "Wenn es so weit ist" if path == ("then",) else passed_by(step.wait)


def _ways_of_repeat(_: RepeatStep, __: Path) -> str:
    return "Jedes Mal"


def _ways_of_approve(_: ApproveStep, path: Path) -> str:
    return {"then": "Bei Zustimmung", "rejected": "Bei Ablehnung"}.get(
        str(path[0]), "Wenn niemand rechtzeitig antwortet"
    )


def _ways_of_split(_: SplitStep, path: Path) -> str:
    return f"In {quoted(str(path[2]))}"


def _ways_of_if(_: IfStep, path: Path) -> str:
    return "Wenn ja" if path == ("then",) else "Wenn nein"


def _absence(entry: Absence) -> str:
    names = listed([quoted(name) for name in entry.of], " oder ") + asked(entry.where)
    also = "; auch wer nie eines hatte" if entry.also_without else ""
    before = "; Stille vor der Veröffentlichung zählt mit" if entry.backfill == "matching" else ""
    return f"Ein Kontakt beginnt, wenn seit {after(entry.for_)} kein Ereignis {names} eingetreten ist{also}{before}"


def _date_entry(entry: Any) -> str:
    beside = f"{lasting(entry.offset)} {'vor' if entry.before else 'nach'} " if entry.before or entry.after else ""
    yearly = "jedes Jahr " if entry.returns else ""
    leap = ", 29. Februar am 1. März" if entry.leap_day != "feb-28" else ""
    if entry.feast is not None:
        day = f"{beside}{FEASTS_IN_GERMAN[entry.feast]}" if beside else at_feast(entry.feast)
    else:
        day = f"{beside + 'dem' if beside else 'am'} Datum {quoted(entry.of)}"
    return f"Ein Kontakt beginnt {yearly}{day}, um {clock(entry.at)} Uhr{leap}{of_use(entry.expires_after)}"


def _broadcast(entry: Any) -> str:
    where = ", nach der Uhr an ihrem Ort" if entry.is_local else ""
    spread = f", über {lasting(entry.spread)} verteilt" if entry.spread else ""
    return f"Kontakte beginnen am {_instant(entry.at)}{where}{spread}{of_use(entry.expires_after)}"


def _enters(criterion: EventCriterion) -> str:
    return f"Ein Kontakt beginnt, wenn das Ereignis {event(criterion.event, criterion.where)} eintritt"


def _again(again: Again) -> str:
    match again:
        case "never":
            return "Jeder Kontakt beginnt nur einmal"
        case Cooldown(cooldown=cooldown):
            return f"Wer die Journey verlassen hat, kann frühestens nach {after(cooldown)} erneut beginnen"
        case PerProperty(per=name):
            return f"Jeder Kontakt beginnt einmal je {quoted(name)}, auch mehrfach nebeneinander"
        case _:
            return "Wer die Journey verlassen hat, kann erneut beginnen"


def _goal(goal: Goal) -> str:
    within = f" innerhalb von {after(goal.within)} nach dem Einstieg" if goal.within else ""
    named = f"das Ereignis {event(goal.event, goal.where)}{within}"
    return f"Ziel ({_GOALS[goal.type]}): {named}. {_at_goal(goal)}{_met_before(goal)}"


def _at_goal(goal: Goal) -> str:
    if goal.then:
        return "Wer es erreicht, macht von überall sofort mit den Schritten dafür weiter und verlässt dann die Journey"
    if goal.exit:
        return "Wer es erreicht, verlässt die Journey sofort"
    return "Es wird gezählt, und niemand verlässt dadurch die Journey"


def _met_before(goal: Goal) -> str:
    if goal.met_before is None:
        return ""
    when = f" in den {after(goal.met_before)} davor" if isinstance(goal.met_before, timedelta) else " schon früher"
    return f"; wer es{when} erreicht hat, steigt nicht ein"


def _leaves(criterion: EventCriterion) -> str:
    named = event(criterion.event, criterion.where)
    return f"Ein Kontakt verlässt die Journey sofort, wenn das Ereignis {named} eintritt"


def _window(window: Window) -> str:
    days = [_DAYS[a] if a == b else f"{_DAYS[a]} bis {_DAYS[b]}" for a, b in runs(window.days)]
    on = "täglich" if len(window.days) == len(_DAYS) else listed(days, " und ")
    hours = "" if window.from_ == window.to else f" von {clock(window.from_)} bis {clock(window.to)} Uhr"
    closed = ", nicht an dortigen Feiertagen" if window.holidays else ""
    spread = f"; was bis dahin warten muss, geht über {lasting(window.spread)} verteilt hinaus" if window.spread else ""
    return (
        f"Nachrichten für Werbung und Vertrieb gehen {on}{hours} hinaus, in der Zeitzone des Kontakts{closed}{spread}"
    )


GERMAN = Wording(
    steps={
        "wait": _wait,
        "wait_for": _wait_for,
        "if": _if,
        "branch": _branch,
        "approve": _approve,
        "split": _split,
        "repeat": _repeat,
        "send": _send,
        "set": _set,
        "list": _list,
        "task": german_task,
        "score": german_score,
        "stage": german_stage_step,
        "recompute_score": _recompute_score,
        "start": _start,
        "exit": _exit,
    },
    ways={
        "wait": _ways_of_wait,
        "wait_for": _ways_of_wait_for,
        "if": _ways_of_if,
        "branch": _ways_of_branch,
        "approve": _ways_of_approve,
        "split": _ways_of_split,
        "repeat": _ways_of_repeat,
    },
    conditions=CONDITIONS,
    timed={"absence": _absence, "date": _date_entry, "broadcast": _broadcast, "segment": changes_segment},
    enters=_enters,
    submits=submits,
    asked_in="Kontakte beginnen über die Programmierschnittstelle",
    provided=lambda asked: f", sofern {asked}",
    retried=retried,
    again=_again,
    at_most=at_most,
    goal=_goal,
    leaves=_leaves,
    leaves_when=leaves_when,
    at_home=lambda zone: f"Für Kontakte ohne bekannte Zeitzone gilt {zone}",
    window=_window,
    frequency=of_journey,
    filed=german_stages,
    held_out=lambda percent: (
        f"{percent} % bilden die Kontrollgruppe: Sie gehen ohne Werbe- und Vertriebsnachrichten durch"
    ),
    of_use=lambda span: f"Entfällt, wenn es mehr als {lasting(span)} zu spät ist",
    answers=lambda owner: f"Verantwortlich: {owner}",
    go_on="weitergehen",
    steps_title="Ablauf",
    complete="Damit ist die Journey abgeschlossen",
    after_goal_title="Wer das Ziel erreicht",
    goal_complete="Damit verlässt der Kontakt die Journey mit erreichtem Ziel",
)
