"""What lies ahead of a contact: when each step would be due, if nothing happens."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from journeys.conditions.base import EventFact, Facts
from journeys.conditions.first import FirstHolding, first_holding
from journeys.conditions.registry import Condition
from journeys.dates import DateRefusal
from journeys.foresight import MOST_STEPS, Asked, Circumstances, Foreseen, Instant, Posted, foresee
from journeys.holidays import closed_on_holidays
from journeys.instants import Surroundings, resolve
from journeys.moments import DateMoment, Moment
from journeys.plan import compile_plan
from journeys.spreading import next_place
from journeys.steps.send import SendNode
from tests.support.journeys import journey

ADA = UUID("0190a000-0000-7000-8000-000000000001")
BERLIN = "Europe/Berlin"
WINDOW = {"days": "mon-fri", "from": "08:00", "to": "18:00", "holidays": True}
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)
CLOSED = closed_on_holidays("DE", "DE-BY")


def ahead(
    *steps: Any,
    at: datetime,
    zone: str = BERLIN,
    attributes: dict[str, Any] | None = None,
    events: Sequence[EventFact] = (),
    **parts: Any,
) -> list[Foreseen]:
    """What lies ahead of a Bavarian contact that enters a journey of these steps."""
    plan, local = compile_plan(journey(steps=list(steps), **parts), 1), ZoneInfo(zone)
    known = attributes or {}

    def judge(conditions: Sequence[Condition], asked: Asked) -> FirstHolding:
        facts = Facts(now=asked.at, attributes=known, events=events, results=asked.results, entered_at=at)
        return first_holding(conditions, replace(facts, step_since=asked.since))

    def look_up(moment: Moment, reached: datetime) -> Instant:
        value = known.get("renewal") if isinstance(moment, DateMoment) else None
        around = Surroundings(local, reached, reached, window=plan.window, closed=CLOSED, value=value)
        found = resolve(moment, around)
        return Instant(None, "there is no date") if isinstance(found, DateRefusal) else Instant(found)

    def post(_: SendNode, moment: datetime, last: datetime | None) -> Posted:
        leaves = next_place((plan.window,), moment, local, CLOSED)
        return Posted(moment, "refused") if last and leaves > last else Posted(leaves, "sent")

    return foresee(plan, Circumstances(ADA, at, judge, look_up, post))


def due(found: list[Foreseen], zone: str = BERLIN) -> list[str]:
    return [f"{one.due_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if one.due_at else "-" for one in found]


MAIL = {"send": {"template": "hello"}}


def test_a_mail_waits_for_the_next_working_day_where_the_contact_lives_and_what_follows_waits_from_there() -> None:
    """2 October 2026 is a Friday; Saturday is the Day of German Unity anyway."""
    found = ahead(MAIL, {"wait": "1 day at 09:00"}, MAIL, at=datetime(2026, 10, 2, 17, tzinfo=UTC), window=WINDOW)
    assert due(found) == ["2026-10-05 08:00", "2026-10-06 09:00", "2026-10-06 09:00"]


def test_holidays_of_the_region_and_a_change_of_clocks_are_taken_into_account() -> None:
    """6 January is Epiphany in Bavaria; the clocks change on 29 March 2026."""
    found = ahead({"wait": "1d"}, MAIL, at=datetime(2026, 1, 5, 8, tzinfo=UTC), window=WINDOW)
    assert due(found) == ["2026-01-06 09:00", "2026-01-07 08:00"]
    found = ahead({"wait": "1d"}, {"wait": "1 day at 10:00"}, at=datetime(2026, 3, 28, 9, tzinfo=UTC))
    assert due(found) == ["2026-03-29 11:00", "2026-03-30 10:00"]


def test_waits_for_something_run_out_and_their_else_is_gone() -> None:
    wait = {
        "id": "paid",
        "wait_for": {"event": "order.paid", "up_to": "3d"},
        "then": [MAIL],
        "else": [{"exit": "late"}],
    }
    answer = {"approve": {"by": "sales", "up_to": "2d"}, "then": [MAIL], "else": []}
    found = ahead(answer, wait, at=datetime(2026, 6, 1, 8, tzinfo=UTC))
    assert [(one.node.kind, one.result) for one in found] == [
        ("approve", "timed_out"),
        ("wait_for", "timed_out"),
        ("exit", ""),
    ]
    assert due(found) == ["2026-06-03 10:00", "2026-06-06 10:00", "2026-06-06 10:00"]


def test_conditions_are_judged_as_of_the_instant_of_their_step() -> None:
    asked = {"result": {"step": "vip", "is": "yes"}}
    vip = {"id": "vip", "if": {"attribute": "vip", "is": True}, "then": [{"wait": "1h"}], "else": [{"wait": "9h"}]}
    again = {"id": "again", "branch": [{"name": "was", "if": asked, "then": []}], "else": [MAIL]}
    found = ahead(vip, again, at=datetime(2026, 6, 1, 8, tzinfo=UTC), attributes={"vip": True})
    assert [(one.step, one.result) for one in found] == [("vip", "yes"), ("wait-1", ""), ("again", "was")]


def test_what_time_alone_makes_true_ends_a_wait_for_it() -> None:
    start = datetime(2026, 6, 1, 8, tzinfo=UTC)
    none = {"none": {"event": "login", "within": "2d", "since": "ever"}}
    wait = {"wait_for": {"condition": none, "up_to": "5d"}, "then": [], "else": [{"exit": "no"}]}
    found = ahead(wait, at=start, events=(EventFact("login", start - timedelta(hours=1)),))
    assert [(one.due_at, one.result) for one in found] == [(start + timedelta(hours=47, milliseconds=1), "holds")]


def test_where_it_would_not_go_on_by_itself_nothing_behind_is_told() -> None:
    dated = {"wait": {"before": "7d", "date": "$contact.renewal"}}
    found = ahead(dated, MAIL, at=datetime(2026, 6, 1, 8, tzinfo=UTC))
    assert [(one.step, one.due_at, one.because) for one in found] == [("wait-1", None, "there is no date")]
    late = ahead(dated, MAIL, at=datetime(2026, 6, 1, 8, tzinfo=UTC), attributes={"renewal": "2026-06-03"})
    assert [(one.step, one.result) for one in late] == [("wait-1", "late"), ("send-1", "sent")]


def test_a_message_that_would_be_of_no_use_is_told_as_refused_and_a_late_step_is_left_out() -> None:
    friday = datetime(2026, 6, 5, 18, tzinfo=UTC)
    found = ahead(MAIL | {"expires_after": "1h"}, at=friday, window=WINDOW)
    assert [(one.result, one.due_at) for one in found] == [("refused", friday)]
    dated = {"wait": {"on": "$contact.renewal", "late": "now"}}
    late = ahead(dated, MAIL | {"expires_after": "1h"}, at=friday, attributes={"renewal": "2026-06-03"})
    assert [one.result for one in late] == ["late", ""]


def test_rounds_are_told_one_by_one_and_not_without_end() -> None:
    rounds = {"repeat": {"times": 3, "steps": [{"wait": "1d"}]}}
    found = ahead(rounds, MAIL, at=datetime(2026, 6, 1, 8, tzinfo=UTC))
    assert due(found)[-1] == "2026-06-04 10:00"
    nested = {"repeat": {"times": 100, "steps": [{"repeat": {"times": 100, "steps": [{"wait": "1d"}]}}]}}
    assert len(ahead(nested, at=datetime(2026, 6, 1, 8, tzinfo=UTC))) == MOST_STEPS


def test_rounds_within_rounds_begin_anew_each_time() -> None:
    inner = {"repeat": {"times": 2, "steps": [{"wait": "1d"}]}}
    found = ahead({"repeat": {"times": 3, "steps": [inner]}}, at=datetime(2026, 6, 1, 8, tzinfo=UTC))
    assert sum(one.node.kind == "wait" for one in found) == 6
    assert due(found)[-1] == "2026-06-07 10:00"


def test_the_arm_of_an_experiment_is_the_one_of_the_contact() -> None:
    arms = {name: {"share": 50, "steps": [{"id": name, "wait": "1d"}]} for name in ("a", "b")}
    found = ahead({"split": {"experiment": "e", "arms": arms}}, at=datetime(2026, 6, 1, 8, tzinfo=UTC))
    assert found[1].step == found[0].result


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 72),
)
def test_in_every_zone_mails_leave_in_the_window_on_working_days_and_time_never_runs_back(
    zone: str, at: datetime, hours: int
) -> None:
    found = ahead({"wait": f"{hours}h"}, MAIL, {"wait": "2 days at 09:30"}, MAIL, at=at, zone=zone, window=WINDOW)
    times = [one.due_at for one in found if one.due_at]
    assert times == sorted(times)
    assert times[0] == at + timedelta(hours=hours)
    for sent in (found[1], found[3]):
        assert sent.due_at is not None
        local = sent.due_at.astimezone(ZoneInfo(zone))
        assert local.weekday() < 5
        assert not CLOSED(local.date())
        assert time(8) <= local.time() < time(18)


def test_what_cannot_be_judged_ends_what_is_told() -> None:
    asked = {"attribute": "age", "is": {"at_least": 18}}
    step = {"if": asked, "then": [MAIL], "else": []}
    found = ahead(step, MAIL, at=datetime(2026, 6, 1, 8, tzinfo=UTC), attributes={"age": "old"})
    assert [(one.step, one.due_at) for one in found] == [("if-1", None)]
    assert found[0].because
