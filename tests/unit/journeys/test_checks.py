"""What is said of a journey before it is published. Each test names the rule it provokes, and one that is content."""

from typing import Any, ClassVar

import pytest
from hypothesis import given

from journeys.checks import Finding, KnownTemplate, Severity, check
from journeys.documents import journey_from_document
from journeys.model import Journey
from journeys.window import Window
from tests.support.journeys import documents, journey

TEMPLATES = {
    "receipt": KnownTemplate("transactional", frozenset({"entry.order_id", "contact.first_name"})),
    "voucher": KnownTemplate("marketing"),
    "offer": KnownTemplate("sales"),
}
CONSENT = {"consent": {"purpose": "marketing"}}
SEND = {"send": {"template": "voucher"}}


def findings(rule: str, **parts: Any) -> list[Finding]:
    return [finding for finding in check(journey(**parts), TEMPLATES) if finding.rule == rule]


def only(rule: str, **parts: Any) -> Finding:
    (finding,) = findings(rule, **parts)
    return finding


def said(finding: Finding) -> str:
    return str(finding)


def entry(**parts: Any) -> dict[str, Any]:
    return {"event": "order.placed", **parts}


class TestSteps:
    def test_two_steps_with_one_id(self) -> None:
        branch = {"if": {"in_list": "vip"}, "then": [{"id": "pause", "wait": "1d"}]}
        assert said(only("duplicate-step-id", steps=[{"id": "pause", "wait": "1d"}, branch])) == (
            "error: steps[1].then[0].id: The id 'pause' is also that of steps[0]. Give one of them another id."
        )

    def test_a_step_behind_an_exit_is_unreachable_and_told_once(self) -> None:
        steps = [{"exit": "enough"}, {"id": "late", "wait": "1d"}, {"wait": "1d"}]
        assert said(only("unreachable-step", steps=steps)) == (
            "error: steps[1]: No way leads to the step 'late': every way before it has left the journey. "
            "Remove it, or move it before the `exit`."
        )

    def test_a_step_behind_branches_that_all_leave_is_unreachable(self) -> None:
        leaving = [{"exit": "x"}]
        fork = {"if": {"in_list": "vip"}, "then": leaving, "else": [{"wait": "1d"}, *leaving]}
        assert only("unreachable-step", steps=[fork, {"wait": "1d"}]).problem.where == "steps[1]"
        half = {"if": {"in_list": "vip"}, "then": leaving}
        assert not findings("unreachable-step", steps=[half, {"wait": "1d"}])

    def test_steps_nested_in_an_unreachable_step_are_not_told_again(self) -> None:
        nested = {"if": {"in_list": "vip"}, "then": [{"exit": "x"}, {"wait": "1d"}]}
        assert only("unreachable-step", steps=[{"exit": "x"}, nested]).problem.where == "steps[1]"

    @pytest.mark.parametrize(
        ("parts", "where"),
        [
            ({"steps": [{"wait": "0s"}]}, "steps[0].wait"),
            ({"steps": [{"wait_for": {"event": "x", "up_to": "0d"}}]}, "steps[0].wait_for.up_to"),
            ({"goal": {"type": "sell", "event": "x", "within": "0h"}}, "goal.within"),
            ({"entry": entry(again={"cooldown": "0d"})}, "entry.again.cooldown"),
            ({"entry": entry(audience={"event": "x", "within": "0d"})}, "entry.audience.within"),
            ({"entry": {"date": {"of": "birthday", "before": "0d"}}}, "entry.date.before"),
            ({"goal": {"type": "sell", "event": "x", "within": "1d", "met_before": "0d"}}, "goal.met_before"),
            ({"steps": [{"send": {"template": "x", "repeat": "0d"}}]}, "steps[0].send.repeat"),
            ({"steps": [{"if": {"not": {"none": {"event": "x", "within": "0d"}}}}]}, "steps[0].if.not.none.within"),
        ],
        ids=str,
    )
    def test_no_time_at_all(self, parts: dict[str, Any], where: str) -> None:
        assert said(only("no-time", **parts)) == (
            f"error: {where}: This is no time at all. Write how long, such as 1d, or remove it."
        )

    @pytest.mark.parametrize("question", [{}, {"question": ""}, {"question": " "}], ids=str)
    def test_an_approval_that_asks_nothing(self, question: dict[str, str]) -> None:
        steps: list[dict[str, Any]] = [{"approve": {"by": "sales", "up_to": "3d", **question}}]
        assert said(only("nothing-asked", steps=steps)) == (
            "error: steps[0].approve.question: 'sales' is to decide, and nothing is asked. "
            "Write what is to be decided, such as `question: May this customer have 20 % off?`."
        )
        steps[0]["approve"]["question"] = "May it be sent?"
        assert not findings("nothing-asked", steps=steps)

    def test_more_than_500_steps(self) -> None:
        assert not findings("too-many-steps", steps=[{"wait": "1d"}] * 500)
        assert "501 steps; at most 500" in said(only("too-many-steps", steps=[{"wait": "1d"}] * 501))

    def test_deeper_than_20_levels(self) -> None:
        def nested(depth: int) -> list[dict[str, Any]]:
            inner = nested(depth - 1) if depth > 1 else [{"wait": "1d"}]
            return [{"if": {"in_list": "vip"}, "then": inner}] if depth > 1 else inner

        assert not findings("too-deep", steps=nested(20))
        assert "nested 21 levels deep; at most 20" in said(only("too-deep", steps=nested(21)))

    def test_an_if_without_steps(self) -> None:
        finding = only("if-without-steps", steps=[{"if": {"in_list": "vip"}}])
        assert finding.severity is Severity.WARNING


