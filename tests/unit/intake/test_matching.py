"""Which criteria of a running enrollment an event meets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.models.event import Event
from intake.matching import Match, Passage, demanded_consents, follows_entry, match
from journeys.model import Journey
from journeys.plan import compile_plan

ENTERED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENTRY_SEQUENCE = 100
JOURNEY: dict[str, Any] = {
    "key": "review",
    "name": "Review",
    "owner": "crm",
    "goal": {
        "type": "sell",
        "event": "review.created",
        "where": {"product_id": "$entry.product_id"},
        "within": "30d",
    },
    "entry": {"event": "order.placed"},
    "exit": [
        {"event": "order.refunded", "where": {"order_id": "$entry.order_id"}},
        {"event": "order.refunded", "where": {"total": {"at_least": 100}}},
    ],
    "steps": [{"id": "asked", "wait_for": {"event": "review.created", "up_to": "2d"}}],
}


def a_passage(**overrides: Any) -> Passage:
    journey = Journey.model_validate(JOURNEY | overrides)
    entry = {"product_id": "p-1", "order_id": "o-1"}
    return Passage(compile_plan(journey, version=1), entry, ENTERED, ENTRY_SEQUENCE)


def an_event(
    name: str,
    properties: dict[str, Any] | None = None,
    *,
    sequence: int = ENTRY_SEQUENCE + 1,
    after: timedelta = timedelta(hours=1),
) -> Event:
    return Event(
        sequence=sequence,
        received_at=ENTERED,
        event_id=f"event-{sequence}",
        contact_id=UUID(int=1),
        name=name,
        properties=properties or {},
        occurred_at=ENTERED + after,
        source="api",
    )


def test_an_event_meets_goal_and_step_of_the_whole_plan_at_once() -> None:
    found = match(an_event("review.created", {"product_id": "p-1"}), a_passage())

    assert found == Match(criteria=("goal", "step:asked"))


def test_a_property_of_the_entry_tells_this_order_from_another() -> None:
    assert match(an_event("order.refunded", {"order_id": "o-1"}), a_passage()).criteria == ("exit:1",)
    assert match(an_event("order.refunded", {"order_id": "o-2"}), a_passage()).criteria == ()


def test_an_event_nobody_waits_for_meets_nothing() -> None:
    assert match(an_event("page.viewed"), a_passage()) == Match()


@pytest.mark.parametrize(("after", "counts"), [(timedelta(days=30), True), (timedelta(days=30, seconds=1), False)])
def test_a_goal_counts_only_so_long_after_the_entry(after: timedelta, *, counts: bool) -> None:
    found = match(an_event("review.created", {"product_id": "p-1"}, after=after), a_passage())

    assert ("goal" in found.criteria) is counts
    assert "step:asked" in found.criteria  # the goal's limit is not the step's


def test_a_criterion_that_cannot_be_judged_is_named_and_hides_no_other() -> None:
    found = match(an_event("order.refunded", {"order_id": "o-1", "total": "much"}), a_passage())

    assert found == Match(criteria=("exit:1",), undecidable=("exit:2",))


def test_the_entry_event_is_no_news_to_the_enrollment_it_began() -> None:
    entry = an_event("review.created", {"product_id": "p-1"}, sequence=ENTRY_SEQUENCE, after=timedelta())

    assert match(entry, a_passage()) == Match()


@given(distance=st.integers(min_value=-3, max_value=3), minutes=st.integers(min_value=-3, max_value=3))
def test_an_event_follows_the_entry_by_its_occurrence_and_at_the_same_instant_by_the_log(
    distance: int, minutes: int
) -> None:
    # It used to be enough to be stored later: whatever an import told of long ago met goals, exits and gates.
    event = an_event("review.created", sequence=ENTRY_SEQUENCE + distance, after=timedelta(minutes=minutes))

    follows = distance != 0 and (minutes > 0 or (minutes == 0 and distance > 0))
    assert follows_entry(event, a_passage()) is follows


moments = st.integers(min_value=-3, max_value=3)


@given(
    occurred=st.lists(moments, min_size=1, max_size=6),
    entered=moments,
    order=st.randoms(use_true_random=False),
)
def test_in_whatever_order_events_are_received_nothing_of_before_the_entry_meets_a_criterion(
    occurred: list[int], entered: int, order: Random
) -> None:
    received: list[int | None] = [None, *range(len(occurred))]  # None: the entry itself
    order.shuffle(received)
    passage = replace(
        a_passage(),
        entry_sequence=received.index(None) + 1,
        entered_at=ENTERED + timedelta(minutes=entered),
    )
    for place, number in enumerate(received, start=1):
        if number is None:
            continue
        after = timedelta(minutes=occurred[number])
        met = match(an_event("review.created", {"product_id": "p-1"}, sequence=place, after=after), passage)
        if occurred[number] < entered:
            assert met == Match()
        if occurred[number] > entered:
            assert met == Match(criteria=("goal", "step:asked"))


def test_what_occurred_long_before_the_entry_and_is_heard_of_after_it_meets_nothing() -> None:
    passage = a_passage()
    long_ago = timedelta(days=-200)

    assert match(an_event("review.created", {"product_id": "p-1"}, after=long_ago), passage) == Match()
    assert match(an_event("order.refunded", {"order_id": "o-1"}, after=long_ago), passage) == Match()


def demanded(audience: dict[str, Any] | None) -> set[tuple[str, str]]:
    entry = {"event": "order.placed"} | ({"audience": audience} if audience else {})
    return set(demanded_consents(Journey.model_validate(JOURNEY | {"entry": entry}).entry.audience))


MARKETING = {"consent": {"purpose": "marketing", "channel": "email"}}
SALES = {"consent": {"purpose": "sales", "channel": "email"}}


def test_an_audience_demands_the_consents_without_which_it_cannot_hold() -> None:
    assert demanded(None) == set()
    assert demanded(MARKETING) == {("marketing", "email")}
    assert demanded({"all": [MARKETING, {"in_list": "vip"}, SALES]}) == {("marketing", "email"), ("sales", "email")}


def test_a_consent_that_one_branch_can_do_without_is_not_demanded() -> None:
    assert demanded({"any": [MARKETING, {"in_list": "vip"}]}) == set()
    assert demanded({"any": [MARKETING, {"all": [MARKETING, SALES]}]}) == {("marketing", "email")}
    assert demanded({"any": []}) == set()
    assert demanded({"not": MARKETING}) == set()


class TestMovedDates:
    """Criteria by which the moments move that steps wait for."""

    STEPS = (
        {
            "id": "tomorrow",
            "wait": {
                "before": "1d",
                "date": "$entry.starts_at",
                "moved_by": {"event": "webinar.moved", "where": {"product_id": "$entry.product_id"}},
                "late": "now",
            },
        },
        {"id": "ending", "wait": {"on": "$contact.contract.end", "late": "now"}},
        {"id": "opening", "wait": "next_window"},
        {"id": "fixed", "wait": {"until": "2026-12-24T09:00:00Z", "late": "now"}},
    )

    def met(self, name: str, properties: dict[str, Any], **more: Any) -> tuple[str, ...]:
        return match(an_event(name, properties, **more), a_passage(steps=self.STEPS)).criteria

    def test_the_event_that_moves_a_date_is_one_of_this_entry(self) -> None:
        assert self.met("webinar.moved", {"product_id": "p-1"}) == ("moved:tomorrow",)
        assert self.met("webinar.moved", {"product_id": "p-2"}) == ()

    def test_an_event_that_moved_the_date_before_the_entry_is_older_than_what_the_entry_says(self) -> None:
        assert self.met("webinar.moved", {"product_id": "p-1"}, after=timedelta(days=-1)) == ()

    def test_what_stands_in_the_record_counts_as_soon_as_it_stands_there_whenever_it_has_occurred(self) -> None:
        changed = {"changed": ["contract"]}
        assert self.met("contact.updated", changed, after=timedelta(days=-1)) == ("moved:ending:contact",)
        before = {"after": timedelta(days=-1), "sequence": ENTRY_SEQUENCE - 1}
        assert self.met("contact.updated", changed, **before) == ()

    @pytest.mark.parametrize(
        ("changed", "criteria"),
        [
            (["contract"], ("moved:ending:contact",)),
            (["contract.end", "plan"], ("moved:ending:contact",)),
            (["time_zone"], ("moved:tomorrow:contact", "moved:ending:contact", "moved:opening:contact")),
            (["region"], ("moved:opening:contact",)),
            (["plan", "contract_end"], ()),
            ([], ()),
        ],
    )
    def test_a_change_of_the_contact_moves_what_hangs_on_it(
        self, changed: list[str], criteria: tuple[str, ...]
    ) -> None:
        assert self.met("contact.updated", {"changed": changed}) == criteria

    @pytest.mark.parametrize("changed", [None, "time_zone", 3, {"time_zone": True}])
    def test_a_change_that_lists_nothing_moves_nothing(self, changed: Any) -> None:
        assert self.met("contact.updated", {"changed": changed}) == ()
