"""All ways through a small journey by brute force: from its document, step by step, without plans or networks.

Every condition that is not decided by the results of earlier steps may hold or not.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice, product
from typing import Any

from hypothesis import strategies as st

from journeys.duration import parse_duration

Document = Mapping[str, Any]
NONE = timedelta()


@dataclass(frozen=True)
class Walk:
    """One way so far: its least and most time, when at the least its messages left, and the results known."""

    least: timedelta = NONE
    most: timedelta = NONE
    sent: tuple[timedelta, ...] = ()
    results: tuple[tuple[str, str | None], ...] = ()
    over: bool = False

    def result(self, step: Document, word: str | None) -> "Walk":
        kept = tuple(pair for pair in self.results if pair[0] != step.get("id"))
        return replace(self, results=(*kept, (str(step.get("id")), word)))

    def later(self, least: timedelta, most: timedelta) -> "Walk":
        return replace(self, least=self.least + least, most=self.most + most)


def walks(steps: Sequence[Document], walk: Walk | None = None) -> Iterator[Walk]:
    """Every way through the steps."""
    walk = walk or Walk()
    if walk.over or not steps:
        yield walk
        return
    for after in _through(steps[0], walk):
        yield from walks(steps[1:], after)


def _through(step: Document, walk: Walk) -> Iterator[Walk]:
    if "wait" in step:
        duration = parse_duration(step["wait"])
        yield walk.later(duration, duration).result(step, None)
    elif "send" in step:
        yield replace(walk, sent=(*walk.sent, walk.least)).result(step, None)
    elif "exit" in step:
        yield replace(walk, over=True)
    elif "wait_for" in step:
        limit = parse_duration(step["wait_for"]["up_to"])
        yield from walks(step.get("then", []), walk.later(NONE, limit).result(step, "arrived"))
        yield from walks(step.get("else", []), walk.later(limit, limit).result(step, "timed_out"))
    elif "if" in step:
        for holds in sorted(outcomes(step["if"], dict(walk.results)), reverse=True):
            chosen = step.get("then" if holds else "else", [])
            yield from walks(chosen, walk.result(step, "yes" if holds else "no"))
    elif "repeat" in step:
        yield from _rounds(step, walk, step["repeat"]["times"])
    else:
        yield walk.result(step, None)


def _rounds(step: Document, walk: Walk, left: int) -> Iterator[Walk]:
    """Out of a repeat, or into its next round."""
    if walk.over:
        yield walk
        return
    until = step["repeat"].get("until")
    for holds in outcomes(until, dict(walk.results)) if until else {False}:
        if holds:
            yield walk.result(step, "fulfilled")
        elif not left:
            yield walk.result(step, "done")
        else:
            for after in walks(step["repeat"]["steps"], walk):
                yield from _rounds(step, after, left - 1)


def outcomes(condition: Document, results: Mapping[str, str | None]) -> set[bool]:
    """What the condition can come to."""
    if "result" in condition:
        step, word = condition["result"]["step"], condition["result"]["is"]
        if step not in results:
            return {False}
        return {True, False} if results[step] is None else {results[step] == word}
    if "not" in condition:
        return {not outcome for outcome in outcomes(condition["not"], results)}
    for key, combined in (("all", all), ("any", any)):
        if key in condition:
            parts = [outcomes(part, results) for part in condition[key]]
            return {combined(chosen) for chosen in product(*parts)}
    return {True, False}


def most_within(sent: Sequence[timedelta], span: timedelta) -> int:
    """The most messages of one way within the span."""
    return max((sum(begin <= at < begin + span for at in sent) for begin in sent), default=0)


NAMES = ("first", "second", "third")
waits = st.sampled_from(["1h", "1d", "3d", "7d", "8d"])
questions = st.recursive(
    st.one_of(
        st.just({"in_list": "vip"}),
        st.fixed_dictionaries(
            {
                "result": st.fixed_dictionaries(
                    {"step": st.sampled_from(NAMES), "is": st.sampled_from(["yes", "no", "arrived", "timed_out"])}
                )
            }
        ),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"all": st.lists(inner, max_size=2)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=2)}),
    ),
    max_leaves=3,
)
flat = st.one_of(
    st.fixed_dictionaries({"wait": waits}),
    st.just({"send": {"template": "voucher"}}),
    st.just({"send": {"template": "receipt"}}),
    st.just({"exit": "enough"}),
    st.just({"list": {"add": "vip"}}),
)


def _forks(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    branches = st.fixed_dictionaries({}, optional={word: st.lists(inner, max_size=2) for word in ("then", "else")})
    heads = st.one_of(
        st.fixed_dictionaries({"if": questions}),
        st.builds(lambda wait: {"wait_for": {"event": "order.placed", "up_to": wait}}, waits),
    )
    rounds = st.fixed_dictionaries(
        {"times": st.integers(1, 2), "steps": st.lists(inner, min_size=1, max_size=2)}, optional={"until": questions}
    )
    forks = st.builds(lambda head, body: {**head, **body}, heads, branches)
    return st.one_of(forks, forks, rounds.map(lambda body: {"repeat": body}))


def _named(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first steps that fork are called by the names that conditions ask for; all others have ids, too."""
    names = [*NAMES, *(f"step-{number}" for number in range(100))]

    def name(step: dict[str, Any]) -> dict[str, Any]:
        named = {"id": names.pop(0 if {"if", "wait_for", "repeat"} & set(step) else -1), **step}
        if "repeat" in step:
            return named | {"repeat": step["repeat"] | {"steps": [name(inner) for inner in step["repeat"]["steps"]]}}
        return named | {word: [name(inner) for inner in step[word]] for word in ("then", "else") if word in step}

    return [name(step) for step in steps]


MOST_WAYS = 2_000


def _has_few_ways(steps: Sequence[Document]) -> bool:
    """Whether brute force comes to an end: forks within repeats may have a hundred thousand ways."""
    return sum(1 for _ in islice(walks(steps), MOST_WAYS + 1)) <= MOST_WAYS


small_journeys = (
    st.lists(st.recursive(flat, _forks, max_leaves=4), min_size=1, max_size=4).map(_named).filter(_has_few_ways)
)
"""Steps of journeys small enough for brute force, full of conditions on the results of earlier steps."""


def _renamed(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    text = json.dumps(steps).replace('"step-', '"then-')
    for name in NAMES:
        text = text.replace(f'"{name}"', f'"then-{name}"')
    renamed: list[dict[str, Any]] = json.loads(text)
    return renamed


further_journeys = small_journeys.map(_renamed)
"""Such steps again, under names of their own."""
