from datetime import timedelta

from temporalio.common import SearchAttributePair, TypedSearchAttributes

from journeys.outcomes import JourneyState
from journeys.plan import Plan
from tests.support.temporal import a_plan
from tests.unit.workflows.conftest import NOW
from workflows.names import DUE_AT, JOURNEY_STATE, JOURNEY_STEP
from workflows.position import Position, changed_attributes, opening

DAY = timedelta(days=1)
SHOWN = TypedSearchAttributes(
    [
        SearchAttributePair(JOURNEY_STATE, "waiting"),
        SearchAttributePair(JOURNEY_STEP, "pause"),
        SearchAttributePair(DUE_AT, NOW + DAY),
    ]
)


def test_a_journey_that_opens_with_a_wait_is_waiting_from_the_start(plan: Plan) -> None:
    assert opening(plan, NOW) == Position(JourneyState.WAITING, "pause", NOW + DAY)


def test_a_journey_that_opens_with_an_action_is_running() -> None:
    assert opening(a_plan([{"send": {"template": "x"}}]), NOW) == Position(JourneyState.RUNNING, "send-1")


def test_what_is_known_already_is_not_changed() -> None:
    assert not changed_attributes(SHOWN, Position(JourneyState.WAITING, "pause", NOW + DAY + timedelta(seconds=3)))


def test_only_what_differs_is_changed() -> None:
    changes = changed_attributes(SHOWN, Position(JourneyState.PAUSED, "pause", NOW + DAY))
    assert [(change.key, change.value) for change in changes] == [(JOURNEY_STATE, "paused")]


def test_a_due_time_that_is_gone_is_removed() -> None:
    changes = changed_attributes(SHOWN, Position(JourneyState.NEEDS_ATTENTION, "pause"))
    assert [(change.key, change.value) for change in changes] == [
        (JOURNEY_STATE, "needs_attention"),
        (DUE_AT, None),
    ]


def test_what_people_hold_up_is_always_worth_showing() -> None:
    assert Position(JourneyState.PAUSED, "pause").worth_showing(NOW)
    assert Position(JourneyState.NEEDS_ATTENTION, "pause").worth_showing(NOW)


def test_a_wait_is_worth_showing_from_a_minute_on() -> None:
    assert Position(JourneyState.WAITING, "pause", NOW + timedelta(seconds=60)).worth_showing(NOW)
    assert not Position(JourneyState.WAITING, "pause", NOW + timedelta(seconds=59)).worth_showing(NOW)
    assert not Position(JourneyState.RUNNING, "pause").worth_showing(NOW)
