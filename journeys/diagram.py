"""The journey as a picture: what its boxes and arrows are, and the text Mermaid draws them from.

Made from the plan, so the picture shows what runs. Every arrow comes from `ways` of a node; how a drawing of our own
looks is in `journeys.drawing`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from journeys.conditions.comparison import describe_where
from journeys.conditions.outside import outside
from journeys.describe import describe_node
from journeys.duration import describe_duration
from journeys.model import Entry, Goal, Journey
from journeys.plan import compile_plan, steps_behind
from journeys.spans import describe_offset
from journeys.steps.leave import ExitNode
from journeys.steps.registry import Node

Describe = Callable[[Node], str]
END = "complete"
"""Not `end`, which Mermaid keeps for itself."""
ENTRY = "entry"
GOAL = "goal"
"""The box of a goal with steps of its own, which lead on from it to …"""
GOAL_END = "goal_met"
"""… this one."""


class Look(StrEnum):
    """What kind of thing a box is, for its shape and colour."""

    ENTRY = "entry"
    WAIT = "wait"
    DECISION = "decision"
    SEND = "send"
    CHANGE = "change"
    EXIT = "exit"
    END = "complete"


@dataclass(frozen=True)
class Standing:
    """How many are at a step now, and how often it was left in all.

    `waiting` go on by themselves, `attention` not until somebody looks after them. `passed` counts each time somebody
    went on to what follows, done, refused or skipped, in a `repeat` more than once for one contact; `left` those whose
    journey ended here.
    """

    waiting: int = 0
    attention: int = 0
    passed: int = 0
    left: int = 0


@dataclass(frozen=True)
class Box:
    """A box: its id (letters, digits, `_`), its words, what else stands in it, small, and who is there."""

    id: str
    words: str
    look: Look
    note: str = ""
    standing: Standing | None = None


@dataclass(frozen=True)
class Arrow:
    """An arrow from box to box, with the words on it."""

    source: str
    target: str
    words: str = ""


@dataclass(frozen=True)
class Chart:
    """The picture: boxes by id, arrows in the order of the ways, and what may end the journey at any step.

    Where the goal has steps of its own, it is a box from which they are reached, as the others are from the entry.
    """

    title: str
    boxes: Mapping[str, Box]
    arrows: tuple[Arrow, ...]
    meetings: Mapping[str, str]
    """For each box of a step the one where all of its ways meet again."""
    goal: str
    exits: tuple[str, ...]

    def leaving(self, box: str) -> list[Arrow]:
        """The arrows out of a box."""
        return [arrow for arrow in self.arrows if arrow.source == box]


def chart_of(
    journey: Journey, describe: Describe = describe_node, *, standing: Mapping[str, Standing] | None = None
) -> Chart:
    """The picture of a journey, whose nodes are told by `describe`.

    With `standing`, by step id, it shows who is where; a step that is not in it has nobody.
    """
    plan = compile_plan(journey, version=1)
    boxes = [Box(ENTRY, _plain(describe_entry(journey.entry)), Look.ENTRY)]
    boxes += [
        Box(
            box_id(step),
            _plain(describe(node)),
            look_of(node),
            _note(step, node),
            None if standing is None else standing.get(step, Standing()),
        )
        for step, node in plan.nodes.items()
    ]
    goal = _plain(describe_goal(journey.goal)) if journey.goal else ""
    boxes.append(Box(END, "the journey is complete", Look.END))
    boxes += [Box(GOAL, f"goal, at any step: {goal}", Look.END), Box(GOAL_END, "left, the goal met", Look.END)]
    ends = {step: GOAL_END if step in plan.nodes_after_goal else END for step in plan.nodes}
    arrows = [Arrow(ENTRY, box_id(plan.start))]
    arrows += [Arrow(GOAL, box_id(plan.after_goal))] if plan.after_goal else []
    for step, node in plan.nodes.items():
        arrows += [Arrow(box_id(step), target, words) for target, words in _arrows(node, ends[step])]
    drawn = {ENTRY, *map(box_id, plan.nodes), *(place for arrow in arrows for place in (arrow.source, arrow.target))}
    return Chart(
        title=_plain(journey.name),
        boxes={box.id: box for box in boxes if box.id in drawn},
        arrows=tuple(arrows),
        meetings={box_id(step): box_id(behind, ends[step]) for step, behind in steps_behind(journey).items()},
        goal=goal,
        exits=tuple(map(_plain, _exits(journey))),
    )


def _exits(journey: Journey) -> Iterator[str]:
    yield from (f"{exit_.event}{describe_where(exit_.where)}" for exit_ in journey.exit)
    if journey.exit_when is not None:
        yield f"if {journey.exit_when.describe()}"


def _note(step: str, node: Node) -> str:
    return f"{step} · of use for {describe_duration(node.expires_after)}" if node.expires_after else step


def _arrows(node: Node, end: str) -> Iterator[tuple[str, str]]:
    """Where the ways out of a node lead, at last to the box `end`; ways that lead to the same place are one arrow."""
    if isinstance(node, ExitNode):
        return
    ways: dict[str, list[str]] = {}
    for way in node.ways():
        ways.setdefault(box_id(way.to, end), []).append(way.when)
    for target, words in ways.items():
        yield target, _plain(" / ".join(word for word in words if word)) if len(ways) > 1 else ""


def _plain(words: str) -> str:
    """A text in one line, without signs that no drawing can show."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())


