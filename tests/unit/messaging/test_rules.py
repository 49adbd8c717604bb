from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journeys.outcomes import RefusalReason
from journeys.quiet import outside
from journeys.values import MessageChannel
from journeys.window import WhenClosed, Window
from messaging.models import MessageClass
from messaging.rules import RULES, GateFacts, judge
from messaging.verdicts import Deferred, Refused

NOON = datetime(2026, 6, 2, 10, 0, tzinfo=UTC)
NIGHT = NOON + timedelta(hours=12)
DAYTIME = Window.model_validate({"from": "08:00", "to": "20:00"})

FACTS = GateFacts(
    message_class=MessageClass.MARKETING,
    channel=MessageChannel.EMAIL,
    now=NOON,
    wall_now=NOON,
    overdue_after=timedelta(hours=72),
    window=DAYTIME,
    enrollment_ended=False,
    address="ada@example.com",
    deliverable_address="ada@example.com",
    suppressed=False,
    consents=frozenset({("marketing", "email"), ("sales", "email")}),
    zone=ZoneInfo("Europe/Berlin"),
    zone_note=None,
    closed=lambda _: False,
    holiday_note=None,
)


def verdict(**overrides: Any) -> Refused | Deferred | None:
    return judge(replace(FACTS, **overrides))


def reason(**overrides: Any) -> RefusalReason | None:
    found = verdict(**overrides)
    assert found is None or isinstance(found, Refused)
    return found.reason if found else None


@pytest.mark.parametrize("message_class", list(MessageClass))
def test_where_nothing_speaks_against_it_a_message_may_leave(message_class: MessageClass) -> None:
    assert verdict(message_class=message_class) is None


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"enrollment_ended": True}, RefusalReason.ENROLLMENT_ENDED),
        ({"version_stopped": True}, RefusalReason.ENROLLMENT_ENDED),
        ({"wall_now": NOON + timedelta(hours=72, seconds=1)}, RefusalReason.OVERDUE),
        ({"expires_at": NOON - timedelta(seconds=1)}, RefusalReason.OVERDUE),
        ({"expires_at": NOON, "wall_now": NOON + timedelta(seconds=1)}, RefusalReason.OVERDUE),
        ({"address": None, "deliverable_address": None}, RefusalReason.NO_ADDRESS),
        ({"address": "  nonsense", "deliverable_address": None}, RefusalReason.INVALID_ADDRESS),
        ({"suppressed": True}, RefusalReason.SUPPRESSED),
    ],
)
@pytest.mark.parametrize("message_class", list(MessageClass))
def test_these_rules_bind_every_class(
    message_class: MessageClass, overrides: dict[str, Any], expected: RefusalReason
) -> None:
    assert reason(message_class=message_class, **overrides) is expected


@pytest.mark.parametrize("message_class", list(MessageClass))
def test_messages_of_a_paused_journey_wait(message_class: MessageClass) -> None:
    found = verdict(message_class=message_class, journey_paused=True)
    assert isinstance(found, Deferred)
    assert NOON < found.until < NOON + timedelta(hours=1)


def test_a_message_is_of_use_to_the_very_second() -> None:
    assert reason(expires_at=NOON) is None


def test_a_message_that_would_be_of_no_use_when_the_window_opens_is_not_kept_until_then() -> None:
    found = verdict(now=NIGHT, wall_now=NIGHT, expires_at=NIGHT + timedelta(hours=6))
    assert found == Refused(
        RefusalReason.OVERDUE,
        "The send window opens at 2026-06-03 08:00 Europe/Berlin. The message is of no use then.",
    )
    assert isinstance(verdict(now=NIGHT, wall_now=NIGHT, expires_at=NIGHT + timedelta(hours=9)), Deferred)


@pytest.mark.parametrize("wall_now", [NOON + timedelta(hours=72), NOON - timedelta(days=1_000)])
def test_neither_just_in_time_nor_a_workflow_ahead_of_the_clock_is_overdue(wall_now: datetime) -> None:
    assert reason(wall_now=wall_now) is None


