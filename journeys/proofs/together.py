"""What is doubtful about several journeys together: each may be sound, and a contact be in all of them at once."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from journeys.describe import describe_node
from journeys.duration import describe_duration
from journeys.findings import Finding, KnownTemplates, Severity
from journeys.frequency import AtCap
from journeys.model import Journey, PerProperty
from journeys.proofs.mails import Sent, heaviest_week, marketing, most_passages, once_each
from journeys.proofs.subject import Subject, subject_of
from journeys.proofs.trails import describe_entry
from journeys.proofs.triggers import Circle, Trigger, circles
from journeys.steps.send import SendNode
from journeys.values import GOAL_MET, JOURNEY_COMPLETED, JOURNEY_EXITED
from kit.errors import Problem

WEEKLY_CAP = 3
"""Marketing messages per contact in seven days that are a reason to warn where nothing else is set."""
_MOST_TOLD = 5
"""Journeys that a sentence names one by one."""


class _Note(NamedTuple):
    """A finding, and the journeys it is about."""

    keys: tuple[str, ...]
    finding: Finding


def check_together(
    journeys: Sequence[Journey],
    known: KnownTemplates,
    *,
    weekly_cap: int = WEEKLY_CAP,
    about: Collection[str] | None = None,
) -> list[Finding]:
    """The findings about the journeys together, as warnings.

    A journey of which not every way is known to end is left out.

    Args:
        journeys: those that are live at the same time.
        known: the published templates; a template that is not known counts for nothing.
        weekly_cap: marketing messages the gate lets through to one contact in seven days; 0: any number.
        about: keys of the journeys of which something is asked: what does not concern them is left out.
    """
    subjects = [subject for journey in journeys if (subject := subject_of(journey)) and subject.ends]
    asked = frozenset(journey.key for journey in journeys) if about is None else frozenset(about)
    notes = [*_one_key(journeys), *_circles(subjects), *_weekly(subjects, known, weekly_cap, asked)]
    return [finding for keys, finding in notes if asked & set(keys)]


def _one_key(journeys: Sequence[Journey]) -> Iterator[_Note]:
    keys = [journey.key for journey in journeys]
    for key in dict.fromkeys(keys):
        if keys.count(key) > 1:
            what = f"{keys.count(key)} of these journeys have the key '{key}': the one that is published last counts."
            yield _warning("one-key-twice", [key], what, "Give each its own key.")


def _circles(subjects: Sequence[Subject]) -> Iterator[_Note]:
    for circle in circles(subjects):
        keys = list(dict.fromkeys(trigger.source.journey.key for trigger in circle))
        what = f"A contact can go round for ever, {_pace(circle)}: {_told(circle)}."
        remedy = "Narrow one of the entries with `where`, or let it be entered `again: never`."
        yield _warning("journeys-in-a-circle", keys, what, remedy)


def _pace(circle: Circle) -> str:
    """How often at most, and whether the contact has to do something each time."""
    takes = sum((trigger.takes for trigger in circle), timedelta())
    occasions = " and ".join(dict.fromkeys(trigger.waits_for for trigger in circle if trigger.waits_for))
    if takes:
        condition = f" and as long as {occasions}" if occasions else ""
        return f"once in {describe_duration(takes)} at most{condition}"
    return f"as often as {occasions}" if occasions else "without any time in between"


def _told(circle: Circle) -> str:
    return " → ".join([*(_step(trigger) for trigger in circle), f"'{circle[0].source.journey.key}' again"])


_WITHOUT_STEP = {
    GOAL_MET: "its goal is met",
    JOURNEY_COMPLETED: "its steps are done",
    JOURNEY_EXITED: "an exit of it is met",
}


def _step(trigger: Trigger) -> str:
    step = trigger.step_id
    does = _WITHOUT_STEP[trigger.caused.event] if step is None else describe_node(trigger.source.plan.nodes[step])
    return f"'{trigger.source.journey.key}' ({describe_entry(trigger.source.journey.entry)}), {does}"


@dataclass(frozen=True)
class _Share:
    """What one journey can add to a week: the messages of its worst passage, times the passages that fit."""

    subject: Subject
    sent: tuple[Sent, ...]
    passages: int | None

    @property
    def key(self) -> str:
        return self.subject.journey.key

    @property
    def messages(self) -> int:
        """Where nothing bounds the passages, those of one."""
        return len(self.sent) * (self.passages or 1)

    def skips(self, sent: Sent) -> bool:
        """Whether a message is left out at the cap, and does not wait."""
        node = self.subject.plan.nodes[sent.step_id]
        assert isinstance(node, SendNode)
        return (node.cap or self.subject.journey.cap) is AtCap.SKIP

    def told(self) -> str:
        first, last = (sent.after // timedelta(days=1) for sent in (self.sent[0], self.sent[-1]))
        days = f"day {first}" if first == last else f"days {first} to {last}"
        steps = ", ".join(f"'{sent.step_id}'" for sent in self.sent)
        times = f", {self.passages} passages" if self.passages and self.passages > 1 else ""
        return f"'{self.key}' {self.messages} (at the earliest {days} after the entry: {steps}{times})"


def _weekly(subjects: Sequence[Subject], known: KnownTemplates, cap: int, asked: frozenset[str]) -> Iterator[_Note]:
    shares = [share for subject in subjects if (share := _share(subject, known)).sent]
    for share in shares:
        if share.passages is None:
            yield _unbounded(share, cap)
    total = sum(share.messages for share in shares)
    if total > cap > 0:
        yield _above(shares, total, cap, asked)


def _share(subject: Subject, known: KnownTemplates) -> _Share:
    counts = marketing(subject, known)
    sent = heaviest_week(subject.unrolled, counts)
    passages = most_passages(subject.journey, subject.unrolled, counts) if sent else 1
    if passages is None and (seldom := once_each(subject, counts)) is not None:
        return _Share(subject, seldom, 1)
    return _Share(subject, sent, passages)


def _unbounded(share: _Share, cap: int) -> _Note:
    again = share.subject.journey.entry.again
    if isinstance(again, PerProperty):
        often, remedy = f"once for each `{again.per}`", "Use a cooldown, or say `repeat: 7d` of each message."
    else:
        often, remedy = "again as soon as it has left", "Use a cooldown, such as `again: {cooldown: 7d}`."
    what = f"Nothing bounds how many marketing messages it can send within 7 days: a contact enters {often}."
    if cap:
        what += f" The gate lets {cap} through, from all journeys together: {_at_cap([share])}."
    return _warning("unbounded-messages", [share.key], what, remedy)


def _above(shares: Sequence[_Share], total: int, cap: int, asked: frozenset[str]) -> _Note:
    ordered = sorted(shares, key=lambda share: (share.key not in asked, -share.messages, share.key))
    smallest = _smallest(ordered, cap)
    told = "; ".join(share.told() for share in smallest[:_MOST_TOLD])
    more = f"; and {len(smallest) - _MOST_TOLD} more" if len(smallest) > _MOST_TOLD else ""
    together = f" All {len(shares)} journeys together: {total}." if len(shares) > len(smallest) else ""
    once = " Journeys that nothing bounds count once." if any(share.passages is None for share in shares) else ""
    what = (
        f"One contact can get {sum(share.messages for share in smallest)} marketing messages within 7 days, "
        f"more than {cap}: {told}{more}.{together}{once} The gate lets {cap} through: {_at_cap(smallest)}."
    )
    remedy = (
        "Put more time between them, let one journey exclude the other by its audience or `exit`, or raise the cap."
    )
    return _warning("weekly-cap", [share.key for share in smallest], what, remedy)


def _at_cap(shares: Sequence[_Share]) -> str:
    """What the gate does with the messages that are too many."""
    skipping = [(share.key, sent.step_id) for share in shares for sent in share.sent if share.skips(sent)]
    if len(skipping) == sum(len(share.sent) for share in shares):
        return "it refuses the others as `frequency_cap`, for they say `cap: skip`"
    waits = "the others wait for their turn, and are refused as `frequency_cap` where that comes too late"
    told = ", ".join(f"'{step}' of '{key}'" for key, step in skipping[:_MOST_TOLD])
    return f"{waits}; {told} {'is' if len(skipping) == 1 else 'are'} refused at once, by `cap: skip`" if told else waits


def _smallest(ordered: Sequence[_Share], cap: int) -> list[_Share]:
    """Journeys that are above the cap together, as few as they can be in this order."""
    found: list[_Share] = []
    for share in ordered:
        found.append(share)
        if sum(chosen.messages for chosen in found) > cap:
            break
    return found


def _warning(rule: str, keys: Sequence[str], what: str, remedy: str) -> _Note:
    place = f"{'journeys' if len(keys) > 1 else 'journey'} {', '.join(keys)}"
    return _Note(tuple(keys), Finding(Severity.WARNING, Problem(place, what, remedy), rule))
