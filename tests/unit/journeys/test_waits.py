"""`wait` in all its forms: what is read, what is refused and how, what the checks say, and what the plan becomes."""

from datetime import timedelta
from typing import Any

import pytest

from journeys.checks import check
from journeys.describe import describe_node
from journeys.documents import to_document
from journeys.plan import Role, compile_plan
from journeys.proofs.durations import longest, shortest
from journeys.proofs.subject import Subject
from journeys.steps.wait import WaitNode, WaitStep, WaitUntilNode
from kit.errors import Invalid
from tests.support.journeys import journey

MAIL = {"id": "mail", "send": {"template": "reminder"}}
DATE = {"before": "1d", "date": "$entry.starts_at"}
WINDOW = {"days": "mon-fri"}
BEST = {"best_time": {"from": "08:00", "to": "20:00", "otherwise": "10:00"}}
IN_WINDOW = {"best_time": {"otherwise": "10:00", "in_window": True}}


def step(wait: Any, **more: Any) -> WaitStep:
    found = journey(steps=[{"id": "pause", "wait": wait, **more}], window=WINDOW).steps[0]
    assert isinstance(found, WaitStep)
    return found


def rules(*steps: dict[str, Any], **parts: Any) -> list[tuple[str, str]]:
    """Rule and place of every finding."""
    found = check(journey(**({"steps": list(steps), "window": WINDOW} | parts)), None)
    return [(finding.rule, finding.problem.where) for finding in found]


class TestReading:
    @pytest.mark.parametrize(
        ("wait", "words"),
        [
            ("1d", "wait 1 day"),
            ("1 day at 09:00", "wait 1 day at 09:00"),
            ("3 months at 09:00:30", "wait 3 months at 09:00:30"),
            ("next_window", "wait for the send window"),
            ({"until": "2026-12-24T09:00:00+01:00"}, "wait until 2026-12-24T09:00+01:00"),
            ({"until": "2026-12-24 09:00"}, "wait until 2026-12-24 09:00"),
            (DATE, "wait until 1 day before the entry's starts_at"),
            (
                {"after": "3 months", "date": "$entry.at", "at": "09:00"},
                "wait until 3 months after the entry's at at 09:00",
            ),
            (
                {"after": "3 months", "date": "$entry", "at": "09:00", "moved_by": {"event": "conversation.ended"}},
                "wait until 3 months after the entry or the last conversation.ended since at 09:00",
            ),
            (BEST, "wait for the contact's best time from 08:00 to 20:00 (otherwise 10:00)"),
            (IN_WINDOW, "wait for the contact's best time while the send window is open (otherwise 10:00)"),
            ({"after": "2h", "date": "$entry"}, "wait until 2 hours after the entry"),
            (
                {"on": "$contact.birthday", "yearly": True, "at": "10:00"},
                "wait until the contact's birthday (next anniversary) at 10:00",
            ),
        ],
    )
    def test_every_form_is_read_told_and_written_back(self, wait: Any, words: str) -> None:
        whole = journey(steps=[{"id": "pause", "wait": wait}])
        node = compile_plan(whole, version=1).nodes["pause"]
        assert describe_node(node) == words
        assert journey(**to_document(whole)) == whole

    @pytest.mark.parametrize(
        ("wait", "sentence"),
        [
            ("2 days", "'2 days' does not say at what time. Write `2 days at 09:00`, or `2d` for exact time."),
            ("3 months", "'3 months' does not say at what time. Write `3 months at 09:00`."),
            ("1 day at 25:00", "'25:00' is not a time of day."),
            ("1d at 09:00", "'1d' is not a calendar span."),
            ("soon", "'soon' is not a duration."),
            ({"unitl": "2026-12-24 09:00"}, "Did you mean `until`?"),
            ({"before": "1d"}, "`before` is counted from a date. Name it: `date: $entry.starts_at`."),
            ({"on": "$entry.x", "date": "$entry.y"}, "`on` names the date itself. Remove `date`."),
            ({"before": "1d", "after": "1d", "date": "$entry.x"}, "Give exactly one of `before`, `after` and `on`."),
            ({"on": "2026-12-24"}, "'2026-12-24' names no date."),
            ({"on": "$contact"}, "'$contact' names no date."),
            ({"until": "2026-12-24"}, "'2026-12-24' does not say at what time."),
            ({"until": "24.12.2026"}, "'24.12.2026' is not an instant."),
            ({"until": "0001-01-01 00:00"}, "lies outside of the years 1900 to 2199."),
            (DATE | {"before": "36h", "at": "09:00"}, "With `at`, distances are counted in days."),
            ({"on": "$contact.x", "moved_by": {"event": "x"}}, "A date of the contact moves when the contact changes."),
            (DATE | {"leap_day": "mar-1"}, "Only a date that returns every year has a leap day."),
            (DATE | {"late": "never"}, "Allowed: skip, now."),
            (DATE | {"att": "09:00"}, "Did you mean `at`?"),
            ({"best_time": {}}, "`otherwise` is missing."),
            ({"best_time": {"from": 8, "otherwise": "10:00"}}, "8 is not a time of day."),
            (
                {"best_time": {"from": "08:00", "to": "08:59", "otherwise": "08:30"}},
                "These hours are less than one. Leave an hour or more between `from` and `to`.",
            ),
            (
                {"best_time": {"from": "08:00", "to": "20:00", "otherwise": "20:00"}},
                "20:00 lies outside of 08:00 to 20:00. Write a time within 08:00 to 20:00 (the end is outside)",
            ),
            ({"best_time": {"otherwise": "10:00", "until": "20:00"}}, "Allowed here: from, to, otherwise, in_window."),
        ],
    )
    def test_what_cannot_be_waited_for_is_refused_with_a_remedy(self, wait: Any, sentence: str) -> None:
        with pytest.raises(Invalid) as raised:
            step(wait)
        (problem,) = raised.value.problems
        assert problem.where.startswith("steps[0].wait")
        assert sentence in f"{problem.what} {problem.remedy}"

    @pytest.mark.parametrize("wait", ["1d", "1 day at 09:00", "next_window", BEST])
    @pytest.mark.parametrize("branch", ["then", "else"])
    def test_what_is_never_too_late_has_no_branches(self, wait: str, branch: str) -> None:
        with pytest.raises(Invalid, match="never too late"):
            step(wait, **{branch: [MAIL]})


