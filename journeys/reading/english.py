"""A journey in English."""

from datetime import datetime, timedelta
from typing import Any

from journeys.best_time import BestTimeMoment
from journeys.entries import Absence
from journeys.model import Again, Cooldown, Goal, PerProperty
from journeys.moments import CalendarMoment, DateMoment, InstantMoment, WindowMoment, date_source
from journeys.places import Path
from journeys.reading.best_times import in_english as best_time_of
from journeys.reading.english_clauses import CONDITIONS, clause, event, lasting, written
from journeys.reading.english_details import about, alternative_event, entered_with, latest_of, of_use, passed_by
from journeys.reading.english_entries import at_most, changes_segment, leaves_when, retried, submits
from journeys.reading.english_frequency import of_journey, of_message
from journeys.reading.english_people import english_score, english_task
from journeys.reading.feasts import FEASTS_IN_ENGLISH
from journeys.reading.parts import clock, listed, runs
from journeys.reading.stages import english_stage_step, english_stages
from journeys.reading.vouchers import in_english as voucher_of
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

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_GOALS = {"sell": "sell", "serve": "serve", "speak": "speak", "save": "save", "sizzle": "sizzle"}


def _wait(step: WaitStep) -> str:
    match step.wait:
        case timedelta():
            return f"Wait {lasting(step.wait)}"
        case CalendarMoment(span=span, at=at):
            on = "the next day" if span == Span(1, Unit.DAY) else f"the day {lasting(span)} later"
            return f"Wait until {clock(at)} on {on}"
        case WindowMoment():
            return "Wait until messages may leave"
        case InstantMoment():
            return f"Wait until {_instant(step.wait.until)}{about(step.wait)}"
        case BestTimeMoment(best_time=asked_for):
            return best_time_of(asked_for)
        case DateMoment():
            return f"Wait until {_beside(step.wait)}{about(step.wait)}"


def _instant(until: datetime) -> str:
    day = f"{until.day} {_MONTHS[until.month - 1]} {until.year}, {clock(until.time())}"
    return day if until.tzinfo is None else f"{day} ({until:UTC%z})"


def _beside(moment: DateMoment) -> str:
    source, path = date_source(moment.reference)
    named = f"{path} of the {source}" if path else _entry_or_later(moment)
    date = f"the next return of {named}" if moment.yearly else named
    at = f", {clock(moment.at)}" if moment.at else ""
    if moment.on:
        return f"{date}{at}"
    return f"{lasting(moment.offset)} {'before' if moment.before else 'after'} {date}{at}"


def _entry_or_later(moment: DateMoment) -> str:
    return (
        f"the entry or the last {event(moment.moved_by.event, moment.moved_by.where)} since"
        if moment.moved_by
        else "the entry"
    )


def _wait_for(step: WaitForStep) -> str:
    awaited = step.wait_for
    match awaited:
        case AwaitedEvent():
            since = " from now on" if awaited.since == "step" else ""
            return f"Wait for {event(awaited.event, awaited.where)}{since}, {lasting(awaited.up_to)} at most"
        case AwaitedCondition():
            return f"Wait until {clause(awaited.condition)}, {lasting(awaited.up_to)} at most"
    if awaited.ranked:
        return f"Wait {lasting(awaited.up_to)}, then take the first of these that is so"
    return f"Wait for the first of these, {lasting(awaited.up_to)} at most"


def _alternative(alternative: Alternative) -> str:
    if isinstance(alternative, ConditionAlternative):
        return f"If {clause(alternative.condition)}"
    criterion = EventCriterion(event=alternative.event, where=alternative.where)
    return f"If {alternative_event(criterion, since_step=alternative.since == 'step')}"


def _if(step: IfStep) -> str:
    return f"Check whether {clause(step.if_)}"


def _branch(_: BranchStep) -> str:
    return "Take the first of these ways that applies"


