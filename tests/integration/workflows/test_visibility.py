"""What people see in the Temporal UI, and what they must never find there."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadConverter

from journeys.outcomes import JourneyState
from tests.integration.workflows.test_reference_journey import REFERENCE
from tests.support.temporal import Enroll, JourneyUnderTest
from workflows import details
from workflows.names import CONTACT_ID, DUE_AT, JOURNEY_KEY, JOURNEY_STATE, JOURNEY_STEP, JOURNEY_VERSION

DAY = timedelta(days=1)
GOAL = {"type": "sell", "event": "review.created"}


async def test_search_attributes_say_everything_from_the_start(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE)
    description = await journey.handle.describe()
    attributes = description.typed_search_attributes
    assert attributes.get(JOURNEY_KEY) == "voucher-and-review"
    assert attributes.get(JOURNEY_VERSION) == 3
    assert attributes.get(JOURNEY_STATE) == "waiting"
    assert attributes.get(JOURNEY_STEP) == "wait-1"
    assert attributes.get(CONTACT_ID) == str(journey.run.contact_id)
    due = attributes.get(DUE_AT)
    assert due is not None
    assert abs(due - (description.start_time + DAY)) < timedelta(minutes=1)


async def test_one_upsert_per_long_wait_and_none_for_the_first(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE)
    await journey.at("wait-1")
    assert await upserts(journey) == 0
    await journey.advance(DAY)
    waiting = await journey.at("asked")
    attributes = (await journey.handle.describe()).typed_search_attributes
    assert attributes.get(JOURNEY_STEP) == "asked"
    due = attributes.get(DUE_AT)
    assert due is not None
    assert waiting.until is not None
    assert abs(due - waiting.until) < timedelta(milliseconds=1)
    assert await upserts(journey) == 1


async def test_a_wait_too_short_to_be_looked_at_is_not_shown(enroll: Enroll) -> None:
    journey = await enroll({"id": "voucher", "send": {"template": "voucher"}}, {"wait": "30s"}, {"wait": "20s"})
    await journey.advance(timedelta(minutes=1))
    await journey.outcome()
    assert await upserts(journey) == 0


async def test_a_pause_is_shown_and_so_is_its_end(enroll: Enroll) -> None:
    journey = await enroll({"wait": "1d"})
    await journey.at("wait-1")
    await journey.pause()
    await journey.at("wait-1", "paused")
    assert (await journey.handle.describe()).typed_search_attributes.get(JOURNEY_STATE) == "paused"
    await journey.resume()
    await journey.at("wait-1")
    assert (await journey.handle.describe()).typed_search_attributes.get(JOURNEY_STATE) == "waiting"


async def test_the_summary_names_journey_and_version(enroll: Enroll) -> None:
    journey = await enroll({"wait": "1d"})
    description = await journey.handle.describe()
    assert await description.static_summary() == "Voucher and review after the first purchase · v3"
    static_details = await description.static_details()
    assert static_details is not None
    for part in ("Journey **voucher-and-review** v3", "Owner: crm", "Started by event `order.placed`"):
        assert part in static_details


async def test_a_name_of_any_script_fits_into_the_summary(enroll: Enroll) -> None:
    journey = await enroll({"wait": "1d"}, name="購" * 200)
    await journey.at("wait-1")
    summary = await (await journey.handle.describe()).static_summary()
    assert summary is not None
    assert summary.endswith("… · v3")


async def test_the_details_tell_where_since_until_why_and_what_next(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE, goal=GOAL)
    await journey.at("wait-1")
    await journey.advance(DAY)
    waiting = await journey.at("asked")
    assert waiting.until is not None
    now = await journey.now()
    page = (await journey.details()).split("\n\n")
    assert page[:4] == [
        "### Waiting",
        f"**Step** `asked` since {details.instant(waiting.since, 'Europe/Berlin', now=now)}",
        "**Doing** wait for page.viewed, at most 2 days",
        f"**Until** {details.instant(waiting.until, 'Europe/Berlin', now=now)}",
    ]
    assert page[4] == "**Why** `voucher` passed"
    assert page[-1].splitlines() == [
        "| criterion | met |",
        "|---|---|",
        "| goal review.created | no |",
        "| step `asked` page.viewed | no |",
    ]


async def test_the_details_of_an_ended_enrollment_say_how_it_ended(enroll: Enroll) -> None:
    journey = await enroll({"wait": "30d"}, goal=GOAL)
    await journey.at("wait-1")
    event = await journey.deliver("goal")
    await journey.outcome()
    page = await journey.details()
    assert page.startswith("### Goal met")
    assert "**Why** `wait-1` exited: goal reached: review.created" in page
    assert f"event `{event}`" in page


async def test_the_timeline_reads_as_sentences(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE)
    await journey.at("wait-1")
    await journey.advance(4 * DAY)
    await journey.outcome()
    timers, activities, notes = await timeline(journey)
    assert [summary.split(", until")[0] for summary in timers] == [
        "wait 1 day",
        "wait for page.viewed, at most 2 days",
    ]
    assert timers[0].endswith("UTC")
    assert timers[1].endswith("Europe/Berlin")
    assert activities == ["send 'voucher' by email", "send 'review-request' by email"]
    assert notes == [
        "note: waiting wait-1",
        "note: waiting asked",
        "check: no review.created since entry",
        "note: completed",
    ]


async def test_the_explanation_says_what_may_come_next(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE)
    waiting = await journey.at("wait-1")
    assert (waiting.state, waiting.step, waiting.doing) == (JourneyState.WAITING, "wait-1", "wait 1 day")
    assert waiting.until == waiting.since + DAY
    assert waiting.next == ["send 'voucher' by email"]
    await journey.advance(DAY)
    asked = await journey.at("asked")
    assert asked.next == [
        "when it comes: check: no review.created since entry",
        "otherwise: check: no review.created since entry",
    ]
    assert asked.results == {"voucher": "sent"}


IDS = {"enrollment_id", "contact_id", "event_id", "cause_event_id", "entry_event_id", "message_id", "by"}
POSITION = {"state", "step", "next_step", "iteration", "place", "ordinal", "attention", "zone", "doing", "next", "met"}
INSTANTS = {"entered_at", "at", "since", "until", "due_at", "now"}
VERDICTS = {"status", "verdict", "result", "results", "outcome", "refusal", "because", "reason", "holds"}
VERDICTS |= {"held_back", "waits_for"}
DEFINITION = {"plan", "entry_event", "criteria", "template", "channel", "window", "condition"}
DEFINITION |= {"priority", "cap", "repeat", "voucher", "of", "pool", "valid"}
BOOKKEEPING = {"progress", "decisions"}
OF_THE_SDK = {"activation_completion_id", "seq", "attempt", "activity_id", "activity_type", "complete_time", "backoff"}
OF_THE_SDK |= {"original_schedule_time", "activation_index", "seconds", "nanos"}
KEPT_IN_TEMPORAL = IDS | POSITION | INSTANTS | VERDICTS | DEFINITION | BOOKKEEPING | OF_THE_SDK
"""Every field a payload may have, beside the plan's. A new one is added here once it is sure to name nobody."""


