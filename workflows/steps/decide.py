"""`if`: have the condition judged on the contact's facts, and go one of two ways."""

from journeys.steps.decide import IfNode
from workflows.passage import Passage
from workflows.ports import ContactPort, JudgeCondition
from workflows.transitions import Departure


async def decide(passage: Passage, node: IfNode) -> Departure:
    """Result `yes` or `no`."""
    request = JudgeCondition(
        **passage.common(),
        condition=passage.run.plan["nodes"][passage.step]["condition"],
        entered_at=passage.state.entered_at,
        results=passage.state.results,
    )
    judgement = await passage.judge(ContactPort.judge_condition, request)
    return Departure(
        node.next if judgement.holds else node.otherwise,
        result="yes" if judgement.holds else "no",
        because=judgement.because,
        cause_event_id=judgement.cause_event_id,
    )