class TestPlan:
    def test_exact_time_stays_the_node_it_was(self) -> None:
        plan = compile_plan(journey(steps=[{"id": "pause", "wait": "1d"}]), version=1)
        assert plan.nodes == {"pause": WaitNode(kind="wait", duration=timedelta(days=1))}
        assert plan.criteria == {}

    def test_branches_join_behind_the_wait(self) -> None:
        first = {"id": "pause", "wait": DATE, "then": [MAIL], "else": [{"id": "listed", "list": {"add": "late"}}]}
        plan = compile_plan(journey(steps=[first, {"id": "end", "exit": "done"}]), version=1)
        node = plan.nodes["pause"]
        assert isinstance(node, WaitUntilNode)
        assert (node.next, node.otherwise, node.skipped_to()) == ("mail", "listed", "listed")
        assert (plan.nodes["mail"].next, plan.nodes["listed"].next) == ("end", "end")
        assert [way.when for way in node.ways()] == ["when it is time", "too late"]

    def test_a_wait_without_branches_has_one_way(self) -> None:
        node = compile_plan(journey(steps=[{"wait": "1 day at 09:00"}, MAIL]), version=1).nodes["wait-1"]
        assert [way.to for way in node.ways()] == ["mail"]

    def test_what_moves_a_moment_is_listened_for(self) -> None:
        moved_by = {"event": "webinar.moved", "where": {"id": "$entry.id"}}
        plan = compile_plan(journey(steps=[{"id": "pause", "wait": DATE | {"moved_by": moved_by}}]), version=1)
        node = plan.nodes["pause"]
        assert isinstance(node, WaitUntilNode)
        assert node.moved == ("moved:pause", "moved:pause:contact")
        assert [criterion.role for criterion in plan.criteria.values()] == [Role.MOVED, Role.MOVED]
        assert plan.listens == {"webinar.moved", "contact.updated"}

    def test_an_instant_moves_for_nobody(self) -> None:
        plan = compile_plan(journey(steps=[{"wait": {"until": "2026-12-24T09:00:00Z"}}]), version=1)
        assert plan.criteria == {}

    @pytest.mark.parametrize(
        ("wait", "attributes"),
        [(BEST, ("time_zone", "quiet_hours")), (IN_WINDOW, ("time_zone", "quiet_hours", "country", "region"))],
    )
    def test_a_best_time_moves_with_where_the_contact_lives(self, wait: Any, attributes: tuple[str, ...]) -> None:
        plan = compile_plan(journey(steps=[{"id": "pause", "wait": wait}], window=WINDOW), version=1)
        (criterion,) = plan.criteria.values()
        assert criterion.changed == attributes
        assert plan.listens == {"contact.updated"}

    def test_a_best_time_comes_within_a_day_and_the_hour_by_which_clocks_change(self) -> None:
        parts = {"steps": [{"id": "pause", "wait": BEST}, {"id": "then", "wait": "1d"}]}
        found = Subject(journey(**parts), compile_plan(journey(**parts), version=1))
        assert shortest(found.unrolled).least == timedelta(days=1)
        assert longest(found.unrolled).most == timedelta(days=2, hours=1)
        open_end = compile_plan(journey(steps=[{"wait": IN_WINDOW}], window=WINDOW), version=1).nodes["wait-1"]
        assert [(way.least, way.most) for way in open_end.ways()] == [(timedelta(), None)]

    def test_how_long_a_step_is_of_use_is_in_its_node(self) -> None:
        plan = compile_plan(journey(steps=[MAIL | {"expires_after": "6h"}, {"id": "end", "exit": "done"}]), version=1)
        assert plan.nodes["mail"].expires_after == timedelta(hours=6)
        assert plan.nodes["end"].expires_after is None


