"""The journeys that ship: sound, complete, and as the design shows them."""

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import takewhile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from journeys.catalogue import catalogue, models
from journeys.checks import KnownTemplate, check
from journeys.conditions.base import EventFact, Facts
from journeys.conditions.comparison import matches
from journeys.model import GoalType, Journey
from journeys.plan import compile_plan
from journeys.scoring import crossed, fold
from journeys.steps.decide import IfNode
from journeys.steps.send import SendNode
from messaging.template_source import packaged_templates, read_templates

JOURNEYS = {journey.key: journey for journey in catalogue()}
MODELS = {model.key: model for model in models()}
TEMPLATES = {source.key: KnownTemplate(source.head.message_class) for source in read_templates(packaged_templates())}
PAGE = Path(__file__).resolve().parents[3] / "docs" / "journeys" / "catalogue.md"
TESTS = Path(__file__).resolve().parents[2] / "catalogue"
NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def test_journeys_of_every_goal_type_and_a_points_model_ship() -> None:
    assert set(JOURNEYS) >= {"welcome", "voucher-and-review", "loyal-customer"}
    assert {journey.goal.type for journey in JOURNEYS.values() if journey.goal} == set(GoalType)
    assert set(MODELS) == {"purchases"}


def _rows() -> list[list[str]]:
    """The rows of the page's first table, without its head."""
    lines = PAGE.read_text("utf-8").splitlines()
    start = lines.index("| key | stage | goal | starts with | sends |")
    table = list(takewhile(lambda line: line.startswith("|"), lines[start:]))
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table[2:]]


def test_each_is_on_the_page_of_the_catalogue_once_with_its_stages_and_goal_type() -> None:
    rows = _rows()
    assert [len(row) for row in rows if len(row) != 5 or not all(row)] == [], (
        "every row has five cells with words in them"
    )
    assert [key.strip("`") for key, *_ in rows] == sorted(JOURNEYS)
    shipped = {
        f"`{key}`": (", ".join(journey.stages), journey.goal.type.capitalize())
        for key, journey in JOURNEYS.items()
        if journey.goal
    }
    assert {key: (stages, goal) for key, stages, goal, _, _ in rows} == shipped
    assert len(shipped) == len(JOURNEYS), "each has a goal"


def test_the_page_of_the_catalogue_names_what_each_starts_with_and_every_mail_it_sends() -> None:
    for key, _, _, starts, sends in _rows():
        journey = JOURNEYS[key.strip("`")]
        sent = {node.template for node in compile_plan(journey, 1).nodes.values() if isinstance(node, SendNode)}
        assert set(re.findall(r"`([\w-]+)`", sends)) == sent, key
        if journey.entry.event and journey.entry.event != "score.crossed":
            assert f"`{journey.entry.event}`" in starts, key


@pytest.mark.parametrize("key", JOURNEYS)
def test_each_has_tests_that_end_it_in_different_ways(key: str) -> None:
    """Happy, early and when time is over: three tests at least, which do not all come to the same end."""
    text = (TESTS / f"test_{key.replace('-', '_')}.py").read_text("utf-8")
    assert len(re.findall(r"^async def test_", text, re.MULTILINE)) >= 3
    assert len(set(re.findall(r'assert_ended\("(\w+)"', text))) >= 2


def test_every_file_is_named_like_the_key_in_it() -> None:
    for folder, known in (("catalogue", JOURNEYS), ("catalogue/models", MODELS)):
        names = {file.name for file in files("journeys").joinpath(folder).iterdir() if file.name.endswith(".yaml")}
        assert names == {f"{key}.yaml" for key in known}


@pytest.mark.parametrize("journey", JOURNEYS.values(), ids=lambda journey: journey.key)
def test_a_shipped_journey_has_no_findings(journey: Journey) -> None:
    assert [str(finding) for finding in check(journey, TEMPLATES)] == []
    assert compile_plan(journey, 1).nodes


def test_they_are_plain_yaml_that_any_reader_understands() -> None:
    for file in files("journeys").joinpath("catalogue").iterdir():
        if file.name.endswith(".yaml"):
            assert YAML(typ="safe", pure=True).load(file.read_text("utf-8"))["key"] in JOURNEYS


@pytest.mark.parametrize(
    ("attributes", "asked"),
    [
        ({}, True),
        ({"first_name": "Ada"}, True),
        ({"country": "DE"}, True),
        ({"first_name": "Ada", "country": "DE"}, False),
    ],
    ids=str,
)
def test_welcome_asks_for_the_profile_only_where_something_is_missing(
    attributes: dict[str, str], *, asked: bool
) -> None:
    plan = compile_plan(JOURNEYS["welcome"], 1)
    node = plan.nodes["profile-missing"]
    assert isinstance(node, IfNode)
    assert node.condition.judge(Facts(now=NOW, attributes=attributes)).holds is asked
    assert (node.next, node.otherwise) == ("ask-for-profile", None)


def test_voucher_and_review_asks_for_a_review_of_the_product_bought() -> None:
    node = compile_plan(JOURNEYS["voucher-and-review"], 1).nodes["reviewed"]
    assert isinstance(node, IfNode)
    review = EventFact("review.created", NOW - timedelta(days=1), {"product_id": "cd-1"})
    for product, missing in (("cd-1", False), ("cd-2", True)):
        facts = Facts(now=NOW, events=[review], entry={"product_id": product}, entered_at=NOW - timedelta(days=3))
        assert node.condition.judge(facts).holds is missing


def test_four_large_orders_make_a_loyal_customer() -> None:
    model = MODELS["purchases"]
    orders = [
        EventFact(
            "order.placed",
            NOW + timedelta(days=number),
            {"order_number": number, "quantity": 1, "amount": 5_000, "currency": "USD"},
            event_id=f"o-{number}",
        )
        for number in range(1, 5)
    ]
    scores = [fold(model, orders[:count]).points for count in range(5)]
    assert scores == [0, 15, 30, 45, 60]
    assert crossed(45, 60, model.thresholds) == ("loyal",)


def test_loyal_customer_starts_at_the_threshold_of_the_shipped_model() -> None:
    entry = JOURNEYS["loyal-customer"].entry
    assert entry.event == "score.crossed"
    keys = {threshold.key for threshold in MODELS["purchases"].thresholds}
    fitting = {key for key in keys if matches(entry.where, {"model": "purchases", "threshold": key}, {})}
    assert fitting == {"loyal"}
