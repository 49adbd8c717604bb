"""`dauerlauf replay` on recorded histories: what was done is what this code does; a changed one is noticed."""

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from cli.replaying import replay_from
from workflows.replaying import replay

HISTORIES = Path(__file__).resolve().parents[2] / "replay" / "histories"


class Handle:
    """One recorded execution of a server."""

    def __init__(self, history: WorkflowHistory) -> None:
        self._history = history

    async def fetch_history(self) -> WorkflowHistory:
        return self._history


class RecordedServer:
    """A server that holds recorded histories; remembers what it was asked."""

    def __init__(self, *histories: WorkflowHistory) -> None:
        self._histories = {history.workflow_id: history for history in histories}
        self.asked: list[tuple[str, int]] = []

    async def list_workflows(self, query: str, *, limit: int) -> Any:
        self.asked.append((query, limit))
        for workflow_id in self._histories:
            yield type("Execution", (), {"id": workflow_id, "run_id": "run"})

    def get_workflow_handle(self, workflow_id: str, *, run_id: str) -> Handle:
        assert run_id == "run"
        return Handle(self._histories[workflow_id])


def recorded(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, json.loads((HISTORIES / f"{name}.json").read_text()))


async def test_histories_of_this_code_replay_without_a_difference() -> None:
    server: Any = RecordedServer(recorded("wait"), recorded("wait-for-arrived"))
    report = await replay_from(server, query='JourneyKey = "x"', sample=7)
    assert (report.replayed, report.undecided, report.differences) == (2, 0, [])
    assert server.asked == [('WorkflowType = "ContactJourney" AND (JourneyKey = "x")', 7)]


@pytest.mark.parametrize("name", ["wait"])
async def test_a_history_of_other_code_is_a_difference(name: str) -> None:
    history = recorded(name)
    timer = next(event for event in history.events if event.HasField("timer_started_event_attributes"))
    timer.timer_started_event_attributes.start_to_fire_timeout.seconds += 60
    server: Any = RecordedServer(history)
    assert (await replay_from(server)).differences == (await replay(history)).differences != []
