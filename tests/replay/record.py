"""Records the histories that `test_replay` replays: `python -m tests.replay.record [name …]`.

Without a name, those that have no history yet (`make record`); with names, these anew.
Record anew only what is meant to change: where a recorded history differs, running enrollments would break too, and
the change needs `workflow.patched` (CONTRIBUTING, "Changing the workflow"). The inputs of local activities, which no
history holds, are kept beside the history, and the fingerprints of the workflow modules are renewed with it.
"""

import asyncio
import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from kit.temporal import workflow_runner
from tests.replay.fingerprints import BASELINE, fingerprints
from tests.replay.scenarios import BEFORE, SCENARIOS, TWO_RUNS, Scenario, continued_as_new
from tests.support.ports import World
from tests.support.temporal import (
    JourneyUnderTest,
    a_plan,
    journey_worker,
    server_options,
    start,
    start_skipping_server,
)
from workflows.replaying import replay

HISTORIES = Path(__file__).parent / "histories"
CONTINUED = "continued-as-new"
SUGGESTED_AFTER = "15"


def without_traces_of_this_machine(node: Any) -> Any:
    """The history without host names and file paths."""
    if isinstance(node, list):
        return [without_traces_of_this_machine(item) for item in node]
    if isinstance(node, str):
        return re.sub(r"^\d+@.+-(?=[0-9a-f]{32}$)", "recorder-", node)
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if key != "stackTrace"}
    return {
        key: "recorder" if key == "identity" else without_traces_of_this_machine(value) for key, value in kept.items()
    }


async def write(name: str, history: WorkflowHistory) -> None:
    """Write a history and, beside it, what its local activities were asked."""
    document = without_traces_of_this_machine(json.loads(history.to_json()))
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    assert str(Path.cwd()) not in decoded(text), "a path of this machine"
    (HISTORIES / f"{name}.json").write_text(text + "\n")
    replayed = await replay(
        WorkflowHistory.from_json(history.workflow_id, text), runner=workflow_runner(sandboxed=True)
    )
    assert not replayed.differences, replayed.differences
    inputs = json.dumps(replayed.local_inputs, indent=1, sort_keys=True, ensure_ascii=False)
    (HISTORIES / f"{name}.local.json").write_text(inputs + "\n")


def decoded(text: str) -> str:
    """The history's text with its payloads readable."""
    payloads = (part.split('"')[0] for part in text.split('"data": "')[1:])
    return "\n".join([text, *(base64.b64decode(payload).decode(errors="ignore") for payload in payloads)])


async def play(environment: WorkflowEnvironment, scenario: Scenario, number: int) -> JourneyUnderTest:
    """Play a scenario to its end."""
    world = World()
    async with journey_worker(environment.client, world, task_queue=f"recorded-{number}") as task_queue:

        async def enroll(*steps: dict[str, Any], **overrides: Any) -> JourneyUnderTest:
            return await start(environment, world, task_queue, a_plan(steps, **overrides), number=number)

        journey = await scenario(enroll, world)
        await journey.outcome()
    return journey


async def record(names: list[str]) -> None:
    """Record these scenarios; those without a history where none is named."""
    names = names or missing()
    chosen = [name for name in SCENARIOS if name in names]
    async with await start_skipping_server() as environment:
        for name in chosen:
            journey = await play(environment, SCENARIOS[name], list(SCENARIOS).index(name) + 1)
            await write(name, await journey.history())
            if name in TWO_RUNS:
                await write(f"{name}-{BEFORE}", await journey.first_run.fetch_history())
            print(name)  # noqa: T201 - a script
    if CONTINUED in names:
        await record_continued()


def missing() -> list[str]:
    """The scenarios that have no history yet."""
    histories = {name: f"{name}-1" if name == CONTINUED else name for name in (*SCENARIOS, CONTINUED)}
    return [name for name, history in histories.items() if not (HISTORIES / f"{history}.json").exists()]


async def record_continued() -> None:
    """Record both runs of an enrollment that is continued as new."""
    options = server_options(**{"limit.historyCount.suggestContinueAsNew": SUGGESTED_AFTER})
    async with await WorkflowEnvironment.start_local(**options) as environment:
        journey = await play(environment, continued_as_new, 100)
        await write(f"{CONTINUED}-1", await journey.first_run.fetch_history())
        await write(f"{CONTINUED}-2", await journey.history())
        print(CONTINUED)  # noqa: T201 - a script


if __name__ == "__main__":
    HISTORIES.mkdir(exist_ok=True)
    asyncio.run(record(sys.argv[1:]))
    BASELINE.write_text(json.dumps(fingerprints(), indent=1) + "\n")
