"""What an enrollment takes along to another version of its journey, and what it leaves behind."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.former_names import FormerName
from journeys.migration import Timers
from journeys.model import Journey
from journeys.outcomes import JourneyState, StepVerdict
from journeys.plan import Plan, compile_plan
from journeys.resuming import Resuming
from workflows.inbox import Move, next_move, receive
from workflows.messages import EXIT_REQUESTED, Delivery, compact_plan
from workflows.migration import ENDED_ALREADY, NO_TARGET, migrated, objection_to
from workflows.resuming import resume
from workflows.state import Attention, EnrollmentState, Met, Migration, Resolution, Rounds
from workflows.transitions import Departure, begin, expiry, leave

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = NOW + DAY
ME = UUID(int=1)
PAUSE = {"id": "pause", "wait": "3d"}
MAIL = {"id": "mail", "send": {"template": "welcome"}}
ASKED = {"id": "asked", "wait_for": {"event": "page.viewed", "up_to": "2d"}}


def plan(*steps: dict[str, Any], version: int = 2, **parts: Any) -> Plan:
    document = {"key": "welcome", "name": "Welcome", "owner": "tests", "entry": {"event": "contact.registered"}}
    return compile_plan(Journey.model_validate(document | {"steps": list(steps)} | parts), version)


OLD = plan(PAUSE, MAIL, ASKED, version=1)


def to(new: Plan, **more: Any) -> Migration:
    return Migration(enrollment_id=ME, version=new.version, plan=compact_plan(new), **more)


def waiting() -> EnrollmentState:
    """At `pause` since a day."""
    state = begin(OLD, entered_at=NOW, now=NOW)
    state.due_at = NOW + 3 * DAY
    return state


def test_it_says_in_a_decision_that_it_migrated() -> None:
    after = migrated(waiting(), OLD, to(plan(PAUSE, MAIL)), LATER)
    (decision,) = after.journal
    assert (decision.step, decision.verdict, decision.next_step) == ("pause", StepVerdict.MIGRATED, "pause")
    assert (decision.because, decision.version, decision.to_version) == ("migrated from v1 to v2", 1, 2)
    assert (decision.entered_at, decision.at) == (NOW, LATER)
    assert (after.ordinal, after.version, after.migration) == (1, 2, None)
    leave(after, Departure("mail"), LATER)
    assert after.journal[-1].version == 2


@pytest.mark.parametrize(("days", "due"), [(3, NOW + 3 * DAY), (5, NOW + 5 * DAY), (2, NOW + 2 * DAY)])
def test_a_wait_is_retimed_from_when_it_began(days: int, due: datetime) -> None:
    after = migrated(waiting(), OLD, to(plan({"id": "pause", "wait": f"{days}d"}, MAIL)), LATER)
    assert (after.at, after.since, after.due_at) == ("pause", NOW, due)


def test_a_wait_that_is_over_by_the_new_version_ends_now_and_not_in_the_past() -> None:
    """What follows must not count as late: nobody was late, the journey has changed."""
    after = migrated(waiting(), OLD, to(plan({"id": "pause", "wait": "1h"}, MAIL)), LATER)
    assert after.due_at == LATER


def test_timers_are_kept_where_asked() -> None:
    state = waiting()
    state.resolution = Resolution(because="the day after")
    migration = to(plan({"id": "pause", "wait": "1h"}, MAIL), timers=Timers.KEEP)
    after = migrated(state, OLD, migration, LATER)
    assert (after.due_at, after.resolution) == (NOW + 3 * DAY, state.resolution)


def test_it_arrives_at_another_step_now() -> None:
    after = migrated(waiting(), OLD, to(plan(MAIL), mapping={"pause": "mail"}), LATER)
    assert (after.at, after.since, after.planned_at, after.due_at) == ("mail", LATER, LATER, None)
    assert after.iterations == {"pause": 1, "mail": 1}


def test_a_step_that_stays_is_not_begun_again() -> None:
    """Its iteration is part of the keys by which nothing is done twice."""
    state = waiting()
    state.iterations["pause"] = 4
    assert migrated(state, OLD, to(plan(PAUSE)), LATER).iterations == {"pause": 4}
    renamed = to(plan({"id": "rest", "wait": "3d"}), mapping={"pause": "rest"})
    assert migrated(state, OLD, renamed, LATER).iterations["rest"] == 4


def test_what_was_met_stays_met_under_its_new_name() -> None:
    state = waiting()
    met = Met(event_id="event-1", at=NOW)
    state.met = {"step:asked": met, EXIT_REQUESTED: met}
    state.seen = ["event-1"]
    new = plan(PAUSE, {"id": "looked", "wait_for": {"event": "page.viewed", "up_to": "9d"}}, ASKED)
    after = migrated(state, OLD, to(new), LATER)
    assert after.met == {"step:looked": met, "step:asked": met, EXIT_REQUESTED: met}


def test_an_event_of_before_may_meet_a_criterion_that_is_new() -> None:
    state = waiting()
    state.seen = ["event-1"]
    new = plan(PAUSE, exit=[{"event": "order.refunded"}])
    after = migrated(state, OLD, to(new), LATER)
    receive(after, new, ME, Delivery(enrollment_id=ME, event_id="event-1", at=NOW, criteria=["exit:1"], version=2))
    assert next_move(after, new) is Move.END


def test_results_are_kept_and_go_along_with_a_renamed_step() -> None:
    state = waiting()
    leave(state, Departure("mail"), LATER)
    leave(state, Departure("asked", result="sent"), LATER)
    new = plan({"id": "hello", "send": {"template": "welcome"}}, ASKED)
    after = migrated(state, OLD, to(new, mapping={"mail": "hello"}), LATER)
    assert after.results == {"mail": "sent", "hello": "sent"}


def test_names_of_before_are_remembered_through_all_moves() -> None:
    """What a step left behind, such as a voucher, is stored under the name it had then."""
    hello, hi = ({"id": name, "send": {"template": "welcome"}} for name in ("hello", "hi"))
    second, third = plan(PAUSE, hello, ASKED), plan(PAUSE, hi, ASKED, version=3)
    once = migrated(waiting(), OLD, to(second, mapping={"mail": "hello"}), LATER)
    twice = migrated(once, second, to(third, mapping={"hello": "hi"}), LATER + DAY)
    assert once.former == {"hello": [FormerName(name="mail", until=LATER)]}
    assert twice.former == {"hi": [FormerName(name="mail", until=LATER), FormerName(name="hello", until=LATER + DAY)]}


def test_without_a_new_name_there_is_no_former_one() -> None:
    after = migrated(waiting(), OLD, to(plan(PAUSE, ASKED), mapping={"mail": "asked"}), LATER)
    assert after.former == {}
    assert "former" not in after.model_dump(mode="json")


def test_what_failed_is_tried_again_where_the_new_version_says_it_otherwise() -> None:
    state = begin(OLD, entered_at=NOW, now=NOW).model_copy(
        update={"at": "mail", "attention": Attention(step="mail", reason="no such template", since=NOW)}
    )
    state.iterations["mail"] = 1
    mended = plan({"id": "mail", "send": {"template": "hello"}}, ASKED)
    assert migrated(state, OLD, to(mended), LATER).attention is None
    assert migrated(state, OLD, to(plan(MAIL, ASKED)), LATER).attention == state.attention


def test_a_paused_enrollment_stays_paused() -> None:
    state = waiting()
    state.paused_at = NOW
    assert next_move(migrated(state, OLD, to(plan(PAUSE)), LATER), plan(PAUSE)) is Move.HOLD


@pytest.mark.parametrize(("held_until", "left_out"), [(LATER + 7 * DAY, False), (LATER - timedelta(hours=1), True)])
def test_a_message_held_back_beyond_a_pause_is_not_left_out_for_having_migrated(
    held_until: datetime,
    left_out: bool,  # noqa: FBT001 -- pytest gives it by name
) -> None:
    state = begin(plan(MAIL, version=1), entered_at=NOW, now=NOW)
    state.due_at, state.paused_at = held_until, NOW
    resume(state, plan(MAIL, version=1), Resuming.DROP_IF_LATE, LATER)
    new = plan({"id": "mail", "send": {"template": "tips"}})
    after = migrated(state, plan(MAIL, version=1), to(new), LATER)
    assert (expiry(after, new.nodes["mail"], LATER) is not None) == left_out


@pytest.mark.parametrize(("held_until", "left_out"), [(LATER + 7 * DAY, False), (LATER - timedelta(hours=1), True)])
def test_a_message_held_back_beyond_a_pause_is_not_left_out_for_having_migrated_during_it(
    held_until: datetime,
    left_out: bool,  # noqa: FBT001 -- pytest gives it by name
) -> None:
    before, new = plan(MAIL, version=1), plan({"id": "mail", "send": {"template": "tips"}})
    state = begin(before, entered_at=NOW, now=NOW)
    state.due_at, state.paused_at = held_until, NOW
    after = migrated(state, before, to(new), NOW + timedelta(hours=1))
    again = migrated(after, new, to(plan({"id": "mail", "send": {"template": "more"}}, version=3)), LATER)
    for one in (after, again):
        resume(one, new, Resuming.DROP_IF_LATE, LATER)
        assert (expiry(one, new.nodes["mail"], LATER) is not None) == left_out
        leave(one, Departure(None), LATER)
        assert "held_until" not in one.model_dump(mode="json")


def test_criteria_of_another_version_mean_nothing_but_a_requested_exit_does() -> None:
    state = waiting()
    receive(state, OLD, ME, Delivery(enrollment_id=ME, event_id="e", at=NOW, criteria=["step:asked"], version=2))
    assert not state.met
    both = Delivery(enrollment_id=ME, event_id="e", at=NOW, criteria=["step:asked", EXIT_REQUESTED], version=2)
    receive(state, OLD, ME, both)
    assert list(state.met) == [EXIT_REQUESTED]


def test_a_migration_waits_for_a_step_that_the_new_version_knows() -> None:
    state = waiting()
    state.migration = to(plan(MAIL))
    assert next_move(state, OLD) is Move.STEP
    leave(state, Departure("mail"), LATER)
    assert next_move(state, OLD) is Move.MIGRATE


def test_an_end_comes_before_a_migration() -> None:
    state = waiting()
    state.migration = to(plan(PAUSE))
    state.commands.append("exit:enough")
    assert next_move(state, OLD) is Move.END


def test_objections_are_sentences() -> None:
    state = waiting()
    sentence = (
        "The enrollment stands at step 'pause', which version 2 does not have, "
        "and no step was named for it to go on at."
    )
    assert objection_to(to(plan(MAIL)), state, OLD, ME) == (NO_TARGET, sentence)
    assert objection_to(to(plan(MAIL), mapping={"pause": "mail"}), state, OLD, ME) is None
    assert objection_to(to(OLD), state, OLD, ME) is None
    for gone in (
        objection_to(to(plan(PAUSE)), state, OLD, UUID(int=2)),
        objection_to(to(plan(PAUSE)), state.model_copy(update={"state": JourneyState.EXITED}), OLD, ME),
        objection_to(to(plan(PAUSE)), state.model_copy(update={"at": None}), OLD, ME),
    ):
        assert gone is not None
        assert gone[0] == ENDED_ALREADY


@given(
    st.permutations(["pause", "mail", "asked"]),
    st.sampled_from(["pause", "mail", "asked"]),
    st.sampled_from(Timers),
    st.sampled_from([{}, {"step:asked": Met(event_id="event-1", at=NOW)}]),
)
def test_a_migration_to_and_fro_loses_nothing(order: list[str], at: str, timers: Timers, met: dict[str, Met]) -> None:
    """Whatever the order of the steps: position, time waited, what was met and found out stay."""
    bodies = {step["id"]: step for step in (PAUSE, MAIL, ASKED)}
    new = plan(*(bodies[step] for step in order))
    state = waiting().model_copy(update={"at": at, "iterations": {at: 2}, "results": {"mail": "sent"}, "due_at": None})
    state.met = met
    there = migrated(state, OLD, to(new, timers=timers), LATER)
    back = migrated(there, new, to(OLD, timers=timers), LATER + DAY)
    same = {"at", "since", "entered_at", "met", "results", "iterations", "attention"}
    assert back.model_dump(include=same) == state.model_dump(include=same)
    assert [(decision.version, decision.to_version) for decision in back.journal] == [(1, 2), (2, 1)]


def loop(name: str, *steps: dict[str, Any], times: int = 5) -> dict[str, Any]:
    return {"id": name, "repeat": {"times": times, "steps": list(steps)}}


LOOPED = plan(loop("loop", MAIL, PAUSE), version=1)
TWICE = Rounds(since=NOW, begun=2)


def looping(at: str = "pause", **rounds: Rounds) -> EnrollmentState:
    """In a round of `loop`."""
    state = waiting()
    state.at, state.iterations, state.rounds = at, {"loop": 2, "mail": 2, "pause": 2}, rounds or {"loop": TWICE}
    return state


@pytest.mark.parametrize(
    ("new", "mapping"),
    [
        (plan(loop("loop", MAIL, PAUSE)), {}),
        (plan(loop("cycle", MAIL, PAUSE)), {"loop": "cycle"}),
        (plan(loop("cycle", MAIL, PAUSE)), {}),
        (plan(loop("cycle", MAIL, {"id": "rest", "wait": "3d"})), {"pause": "rest"}),
        (plan({"id": "loop", "wait": "1d"}, loop("cycle", MAIL, PAUSE)), {"loop": "cycle"}),
    ],
    ids=["as it was", "renamed", "renamed, and nobody named it", "its step renamed, too", "its name given away"],
)
def test_rounds_that_were_begun_are_not_begun_again(new: Plan, mapping: dict[str, str]) -> None:
    after = migrated(looping(), LOOPED, to(new, mapping=mapping), LATER)
    name = next(name for name, node in new.nodes.items() if node.kind == "repeat")
    assert after.rounds == {name: TWICE}


def test_of_repeats_within_each_other_each_is_the_one_in_its_place() -> None:
    old = plan(loop("weeks", MAIL, loop("days", PAUSE)), version=1)
    inner, outer = Rounds(since=LATER, begun=1), Rounds(since=NOW, begun=4)
    new = plan(loop("all-weeks", MAIL, loop("all-days", PAUSE)))
    after = migrated(looping(weeks=outer, days=inner), old, to(new), LATER)
    assert after.rounds == {"all-weeks": outer, "all-days": inner}


def test_a_repeat_that_is_another_one_begins_anew() -> None:
    new = plan(PAUSE, loop("cycle", MAIL))
    after = migrated(looping(), LOOPED, to(new), LATER)
    assert "cycle" not in after.rounds
    back = migrated(after, new, to(plan(loop("loop", MAIL, PAUSE), version=3)), LATER)
    assert back.rounds == {"loop": TWICE}


SHIFTED = {"wait-1": "wait-2", "wait-2": "wait-3"}


def test_where_names_were_shifted_a_name_says_nothing_of_the_step_that_had_it() -> None:
    one, two, three = ({"id": f"wait-{number}", "wait": "3d"} for number in (1, 2, 3))
    old, new = plan(one, two, version=1), plan(one, two, three)
    state = waiting()
    state.at, state.results, state.iterations = "wait-1", {"wait-2": "done"}, {"wait-1": 1, "wait-2": 4}
    after = migrated(state, old, to(new, mapping=SHIFTED), LATER)
    assert (after.at, after.results) == ("wait-2", {"wait-3": "done"})
    assert after.iterations["wait-2"] == 5  # nothing sent under the name before is taken for what it sends now


def test_what_failed_is_shown_at_its_new_name() -> None:
    state = waiting()
    state.at = "mail"
    state.iterations["mail"] = 1
    state.attention = Attention(step="mail", reason="no such template", since=NOW)
    new = plan(PAUSE, {**MAIL, "id": "hello"})
    old = plan(PAUSE, MAIL, version=1)
    after = migrated(state, old, to(new, mapping={"mail": "hello"}), LATER)
    assert after.attention == Attention(step="hello", reason="no such template", since=NOW)
