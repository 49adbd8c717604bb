"""Several journeys together: messages in a week against a cap, and journeys that bring one another about."""

from typing import Any, ClassVar

import pytest

from journeys.catalogue import catalogue
from journeys.findings import Finding, KnownTemplate, Severity
from journeys.model import Journey
from journeys.proofs.subject import Subject, subject_of
from journeys.proofs.together import check_together
from journeys.proofs.triggers import circles
from messaging.template_source import packaged_templates, read_templates
from tests.support.journeys import journey

KNOWN = {key: KnownTemplate("marketing") for key in ("voucher", "welcome")} | {
    "receipt": KnownTemplate("transactional")
}
SEND = {"send": {"template": "voucher"}}
UPDATED: dict[str, Any] = {"event": "contact.updated", "again": "after_exit"}
CROSSED: dict[str, Any] = {"event": "score.crossed", "again": "after_exit"}
AGAIN = {"again": "after_exit"}


def named(key: str, **parts: Any) -> Journey:
    return journey(key=key, **parts)


def findings(*journeys: Journey, **options: Any) -> list[Finding]:
    found = check_together(journeys, KNOWN, **options)
    assert {finding.severity for finding in found} <= {Severity.WARNING}
    return found


def rules(*journeys: Journey, **options: Any) -> list[str]:
    return [finding.rule for finding in findings(*journeys, **options)]


class TestWeeklyCap:
    def test_the_journeys_the_days_and_the_steps_are_told(self) -> None:
        hello = named("hello", steps=[SEND, {"wait": "2d"}, {"id": "then", **SEND}])
        later = named("later", steps=[{"wait": "9d"}, SEND, {"wait": "36h"}, SEND])
        quiet = named("quiet", steps=[{"send": {"template": "receipt"}}])
        once = named("once", steps=[SEND])
        (finding,) = findings(quiet, once, later, hello, weekly_cap=3)
        assert str(finding) == (
            "warning: journeys hello, later: One contact can get 4 marketing messages within 7 days, more than 3: "
            "'hello' 2 (at the earliest days 0 to 2 after the entry: 'send-1', 'then'); "
            "'later' 2 (at the earliest days 9 to 10 after the entry: 'send-1', 'send-2'). All 3 journeys together: 5. "
            "The gate lets 3 through: the others wait for their turn, and are refused as `frequency_cap` where that "
            "comes too late. "
            "Put more time between them, let one journey exclude the other by its audience or `exit`, or raise the cap."
        )

    def test_the_cap_itself_is_no_reason_to_warn(self) -> None:
        assert rules(named("a", steps=[SEND]), named("b", steps=[SEND]), weekly_cap=2) == []
        assert rules(named("a", steps=[SEND]), named("b", steps=[SEND]), weekly_cap=1) == ["weekly-cap"]

    def test_one_journey_alone_may_be_above_it(self) -> None:
        (finding,) = findings(named("a", steps=[SEND, SEND]), weekly_cap=1)
        assert finding.problem.where == "journey a"

    def test_passages_that_fit_into_the_week_are_counted(self) -> None:
        (finding,) = findings(named("a", entry={"event": "x", "again": {"cooldown": "2d"}}, steps=[SEND]))
        assert "'a' 4 (at the earliest day 0 after the entry: 'send-1', 4 passages)" in finding.problem.what

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ({"event": "x", "again": {"per": "order_id"}}, "a contact enters once for each `order_id`."),
            ({"event": "x", "again": "after_exit"}, "a contact enters again as soon as it has left."),
        ],
        ids=str,
    )
    def test_passages_that_nothing_bounds_are_told_and_count_once(self, entry: dict[str, Any], said: str) -> None:
        unbounded, above = findings(named("a", entry=entry, steps=[SEND]), named("b", steps=[SEND]), weekly_cap=1)
        assert (unbounded.rule, unbounded.problem.where) == ("unbounded-messages", "journey a")
        assert said in unbounded.problem.what
        assert "The gate lets 1 through, from all journeys together: the others wait" in unbounded.problem.what
        assert "Journeys that nothing bounds count once." in above.problem.what

    @pytest.mark.parametrize(("repeat", "bounded"), [("7d", True), ("never", True), ("6d", False), ("always", False)])
    def test_messages_that_do_not_repeat_within_the_week_bound_a_journey_entered_any_number_of_times(
        self, repeat: str, *, bounded: bool
    ) -> None:
        seldom = {"send": {"template": "voucher", "repeat": repeat}}
        often = named("a", entry={"event": "x", "again": {"per": "order_id"}}, steps=[seldom])
        assert rules(often, weekly_cap=9) == ([] if bounded else ["unbounded-messages"])

    def test_each_template_that_does_not_repeat_counts_once_however_far_apart_they_are(self) -> None:
        one, other = ({"send": {"template": key, "repeat": "30d"}} for key in ("voucher", "welcome"))
        steps = [one, {"wait": "90d"}, other, {"wait": "90d"}, one]
        often = named("a", entry={"event": "x", "again": {"per": "order_id"}}, steps=steps)
        (finding,) = findings(often, weekly_cap=1)
        assert "'a' 2 (at the earliest days 0 to 90 after the entry: 'send-1', 'send-2')" in finding.problem.what
        assert rules(often, weekly_cap=2) == []

    def test_one_message_that_may_be_repeated_leaves_it_unbounded(self) -> None:
        entry = {"event": "x", "again": {"per": "order_id"}}
        steps = [{"send": {"template": "voucher", "repeat": "30d"}}, {"send": {"template": "welcome"}}]
        assert rules(named("a", entry=entry, steps=steps), weekly_cap=9) == ["unbounded-messages"]

    def test_what_the_gate_does_with_the_others_is_told_as_their_authors_say(self) -> None:
        skip = {"send": {"template": "voucher", "cap": "skip"}}
        (mixed,) = findings(named("a", steps=[SEND]), named("b", steps=[{"id": "mail", **skip}]), weekly_cap=1)
        assert mixed.problem.what.endswith("comes too late; 'mail' of 'b' is refused at once, by `cap: skip`.")
        (skipped,) = findings(named("a", cap="skip", steps=[SEND, SEND]), weekly_cap=1)
        assert skipped.problem.what.endswith("it refuses the others as `frequency_cap`, for they say `cap: skip`.")
        defer = {"send": {"template": "voucher", "cap": "defer"}}
        (waiting,) = findings(named("a", cap="skip", steps=[defer, defer]), weekly_cap=1)
        assert "refused at once" not in waiting.problem.what

    def test_without_a_cap_there_is_nothing_to_be_above(self) -> None:
        assert rules(named("a", steps=[SEND, SEND]), weekly_cap=0) == []
        entry = {"event": "x", "again": "after_exit"}
        (finding,) = findings(named("a", entry=entry, steps=[SEND]), weekly_cap=0)
        assert "The gate" not in finding.problem.what

    def test_only_what_concerns_the_journeys_asked_about_is_told_and_they_come_first(self) -> None:
        journeys = [named(key, steps=[SEND]) for key in ("a", "b", "c")]
        (finding,) = findings(*journeys, weekly_cap=1, about=["c"])
        assert finding.problem.where == "journeys c, a"
        quiet = named("quiet", steps=[{"send": {"template": "receipt"}}])
        assert rules(*journeys, quiet, weekly_cap=1, about=["quiet"]) == []

    def test_a_journey_that_cannot_be_compiled_is_left_out(self) -> None:
        twice = named("a", steps=[{"id": "mail", **SEND}, {"id": "mail", **SEND}])
        assert rules(twice, weekly_cap=1) == []


