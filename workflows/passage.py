"""One contact's passage through a plan, as the step coroutines see it: wait, act, judge, report.

All commands to Temporal are issued here. Everything that lasts can be interrupted: a wait at once, an action as soon
as no attempt of it is running. What interrupts is decided in `workflows.inbox`.

Bookkeeping runs beside a wait, never before it: the SDK may tell a live workflow of a finished local activity one
task later than it tells a replay, so no command may depend on when one ends (ADR 0005).
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from journeys.describe import describe_node
from journeys.plan import Plan
from workflows import details, limits
from workflows.inbox import Ending, Move, next_move, standing
from workflows.messages import JourneyRun
from workflows.migration import migrated
from workflows.ports import EnrollmentPort, Progress
from workflows.position import Position, changed_attributes, in_version
from workflows.state import EnrollmentState

Request = TypeVar("Request", bound=BaseModel)
Result = TypeVar("Result")


class Interrupted(Exception):
    """The current step is to stand back: the state asks for another move, or the run is to be continued as new."""


class Passage:
    """The state of one enrollment, with everything a step may do."""

    def __init__(self, run: JourneyRun, plan: Plan, state: EnrollmentState) -> None:
        self.run = run
        self.plan = plan
        self.state = state
        self._reported: tuple[Position, str] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._instant = workflow.now()
        self.migrated = False

    def migrate(self) -> None:
        """Go over to the version that was asked for; only a new run may go on from here."""
        migration = self.state.migration
        assert migration is not None
        self.state = migrated(self.state, self.plan, migration, self.now())
        self.plan = migration.to
        self.run = self.run.model_copy(update={"plan": migration.plan})
        self.migrated = True

    def continue_as_new(self) -> NoReturn:
        """Go on in a new run, with the state and whatever was asked for meanwhile."""
        run = self.run.model_copy(update={"state": self.state})
        if not self.migrated:
            workflow.continue_as_new(run)
        known = workflow.info().typed_search_attributes
        workflow.continue_as_new(run, search_attributes=in_version(known, self.plan.version, self._position()))

    @property
    def step(self) -> str:
        """Id of the current step."""
        assert self.state.at is not None
        return self.state.at

    def move(self) -> Move:
        """The move the state asks for."""
        return next_move(self.state, self.plan)

    def now(self) -> datetime:
        """The workflow's time, aware UTC, as of the last event that woke it.

        What a local activity takes is not counted, unless it was kept waiting: see the module's docstring.
        """
        if workflow.now() - self._instant >= limits.WORTH_COUNTING:
            self._instant = workflow.now()
        return self._instant

    def _woken(self) -> None:
        self._instant = workflow.now()

    def renewal_due(self) -> bool:
        """Whether the history has grown so long that the server suggests to continue as new."""
        return workflow.info().is_continue_as_new_suggested()

    def due(self, length: timedelta) -> datetime:
        """End of the current step's wait: as it was begun, so a wait taken up again ends when it always would have."""
        return self.state.due_at or self.state.since + length

    def planned(self, at: datetime) -> datetime:
        """When something of `at` was to move the journey on: not before its step was to be reached, nor after now."""
        return min(max(at, self.state.planned_at or self.state.since), self.now())

    def expires_at(self) -> datetime | None:
        """When the current step is of no use any more; None where it always is."""
        span = self.plan.nodes[self.step].expires_after
        return None if span is None else (self.state.planned_at or self.state.since) + span

    def common(self) -> dict[str, Any]:
        """The fields every action request has; the decisions not yet written ride along."""
        return {
            "enrollment_id": self.run.enrollment_id,
            "contact_id": self.run.contact_id,
            "step": self.step,
            "iteration": self.state.iterations[self.step],
            "now": self.now(),
            "progress": self._progress(),
            "former": self.state.former,
            "time_zone": self.plan.time_zone,
        }

    async def wait_until(
        self,
        due: datetime,
        *,
        until: Callable[[], bool] | None = None,
        words: str = "",
        look_at: datetime | None = None,
    ) -> bool:
        """Wait for `until`, at most to `due`; True where it came true.

        Raises Interrupted when something else is up, or at `look_at`: then the step is to be taken up anew.
        """
        self.state.due_at = due
        if until and until():
            return True
        timed_out = due <= self.now()
        if not timed_out:
            self._report()
            wake_at = min(due, look_at or due)
            slept = await self._sleep(wake_at, until, words or describe_node(self.plan.nodes[self.step]))
            timed_out = slept and wake_at == due
        if self.move() is not Move.STEP:
            raise Interrupted
        if until and until():
            return True
        if self.state.due_at != due or (not timed_out and due > self.now()):
            raise Interrupted
        return False

    def noted(self, due: datetime | None) -> None:
        """The step waits until `due`, or not (None), and an activity has written so already."""
        self.state.due_at = due
        if due is None or due > self.now():
            self._reported = (self._position(), "")

    async def _sleep(self, wake_at: datetime, until: Callable[[], bool] | None, words: str) -> bool:
        """Sleep to `wake_at` or until woken; whether it was the time that ended it."""
        due = self.state.due_at

        def woken() -> bool:
            moved = self.state.due_at != due or (until is not None and until())
            return moved or self.move() is not Move.STEP or self.renewal_due()

        summary = details.wait_summary(words, wake_at, self.state.zone, now=self.now())
        timed_out = False
        try:
            await workflow.wait_condition(woken, timeout=wake_at - self.now(), timeout_summary=summary)
        except TimeoutError:
            timed_out = True
        self._woken()
        return timed_out

    async def act(self, port: Callable[[Any, Request], Awaitable[Result]], request: Request) -> Result:
        """Have an action done. Outages are retried for ever; raises FailureError where it failed for good."""
        self.show()
        handle = workflow.start_activity_method(
            port,
            request,
            start_to_close_timeout=limits.ACTION_TIMEOUT,
            retry_policy=limits.OUTAGE_RETRY,
            # An attempt that runs is awaited, for its effect counts; one that waits for its retry ends at once.
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=details.cut(describe_node(self.plan.nodes[self.step])),
        )
        result = await self._outcome(handle)
        self._woken()
        return result

    async def judge(self, port: Callable[[Any, Request], Awaitable[Result]], request: Request) -> Result:
        """Have something judged on this worker: no event of its own but a marker. As `act` otherwise."""
        self.show()
        handle = workflow.start_local_activity_method(
            port,
            request,
            start_to_close_timeout=limits.JUDGEMENT_TIMEOUT,
            retry_policy=limits.OUTAGE_RETRY,
            local_retry_threshold=limits.LOCAL_RETRY_THRESHOLD,
            summary=details.cut(describe_node(self.plan.nodes[self.step])),
        )
        return await self._outcome(handle)

    async def _outcome(self, handle: workflow.ActivityHandle[Result]) -> Result:
        """Result of an activity, given up where the state asks for another move before it is done."""
        await workflow.wait_condition(lambda: handle.done() or self.move() is not Move.STEP)
        if not handle.done():
            handle.cancel()
        try:
            result = await handle
        except BaseException as error:
            if is_cancelled_exception(error) and self.move() is not Move.STEP:
                raise Interrupted from error
            raise
        self.state.journal = []
        return result

    async def hold(self, move: Move) -> None:
        """Stand still, visibly, for as long as the state asks for `move`."""
        self._report()
        due = self.state.due_at
        await workflow.wait_condition(lambda: self.move() is not move or self.renewal_due() or self.state.due_at != due)
        self._woken()

    async def close(self, ending: Ending) -> None:
        """Write that and how the enrollment ended."""
        self.show()
        await self._record(self._progress(ending.reason))

    async def settle(self) -> None:
        """Wait until everything noted is written: what comes after it must not be overtaken by it."""
        if self._writing is not None:
            await self._writing
            self._writing = None

    def _report(self) -> None:
        """Make the position known: details, search attributes where worth it, and the projection, written beside."""
        self.show()
        position = self._position()
        if position.worth_showing(self.now()) and (
            changes := changed_attributes(workflow.info().typed_search_attributes, position)
        ):
            workflow.upsert_search_attributes(changes)
        told = (position, self.state.attention.reason if self.state.attention else "")
        if told != self._reported or self.state.journal:
            self._writing = asyncio.create_task(self._record(self._progress()))
            self._reported = told

    async def _record(self, progress: Progress) -> None:
        """Write the projection, for as long as it takes: what is not written down must not be lost by going on."""
        while not await self._recorded(progress):
            await workflow.sleep(limits.BOOKKEEPING_PAUSE, summary="try again to note where the enrollment stands")
        written = {decision.ordinal for decision in progress.decisions}
        self.state.journal = [decision for decision in self.state.journal if decision.ordinal not in written]

    async def _recorded(self, progress: Progress) -> bool:
        try:
            await workflow.execute_local_activity_method(
                EnrollmentPort.record_progress,
                progress,
                start_to_close_timeout=limits.BOOKKEEPING_TIMEOUT,
                retry_policy=limits.BOOKKEEPING_RETRY,
                local_retry_threshold=limits.LOCAL_RETRY_THRESHOLD,
                summary=details.cut(f"note: {progress.state.replace('_', ' ')} {progress.step or ''}".strip()),
            )
        except FailureError as error:
            workflow.logger.error("Where %s stands cannot be written: %s", progress.enrollment_id, error)
            return False
        return True

    def show(self) -> None:
        """Renew the details page of the Temporal UI; writes no event."""
        self.state.state = standing(self.state)
        page = details.current(self.plan, self.state, now=self.now())
        # The server does not hand the static summary on to a continued run.
        workflow.set_current_details(f"{details.headline(self.plan)}\n\n{page}" if self.run.state else page)

    def _position(self) -> Position:
        return Position(standing(self.state), self.state.at, self.state.due_at)

    def _progress(self, outcome: str = "") -> Progress:
        state = self.state
        return Progress(
            enrollment_id=self.run.enrollment_id,
            state=standing(state),
            step=state.at,
            since=state.since,
            due_at=state.due_at,
            attention=state.attention.reason if state.attention else None,
            outcome=outcome,
            decisions=list(state.journal),
        )
