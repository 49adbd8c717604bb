"""A journey as a picture: every step and way of the plan is in it, once, and its texts are shown as they are."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from journeys.catalogue import catalogue
from journeys.diagram import END, ENTRY, GOAL, GOAL_END, Look, Standing, box_id, chart_of, mermaid
from journeys.documents import journey_from_document
from journeys.drawing import BOX, svg, wrapped
from journeys.model import Journey
from journeys.plan import compile_plan
from journeys.rules.steps import two_steps_with_one_id
from journeys.steps.leave import ExitNode
from tests.support.journeys import documents, journey

SVG = "{http://www.w3.org/2000/svg}"
FORKED: list[dict[str, Any]] = [
    {"id": "guard", "if": {"attribute": "country", "is": "DE"}, "then": [{"exit": "not here"}]},
    {
        "id": "asked",
        "wait_for": {"event": "page.viewed", "up_to": "2d"},
        "then": [{"send": {"template": "thanks"}}],
        "else": [{"send": {"template": "reminder"}}, {"wait": "1d"}],
    },
    {"id": "last", "list": {"add": "asked"}},
]


def texts(drawing: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(drawing).iter(f"{SVG}text")]


def boxes(drawing: str) -> int:
    return sum(
        rect.get("width") == str(BOX) and rect.get("rx") is not None
        for rect in ET.fromstring(drawing).iter(f"{SVG}rect")
    )


@settings(max_examples=40, deadline=None)
@given(documents)
def test_every_step_is_a_box_and_every_way_an_arrow(document: dict[str, Any]) -> None:
    made = journey_from_document(document)
    if list(two_steps_with_one_id(made)):
        return
    plan, chart = compile_plan(made, 1), chart_of(made)
    goal = {GOAL} if plan.after_goal else set()
    assert {box_id(step) for step in plan.nodes} | {ENTRY} | goal == set(chart.boxes) - {END, GOAL_END}
    ways = {
        (box_id(step), box_id(way.to, GOAL_END if step in plan.nodes_after_goal else END))
        for step, node in plan.nodes.items()
        if not isinstance(node, ExitNode)
        for way in node.ways()
    }
    starts = {(ENTRY, box_id(plan.start))} | ({(GOAL, box_id(plan.after_goal))} if plan.after_goal else set())
    assert {(arrow.source, arrow.target) for arrow in chart.arrows} == ways | starts
    assert len(chart.arrows) == len(ways | starts)


@settings(max_examples=40, deadline=None)
@given(documents)
def test_every_reachable_step_is_drawn_once(document: dict[str, Any]) -> None:
    made = journey_from_document(document)
    if list(two_steps_with_one_id(made)):
        return
    chart = chart_of(made)
    found = [ENTRY, *({GOAL} & set(chart.boxes))]
    reached = set(found)
    while found:
        for arrow in chart.leaving(found.pop()):
            if arrow.target not in reached:
                reached.add(arrow.target)
                found.append(arrow.target)
    assert boxes(svg(chart)) == len(reached)


def test_the_words_on_the_arrows_are_those_of_the_ways() -> None:
    arrows = {(a.source, a.target): a.words for a in chart_of(journey(steps=FORKED)).arrows}
    assert arrows["step_guard", "step_exit_1"] == "if so"
    assert arrows["step_guard", "step_asked"] == "otherwise"
    assert arrows["step_asked", "step_send_1"] == "when it comes"
    assert arrows["step_send_1", "step_last"] == ""


def test_entry_goal_and_exits_are_shown() -> None:
    made = journey(
        entry={"event": "order.placed", "where": {"order_number": 1}},
        goal={"type": "sell", "event": "review.created", "within": "30d"},
        exit=[{"event": "order.refunded"}, {"event": "contact.deleted"}],
        exit_when={"in_list": "staff"},
    )
    for picture in (mermaid(chart_of(made)), " ".join(texts(svg(chart_of(made))))):
        assert "order.placed where order_number is 1" in picture
        assert re.search(r"goal\S* .*review\.created within 30 days", picture, re.IGNORECASE)
        assert "order.refunded" in picture
        assert "contact.deleted" in picture
        assert "if on the list 'staff'" in picture


def test_the_steps_of_a_goal_hang_below_it_and_end_apart() -> None:
    goal = {"type": "sell", "event": "order.placed", "then": [{"id": "thanks", "send": {"template": "t"}}]}
    made = journey(goal=goal, steps=[{"id": "pause", "wait": "3d"}])
    chart = chart_of(made)
    assert {(arrow.source, arrow.target) for arrow in chart.arrows} == {
        (ENTRY, "step_pause"),
        ("step_pause", END),
        (GOAL, "step_thanks"),
        ("step_thanks", GOAL_END),
    }
    assert "anytime" not in mermaid(chart)
    for picture in (mermaid(chart), " ".join(texts(svg(chart)))):
        assert "goal, at any step: order.placed" in picture
        assert "left, the goal met" in picture


def test_a_guard_hangs_beside_the_way_that_goes_on() -> None:
    """The way that goes on runs straight down, however long the journey is."""
    drawing = svg(chart_of(journey(steps=FORKED)))
    assert texts(drawing).count("exit: not here") == 1
    assert texts(drawing).index("exit: not here") < texts(drawing).index("asked")


def test_each_kind_of_thing_has_its_look() -> None:
    chart = chart_of(journey(steps=FORKED))
    looks = {box.id: box.look for box in chart.boxes.values()}
    assert looks["step_guard"] is Look.DECISION
    assert looks["step_asked"] is Look.WAIT
    assert looks["step_send_1"] is Look.SEND
    assert looks["step_last"] is Look.CHANGE
    assert looks["step_exit_1"] is Look.EXIT


@pytest.mark.parametrize("name", ['5 < 6 & "so" on', "#hash; `code` \\ |pipe|", "end", "Grüße: ö%"])
def test_texts_are_shown_as_they_are(name: str) -> None:
    made = journey(name=name, steps=[{"id": "end", "exit": name}])
    assert name in texts(svg(chart_of(made)))
    assert f"exit: {name}" in texts(svg(chart_of(made)))
    (label,) = re.findall(r'step_end\(\["(.*)"\]\)', mermaid(chart_of(made)))
    assert re.sub(r"#(\d+);", lambda number: chr(int(number[1])), label) == f"exit: {name}"
    assert not set(re.sub(r"#\d+;", "", label)) & set('"<>&#`\\|')


def test_no_word_of_mermaid_is_an_id() -> None:
    ids = re.findall(r"^  (\w+)[\[({]", mermaid(chart_of(journey(steps=[{"id": "end", "wait": "1d"}]))), re.MULTILINE)
    assert ids == ["entry", "step_end", "complete"]


def test_every_shipped_journey_can_be_drawn() -> None:
    shipped: list[Journey] = list(catalogue())
    for made in shipped:
        assert ET.fromstring(svg(chart_of(made))).get("width"), made.key
        assert mermaid(chart_of(made)).startswith("---\ntitle: "), made.key


def test_a_drawing_loads_nothing_from_elsewhere() -> None:
    drawing = svg(chart_of(journey(steps=FORKED)))
    assert set(re.findall(r"https?://[^\"' ]+", drawing)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in drawing
    assert "@import" not in drawing


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("W" * 12, ["WWWWW", "WWWWW", "WW"]),
    ],
)
def test_words_are_broken_into_lines_that_fit(words: str, lines: list[str]) -> None:
    assert wrapped(words, 62) == lines


COUNTED = {
    "exit-1": Standing(left=11),
    "asked": Standing(waiting=1234567, attention=2, passed=98765),
    "last": Standing(passed=7),
}


def test_who_is_where_stands_in_every_box_of_a_step_and_attention_only_where_it_is_needed() -> None:
    shown = texts(svg(chart_of(journey(steps=FORKED), standing=COUNTED)))
    assert [text for text in shown if text.endswith("waiting")].count("0 waiting") == 5  # nobody waits at an exit
    assert "1,234,567 waiting" in shown
    assert "98,765 went on" in shown
    assert [text for text in shown if text.endswith(" left")] == ["11 left"]
    assert [text for text in shown if "attention" in text] == ["2 need attention"]
    assert not [text for text in texts(svg(chart_of(journey(steps=FORKED)))) if "waiting" in text]


def test_numbers_never_reach_beyond_their_box() -> None:
    most = {step: Standing(10**9, 10**9, 10**9, 10**9) for step in compile_plan(journey(steps=FORKED), 1).nodes}
    drawing = svg(chart_of(journey(steps=FORKED), standing=most))
    labels = [rect for rect in ET.fromstring(drawing).iter(f"{SVG}rect") if rect.get("height") == "19"]
    assert len(labels) == 4 * (len(most) - 1) + 2  # an exit has two
    for label in labels:
        left = float(label.get("x", "nan"))
        assert left > -BOX / 2
        assert left + float(label.get("width", "nan")) < BOX / 2


def test_mermaid_shows_who_is_where_below_the_words() -> None:
    text = mermaid(chart_of(journey(steps=FORKED), standing=COUNTED))
    assert "<br/>1,234,567 waiting · 2 need attention · 98,765 went on" in text
    assert "<br/>0 waiting · 7 went on" in text
    assert "<br/>" not in mermaid(chart_of(journey(steps=FORKED)))