def test_two_files_with_one_key_are_told() -> None:
    (finding,) = findings(named("a"), named("b"), named("a"))
    assert (finding.rule, finding.problem.where) == ("one-key-twice", "journey a")


JOIN = {"list": {"add": "vip"}}
QUIT = {"list": {"remove": "vip"}}
JOINED: dict[str, Any] = {"event": "list.joined", **AGAIN}
LEFT: dict[str, Any] = {"event": "list.left", "where": {"list": "vip"}, **AGAIN}


class TestCircles:
    def test_the_circle_is_told_with_its_steps_and_its_pace(self) -> None:
        a = named("a", entry=LEFT, steps=[{"wait": "1d"}, JOIN])
        b = named("b", entry={**JOINED, "again": {"cooldown": "2d"}}, steps=[{"wait": "12h"}, QUIT])
        (finding,) = findings(a, b)
        assert str(finding) == (
            "warning: journeys a, b: A contact can go round for ever, once in 3 days 12 hours at most: "
            "'a' (enter on list.left), add to the list 'vip' → 'b' (enter on list.joined), remove from the list 'vip' "
            "→ 'a' again. Narrow one of the entries with `where`, or let it be entered `again: never`."
        )

    def test_without_any_wait_there_is_no_time_in_between(self) -> None:
        (finding,) = findings(named("a", entry=LEFT, steps=[JOIN]), named("b", entry=JOINED, steps=[QUIT]))
        assert "A contact can go round for ever, without any time in between: " in finding.problem.what

    def test_a_journey_may_bring_itself_about(self) -> None:
        toggling = named("a", entry=JOINED, steps=[QUIT, {"wait": "1d"}, JOIN])
        (finding,) = findings(toggling)
        assert finding.problem.where == "journey a"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"entry": {**LEFT, "again": "never"}, "steps": [JOIN]}, {"entry": JOINED, "steps": [QUIT]}),
            ({"entry": {**LEFT, "again": {"per": "list"}}, "steps": [JOIN]}, {"entry": JOINED, "steps": [QUIT]}),
            ({"entry": {**LEFT, "where": {"list": "other"}}, "steps": [JOIN]}, {"entry": JOINED, "steps": [QUIT]}),
            ({"entry": LEFT, "steps": [{"wait": "1d"}]}, {"entry": JOINED, "steps": [QUIT]}),
            ({"entry": LEFT, "steps": [{"exit": "x"}, JOIN]}, {"entry": JOINED, "steps": [QUIT]}),
            (
                {"entry": JOINED, "steps": [{"set": {"group": "vip"}}]},
                {"entry": UPDATED, "steps": [{"set": {"group": "vip"}}, JOIN]},
            ),
            ({"entry": UPDATED, "steps": [{"set": {"group": "vip"}}]}, {}),
        ],
        ids=["never again", "once per value", "another list", "nothing caused", "out of reach", "no change", "once"],
    )
    def test_what_ends_by_itself_is_no_circle(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        assert rules(named("a", **first), named("b", **second)) == []

    @pytest.mark.parametrize(
        "parts",
        [
            {"entry": UPDATED, "steps": [{"set": {"last": "$entry.order_id"}}]},
            {
                "entry": UPDATED,
                "steps": [{"set": {"group": "new"}}, {"set": {"group": "old"}}],
            },
            {"entry": CROSSED, "steps": [{"recompute_score": "purchases"}]},
            {
                "entry": CROSSED | {"where": {"model": "purchases", "threshold": "loyal"}},
                "steps": [{"recompute_score": "purchases"}],
            },
        ],
        ids=["from the entry", "back and forth", "score", "score of the model"],
    )
    def test_what_may_have_an_effect_each_time_goes_round(self, parts: dict[str, Any]) -> None:
        assert rules(named("a", **parts)) == ["journeys-in-a-circle"]

    def test_journeys_that_start_one_another_go_round(self) -> None:
        def starting(key: str, other: str, again: Any = "after_exit") -> Journey:
            return named(key, entry={"again": again}, steps=[{"wait": "1d"}, {"start": {"journey": other}}])

        (finding,) = findings(starting("a", "b"), starting("b", "a"))
        assert (finding.rule, finding.problem.where) == ("journeys-in-a-circle", "journeys a, b")
        assert "once in 2 days at most" in finding.problem.what
        assert rules(starting("a", "b"), starting("b", "a", again="never")) == []
        assert rules(starting("a", "b"), starting("b", "other")) == []

    def test_a_score_of_another_model_does_not_go_round(self) -> None:
        entry = CROSSED | {"where": {"model": "purchases"}}
        assert rules(named("a", entry=entry, steps=[{"recompute_score": "visits"}])) == []

    GOAL: ClassVar = {"type": "sell", "event": "order.placed"}

    def on_goal_of(self, key: str, other: str, again: Any = "after_exit", **goal: Any) -> Journey:
        entry = {"event": "journey.goal_met", "where": {"journey": other}, "again": again}
        return named(key, entry=entry, goal={**self.GOAL, **goal})

    def test_journeys_that_begin_where_the_goal_of_another_is_met_go_round(self) -> None:
        (finding,) = findings(self.on_goal_of("a", "b"), self.on_goal_of("b", "a", again={"cooldown": "2d"}))
        assert finding.problem.what == (
            "A contact can go round for ever, once in 2 days at most and as long as goals are met: 'a' (enter on "
            "journey.goal_met), its goal is met → 'b' (enter on journey.goal_met), its goal is met → 'a' again."
        )

    def test_a_goal_and_a_step_may_close_a_circle_together(self) -> None:
        a = self.on_goal_of("a", "b")
        b = named("b", entry=JOINED, goal=self.GOAL)
        joining = named("a", entry=a.entry.model_dump(by_alias=True, exclude_none=True), steps=[JOIN])
        (finding,) = findings(joining, b, named("c", entry=JOINED, steps=[QUIT]))
        assert finding.problem.where == "journeys a, b"
        assert "as often as goals are met" in finding.problem.what

    def test_a_step_behind_the_goal_goes_round_as_long_as_goals_are_met(self) -> None:
        entry = {"event": "order.placed", "again": "after_exit"}
        then = [{"wait": "2d"}, {"start": {"journey": "b"}}]
        back = named("b", entry=entry, steps=[{"start": {"journey": "a"}}])
        around = named("a", entry=entry, goal={**self.GOAL, "then": then})
        (finding,) = findings(around, back)
        assert "once in 2 days at most and as long as goals are met: 'a'" in finding.problem.what
        assert findings(named("a", entry=entry, goal={**self.GOAL, "then": then, "met_before": "ever"}), back) == []
        completed = self.on_end_of("c", "journey.completed", "d")
        exits = [{"exit": "enough"}]
        thankful = self.on_end_of("d", "journey.completed", "c", steps=exits, goal={**self.GOAL, "then": [QUIT]})
        assert rules(completed, thankful) == [], "behind a met goal nothing is completed"

    def on_end_of(self, key: str, event: str, other: str, **parts: Any) -> Journey:
        where = {"journey": other, **parts.pop("where", {})}
        return named(key, entry={"event": event, "where": where, "again": parts.pop("again", "after_exit")}, **parts)

    def test_journeys_that_begin_at_the_end_of_another_go_round_in_the_time_their_steps_take(self) -> None:
        a = self.on_end_of("a", "journey.completed", "b", steps=[{"wait": "3d"}])
        b = self.on_end_of("b", "journey.exited", "a", steps=[{"wait": "1d"}])
        leaving = self.on_end_of("b", "journey.completed", "a", steps=[{"wait": "1d"}])
        assert rules(a, b) == [], "whoever completes a journey has not left it"
        (finding,) = findings(a, leaving)
        assert finding.problem.what == (
            "A contact can go round for ever, once in 4 days at most: 'a' (enter on journey.completed), its steps are "
            "done → 'b' (enter on journey.completed), its steps are done → 'a' again."
        )

    def test_an_exit_closes_a_circle_by_its_step_or_as_often_as_it_is_met(self) -> None:
        leaves: list[dict[str, Any]] = [{"wait": "2d"}, {"id": "gone", "exit": "enough"}]
        (by_step,) = findings(self.on_end_of("a", "journey.exited", "a", steps=leaves, where={"step": "gone"}))
        assert "once in 2 days at most: 'a' (enter on journey.exited), exit: enough → 'a' again" in by_step.problem.what
        assert rules(self.on_end_of("a", "journey.exited", "a", steps=leaves, where={"step": "other"})) == []
        assert rules(self.on_end_of("a", "journey.completed", "a", steps=leaves)) == [], "nobody comes to its end"
        (by_event,) = findings(self.on_end_of("a", "journey.exited", "a", exit={"event": "order.placed"}))
        assert "as often as exits are met: 'a' (enter on journey.exited), an exit of it is met" in by_event.problem.what
        assert rules(self.on_end_of("a", "journey.exited", "a", exit={"event": "x"}, again="never")) == []

    def test_a_goal_that_nobody_begins_on_or_that_counts_for_ever_does_not_go_round(self) -> None:
        assert rules(self.on_goal_of("a", "b"), self.on_goal_of("b", "c")) == []
        assert rules(self.on_goal_of("a", "b", again="never"), self.on_goal_of("b", "a")) == []
        assert rules(self.on_goal_of("a", "b", met_before="ever"), self.on_goal_of("b", "a")) == []

    def test_a_circle_leads_from_each_journey_to_the_next_and_back(self) -> None:
        made = [
            named("a", entry=LEFT, steps=[JOIN]),
            named("b", entry=JOINED, steps=[{"set": {"seen": "$entry.list"}}]),
            named("c", entry=UPDATED, steps=[QUIT]),
        ]
        (circle,) = circles([subject(one) for one in made])
        assert [trigger.source.journey.key for trigger in circle] == ["a", "b", "c"]
        for trigger, following in zip(circle, [*circle[1:], circle[0]], strict=True):
            assert trigger.target is following.source
            assert trigger.step_id is not None
            assert trigger.caused in trigger.source.plan.nodes[trigger.step_id].causes()
            assert trigger.target.journey.entry.event == trigger.caused.event


def subject(made: Journey) -> Subject:
    found = subject_of(made)
    assert found is not None
    return found


def test_the_shipped_journeys_do_not_go_round_and_are_bounded() -> None:
    sources = read_templates(packaged_templates())
    known = {source.key: KnownTemplate(source.head.message_class) for source in sources}
    assert {finding.rule for finding in check_together(list(catalogue()), known)} == {"weekly-cap"}