class TestReferences:
    @staticmethod
    def ask(step: str, word: str) -> dict[str, Any]:
        return {"if": {"not": {"result": {"step": step, "is": word}}}, "then": [{"wait": "1d"}]}

    def test_an_earlier_result_may_be_asked_for(self) -> None:
        awaited = {"id": "asked", "wait_for": {"event": "x", "up_to": "1d"}, "then": [{"id": "inner", **SEND}]}
        steps = [awaited, self.ask("asked", "timed_out"), self.ask("inner", "refused"), self.ask("if-1", "no")]
        assert not any("result" in finding.rule for finding in check(journey(steps=steps), None))

    def test_a_result_of_an_unknown_step(self) -> None:
        steps = [{"id": "asked", **SEND}, self.ask("askd", "sent")]
        assert said(only("result-of-unknown-step", steps=steps)) == (
            "error: steps[1].if.not.result.step: There is no step 'askd'. Did you mean 'asked'?"
        )

    def test_a_result_of_a_later_step(self) -> None:
        steps = [self.ask("asked", "sent"), {"id": "asked", **SEND}]
        assert "has never run when this is asked" in said(only("result-of-later-step", steps=steps))

    def test_a_result_of_a_step_on_the_other_way(self) -> None:
        fork = {
            "if": {"in_list": "vip"},
            "then": [{"id": "asked", **SEND}],
            "else": [self.ask("asked", "sent")],
        }
        assert only("result-of-later-step", steps=[fork]).problem.where == "steps[0].else[0].if.not.result.step"

    def test_an_impossible_result(self) -> None:
        steps = [{"id": "asked", **SEND}, self.ask("asked", "arrived")]
        assert said(only("impossible-result", steps=steps)) == (
            "error: steps[1].if.not.result.is: The step 'asked' never ends with 'arrived'. "
            "Results of `send`: sent, refused, unknown."
        )
        pause = [{"id": "pause", "wait": "1d"}, self.ask("pause", "passed")]
        assert "A `wait` step has no result." in said(only("impossible-result", steps=pause))

    def test_a_result_at_entry(self) -> None:
        audience = {"result": {"step": "asked", "is": "sent"}}
        assert "at entry no step has run" in said(only("result-at-entry", entry=entry(audience=audience)))
        assert "whatever steps have run" in said(only("result-at-entry", exit_when=audience))

    def test_since_step_at_entry(self) -> None:
        for pattern in ({"event": "x", "since": "step"}, {"none": {"event": "x", "since": "step"}}):
            finding = only("since-step-at-entry", entry=entry(audience={"not": pattern}))
            assert finding.problem.where == "entry.audience.not"

    @pytest.mark.parametrize(
        ("parts", "where"),
        [
            ({"goal": {"type": "sell", "event": "x", "where": {"id": "$entry.id"}}}, "goal.where.id"),
            ({"exit": {"event": "x", "where": {"id": {"one_of": [1, "$entry.id"]}}}}, "exit[0].where.id.one_of[1]"),
            ({"steps": [{"set": {"last": "$entry.id"}}]}, "steps[0].set.last"),
            (
                {"steps": [{"wait_for": {"event": "x", "up_to": "1d", "where": {"id": "$entry.id"}}}]},
                "steps[0].wait_for.where.id",
            ),
            (
                {"steps": [{"if": {"attribute": "id", "is": {"equals": "$entry.id"}}, "then": [{"wait": "1d"}]}]},
                "steps[0].if.is.equals",
            ),
            ({"steps": [{"if": {"entry": "id"}, "then": [{"wait": "1d"}]}]}, "steps[0].if.entry"),
        ],
        ids=str,
    )
    def test_the_entry_event_is_referred_to_and_there_is_none(self, parts: dict[str, Any], where: str) -> None:
        finding = only("entry-without-event", entry={}, **parts)
        assert (finding.severity, finding.problem.where) == (Severity.WARNING, where)
        assert not findings("entry-without-event", **parts)

    def test_the_entry_event_compared_with_itself(self) -> None:
        finding = only("entry-refers-to-itself", entry=entry(where={"id": "$entry.id"}))
        assert (finding.severity, finding.problem.where) == (Severity.ERROR, "entry.where.id")

    @pytest.mark.parametrize("value", ["$entry", "$entry.", "$entry.a-b", "$entry.a b", "$entry[0]"])
    def test_a_malformed_reference(self, value: str) -> None:
        assert only("malformed-reference", steps=[{"set": {"last": value}}]).severity is Severity.ERROR

    @pytest.mark.parametrize("text", ["Call about $step.paid.amount", "$contact.name calls", "Bill of $entries.x."])
    def test_a_reference_that_is_not_filled_in_in_the_text_of_a_task(self, text: str) -> None:
        assert only("malformed-reference", steps=[{"task": {"title": text, "due": "1d"}}]).severity is Severity.ERROR

    @pytest.mark.parametrize("text", ["Call about $entry.order_id. Worth $50.00", "US$ 5.20", "$$"])
    def test_an_amount_of_dollars_is_no_reference(self, text: str) -> None:
        assert not findings("malformed-reference", steps=[{"task": {"title": text, "due": "1d"}}])

    @pytest.mark.parametrize("value", ["$contact.name", "${entry.id}"])
    def test_a_reference_to_something_else(self, value: str) -> None:
        assert only("unknown-reference", steps=[{"set": {"last": value}}]).severity is Severity.WARNING

    @pytest.mark.parametrize("value", ["$5", "US$", "entry.id", "$"])
    def test_a_dollar_alone_is_no_reference(self, value: str) -> None:
        assert not check(journey(steps=[{"set": {"price": value}}]), None)


