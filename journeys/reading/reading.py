"""A journey in plain sentences, in German or English: the order of what is told. The words are in the languages."""

from collections.abc import Iterator, Mapping, Sequence

from journeys.conditions.outside import outside
from journeys.model import Journey
from journeys.places import Path
from journeys.reading.english import ENGLISH
from journeys.reading.german import GERMAN
from journeys.reading.wording import Language, Wording
from journeys.steps.registry import Step

WORDINGS: Mapping[Language, Wording] = {Language.GERMAN: GERMAN, Language.ENGLISH: ENGLISH}
_INDENT = "   "


def read_journey(journey: Journey, language: Language) -> str:
    """The journey as text: who gets in, what it is for, who leaves, when mails may leave, and numbered steps.

    The steps behind a met goal stand below the others, and their numbers go on from these.
    """
    words = WORDINGS[language]
    lines = [journey.name, f"Journey {journey.key}. {words.answers(journey.owner)}."]
    lines += [*([journey.description.strip()] if journey.description.strip() else []), ""]
    lines += [f"{sentence}." for sentence in _about(journey, words)]
    lines += ["", f"{words.steps_title}:", *_steps(journey.steps, words), f"{words.complete}."]
    if journey.goal is not None and journey.goal.then:
        further = _steps(journey.goal.then, words, first=len(journey.steps) + 1)
        lines += ["", f"{words.after_goal_title}:", *further, f"{words.goal_complete}."]
    return "".join(f"{line}\n" for line in map(_printable, lines))


def _printable(line: str) -> str:
    """One line, whatever an author's texts hold."""
    return "".join(sign if sign.isprintable() else " " for sign in line)


def _about(journey: Journey, words: Wording) -> Iterator[str]:
    entry = journey.entry
    if entry.timed is not None:
        way_in = words.timed[entry.timed.key](entry.timed)
    elif entry.form is not None:
        way_in = words.submits(entry.form, entry.where)
    elif entry.criterion is not None:
        way_in = words.enters(entry.criterion)
    else:
        way_in = words.asked_in
    yield way_in + (words.provided(words.clause(outside(entry.audience))) if entry.audience is not None else "")
    if entry.retry is not None:
        yield words.retried(entry.retry)
    yield words.again(entry.again)
    if entry.at_most is not None:
        yield words.at_most(entry.at_most)
    if journey.stages:
        yield words.filed(journey.stages)
    if journey.goal is not None:
        yield words.goal(journey.goal)
    yield from _exits(journey, words)
    if journey.holdout is not None:
        yield words.held_out(journey.holdout)
    yield from _about_messages(journey, words)


def _about_messages(journey: Journey, words: Wording) -> Iterator[str]:
    if journey.time_zone is not None:
        yield words.at_home(journey.time_zone)
    if journey.window is not None:
        yield words.window(journey.window)
    yield from words.frequency(journey)


def _exits(journey: Journey, words: Wording) -> Iterator[str]:
    for criterion in journey.exit:
        yield words.leaves(criterion)
    if journey.exit_when is not None:
        yield words.leaves_when(words.clause(journey.exit_when))


def _steps(steps: Sequence[Step], words: Wording, place: str = "", first: int = 1) -> Iterator[str]:
    """The steps as numbered lines; what is nested stands below its step, further in. Numbers go on from way to way."""
    indent = 2 * _INDENT * place.count(".")
    for number, step in enumerate(steps, start=first):
        nested = {path: inner for path, inner in step.nested().items() if inner or _stands_for_itself(path)}
        yield f"{indent}{place}{number}. {_told(step, words, ':' if nested else '.')}"
        inner_first = 1
        for path, inner in nested.items():
            yield f"{indent}{_INDENT}{words.way(step, path)}:{'' if inner else f' {words.go_on}.'}"
            yield from _steps(inner, words, f"{place}{number}.", inner_first)
            inner_first += len(inner)


def _told(step: Step, words: Wording, end: str) -> str:
    """The step under the name its author gave it, by which other steps speak of it."""
    called = f"[{step.id}] " if step.id else ""
    if step.expires_after is None:
        return called + _ended(words.step(step), end)
    return f"{called}{_ended(words.step(step), '.')} {_ended(words.of_use(step.expires_after), end)}"


def _ended(sentence: str, end: str) -> str:
    return sentence if sentence.endswith(("?", "!")) else f"{sentence}{end}"


def _stands_for_itself(path: Path) -> bool:
    """Whether a way is told though nothing is done on it: left out, its contacts would seem to go one of the others."""
    return "first_of" in path or path[0] == "branch"