class TestChecks:
    @pytest.mark.parametrize("wait", [DATE, {"on": "$contact.end"}, {"until": "2026-12-24 09:00"}])
    def test_what_happens_to_latecomers_must_be_said(self, wait: dict[str, Any]) -> None:
        assert ("late-not-said", "steps[0].wait") in rules({"wait": wait}, MAIL)
        assert not rules({"wait": wait | {"late": "now"}}, MAIL)
        assert not rules({"wait": wait, "then": [MAIL]})
        assert not rules({"wait": wait, "else": [{"exit": "too late"}]}, MAIL)

    def test_with_late_now_nobody_takes_the_other_way_but_those_without_a_date(self) -> None:
        branches: dict[str, Any] = {"then": [MAIL], "else": [{"exit": "too late"}]}
        assert rules({"wait": DATE | {"late": "now"}, **branches}) == [("else-never-taken", "steps[0].else")]
        assert not rules({"wait": DATE | {"late": "now", "missing": "skip"}, **branches})

    def test_the_next_window_needs_a_window(self) -> None:
        assert rules({"wait": "next_window"}, window=None) == [("no-window", "steps[0].wait")]
        assert not rules({"wait": "next_window"})

    def test_a_best_time_in_the_window_needs_one_that_is_open_then(self) -> None:
        path = "steps[0].wait.best_time"
        assert rules({"wait": IN_WINDOW}, window=None) == [("no-window", f"{path}.in_window")]
        late = {"from": "12:00", "to": "18:00"}
        assert rules({"wait": IN_WINDOW}, window=late) == [("otherwise-outside-window", f"{path}.otherwise")]
        assert not rules({"wait": IN_WINDOW})

    @pytest.mark.parametrize(
        ("window", "sound"),
        [
            ({"from": "08:00", "to": "20:00"}, True),
            ({"from": "07:00", "to": "21:00"}, True),
            ({"from": "09:00", "to": "20:00"}, False),
            ({"from": "08:00", "to": "20:00", "days": "mon-sat"}, False),
            ({"holidays": True}, False),
            (None, True),
        ],
    )
    def test_a_best_time_at_which_the_window_may_be_closed_is_told(self, window: Any, *, sound: bool) -> None:
        found = rules({"wait": BEST}, window=window)
        assert found == ([] if sound else [("best-time-outside-window", "steps[0].wait.best_time")])

    @pytest.mark.parametrize(("closed", "said"), [("defer", "leaves when it opens."), ("skip", "is left out.")])
    def test_what_becomes_of_its_message_then_is_told_as_the_journey_says(self, closed: str, said: str) -> None:
        made = journey(steps=[{"wait": BEST}], window={"from": "09:00", "to": "20:00"}, closed=closed)
        (finding,) = [one for one in check(made, None) if one.rule == "best-time-outside-window"]
        assert finding.problem.what.endswith(f"a message then {said}")

    def test_no_time_at_all(self) -> None:
        assert rules({"wait": DATE | {"before": "0d", "late": "now"}}) == [("no-time", "steps[0].wait.before")]
        assert rules({"wait": "1d", "expires_after": "0h"}) == [("no-time", "steps[0].expires_after")]

    @pytest.mark.parametrize(
        ("wait", "word", "sound"),
        [
            ("1d", "due", False),
            ("1 day at 09:00", "due", True),
            ("1 day at 09:00", "late", False),
            ({"until": "2026-12-24 09:00", "late": "now"}, "late", True),
            ({"until": "2026-12-24 09:00", "late": "now"}, "missing", False),
            (DATE | {"late": "now"}, "missing", True),
            (IN_WINDOW, "due", True),
            (IN_WINDOW, "late", False),
        ],
    )
    def test_a_result_is_asked_only_of_waits_that_may_have_it(self, wait: Any, word: str, *, sound: bool) -> None:
        asked = {"if": {"result": {"step": "pause", "is": word}}, "then": [MAIL]}
        found = rules({"id": "pause", "wait": wait}, asked)
        assert [rule for rule, _ in found] == ([] if sound else ["impossible-result"])

    def test_a_date_of_the_entry_needs_an_entry_event(self) -> None:
        found = rules({"wait": DATE | {"late": "now"}}, entry={})
        assert [place for _, place in found] == ["steps[0].wait.date"]

    def test_a_reference_in_what_moves_a_date_is_looked_at(self) -> None:
        moved_by = {"event": "moved", "where": {"id": "$entry"}}
        found = rules({"wait": DATE | {"late": "now", "moved_by": moved_by}})
        assert found == [("malformed-reference", "steps[0].wait.moved_by.where.id")]
