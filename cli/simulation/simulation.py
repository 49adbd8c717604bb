"""One simulation: a contact, a journey, and time that is moved by whoever plays it.

The real workflow runs on the stage's server. Its clock stands still but for the real time that passes, and is moved
from one due time to the next, so that everything happens in the order in which it would have happened.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources.abc import Traversable
from typing import Any, Literal

from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.service import RPCError, RPCStatusCode

from cli.simulation import arrivals
from cli.simulation.alarms import first_alarm, ring, set_back
from cli.simulation.arrivals import Begin, Errand
from cli.simulation.mailroom import Mailroom
from cli.simulation.record import Record
from cli.simulation.shifting import shift_into_future
from cli.simulation.stage import TASK_QUEUE, Stage
from cli.simulation.tasks import complete_task
from cli.simulation.world import Happening, Moment, Ride, World
from journeys.catalogue import models as shipped_models
from journeys.conditions.base import earliest
from journeys.model import Journey
from journeys.plan import compile_plan
from journeys.resuming import Resuming
from journeys.scoring import PointsModel
from journeys.segments import Segment
from journeys.simulate import PretendedContact
from kit.clock import wall_clock
from kit.errors import Unavailable
from kit.settings import Settings
from workflows import starter
from workflows.messages import Command, Decide, JourneyRun, Resume, compact_plan

BEYOND = timedelta(seconds=3)
"""So far beyond a due time the clock is moved. Less, and the server may take the next timer along on a busy machine."""
_PATIENCE = 60.0
"""Real seconds until a workflow that does not come to rest counts as stuck."""
_LOOK_EVERY = 0.003
_RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
_HOPELESS_ATTEMPT = 4


class Simulation:
    """Plays a journey. `now` is pretended time; `late` says how far it has been beyond what it was moved to."""

    def __init__(self, stage: Stage, world: World, start: datetime) -> None:
        self._stage = stage
        self.world = world
        self.start = start
        self._now = start
        self._nominal = start
        self._late = timedelta(0)
        self._alarm = first_alarm(world, start)
        self._rung = False

    @classmethod
    def prepare(
        cls,
        stage: Stage,
        journey: Journey,
        contact: PretendedContact,
        *,
        start: datetime,
        templates: Sequence[Traversable] = (),
        models: Sequence[PointsModel] = (),
        segments: Sequence[Segment] = (),
    ) -> "Simulation":
        """A simulation in which nothing has happened yet. Nobody is in the journey before it is entered.

        Args:
            stage: What it is played on.
            journey: Of any origin; it need not be published.
            contact: Who walks it.
            start: Pretended time at the beginning, aware.
            templates: Folders of templates beside those that ship with the product.
            models: Points models beside those that ship with the product.
            segments: Those the contact is judged by, the ones that others ask for first.

        Raises:
            Invalid: contact or templates cannot be used.
        """
        start = start.astimezone(UTC)  # to a time on a wall, Python adds hours of the wall
        settings = Settings().in_zone(journey.time_zone)
        known = {model.key: model for model in (*shipped_models(), *models)}
        world = World(
            journey=journey,
            plan=compile_plan(journey, version=1),
            record=Record.of(_at_home(contact, settings), known.values(), segments=segments, start=start),
            mailroom=Mailroom(templates, default_locale=settings.default_locale),
            settings=settings,
            sold_out=frozenset(contact.sold_out),
        )
        return cls(stage, world, start)

    @property
    def now(self) -> datetime:
        """Pretended time, aware."""
        return self._now

    @property
    def late(self) -> timedelta:
        """How far pretended time has been beyond what it was moved to: real time passes in a simulation, too.

        A wait may have begun so much later than it would have, and ends so much later then.
        """
        return self._late

    async def event(self, name: str, properties: Mapping[str, Any], *, event_id: str = "") -> None:
        """Something happens to the contact now, with all that follows from it at once. An id counts once."""
        self._happen(name, properties, event_id)
        await self._settle()

    async def events(self, happenings: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Several things happen in one moment, before anything follows from the first of them."""
        for name, properties in happenings:
            self._happen(name, properties, "")
        await self._settle()

    def _happen(self, name: str, properties: Mapping[str, Any], event_id: str) -> None:
        if self.world.happen(name, properties, at=self._now, event_id=event_id):
            self.world.tell(Moment(self._now, Happening.EVENT, name))

    async def change_segment(self, key: str, *, member: bool) -> None:
        """Have the contact come into a segment or leave it, and stay so whatever happens."""
        record = self.world.record
        record.segments = tuple(one for one in record.segments if one.key != key)
        (record.members.add if member else record.members.discard)(key)
        arrivals.tell_membership(self.world, key, entered=member, at=self._now)
        await self._settle()

    async def enroll(self, properties: Mapping[str, Any], *, key: str | None = None) -> None:
        """The contact is to enter without an event, as over the API."""
        await self._run(arrivals.enroll(self.world, properties, key, self._now))
        await self._settle()

    async def advance(self, duration: timedelta) -> None:
        """Let time pass. A wait that was begun so long ago is over then."""
        self._nominal += duration
        await self._pass()

    async def advance_to(self, instant: datetime) -> None:
        """Let time pass until an aware instant; none where it has passed."""
        self._nominal = max(self._nominal, instant)
        await self._pass()

    async def finish(self, *, until: datetime) -> None:
        """Let time pass from due time to due time, until nothing is left to happen by itself, or this instant.

        A date that returns every year brings the contact in once in that time.
        """
        self._rung = False
        while (due := self._next_due()) is not None and due <= until and (self._running() or not self._rung):
            self._nominal = max(self._nominal, due)
            await self._pass()

    async def command(self, name: str) -> None:
        """Have ops `pause`, `skip` or `retry` every running enrollment.

        Raises:
            Conflict: its state does not allow this; the sentence says why.
        """
        asked = {"pause": starter.pause, "skip": starter.skip, "retry": starter.retry}[name]
        for ride in self._running():
            await asked(self._stage.skipper.client, ride.enrollment.workflow_id, Command(by="simulation"))
        await self._settle()

    async def resume(self, timers: Resuming) -> None:
        """Have ops resume every running enrollment.

        Raises:
            Conflict: one is not paused.
        """
        for ride in self._running():
            command = Resume(by="simulation", timers=timers)
            await starter.resume(self._stage.skipper.client, ride.enrollment.workflow_id, command)
        await self._settle()

    async def decide(self, answer: Literal["approved", "rejected"]) -> None:
        """Have a person answer every approval that is waited for.

        Raises:
            Conflict: none is.
        """
        for ride in self._running():
            said = Decide(by="simulation", answer=answer)
            await starter.decide(self._stage.skipper.client, ride.enrollment.workflow_id, said)
        await self._settle()

    async def complete_task(self, step: str, outcome: str) -> None:
        """Have somebody do the newest open task that this step has made.

        Raises:
            NotFound: there is none.
        """
        complete_task(self.world, step, outcome, self._now)
        await self._settle()

    async def close(self) -> None:
        """End what still runs."""
        for ride in self.world.rides.values():
            if ride.running:
                try:
                    await self._handle(ride).terminate("the simulation is over")
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise
            self._stage.forget(ride.id)

    def _running(self) -> list[Ride]:
        return [ride for ride in self.world.rides.values() if ride.running]

    def _next_due(self) -> datetime | None:
        due = [ride.due for ride in self._running() if ride.due]
        by_time = [self._alarm.due_at if self._alarm else None, self.world.record.segments_change_at(self._now)]
        return earliest([*due, *by_time])

    async def _pass(self) -> None:
        """Move everybody's clock from due time to due time, in order, and then to the nominal time."""
        while (due := self._next_due()) is not None and due <= self._nominal + self._late:
            for ride in self._running():
                await self._move(ride, due + BEYOND if ride.due == due else due)
            self._ring(due)
            await self._settle()
        for ride in self._running():
            await self._move(ride, self._nominal)
        self._now = max(self._now, self._nominal)
        await self._settle()

    def _ring(self, due: datetime) -> None:
        """Have the contact's clock ring, where it is that which is due."""
        if self._alarm is not None and self._alarm.due_at == due:
            self._now = max(self._now, due)
            self._alarm = ring(self.world, self._alarm)
            self._rung = True
        if self.world.record.segments:
            self._now = max(self._now, due)
            arrivals.follow_segments(self.world, self._now)

    async def _move(self, ride: Ride, instant: datetime) -> None:
        """Move a ride's clock to a pretended instant, not back."""
        distance = instant + ride.ahead - await self._stage.skipper.get_current_time(self._handle(ride))
        if distance <= timedelta(0):
            return
        try:
            await self._stage.skipper.fast_forward(self._handle(ride), distance)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended meanwhile
                raise

    async def _settle(self) -> None:
        """Wait until every effect of what has happened is there, and every effect of those."""
        arriving = self.world.arriving
        while True:
            while arriving:
                event = arriving.popleft()
                self._alarm = set_back(self.world, self._alarm, event)
                await self._run(arrivals.apply(self.world, event, max(self._now, event.occurred_at)))
            for ride in list(self.world.rides.values()):
                await self._rest(ride)
            if self.world.broken is not None:
                raise self.world.broken
            if not arriving:
                # One that has ended tells its time no more, but the log does: nothing may happen before what has.
                self._now = max([self._now, *(moment.at for moment in self.world.log)])
                self._late = max(self._late, self._now - self._nominal)
                return

    async def _run(self, errands: Sequence[Errand]) -> None:
        for errand in errands:
            if isinstance(errand, Begin):
                await self._begin(errand.ride)
            else:
                delivery, ride = errand.delivery, errand.ride
                ahead = delivery.model_copy(update={"at": delivery.at + ride.ahead})
                await starter.deliver(self._stage.skipper.client, ride.enrollment.workflow_id, ahead)

    async def _begin(self, ride: Ride) -> None:
        row = ride.enrollment
        ride.ahead = shift_into_future(self._now, wall_clock())
        self._stage.admit(ride.id, self.world)
        run = JourneyRun(
            enrollment_id=ride.id,
            contact_id=row.contact_id,
            plan=compact_plan(ride.plan),
            entered_at=row.entered_at + ride.ahead,
            entry_event_id=row.entry_event_id,
            entry_event=self.world.journey.entry.trigger if row.entry_event_id else None,
        )
        await starter.start_journey(
            self._stage.skipper.client,
            run,
            ride.plan,
            workflow_id=row.workflow_id,
            task_queue=TASK_QUEUE,
            delay=max(self._now + ride.ahead - wall_clock(), timedelta(0)),
        )
        await self._move(ride, self._now + BEYOND)

    async def _rest(self, ride: Ride) -> None:
        """Wait until no worker has anything of a running ride in its hands, and take its time over."""
        deadline = time.monotonic() + _PATIENCE
        while ride.running:
            description = (await self._handle(ride).describe()).raw_description
            if not description.HasField("pending_workflow_task") and not description.pending_activities:
                self._now = max(self._now, _clock(description) - ride.ahead)
                if description.workflow_execution_info.status == _RUNNING and not self._overdue(ride):
                    return
            if description.pending_workflow_task.attempt >= _HOPELESS_ATTEMPT or time.monotonic() > deadline:
                raise Unavailable(
                    f"The workflow of the journey {self.world.journey.key} does not come to rest.",
                    remedy="Look at the worker's log above for the error in it.",
                )
            await asyncio.sleep(_LOOK_EVERY)

    def _overdue(self, ride: Ride) -> bool:
        return ride.due is not None and ride.due + BEYOND <= self._now

    def _handle(self, ride: Ride) -> Any:
        return self._stage.skipper.client.get_workflow_handle(ride.enrollment.workflow_id)


def _at_home(contact: PretendedContact, settings: Settings) -> PretendedContact:
    """The contact with the time zone of the journey or the installation, where nothing was said about it."""
    return contact.model_copy(update={"attributes": {"time_zone": settings.default_time_zone, **contact.attributes}})


def _clock(description: DescribeWorkflowExecutionResponse) -> datetime:
    """The time of a workflow; the server's own as long as it was never moved."""
    information = description.workflow_extended_info.time_skipping_info
    return information.current_time.ToDatetime(tzinfo=UTC) if information.HasField("current_time") else wall_clock()