class TestConditions:
    @pytest.mark.parametrize(
        ("audience", "where"),
        [
            ({"attribute": "age", "is": {"at_least": 5, "at_most": 4}}, "entry.audience.is"),
            ({"event": "x", "at_least": 3, "at_most": 2}, "entry.audience"),
            ({"event": "x", "at_most": 0}, "entry.audience"),
            ({"any": [{"score": {"model": "m", "at_least": 2, "at_most": 1}}]}, "entry.audience.any[0].score"),
        ],
        ids=str,
    )
    def test_an_impossible_range(self, audience: dict[str, Any], where: str) -> None:
        assert only("impossible-range", entry=entry(audience=audience)).problem.where == where

    @pytest.mark.parametrize("audience", [{"all": []}, {"any": []}, {"not": {"any": []}}], ids=str)
    def test_an_empty_condition(self, audience: dict[str, Any]) -> None:
        assert only("empty-condition", entry=entry(audience=audience)).severity is Severity.WARNING

    def test_a_condition_that_always_holds(self) -> None:
        assert findings("always-holds", entry=entry(audience={"event": "x", "at_least": 0}))


class TestEntry:
    @pytest.mark.parametrize(
        ("parts", "where"),
        [
            ({"goal": {"type": "sell", "event": "order.placed"}}, "goal"),
            ({"exit": [{"event": "x"}, {"event": "order.placed"}]}, "exit[1]"),
            ({"goal": {"type": "sell", "event": "order.placed", "where": {"order_number": 1}}}, "goal"),
        ],
        ids=str,
    )
    def test_the_entry_event_ends_it(self, parts: dict[str, Any], where: str) -> None:
        finding = only("ended-by-entry-event", entry=entry(where={"order_number": 1}), **parts)
        assert finding.problem.where == where

    def test_the_entry_event_with_other_properties_may_end_it(self) -> None:
        goal = {"type": "sell", "event": "order.placed", "where": {"order_number": {"at_least": 2}}}
        assert not findings("ended-by-entry-event", entry=entry(), goal=goal)

    def test_a_key_without_an_event(self) -> None:
        assert only("key-without-event", entry={"again": {"per": "order_id"}}).severity is Severity.WARNING
        assert not findings("key-without-event", entry=entry(again={"per": "order_id"}))

    def test_a_key_that_an_absence_does_not_have(self) -> None:
        absence = {"of": "order.placed", "for": "90d"}
        assert said(only("key-never-there", entry={"absence": absence, "again": {"per": "order_id"}})) == (
            "error: entry.again.per: `per: order_id` takes a property that an entry by `absence` does not have: "
            "nobody could enter. It has: journey, of, since."
        )
        assert not findings("key-never-there", entry={"absence": absence, "again": {"per": "since"}})

    def test_a_property_that_an_absence_does_not_have(self) -> None:
        absence = {"of": "order.placed", "for": "90d"}
        steps = [{"set": {"seen": "$entry.order_id", "silent_since": "$entry.since"}}]
        finding = only("entry-property-unknown", entry={"absence": absence}, steps=steps)
        assert finding.problem.where == "steps[0].set.seen"
        assert not findings("entry-without-event", entry={"absence": absence}, steps=steps)

    def test_an_absence_cannot_ask_for_a_property_of_the_entry_it_brings_about(self) -> None:
        absence = {"of": "order.placed", "for": "90d", "where": {"shop": "$entry.shop"}}
        assert only("entry-refers-to-itself", entry={"absence": absence}).problem.where == "entry.absence.where.shop"

    def test_an_absence_of_no_time(self) -> None:
        absence = {"of": "order.placed", "for": "0d"}
        assert only("no-time", entry={"absence": absence}).problem.where == "entry.absence.for"

    def test_a_return_that_ends_nothing(self) -> None:
        parts = {"entry": {"absence": {"of": ["order.placed", "app.opened"], "for": "90d"}}, "goal": None}
        assert only("return-unnoticed", **parts).severity is Severity.WARNING
        assert not findings("return-unnoticed", **parts, exit=[{"event": "app.opened"}])

    def test_a_retry_that_nothing_can_come_of(self) -> None:
        pro = {"attribute": "plan", "is": "pro"}
        assert only("retry-without-audience", entry={"event": "x.y", "retry": "30m"}).problem.where == "entry.retry"
        assert only("retry-without-event", entry={"audience": pro, "retry": "30m"}).severity is Severity.ERROR
        broadcast = {"broadcast": {"at": "2026-12-01 10:00"}, "audience": pro, "retry": "30m"}
        assert "a broadcast asks everybody at its moment" in said(only("retry-without-event", entry=broadcast))
        entry = {"event": "x.y", "audience": pro}
        assert only("retry-too-long", entry=entry | {"retry": "1441m"}).problem.where == "entry.retry"
        assert only("no-time", entry=entry | {"retry": "0m"}).problem.where == "entry.retry"
        for code in ("retry-without-audience", "retry-without-event", "retry-too-long"):
            assert not findings(code, entry=entry | {"retry": "1d"})

    def test_a_yearly_date_that_lets_nobody_in_again(self) -> None:
        birthday = {"of": "birthday", "yearly": True}
        assert said(only("yearly-only-once", entry={"date": birthday})) == (
            "error: entry.again: The date 'birthday' returns every year, but with `again: never` a contact enters "
            "only once. Write `again: {per: date}`, once per return of it."
        )
        assert not findings("yearly-only-once", entry={"date": birthday, "again": {"per": "date"}})
        assert not findings("yearly-only-once", entry={"date": {"of": "contract_end"}})

    def test_a_date_that_is_of_no_use(self) -> None:
        date = {"of": "contract_end", "expires_after": "0d"}
        assert only("no-time", entry={"date": date}).problem.where == "entry.date.expires_after"

    def test_a_broadcast_to_everybody(self) -> None:
        broadcast = {"at": "2026-12-01 10:00"}
        assert only("broadcast-to-everybody", entry={"broadcast": broadcast}).severity is Severity.WARNING
        assert not findings("broadcast-to-everybody", entry={"broadcast": broadcast, "audience": CONSENT})

    def test_a_window_that_never_opens(self) -> None:
        # A document cannot say this; a program that builds the model can.
        made = journey().model_copy(update={"window": Window(days=frozenset())})
        assert [finding.rule for finding in check(made, None)] == ["window-never-opens"]