def _repeat(step: RepeatStep) -> str:
    rounds = step.repeat
    times = f"{rounds.times} {'time' if rounds.times == 1 else 'times'}"
    if rounds.until is None:
        return f"Do this {times}"
    return f"Do this {times} at most, until {clause(rounds.until)}"


def _approve(step: ApproveStep) -> str:
    asked = step.approve
    by = "the journey's owner" if asked.by == OWNER else asked.by
    question = f": {asked.question.rstrip('.')}" if asked.question else ""
    return f"Have {by} decide, within {lasting(asked.up_to)}{question}"


def _split(step: SplitStep) -> str:
    shares = listed([f'{arm.share} % "{name}"' for name, arm in step.split.arms.items()], ", ")
    won = step.split.winner
    seeking = f"; the better way is taken by all once {_compared(won)}" if won else ""
    return f'Split the contacts for the experiment "{step.split.experiment}": {shares}{seeking}'


def _compared(won: Winner) -> str:
    return f"{won.after} contacts of each are compared with {100 * won.confidence:.6g} % confidence"


def _send(step: SendStep) -> str:
    what = f'"{step.send.template}" by {step.send.channel}{voucher_of(step.send.voucher)}{latest_of(step.send)}'
    return f"Send {what}{of_message(step.send)}"


def _set(step: SetStep) -> str:
    set_ = [f"{name} to {written(value)}" for name, value in step.set.items() if value is not None]
    removed = [name for name, value in step.set.items() if value is None]
    parts = [f"set the contact's {listed(set_, ' and ')}"] if set_ else []
    parts += [f"remove {listed(removed, ' and ')}"] if removed else []
    sentence = " and ".join(parts)
    return sentence[0].upper() + sentence[1:]


def _list(step: ListStep) -> str:
    if step.list.add is not None:
        return f'Add the contact to the list "{step.list.add}"'
    return f'Remove the contact from the list "{step.list.remove}"'


def _recompute_score(step: RecomputeScoreStep) -> str:
    return f'Compute the points under "{step.recompute_score}" anew'


def _start(step: StartStep) -> str:
    return f'Start the journey "{step.start.journey}" for the contact{entered_with(step.start)}, without waiting for it'


def _exit(step: ExitStep) -> str:
    return f"Leave the journey: {step.exit}"


def _ways_of_branch(step: BranchStep, path: Path) -> str:
    if path[0] != "branch":
        return "For everybody else"
    way = step.branch[int(path[1])]
    return f"If {clause(way.if_)}" + (f' ("{way.name}")' if way.name else "")


def _ways_of_wait_for(step: WaitForStep, path: Path) -> str:
    if isinstance(step.wait_for, AwaitedFirst) and path[0] == "wait_for":
        first = step.wait_for.first_of[int(path[2])]
        named = f' ("{first.name}")' if first.name else ""
        return f"{_alternative(first)}{named}"
    return "When it comes" if path == ("then",) else "If the time passes without it"


def _ways_of_wait(step: WaitStep, path: Path) -> str:
    return "When it is time" if path == ("then",) else passed_by(step.wait)


def _ways_of_repeat(_: RepeatStep, __: Path) -> str:
    return "Each time"


def _ways_of_approve(_: ApproveStep, path: Path) -> str:
    return {"then": "If approved", "rejected": "If rejected"}.get(str(path[0]), "If nobody answers in time")


def _ways_of_split(_: SplitStep, path: Path) -> str:
    return f'In "{path[2]}"'


def _ways_of_if(_: IfStep, path: Path) -> str:
    return "If so" if path == ("then",) else "If not"


def _absence(entry: Absence) -> str:
    names = event(listed(entry.of, " or "), entry.where)
    also = ", those who never had it included" if entry.also_without else ""
    before = "; silence from before the publication counts" if entry.backfill == "matching" else ""
    return f"A contact enters when {names} has not happened for {lasting(entry.for_)}{also}{before}"


