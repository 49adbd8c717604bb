"""Replays a recorded history against the present workflow code, and compares what the SDK's replayer does not.

The SDK notices another order or kind of commands. It notices neither another input of an activity nor another length
of a timer: those are compared here, by watching the commands the code issues. For tests, CI and `dauerlauf replay`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner

from workflows.journey import ContactJourney


@dataclass
class Replayed:
    """What a replay found. `differences` is empty where the code would do today what it did then."""

    differences: list[str] = field(default_factory=list)
    local_inputs: list[Any] = field(default_factory=list)
    """Inputs of the local activities, in order: a history does not hold them, a recording may keep them beside it."""


async def replay(
    history: WorkflowHistory,
    *,
    runner: WorkflowRunner | None = None,
    converter: DataConverter = pydantic_data_converter,
) -> Replayed:
    """Replay a history up to its last completed workflow task.

    Args:
        history: As fetched, or read from JSON.
        runner: How workflow code runs; without the sandbox unless given.
        converter: Of the client that wrote the history.

    Returns:
        Every difference, as a sentence; also those that the SDK raises as an error.
    """
    witness = Witness()
    watching = WatchingRunner(runner or UnsandboxedWorkflowRunner(), witness)
    replayer = Replayer(
        workflows=[ContactJourney],
        data_converter=converter,
        workflow_runner=watching,
        unsandboxed_workflow_runner=watching,
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure:
        return Replayed([f"{history.workflow_id}: {result.replay_failure}"], witness.local_inputs)
    return Replayed(await _compare(history, witness, converter), witness.local_inputs)


@dataclass
class Witness:
    """The timers and activities a workflow asked for, by the ids they have in a history."""

    timers: dict[str, timedelta] = field(default_factory=dict)
    activities: dict[str, tuple[str, Any]] = field(default_factory=dict)
    local_inputs: list[Any] = field(default_factory=list)

    def see(self, command: WorkflowCommand) -> None:
        """Take down a command."""
        if command.HasField("start_timer"):
            self.timers[str(command.start_timer.seq)] = command.start_timer.start_to_fire_timeout.ToTimedelta()
        elif command.HasField("schedule_activity"):
            activity = command.schedule_activity
            self.activities[activity.activity_id] = (activity.activity_type, _read(activity.arguments))
        elif command.HasField("schedule_local_activity"):
            local = command.schedule_local_activity
            self.local_inputs.append({local.activity_type: _read(local.arguments)})


class WatchingRunner(WorkflowRunner):
    """Runs workflows as another runner does, and lets a witness see their commands."""

    def __init__(self, inner: WorkflowRunner, witness: Witness) -> None:
        self._inner = inner
        self._witness = witness

    def prepare_workflow(self, defn: Any) -> None:
        """As the runner within."""
        self._inner.prepare_workflow(defn)

    def create_instance(self, det: Any) -> Any:
        """The instance of the runner within, watched."""
        instance = self._inner.create_instance(det)
        activate = instance.activate

        def watched(act: WorkflowActivation) -> WorkflowActivationCompletion:
            completion = activate(act)
            for command in completion.successful.commands:
                self._witness.see(command)
            return completion

        instance.activate = watched  # type: ignore[method-assign]
        return instance

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """As the runner within."""
        self._inner.set_worker_level_failure_exception_types(types)


async def _compare(history: WorkflowHistory, witness: Witness, converter: DataConverter) -> list[str]:
    """What the history has and the witness saw otherwise. Missing and additional commands the SDK has found already."""
    differences: list[str] = []
    for event in history.events:
        place = f"{history.workflow_id}, event {event.event_id}"
        if event.HasField("timer_started_event_attributes"):
            timer = event.timer_started_event_attributes
            recorded, now = timer.start_to_fire_timeout.ToTimedelta(), witness.timers.get(timer.timer_id)
            if recorded != now:
                differences.append(f"{place}: the timer was {recorded} long and would now be {now}.")
        elif event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            payloads: Sequence[Payload] = scheduled.input.payloads
            if converter.payload_codec:
                payloads = await converter.payload_codec.decode(payloads)
            kind, asked = witness.activities.get(scheduled.activity_id, ("nothing", None))
            if (kind, asked) != (scheduled.activity_type.name, _read(payloads)):
                recorded_input = f"{scheduled.activity_type.name}({_read(payloads)})"
                differences.append(f"{place}: the activity was {recorded_input} and would now be {kind}({asked}).")
    return differences


def _read(payloads: Sequence[Payload]) -> Any:
    """JSON payloads as values; the one activities have is not wrapped in a list."""
    values = [json.loads(payload.data) for payload in payloads]
    return values[0] if len(values) == 1 else values