class TestMessages:
    @pytest.mark.parametrize(
        ("template", "said_of_it", "in_vain"),
        [
            ("receipt", {"cap": "skip"}, ["cap"]),
            ("receipt", {"cap": "defer", "repeat": "always"}, ["cap", "repeat"]),
            ("offer", {"cap": "skip", "repeat": "30d"}, ["cap"]),
            ("receipt", {"closed": "skip"}, ["closed"]),
            ("offer", {"closed": "skip"}, []),
            ("voucher", {"cap": "skip", "repeat": "never"}, []),
            ("vouchr", {"cap": "skip"}, []),
        ],
    )
    def test_what_is_said_of_a_message_that_does_not_know_it(
        self, template: str, said_of_it: dict[str, str], in_vain: list[str]
    ) -> None:
        found = findings("said-in-vain", steps=[{"send": {"template": template, **said_of_it}}])
        assert [finding.problem.where for finding in found] == [f"steps[0].send.{key}" for key in in_vain]

    def test_a_missing_template(self) -> None:
        assert said(only("missing-template", steps=[{"send": {"template": "vouchr"}}])) == (
            "error: steps[0].send.template: There is no template 'vouchr'. Did you mean 'voucher'?"
        )

    def test_templates_are_left_out_where_none_are_known(self) -> None:
        assert not check(journey(steps=[{"send": {"template": "anything"}}]), None)

    @pytest.mark.parametrize(
        ("audience", "steps"),
        [
            (None, [SEND]),
            ({"in_list": "vip"}, [SEND]),
            ({"consent": {"purpose": "sales"}}, [SEND]),
            ({"not": CONSENT}, [SEND]),
            ({"any": [CONSENT, {"in_list": "vip"}]}, [SEND]),
            (None, [{"if": CONSENT, "else": [SEND]}]),
            (None, [{"if": CONSENT, "then": [{"wait": "1d"}]}, SEND]),
        ],
        ids=str,
    )
    def test_mail_before_consent(self, audience: dict[str, Any] | None, steps: list[dict[str, Any]]) -> None:
        finding = only("mail-before-consent", entry=entry(audience=audience), steps=steps)
        assert finding.severity is Severity.ERROR
        assert "audience: {consent: {purpose: marketing, channel: email}}" in finding.problem.remedy

    @pytest.mark.parametrize(
        ("audience", "steps"),
        [
            (CONSENT, [SEND]),
            ({"all": [{"in_list": "vip"}, CONSENT]}, [SEND]),
            ({"any": [CONSENT, {"all": [CONSENT, {"in_list": "vip"}]}]}, [SEND]),
            (None, [{"if": CONSENT, "then": [SEND]}]),
            (None, [{"if": CONSENT, "else": [{"exit": "no consent"}]}, SEND]),
            (None, [{"send": {"template": "receipt"}}]),
        ],
        ids=str,
    )
    def test_mail_after_consent(self, audience: dict[str, Any] | None, steps: list[dict[str, Any]]) -> None:
        assert not findings("mail-before-consent", entry=entry(audience=audience), steps=steps)

    def test_a_variable_that_nothing_on_the_way_brings(self) -> None:
        receipt = [{"send": {"template": "receipt"}}]
        finding = only("variable-may-be-missing", entry={}, steps=receipt)
        assert finding.severity is Severity.WARNING
        assert "'receipt' cannot be filled in without contact.first_name and entry.order_id" in said(finding)


