"""Recorded passages, replayed by the present code: it must do today what it did then, or running enrollments break.

Where a test here fails after a change of the workflow, the change needs `workflow.patched`; see `tests.replay.record`.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from journeys.steps.registry import STEP_KINDS
from kit.temporal import workflow_runner
from tests.replay.record import CONTINUED, HISTORIES
from tests.replay.scenarios import BEFORE, SCENARIOS, TWO_RUNS
from workflows.journey import ContactJourney
from workflows.replaying import replay

RECORDED = [*SCENARIOS, *(f"{name}-{BEFORE}" for name in sorted(TWO_RUNS)), f"{CONTINUED}-1", f"{CONTINUED}-2"]


def recorded(name: str, change: Callable[[Any], None] | None = None) -> WorkflowHistory:
    """A recorded history, changed where a test says so."""
    document = json.loads((HISTORIES / f"{name}.json").read_text())
    if change:
        change(document)
    return WorkflowHistory.from_json(name, document)


@pytest.mark.parametrize("name", RECORDED)
async def test_the_code_does_today_what_it_did_then(name: str) -> None:
    replayed = await replay(recorded(name), runner=workflow_runner(sandboxed=True))
    assert not replayed.differences
    noted = json.loads((HISTORIES / f"{name}.local.json").read_text())
    assert replayed.local_inputs == noted, "what is written about the enrollment has changed"


def test_every_step_kind_is_recorded() -> None:
    found = {
        node["kind"]
        for name in RECORDED
        for node in read(first_event(name)["input"]["payloads"][0])["plan"]["nodes"].values()
    }
    assert found >= set(STEP_KINDS)


async def test_unsandboxed_code_does_the_same() -> None:
    """Production runs it so."""
    replayed = await replay(recorded("paused-and-resumed"), runner=workflow_runner(sandboxed=False))
    assert not replayed.differences


async def test_another_order_of_steps_is_noticed() -> None:
    def swap(document: Any) -> None:
        def plan_with_the_send_first(run: Any) -> None:
            run["plan"]["start"] = "voucher"
            run["plan"]["nodes"]["voucher"]["next"] = "wait-1"
            run["plan"]["nodes"]["wait-1"].pop("next")

        rewrite(document["events"][0]["workflowExecutionStartedEventAttributes"]["input"], plan_with_the_send_first)

    (difference,) = (await replay(recorded("paused-and-resumed", swap))).differences
    assert "Nondeterminism" in difference


async def test_another_input_of_an_activity_is_noticed() -> None:
    def another_template(document: Any) -> None:
        def rename(request: Any) -> None:
            request["template"] = "coupon"

        scheduled = next(event for event in document["events"] if "activityTaskScheduledEventAttributes" in event)
        rewrite(scheduled["activityTaskScheduledEventAttributes"]["input"], rename)

    changed = recorded("send", another_template)
    (difference,) = (await replay(changed)).differences
    assert "'template': 'coupon'" in difference
    assert "'template': 'voucher'" in difference
    await the_sdk_alone_notices_nothing(changed)


async def test_another_length_of_a_timer_is_noticed() -> None:
    def two_days(document: Any) -> None:
        started = next(event for event in document["events"] if "timerStartedEventAttributes" in event)
        started["timerStartedEventAttributes"]["startToFireTimeout"] = "172800s"

    changed = recorded("wait", two_days)
    (difference,) = (await replay(changed)).differences
    assert "the timer was 2 days, 0:00:00 long and would now be 1 day, 0:00:00" in difference
    await the_sdk_alone_notices_nothing(changed)


async def the_sdk_alone_notices_nothing(history: WorkflowHistory) -> None:
    """Why the comparison exists. Where this fails, the SDK has learned it, and the comparison may go."""
    replayer = Replayer(
        workflows=[ContactJourney],
        data_converter=pydantic_data_converter,
        workflow_runner=workflow_runner(sandboxed=False),
    )
    assert (await replayer.replay_workflow(history)).replay_failure is None


def first_event(name: str) -> Any:
    document = json.loads((HISTORIES / f"{name}.json").read_text())
    return document["events"][0]["workflowExecutionStartedEventAttributes"]


def read(payload: Any) -> Any:
    return json.loads(base64.b64decode(payload["data"]))


def rewrite(arguments: Any, change: Callable[[Any], None]) -> None:
    """Change the one JSON payload of these arguments."""
    (payload,) = arguments["payloads"]
    value = read(payload)
    change(value)
    payload["data"] = base64.b64encode(json.dumps(value).encode()).decode()