def box_id(step: str | None, end: str = END) -> str:
    """An id that is safe everywhere: step ids have hyphens, and may be words that Mermaid keeps for itself."""
    return f"step_{step.replace('-', '_')}" if step else end


def look_of(node: Node) -> Look:
    """What kind of thing a node is. One that is none of the named kinds changes something, or decides."""
    if isinstance(node, ExitNode):
        return Look.EXIT
    if node.kind == "send":
        return Look.SEND
    if node.kind.startswith(("wait", "approve")):
        return Look.WAIT
    return Look.DECISION if len(node.ways()) > 1 else Look.CHANGE


def describe_entry(entry: Entry) -> str:
    """How contacts get in, in one line."""
    if entry.form:
        words = f"form '{entry.form}' submitted{describe_where(entry.where)}"
    elif entry.event:
        words = f"{entry.event}{describe_where(entry.where)}"
    elif entry.segment:
        words = f"{'enters' if entry.segment.entered else 'leaves'} the segment '{entry.segment.segment}'"
    elif entry.absence:
        words = f"no {' or '.join(entry.absence.of)} for {describe_offset(entry.absence.for_)}"
    else:
        words = "through the API" if entry.timed is None else entry.timed.key
    again = f", asked again for {describe_duration(entry.retry)}" if entry.retry else ""
    return f"{words}; if {outside(entry.audience).describe()}{again}" if entry.audience else words


def describe_goal(goal: Goal) -> str:
    """What the journey is for, in one line."""
    within = f" within {describe_duration(goal.within)}" if goal.within else ""
    return f"{goal.event}{describe_where(goal.where)}{within}"


_SHAPES: Mapping[Look, tuple[str, str]] = {
    Look.ENTRY: ("([", "])"),
    Look.WAIT: ("(", ")"),
    Look.DECISION: ("{{", "}}"),
    Look.SEND: ("[/", "/]"),
    Look.CHANGE: ("[", "]"),
    Look.EXIT: ("([", "])"),
    Look.END: ("([", "])"),
}
COLOURS: Mapping[Look, tuple[str, str]] = {
    Look.ENTRY: ("#e6f4ea", "#2f7d4f"),
    Look.WAIT: ("#fff4d6", "#b07d00"),
    Look.DECISION: ("#efe9fb", "#6b4bb8"),
    Look.SEND: ("#e3effc", "#2b6cb0"),
    Look.CHANGE: ("#f1f3f5", "#5c6670"),
    Look.EXIT: ("#fbe6e4", "#b3382c"),
    Look.END: ("#e6f4ea", "#2f7d4f"),
}
"""Fill and line of each look."""


def mermaid(chart: Chart) -> str:
    """The picture as a Mermaid flowchart, drawn by GitHub, GitLab and many editors."""
    lines = ["---", f"title: {json.dumps(chart.title, ensure_ascii=False)}", "---", "flowchart TB"]
    for box in chart.boxes.values():
        begin, end = _SHAPES[box.look]
        lines.append(f"  {box.id}{begin}{_box_words(box)}{end}:::{box.look}")
    for arrow in chart.arrows:
        words = f"|{_quoted(arrow.words)}|" if arrow.words else ""
        lines.append(f"  {arrow.source} -->{words} {arrow.target}")
    goal_apart = chart.goal and GOAL not in chart.boxes
    if goal_apart or chart.exits:
        lines.append('  subgraph anytime["at any step"]')
        if goal_apart:
            lines.append(f"    goal([{_quoted(f'goal: {chart.goal}')}]):::complete")
        lines += [f"    exit_{n}([{_quoted(f'leaves on {words}')}]):::exit" for n, words in enumerate(chart.exits, 1)]
        lines.append("  end")
    for look, (fill, line) in COLOURS.items():
        lines.append(f"  classDef {look} fill:{fill},stroke:{line},color:#1c1f23")
    return "\n".join([*lines, ""])


def _box_words(box: Box) -> str:
    """What stands in a box, and below it who is there. Only the break is ours to write as HTML."""
    if box.standing is None:
        return _quoted(box.words)
    told = " · ".join(f"{number:,} {words}" for number, words, _ in counted(box.standing, box.look))
    return f'{_quoted(box.words)[:-1]}<br/>{told}"'


def counted(standing: Standing, look: Look) -> Iterator[tuple[int, str, Look]]:
    """The numbers to show in a box of that look, with words and colours; attention and leaving only where needed."""
    if look is not Look.EXIT:
        yield standing.waiting, "waiting", Look.WAIT
    if standing.attention:
        yield standing.attention, "need attention" if standing.attention > 1 else "needs attention", Look.EXIT
    if look is not Look.EXIT:
        yield standing.passed, "went on", Look.END
    if standing.left or look is Look.EXIT:
        yield standing.left, "left", Look.CHANGE


def _quoted(words: str) -> str:
    """A text that Mermaid shows as it is: what means something to it or to HTML is written as its number."""
    return '"' + "".join(f"#{ord(sign)};" if sign in _MARKS else sign for sign in words) + '"'


_MARKS = frozenset('#&<>"`\\|')