async def test_what_a_run_leaves_in_temporal_has_no_field_for_anything_personal(enroll: Enroll) -> None:
    journey = await enroll(*REFERENCE, goal=GOAL)
    await journey.at("wait-1")
    await journey.advance(DAY)
    await journey.at("asked")
    await journey.pause()
    await journey.deliver("goal")
    await journey.outcome()
    fields = {field for payload in payloads(await journey.history()) for field in fields_of(payload)}
    assert {"contact_id", "decisions", "criteria"} <= fields
    assert not {field for field in fields - KEPT_IN_TEMPORAL if not field.startswith("step:") and field != "goal"}


def payloads(history: WorkflowHistory) -> Iterator[Any]:
    """Every JSON payload in a history, decoded."""

    def found(node: Any) -> Iterator[Any]:
        if isinstance(node, dict):
            if "metadata" in node and isinstance(node.get("data"), str):
                yield json.loads(base64.b64decode(node["data"]))
            for value in node.values():
                yield from found(value)
        if isinstance(node, list):
            for value in node:
                yield from found(value)

    yield from found(json.loads(history.to_json()))


def fields_of(payload: Any) -> set[str]:
    """The keys in a payload, but for those inside the plan and those that are step ids."""
    if isinstance(payload, list):
        return {field for item in payload for field in fields_of(item)}
    if not isinstance(payload, dict):
        return set()
    inner = [value for key, value in payload.items() if key not in {"plan", "condition", "window", "results"}]
    return payload.keys() | fields_of(inner)


async def upserts(journey: JourneyUnderTest) -> int:
    kind = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    return sum(event.event_type == kind for event in (await journey.history()).events)


async def timeline(journey: JourneyUnderTest) -> tuple[list[str], list[str], list[str]]:
    """Summaries of timers, activities and local activities, each in order."""
    timers, activities, notes = [], [], []
    converter: PayloadConverter = journey.client.data_converter.payload_converter
    for event in (await journey.history()).events:
        if not event.user_metadata.HasField("summary"):
            continue
        summary = converter.from_payload(event.user_metadata.summary, str)
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            timers.append(summary)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            activities.append(summary)
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            notes.append(summary)
    return timers, activities, notes
