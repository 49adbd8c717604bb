"""`task`: have a task made for a person."""

from journeys.outcomes import StepVerdict
from journeys.steps.task import HELD_OUT, OWNER, TaskNode
from workflows.passage import Passage
from workflows.ports import CreateTask, TaskPort
from workflows.transitions import Departure


async def create_task(passage: Passage, node: TaskNode) -> Departure:
    """Result: the word the port says."""
    request = CreateTask(
        **passage.common(),
        kind=node.task_kind,
        title=node.title,
        details=node.details,
        owner=passage.plan.owner if node.owner == OWNER else node.owner,
        due=passage.run.plan["nodes"][passage.step]["due"],
        window=passage.run.plan.get("window"),
        at_end=node.at_end,
    )
    done = await passage.act(TaskPort.create_task, request)
    verdict = StepVerdict.REFUSED if done.result == HELD_OUT else StepVerdict.PASSED
    return Departure(node.next, result=done.result, because=done.because, verdict=verdict)