@pytest.mark.parametrize(
    ("message_class", "consents", "expected"),
    [
        (MessageClass.MARKETING, set(), RefusalReason.NO_CONSENT),
        (MessageClass.MARKETING, {("sales", "email")}, RefusalReason.NO_CONSENT),
        (MessageClass.MARKETING, {("marketing", "sms")}, RefusalReason.NO_CONSENT),
        (MessageClass.MARKETING, {("marketing", "email")}, None),
        (MessageClass.SALES, {("marketing", "email")}, RefusalReason.NO_CONSENT),
        (MessageClass.SALES, {("sales", "email")}, None),
        (MessageClass.TRANSACTIONAL, set(), None),
    ],
)
def test_consent_is_to_a_purpose_over_a_channel(
    message_class: MessageClass, consents: set[tuple[str, str]], expected: RefusalReason | None
) -> None:
    assert reason(message_class=message_class, consents=frozenset(consents)) is expected


@pytest.mark.parametrize("message_class", [MessageClass.MARKETING, MessageClass.SALES])
def test_outside_the_window_a_message_waits_for_its_opening(message_class: MessageClass) -> None:
    found = verdict(message_class=message_class, now=NIGHT, zone_note="The contact has no time zone.")
    assert found == Deferred(
        datetime(2026, 6, 3, 6, 0, tzinfo=UTC),
        "Europe/Berlin",
        "The send window opens at 2026-06-03 08:00 Europe/Berlin. The contact has no time zone.",
    )


def test_a_holiday_is_waited_out_only_where_the_window_says_so() -> None:
    closed_today = {"closed": lambda day: day == NOON.date(), "holiday_note": "The contact has no country."}
    assert verdict(window=DAYTIME, **closed_today) is None
    found = verdict(window=DAYTIME.model_copy(update={"holidays": True}), **closed_today)
    assert isinstance(found, Deferred)
    assert found.until == datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
    assert found.because == "The send window opens at 2026-06-03 08:00 Europe/Berlin. The contact has no country."
    night = verdict(now=NIGHT, **closed_today)
    assert isinstance(night, Deferred)
    assert "country" not in night.because, "this window knows no holidays"


def test_transactional_messages_and_journeys_without_window_do_not_wait() -> None:
    assert verdict(message_class=MessageClass.TRANSACTIONAL, now=NIGHT) is None
    assert verdict(window=None, now=NIGHT) is None


@pytest.mark.parametrize(
    ("message_class", "group", "expected"),
    [
        (MessageClass.MARKETING, "held_out", RefusalReason.HOLDOUT),
        (MessageClass.SALES, "held_out", RefusalReason.HOLDOUT),
        (MessageClass.TRANSACTIONAL, "held_out", None),
        (MessageClass.MARKETING, "in_control_group", RefusalReason.CONTROL_GROUP),
        (MessageClass.SALES, "in_control_group", None),
        (MessageClass.TRANSACTIONAL, "in_control_group", None),
    ],
)
def test_groups_for_comparison_get_no_promotion_and_what_they_must_get(
    message_class: MessageClass, group: str, expected: RefusalReason | None
) -> None:
    assert reason(message_class=message_class, **{group: True}) is expected


@pytest.mark.parametrize("group", ["held_out", "in_control_group"])
def test_groups_for_comparison_go_at_the_same_pace_and_miss_only_what_they_would_have_got(group: str) -> None:
    assert isinstance(verdict(now=NIGHT, **{group: True}), Deferred)
    assert reason(consents=frozenset(), **{group: True}) is RefusalReason.NO_CONSENT


def test_what_refuses_comes_before_what_only_waits() -> None:
    """Otherwise a contact without consent would wait for days to be refused."""
    assert isinstance(verdict(now=NIGHT, consents=frozenset()), Refused)


def test_the_first_rule_that_objects_gives_the_one_reason() -> None:
    assert reason(enrollment_ended=True, address=None, deliverable_address=None, consents=frozenset()) is (
        RefusalReason.ENROLLMENT_ENDED
    )


def test_no_reason_repeats_the_address() -> None:
    facts = replace(FACTS, address="ada@example.com", deliverable_address=None, enrollment_ended=True, suppressed=True)
    for rule in RULES:
        objection = rule(replace(facts, consents=frozenset(), now=NIGHT))
        assert objection is None or "ada" not in objection.because


QUIET = outside("10:00-13:00")


