"""`wait_for`: an event, a condition, or one of several; which steps follow, and what it listens to."""

from typing import Any

import pytest

from journeys.checks import check
from journeys.plan import Plan, Role, compile_plan
from journeys.steps.wait_for import WaitForNode
from journeys.steps.wait_for_first import WaitForFirstNode
from kit.errors import Invalid
from tests.support.journeys import journey
from tests.unit.journeys.steps.conftest import MailWarnings

VIP = {"in_list": "vip"}
CONSENT = {"consent": {"purpose": "marketing"}}
MAIL = {"id": "mail", "send": {"template": "voucher"}}


def plan_of(step: dict[str, Any]) -> Plan:
    return compile_plan(journey(steps=[{"id": "asked", **step}, {"id": "behind", "wait": "1d"}]), 1)


def refusal(step: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as raised:
        journey(steps=[step])
    return str(raised.value.problems[0])


def listens(condition: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """The events after which a wait for the condition looks again, and the attributes it looks for in them."""
    plan = plan_of({"wait_for": {"condition": condition, "up_to": "7d"}})
    node = plan.nodes["asked"]
    assert isinstance(node, WaitForFirstNode)
    assert all(plan.criteria[name].role is Role.LOOK for name in node.looks)
    return [(plan.criteria[name].event, plan.criteria[name].changed) for name in node.looks]


class TestCondition:
    def test_it_goes_its_way_where_it_holds_and_that_of_else_where_the_time_is_over(self) -> None:
        step = {"wait_for": {"condition": VIP, "up_to": "7d"}, "then": [MAIL], "else": [{"id": "other", "wait": "1d"}]}
        node = plan_of(step).nodes["asked"]
        assert isinstance(node, WaitForFirstNode)
        assert [(way.result, way.to) for way in node.ways()] == [("holds", "mail"), ("timed_out", "other")]
        assert node.skipped_to() == "other"

    @pytest.mark.parametrize(
        ("condition", "events"),
        [
            ({"event": "order.placed"}, [("order.placed", ())]),
            ({"none": {"event": "order.placed"}}, [("order.placed", ())]),
            (VIP, [("list.joined", ()), ("list.left", ())]),
            (CONSENT, [("consent.granted", ()), ("consent.withdrawn", ()), ("contact.registered", ())]),
            ({"score": {"model": "lead", "at_least": 7}}, [("score.crossed", ()), ("score.changed", ())]),
            ({"attribute": "address.city"}, [("contact.updated", ("address", "address.city"))]),
            ({"entry": "amount"}, []),
            (
                {"all": [{"not": {"attribute": "plan"}}, {"any": [{"event": "x"}, {"event": "y"}]}]},
                [("contact.updated", ("plan",)), ("x", ()), ("y", ())],
            ),
            ({"all": [{"attribute": "plan"}, {"event": "contact.updated"}]}, [("contact.updated", ())]),
        ],
        ids=str,
    )
    def test_it_listens_to_what_may_change_the_answer(
        self, condition: dict[str, Any], events: list[tuple[str, tuple[str, ...]]]
    ) -> None:
        assert listens(condition) == events

    def test_a_consent_waited_for_counts_where_it_came(self, mail_warnings: MailWarnings) -> None:
        wait = {"wait_for": {"condition": CONSENT, "up_to": "7d"}}
        assert mail_warnings([{**wait, "then": [MAIL]}]) == []
        assert mail_warnings([{**wait, "else": [MAIL]}]) == ["steps[0].else[0].send.template"]
        assert mail_warnings([{**wait, "else": [{"exit": "no consent"}]}, MAIL]) == []


FIRST: dict[str, Any] = {
    "wait_for": {
        "first_of": [
            {"name": "bought", "event": "order.placed", "where": {"total": 1}, "then": [MAIL]},
            {"event": "page.viewed", "since": "step"},
            {"name": "vip", "condition": VIP, "then": [{"id": "gift", "wait": "1d"}]},
        ],
        "up_to": "45d",
    },
    "else": [{"id": "nothing", "exit": "no interest"}],
}


class TestFirstOf:
    def test_each_alternative_has_its_own_way(self) -> None:
        plan = plan_of(FIRST)
        node = plan.nodes["asked"]
        assert isinstance(node, WaitForFirstNode)
        assert [(way.result, way.to) for way in node.ways()] == [
            ("bought", "mail"),
            ("2", "behind"),
            ("vip", "gift"),
            ("timed_out", "nothing"),
        ]
        assert plan.nodes["mail"].next == plan.nodes["gift"].next == "behind"
        assert [way.criterion for way in node.awaited] == ["step:asked:bought", "step:asked:2", None]
        assert {name: criterion.event for name, criterion in plan.criteria.items()} == {
            "step:asked:bought": "order.placed",
            "step:asked:2": "page.viewed",
            "look:asked:1": "list.joined",
            "look:asked:2": "list.left",
        }

    def test_later_events_count_for_an_alternative_since_the_step_alone(self) -> None:
        node = plan_of(FIRST).nodes["asked"]
        assert node.latest_counts("step:asked:2")
        assert not node.latest_counts("step:asked:bought")

    def test_a_ranked_wait_needs_not_be_told_of_changes(self) -> None:
        step = {**FIRST, "wait_for": {**FIRST["wait_for"], "ranked": True}}
        plan = plan_of(step)
        node = plan.nodes["asked"]
        assert isinstance(node, WaitForFirstNode)
        assert (node.looks, sorted(plan.criteria)) == ((), ["step:asked:2", "step:asked:bought"])
        assert {way.least for way in node.ways()} == {node.up_to}

    def test_there_is_no_longest_window(self) -> None:
        step = {**FIRST, "wait_for": {**FIRST["wait_for"], "up_to": "3650d"}}
        assert not check(journey(steps=[step, {"wait": "1d"}]), None)

    def test_its_results_are_its_names(self) -> None:
        def asking(word: str) -> list[str]:
            ask = {"if": {"result": {"step": "asked", "is": word}}, "then": [{"wait": "1d"}]}
            return [finding.rule for finding in check(journey(steps=[{"id": "asked", **FIRST}, ask]), None)]

        assert [asking(word) for word in ("bought", "2", "vip", "timed_out")] == [[]] * 4
        assert asking("arrived") == ["impossible-result"]


class TestRefusals:
    def test_nothing_to_wait_for(self) -> None:
        assert refusal({"wait_for": {"evnt": "x", "up_to": "1d"}}) == (
            "steps[0].wait_for: This is nothing to wait for. Did you mean `event`? "
            "Give it one of the keys event, condition, first_of."
        )

    def test_an_alternative_of_nothing(self) -> None:
        assert refusal({"wait_for": {"first_of": [{"then": []}], "up_to": "1d"}}) == (
            "steps[0].wait_for.first_of[0]: This is nothing to wait for. Give it one of the keys event, condition."
        )

    def test_two_alternatives_of_one_name(self) -> None:
        twice = [{"name": "a", "event": "x"}, {"name": "a", "event": "y"}]
        assert "Two alternatives are called 'a'" in refusal({"wait_for": {"first_of": twice, "up_to": "1d"}})

    def test_steps_beside_several_alternatives(self) -> None:
        step = {"wait_for": {"first_of": [{"event": "x"}], "up_to": "1d"}, "then": [{"wait": "1d"}]}
        assert "`then` stands beside several alternatives." in refusal(step)


def test_a_wait_for_one_event_is_compiled_as_it_always_was() -> None:
    """Its node is in the inputs of running enrollments."""
    step = {"wait_for": {"event": "x", "up_to": "1d", "since": "step"}, "then": [MAIL]}
    assert plan_of(step).nodes["asked"] == WaitForNode(
        kind="wait_for", criterion="step:asked", event="x", up_to="1d", since="step", next="mail", timed_out="behind"
    )
