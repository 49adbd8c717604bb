from datetime import UTC, datetime, timedelta

import pytest

from journeys.plan import Plan
from tests.unit.workflows.conftest import NOW
from workflows.details import current, cut, explain, headline, instant, wait_summary
from workflows.state import EnrollmentState, Met, Resolution
from workflows.transitions import Departure, leave, park


@pytest.mark.parametrize(
    ("when", "zone", "text"),
    [
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "Europe/Berlin", "Mon 23 Nov 09:00 Europe/Berlin"),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "UTC", "Mon 23 Nov 08:00 UTC"),
        (datetime(2027, 1, 1, 8, 0, tzinfo=UTC), "UTC", "Fri 1 Jan 2027 08:00 UTC"),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "Mars/Olympus", "Mon 23 Nov 08:00 UTC"),
        (datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "../../etc/passwd", "Mon 23 Nov 08:00 UTC"),
    ],
)
def test_an_instant_names_day_time_and_zone(when: datetime, zone: str, text: str) -> None:
    assert instant(when, zone, now=NOW) == text


def test_a_summary_is_cut_between_characters() -> None:
    assert cut("short") == "short"
    assert len(cut("ä" * 400).encode()) <= 300
    assert cut("ä" * 400).endswith("ä…")


def test_a_wait_says_until_when() -> None:
    assert wait_summary("wait 1 day", NOW, "UTC", now=NOW) == "wait 1 day, until Sun 22 Nov 08:00 UTC"


def test_the_headline_names_the_version(plan: Plan) -> None:
    assert headline(plan) == "Voucher and review after the first purchase · v3"


def test_the_page_says_why_an_enrollment_was_parked_and_what_to_do(state: EnrollmentState, plan: Plan) -> None:
    park(state, "the template 'thanks' does not exist", NOW)
    page = current(plan, state, now=NOW)
    assert page.startswith("### Needs attention")
    assert "**Failed** the template 'thanks' does not exist" in page
    assert "**Now** `retry`, `skip` or exit" in page


def test_the_page_says_why_a_moment_is_waited_for_unless_somebody_has_moved_it(
    state: EnrollmentState, plan: Plan
) -> None:
    state.due_at, state.resolution = NOW, Resolution(because="18:40 is when this contact reacts most.")
    assert "**Because** 18:40 is when this contact reacts most." in current(plan, state, now=NOW)
    state.rescheduled = "ops: earlier"
    assert "**Because**" not in current(plan, state, now=NOW)


def test_the_page_lists_every_criterion_with_the_event_that_met_it(state: EnrollmentState, plan: Plan) -> None:
    state.met["exit:1"] = Met(event_id="event-1", at=NOW)
    table = current(plan, state, now=NOW).split("\n\n")[-1].splitlines()
    assert table[2:] == [
        "| goal review.created | no |",
        "| exit order.refunded | Sun 22 Nov 08:00 UTC, event `event-1` |",
        "| step `asked` page.viewed | no |",
        "| step `bought` order.placed | no |",
    ]


def test_the_page_names_both_ways_of_a_wait_for(state: EnrollmentState, plan: Plan) -> None:
    leave(state, Departure("asked", because="time passed"), NOW + timedelta(days=1))
    page = current(plan, state, now=NOW)
    assert "**Why** `pause` passed: time passed" in page
    assert "**Then** when it comes: send 'thanks' by email" in page
    assert "**Then** otherwise: send 'reminder' by email" in page


def test_an_ended_enrollment_does_nothing_and_nothing_comes_next(state: EnrollmentState, plan: Plan) -> None:
    leave(state, Departure(None), NOW)
    explanation = explain(plan, state)
    assert (explanation.step, explanation.next) == (None, [])