@pytest.mark.parametrize("message_class", [MessageClass.MARKETING, MessageClass.SALES])
@pytest.mark.parametrize("window", [DAYTIME, None])
def test_marketing_and_sales_wait_for_the_end_of_the_contacts_quiet_hours(
    message_class: MessageClass, window: Window | None
) -> None:
    found = verdict(message_class=message_class, quiet=QUIET, window=window)
    because = "The contact's quiet hours end at 2026-06-02 13:00 Europe/Berlin."
    waits_for = "the end of the contact's quiet hours"
    assert found == Deferred(NOON + timedelta(hours=1), "Europe/Berlin", because, waits_for)


def test_a_transactional_message_does_not_ask_for_quiet_hours() -> None:
    assert verdict(message_class=MessageClass.TRANSACTIONAL, quiet=QUIET) is None


def test_quiet_hours_and_window_are_waited_for_at_once() -> None:
    evening = Window.model_validate({"from": "11:00", "to": "11:30"})
    found = verdict(quiet=outside("11:00-11:15"), window=evening)
    assert isinstance(found, Deferred)
    assert found.until == NOON + timedelta(hours=23, minutes=15)
    assert found.because == (
        "The send window is open and the contact's quiet hours are over at 2026-06-03 11:15 Europe/Berlin."
    )


@pytest.mark.parametrize("group", [{}, {"held_out": True}, {"in_control_group": True}])
@pytest.mark.parametrize(
    ("closed", "expected", "because"),
    [
        ({"now": NIGHT}, RefusalReason.WINDOW_CLOSED, "The send window opens at 2026-06-03 08:00"),
        ({"quiet": QUIET}, RefusalReason.QUIET_HOURS, "The contact's quiet hours end at 2026-06-02 13:00"),
        (
            {"now": NIGHT, "quiet": outside("22:00-10:00")},
            RefusalReason.WINDOW_CLOSED,
            "The send window opens at 2026-06-03 08:00",
        ),
    ],
)
def test_a_message_that_skips_is_left_out_at_a_closed_window_whatever_group_its_contact_is_in(
    closed: dict[str, Any], expected: RefusalReason, because: str, group: dict[str, bool]
) -> None:
    found = verdict(at_closed=WhenClosed.SKIP, **closed, **group)
    assert found == Refused(expected, f"{because} Europe/Berlin. It does not wait.")


@pytest.mark.parametrize("overrides", [{}, {"now": NIGHT, "message_class": MessageClass.TRANSACTIONAL}])
def test_a_message_that_skips_leaves_where_nothing_is_closed_for_it(overrides: dict[str, Any]) -> None:
    assert verdict(at_closed=WhenClosed.SKIP, **overrides) is None


SPREAD = DAYTIME.model_copy(update={"spread": timedelta(hours=1)})


def test_what_was_held_back_leaves_at_its_contacts_place_in_the_spread() -> None:
    found = verdict(window=SPREAD, now=NIGHT, wall_now=NIGHT, place=0.25)
    assert found == Deferred(
        NIGHT + timedelta(hours=8, minutes=15),
        "Europe/Berlin",
        "The send window opens at 2026-06-03 08:00 Europe/Berlin. Messages leave spread over 1 hour, this one at "
        "2026-06-03 08:15 Europe/Berlin.",
        "the send window, spread over 1 hour",
    )
    assert verdict(window=SPREAD, now=found.until, wall_now=found.until, place=0.25) is None
    assert verdict(window=SPREAD, now=NIGHT + timedelta(hours=8, minutes=1), place=0.25) is None, "it came just then"


def test_a_spread_does_not_keep_a_message_until_it_is_of_no_use() -> None:
    last = NIGHT + timedelta(hours=8, minutes=10)
    found = verdict(window=SPREAD, now=NIGHT, wall_now=NIGHT, expires_at=last, place=0.999)
    assert isinstance(found, Deferred)
    assert found.until <= last


def test_transactional_messages_are_not_spread() -> None:
    found = verdict(window=SPREAD, now=NIGHT, wall_now=NIGHT, place=0.5, message_class=MessageClass.TRANSACTIONAL)
    assert found is None


def test_quiet_hours_that_cover_the_window_are_a_refusal_and_no_failure() -> None:
    assert reason(quiet=outside("07:00-21:00")) is RefusalReason.QUIET_HOURS
