"""What journeys ask about journeys: to start another, and which arm of an experiment has won.

Who is let in is decided by intake, which stands beside this package and is given to it.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities.enrollments import write_progress
from activities.errors import as_failures
from activities.steps_met import met_by_steps
from crm.experiments import ExperimentRepository, Rule
from journeys.step_references import filled
from kit.database import Sessions
from workflows.ports import ActionResult, ChooseArm, ChosenArm, JourneyPort, StartJourney

Admit = Callable[[AsyncSession, StartJourney], Awaitable[ActionResult]]
"""Lets the contact in within the session's transaction, once per request: `intake.starting.start_requested`."""


class JourneyActivities(JourneyPort):
    """`JourneyPort` on PostgreSQL."""

    def __init__(self, sessions: Sessions, admit: Admit) -> None:
        self._sessions = sessions
        self._admit = admit

    @activity.defn(name="start_journey")
    async def start_journey(self, request: StartJourney) -> ActionResult:
        """Have the contact enter; its workflow starts as soon as the relay has told Temporal. Asked again: the same."""
        with as_failures():
            async with self._sessions.begin() as session:
                result = await self._admit(session, await _filled(session, request))
                await write_progress(session, request.progress)
                return result

    @activity.defn(name="choose_arm")
    async def choose_arm(self, request: ChooseArm) -> ChosenArm:
        """The winner of the experiment where it has one, which is sought here at times; else the arm drawn."""
        with as_failures():
            async with self._sessions.begin() as session:
                chosen = await ExperimentRepository(session, request.journey).choose(
                    request.experiment,
                    request.drawn,
                    arms=request.arms,
                    rule=Rule(request.after, request.confidence),
                    now=request.now,
                )
                await write_progress(session, request.progress)
                return ChosenArm(arm=chosen.arm, because=chosen.because)


async def _filled(session: AsyncSession, request: StartJourney) -> StartJourney:
    """The request with what it takes of earlier steps."""
    handed = {"entry_key": request.entry_key, "properties": request.properties}
    return request.model_copy(update=filled(handed, await met_by_steps(session, request, handed)))