def _date_entry(entry: Any) -> str:
    when = (
        "" if not (entry.before or entry.after) else f"{lasting(entry.offset)} {'before' if entry.before else 'after'} "
    )
    yearly = "every year " if entry.returns else ""
    leap = ", 29 February on 1 March" if entry.leap_day != "feb-28" else ""
    day = FEASTS_IN_ENGLISH[entry.feast] if entry.feast is not None else f"the date in {entry.of}"
    return f"A contact enters {yearly}{when or 'on '}{day}, at {clock(entry.at)}{leap}{of_use(entry.expires_after)}"


def _broadcast(entry: Any) -> str:
    where = ", on the clock where each of them lives" if entry.is_local else ""
    spread = f", spread over {lasting(entry.spread)}" if entry.spread else ""
    return f"Contacts enter on {_instant(entry.at)}{where}{spread}{of_use(entry.expires_after)}"


def _enters(criterion: EventCriterion) -> str:
    return f"A contact enters when {event(criterion.event, criterion.where)} happens"


def _again(again: Again) -> str:
    match again:
        case "never":
            return "Each contact enters once"
        case Cooldown(cooldown=cooldown):
            return f"Who has left may enter again after {lasting(cooldown)}"
        case PerProperty(per=name):
            return f"Each contact enters once per {name}, several times side by side"
        case _:
            return "Who has left may enter again"


def _goal(goal: Goal) -> str:
    within = f" within {lasting(goal.within)} after entry" if goal.within else ""
    return f"Goal ({_GOALS[goal.type]}): {event(goal.event, goal.where)}{within}. {_at_goal(goal)}{_met_before(goal)}"


def _at_goal(goal: Goal) -> str:
    if goal.then:
        return "Who reaches it goes on at once with the steps for that, wherever it is, and leaves behind them"
    return "Who reaches it leaves at once" if goal.exit else "It is counted, and nobody leaves by it"


def _met_before(goal: Goal) -> str:
    if goal.met_before is None:
        return ""
    when = f" within {lasting(goal.met_before)}" if isinstance(goal.met_before, timedelta) else ""
    return f"; who has reached it before{when} does not enter"


def _leaves(criterion: EventCriterion) -> str:
    return f"A contact leaves at once when {event(criterion.event, criterion.where)} happens"


def _window(window: Window) -> str:
    days = [_DAYS[a] if a == b else f"{_DAYS[a]} to {_DAYS[b]}" for a, b in runs(window.days)]
    hours = "" if window.from_ == window.to else f" from {clock(window.from_)} to {clock(window.to)}"
    on = "every day" if len(window.days) == len(_DAYS) else listed(days, " and ")
    closed = ", not on public holidays there" if window.holidays else ""
    spread = f"; those held back until then leave spread over {lasting(window.spread)}" if window.spread else ""
    return f"Marketing and sales messages leave {on}{hours}, in the contact's own time zone{closed}{spread}"


ENGLISH = Wording(
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
        "task": english_task,
        "score": english_score,
        "stage": english_stage_step,
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
    asked_in="Contacts enter through the API",
    provided=lambda asked: f", provided that {asked}",
    retried=retried,
    again=_again,
    at_most=at_most,
    goal=_goal,
    leaves=_leaves,
    leaves_when=leaves_when,
    at_home=lambda zone: f"Contacts without a known time zone are taken to live in {zone}",
    window=_window,
    frequency=of_journey,
    filed=english_stages,
    held_out=lambda percent: f"{percent} % are held out: they pass through without marketing and sales messages",
    of_use=lambda span: f"Left out where it comes more than {lasting(span)} late",
    answers=lambda owner: f"{owner} answers for it",
    go_on="go on",
    steps_title="What happens",
    complete="Then the journey is complete",
    after_goal_title="Who reaches the goal",
    goal_complete="Then the contact leaves, its goal reached",
)
