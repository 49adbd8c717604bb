"""The workflow `ContactJourney`: one contact's passage through one journey, from entry to end.

The main loop asks the state for the next move and makes it; handlers only record (`workflows.inbox`). What a step
does is in `workflows.steps`; the commands to Temporal are issued by `workflows.passage`.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from journeys.outcomes import JourneyState
from journeys.plan import Plan
from workflows import details, inbox, transitions
from workflows.inbox import RETRY, SKIP, Ending, Move
from workflows.messages import Command, Decide, Delivery, Explanation, JourneyRun, Outcome, Reschedule, Resume
from workflows.migration import ENDED_ALREADY, objection_to
from workflows.names import WORKFLOW_TYPE
from workflows.passage import Interrupted, Passage
from workflows.resuming import resume
from workflows.state import EnrollmentState, Migration
from workflows.steps.registry import EXECUTE

SKIP_ENDS_WITH_ITS_STEP = "skip-ends-with-its-step"
"""Before this patch a skip of an action that was under way and got done went over to the step behind it."""
ENDED_NOW = "ended-now"
"""Before this patch a wait that was moved into the past had ended then, so that what followed was late."""

_COMPLETED = Ending(JourneyState.COMPLETED, "the last step is done")


@workflow.defn(name=WORKFLOW_TYPE)
class ContactJourney:
    """Runs a plan for one contact until its end, a goal, an exit criterion or a requested exit."""

    @workflow.init
    def __init__(self, run: JourneyRun) -> None:
        plan = Plan.model_validate(run.plan)
        state = run.state or transitions.begin(plan, entered_at=run.entered_at, now=workflow.now())
        self._passage = Passage(run, plan, state)

    @workflow.run
    async def run(self, run: JourneyRun) -> Outcome:  # noqa: ARG002 - `__init__` has it already
        """Walk the plan. A cancellation asked of Temporal is an exit like any other: it is recorded, then it ends."""
        walk = asyncio.create_task(self._walk())
        try:
            ending = await asyncio.shield(walk)
        except asyncio.CancelledError:
            self._passage.state.commands.append(inbox.EXIT + "cancelled in Temporal")
            ending = await walk
        if ending is None:
            self._passage.continue_as_new()
        return Outcome(state=ending.state, reason=ending.reason)

    async def _walk(self) -> Ending | None:
        """Make one move after the other. None: the enrollment goes on in a new run, in another version or the same."""
        passage = self._passage
        while True:
            await passage.settle()
            move = passage.move()
            if move is Move.END:
                return await self._end()
            if passage.renewal_due():
                return None
            if move is Move.MIGRATE:
                passage.migrate()
                return None
            if move is Move.PULL:
                transitions.pull(passage.state, passage.plan, passage.now())
            elif move is Move.STEP:
                await self._execute()
            elif move is Move.SKIP:
                transitions.skip(passage.state, passage.plan, passage.now())
            elif move is Move.RETRY:
                transitions.retry(passage.state)
            else:
                await passage.hold(move)

    async def _execute(self) -> None:
        """Execute the current step; what fails for good parks the enrollment for people to see."""
        passage = self._passage
        node = passage.plan.nodes[passage.step]
        if expired := transitions.expiry(passage.state, node, passage.now()):
            transitions.leave(passage.state, expired, passage.now())
            return
        try:
            departure = await EXECUTE[node.kind](passage, node)
        except Interrupted:
            return
        except FailureError as error:
            transitions.park(passage.state, _reason(error), passage.now())
        else:
            if inbox.skip_asked(passage.state) and workflow.patched(SKIP_ENDS_WITH_ITS_STEP):
                departure = transitions.overtaken(passage.state, departure)
            transitions.leave(passage.state, departure, passage.now())

    async def _end(self) -> Ending:
        passage = self._passage
        ending = inbox.ending(passage.state, passage.plan) or _concluded(passage.state)
        if passage.state.at is not None:
            transitions.abandon(passage.state, ending, passage.now())
        passage.state.state = ending.state
        passage.state.paused_at = None
        await passage.close(ending)
        return ending

    @workflow.signal
    def deliver(self, delivery: Delivery) -> None:
        """An event of the contact met criteria of the plan."""
        passage = self._passage
        inbox.receive(passage.state, passage.plan, passage.run.enrollment_id, delivery)

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, _arguments: Sequence[RawValue]) -> None:
        """A signal nobody here knows: logged, so it is not lost without a trace."""
        workflow.logger.warning("Unknown signal %s: ignored. This worker may be older than its sender.", name)

    @workflow.query
    def explain(self) -> Explanation:
        """Where the enrollment stands, since when, until when, why, and what may come next."""
        return details.explain(self._passage.plan, self._passage.state)

    @workflow.update
    def pause(self, command: Command) -> Explanation:
        """Freeze at the current step. A due time that passes meanwhile takes effect on resuming."""
        state = self._passage.state
        if state.paused_at is None:
            state.paused_at, state.pause_reason = workflow.now(), inbox.said_by(command)
        return self.explain()

    @workflow.update
    def resume(self, command: Resume) -> Explanation:
        """Go on, with what `timers` says of the time that has passed meanwhile."""
        resume(self._passage.state, self._passage.plan, command.timers, workflow.now())
        return self.explain()

    @workflow.update
    def skip(self, command: Command) -> Explanation:
        """Leave the current step undone and go on."""
        self._passage.state.commands.append(SKIP + inbox.said_by(command))
        return self.explain()

    @workflow.update
    def end(self, command: Command) -> Explanation:
        """Leave the journey here. Unlike the signal, it is rejected where the enrollment has gone on."""
        self._passage.state.commands.append(inbox.EXIT + inbox.said_by(command))
        return self.explain()

    @end.validator
    def _may_end(self, command: Command) -> None:
        self._object("end", command)

    @workflow.update
    def retry(self, command: Command) -> Explanation:  # noqa: ARG002 - who retried is the audit log's
        """Take up the step that needs attention again."""
        if RETRY not in self._passage.state.commands:
            self._passage.state.commands.append(RETRY)
        return self.explain()

    @workflow.update
    def reschedule(self, command: Reschedule) -> Explanation:
        """Move the end of the running wait, to now at the earliest. A moment that moves afterwards moves it again."""
        state, at, now = self._passage.state, command.at, workflow.now()
        if at < now and workflow.patched(ENDED_NOW):
            at = now
        state.due_at, state.rescheduled = at.astimezone(UTC), inbox.said_by(command)
        return self.explain()

    @workflow.update
    def decide(self, answer: Decide) -> Explanation:
        """Decide the approval that is waited for."""
        self._passage.state.commands.append(inbox.answered(answer))
        return self.explain()

    @decide.validator
    def _may_decide(self, answer: Decide) -> None:
        passage = self._passage
        self._object("decide", answer)
        if sentence := inbox.objection_to_answer(passage.state, passage.plan, answer):
            raise ApplicationError(sentence, type="Conflict", non_retryable=True)

    @workflow.update
    def migrate(self, migration: Migration) -> Explanation:
        """Go over to another version of the journey, at once or at the next step that it knows."""
        passage = self._passage
        passage.state.migration = migration if migration.version != passage.plan.version else None
        return self.explain()

    @migrate.validator
    def _may_migrate(self, migration: Migration) -> None:
        passage = self._passage
        if objection := objection_to(migration, passage.state, passage.plan, passage.run.enrollment_id):
            kind, sentence = objection
            raise ApplicationError(sentence, type=kind, non_retryable=True)

    @pause.validator
    def _may_pause(self, command: Command) -> None:
        self._object("pause", command)

    @resume.validator
    def _may_resume(self, command: Resume) -> None:
        self._object("resume", command)

    @skip.validator
    def _may_skip(self, command: Command) -> None:
        self._object("skip", command)

    @reschedule.validator
    def _may_reschedule(self, command: Reschedule) -> None:
        self._object("reschedule", command)

    @retry.validator
    def _may_retry(self, command: Command) -> None:
        self._object("retry", command)

    def _object(self, name: str, command: Command) -> None:
        """Reject an update the state does not allow, with a sentence that says why."""
        passage = self._passage
        if sentence := inbox.objection(passage.state, name, command, passage.run.enrollment_id):
            over = inbox.is_over(passage.state, command, passage.run.enrollment_id)
            raise ApplicationError(sentence, type=ENDED_ALREADY if over else "Conflict", non_retryable=True)


def _concluded(state: EnrollmentState) -> Ending:
    """The end of whoever has no step left."""
    return _COMPLETED if state.goal is None else inbox.goal_ending(state.goal)


def _reason(error: FailureError) -> str:
    """Why an activity failed for good: the sentence of its failure, which holds no personal data by contract."""
    cause = error.cause if isinstance(error, ActivityError) else error  # a local activity's comes unwrapped
    if isinstance(cause, ApplicationError):
        return f"{cause.type}: {cause.message}" if cause.type else cause.message
    return type(cause or error).__name__