def test_errors_come_before_warnings() -> None:
    steps = [{"if": {"in_list": "vip"}}, {"wait": "0s"}]
    assert [finding.severity for finding in check(journey(steps=steps), None)] == [Severity.ERROR, Severity.WARNING]


def test_a_sound_journey_has_no_findings() -> None:
    assert check(journey(), TEMPLATES) == []


@given(documents)
def test_every_finding_has_a_place_that_exists_and_two_sentences(document: dict[str, Any]) -> None:
    made: Journey = journey_from_document(document)
    for finding in check(made, TEMPLATES):
        assert finding.rule
        assert finding.problem.where.split("[")[0].split(".")[0] in document
        for sentence in (finding.problem.what, finding.problem.remedy):
            assert sentence[0].isupper() or sentence[0] in "`'$"
            assert sentence.endswith((".", "?", ")"))


class TestComparisons:
    def test_a_holdout_needs_a_goal(self) -> None:
        assert said(only("comparison-without-goal", holdout=5)) == (
            "error: holdout: The holdout is compared with the others by the journey's goal, and there is none. "
            "Say what the journey is for with `goal`, or remove it."
        )

    def test_a_holdout_needs_a_goal_that_counts_after_the_end(self) -> None:
        goal = {"type": "sell", "event": "order.placed"}
        assert only("goal-without-end", holdout=5, goal=goal).severity is Severity.WARNING
        assert not findings("goal-without-end", holdout=5, goal={**goal, "within": "30d"})
        assert not findings("goal-without-end", goal=goal)

    GOAL: ClassVar = {"type": "sell", "event": "order.placed"}

    @pytest.mark.parametrize(
        ("last", "hasty"),
        [
            ([SEND], True),
            ([{"if": CONSENT, "then": [{"wait": "1d"}]}], True),
            ([{"if": CONSENT, "then": [{"wait": "1d"}], "else": [{"exit": "no consent"}]}], False),
            ([{"wait": "1d"}], False),
            ([{"wait_for": {"event": "order.placed", "up_to": "2d"}}], False),
        ],
        ids=["send", "a way that goes on at once", "every way waits or leaves", "wait", "wait_for"],
    )
    def test_a_goal_without_an_end_needs_a_wait_at_the_end(self, last: list[dict[str, Any]], *, hasty: bool) -> None:
        steps = [{"wait": "1d"}, *last]
        assert bool(findings("goal-ends-with-steps", goal=self.GOAL, steps=steps)) is hasty
        assert not findings("goal-ends-with-steps", goal={**self.GOAL, "within": "30d"}, steps=steps)
        assert not findings("goal-ends-with-steps", goal=self.GOAL, steps=steps, holdout=5), "told already"

    def test_of_a_journey_that_does_not_hold_together_the_end_is_not_judged(self) -> None:
        twice = [{"id": "a", "wait": "1d"}, {"id": "a", **SEND}]
        assert findings("duplicate-step-id", goal=self.GOAL, steps=twice)
