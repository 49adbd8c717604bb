"""Where contacts go on, when their waits end, and which criteria stay the same, from one version to the next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.migration import (
    Due,
    Target,
    Timers,
    carried_criteria,
    due_in,
    mistakes_of,
    new_criteria,
    target_of,
)
from journeys.model import Journey
from journeys.plan import Plan, compile_plan

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HERE = Target("pause", continues=True, alike=True)


def plan(*steps: dict[str, Any], version: int = 1, **parts: Any) -> Plan:
    document = {"key": "welcome", "name": "Welcome", "owner": "tests", "entry": {"event": "contact.registered"}}
    return compile_plan(Journey.model_validate(document | {"steps": list(steps)} | parts), version)


def wait(days: int, step: str = "pause") -> dict[str, Any]:
    return {"id": step, "wait": f"{days}d"}


def send(step: str = "mail") -> dict[str, Any]:
    return {"id": step, "send": {"template": "welcome"}}


def ask(event: str, step: str = "asked", **where: Any) -> dict[str, Any]:
    return {"id": step, "wait_for": {"event": event, "where": where, "up_to": "2d"}}


def test_a_step_that_is_still_there_keeps_its_contacts() -> None:
    assert target_of("pause", plan(wait(1)), plan(wait(2)), {}) == HERE


def test_a_vanished_step_without_a_target_takes_nobody_on() -> None:
    assert target_of("pause", plan(wait(1), send()), plan(send()), {}) is None


def test_a_vanished_step_goes_by_the_mapping_and_its_contacts_arrive_anew_at_a_step_that_was_there() -> None:
    target = target_of("pause", plan(wait(1), send()), plan(send()), {"pause": "mail"})
    assert target == Target("mail", continues=False, alike=False)


def test_mapping_to_a_step_that_is_new_renames_it_and_the_time_waited_counts() -> None:
    target = target_of("pause", plan(wait(1)), plan(wait(3, "rest")), {"pause": "rest"})
    assert target == Target("rest", continues=True, alike=True)


def test_ids_that_were_shifted_by_a_step_put_before_them_can_be_mapped_back() -> None:
    old = plan({"wait": "1d"}, send(), {"wait": "2d"})
    new = plan({"wait": "5d"}, {"wait": "1d"}, send(), {"wait": "2d"})
    mapping = {"wait-1": "wait-2", "wait-2": "wait-3"}
    assert target_of("wait-1", old, new, mapping) == Target("wait-2", continues=True, alike=True)
    assert target_of("wait-2", old, new, mapping) == Target("wait-3", continues=True, alike=True)


def test_a_step_that_became_another_kind_is_not_alike() -> None:
    target = target_of("pause", plan(wait(1)), plan(send("pause")), {})
    assert target == Target("pause", continues=True, alike=False)


@pytest.mark.parametrize(
    ("days", "waited", "left"),
    [(1, 2 * DAY, -DAY), (3, 2 * DAY, DAY), (5, 2 * DAY, 3 * DAY)],
    ids=["shortened and over", "shortened", "lengthened"],
)
def test_a_wait_follows_the_new_version_from_when_it_began(days: int, waited: timedelta, left: timedelta) -> None:
    due = due_in(plan(wait(days)), HERE, Timers.FOLLOW, since=NOW - waited, due=NOW + 2 * DAY, now=NOW)
    assert due == Due(NOW + left)


def test_timers_that_are_kept_end_when_they_always_would() -> None:
    due = due_in(plan(wait(9)), HERE, Timers.KEEP, since=NOW - DAY, due=NOW + DAY, now=NOW)
    assert due == Due(NOW + DAY)


def test_a_timer_is_not_kept_for_a_step_of_another_kind() -> None:
    other = Target("pause", continues=True, alike=False)
    assert due_in(plan(send("pause")), other, Timers.KEEP, since=NOW, due=NOW + DAY, now=NOW) == Due(None)


def test_who_arrives_anew_waits_from_now_on() -> None:
    arriving = Target("pause", continues=False, alike=False)
    for timers in Timers:
        due = due_in(plan(wait(2)), arriving, timers, since=NOW - 9 * DAY, due=NOW + DAY, now=NOW)
        assert due == Due(NOW + 2 * DAY)


def test_a_message_that_waits_for_its_window_asks_again() -> None:
    due = due_in(plan(send("pause")), HERE, Timers.FOLLOW, since=NOW, due=NOW + DAY, now=NOW)
    assert due == Due(None, looked_up=True)


def test_a_criterion_is_the_same_where_it_asks_the_same_whatever_it_is_called() -> None:
    old = plan(ask("page.viewed", page="price", lang="de"), exit=[{"event": "a"}, {"event": "b"}])
    new = plan(ask("page.viewed", "looked", lang="de", page="price"), exit=[{"event": "b"}])
    assert carried_criteria(old, new) == {"step:looked": "step:asked", "exit:1": "exit:2"}
    assert new_criteria(old, new) == frozenset()


def test_another_role_or_another_where_is_another_criterion() -> None:
    old = plan(ask("page.viewed", page="price"))
    new = plan(ask("page.viewed", page="home"), exit=[{"event": "page.viewed", "where": {"page": "price"}}])
    assert new_criteria(old, new) == {"step:asked", "exit:1"}


def test_a_criterion_keeps_its_name_where_several_ask_the_same() -> None:
    steps = (ask("page.viewed", "first"), ask("page.viewed", "second"))
    assert carried_criteria(plan(*steps), plan(*steps)) == {
        "step:first": "step:first",
        "step:second": "step:second",
    }


def test_a_mapping_is_told_which_of_its_steps_do_not_exist() -> None:
    problems = list(mistakes_of({"nap": "pause", "pause": "rest"}, plan(wait(1)), plan(wait(1), version=2)))
    assert [problem.what for problem in problems] == [
        "Version 1 has no step 'nap'.",
        "Version 2 has no step 'rest'.",
    ]
    assert problems[0].where == "map nap=pause"
