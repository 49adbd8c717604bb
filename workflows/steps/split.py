"""`split`: go the way of the arm the contact is drawn into, or that of the experiment's winner."""

from journeys.experiments import arm_of
from journeys.steps.split import SplitNode
from workflows.passage import Passage
from workflows.ports import ChooseArm, JourneyPort
from workflows.transitions import Departure


async def split(passage: Passage, node: SplitNode) -> Departure:
    """Result: the arm. Whoever has gone a way of this split once goes it again, in a further round too."""
    ways = {arm.name: arm for arm in node.arms}
    gone = passage.state.results.get(passage.step)
    if gone in ways:
        return Departure(ways[gone].next, result=gone, because=f"arm '{gone}', as before")
    drawn = arm_of(passage.run.contact_id, node.experiment, node.shares())
    because = f"drawn into arm '{drawn}' of '{node.experiment}'"
    if node.winner is None:
        return Departure(ways[drawn].next, result=drawn, because=because)
    request = ChooseArm(
        **passage.common(),
        journey=passage.plan.journey,
        experiment=node.experiment,
        drawn=drawn,
        arms=list(ways),
        after=node.winner.after,
        confidence=node.winner.confidence,
    )
    chosen = await passage.judge(JourneyPort.choose_arm, request)
    return Departure(ways[chosen.arm].next, result=chosen.arm, because=chosen.because or because)
