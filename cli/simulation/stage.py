"""What simulations run on: a Temporal server that skips time, and one worker with the real workflow for all of them.

The server keeps everything in memory and ends with the stage. Ports are those of `cli.simulation.ports`: whatever a
journey does here, nothing leaves the process.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

from cli.simulation.ports import activities
from cli.simulation.shifting import Shifting
from cli.simulation.world import World
from cli.time_skipping import time_skipping
from kit.errors import NotFound
from kit.temporal import workflow_runner
from workflows.journey import ContactJourney

TASK_QUEUE = "simulations"
Result = TypeVar("Result")


class Stage:
    """An open stage. Worlds come and go; each enrollment belongs to one."""

    def __init__(self, skipper: TimeSkipper) -> None:
        self.skipper = skipper
        self._worlds: dict[UUID, World] = {}

    def admit(self, enrollment_id: UUID, world: World) -> None:
        """From now on the workflow of this enrollment is answered by this world."""
        self._worlds[enrollment_id] = world

    def forget(self, enrollment_id: UUID) -> None:
        """The enrollment's simulation is over."""
        self._worlds.pop(enrollment_id, None)

    def world_of(self, enrollment_id: UUID) -> World:
        """The world of an enrollment.

        Raises:
            NotFound: its simulation is over.
        """
        try:
            return self._worlds[enrollment_id]
        except KeyError:
            raise NotFound("The simulation of this enrollment is over.") from None

    def ahead(self, enrollment_id: UUID) -> timedelta:
        """How far the workflow of an enrollment is ahead of pretended time."""
        return self.world_of(enrollment_id).rides[enrollment_id].ahead


@asynccontextmanager
async def open_stage(*, sandboxed: bool = False) -> AsyncIterator[Stage]:
    """Start server and worker; both are gone afterwards.

    Raises:
        Unavailable: the server does not start, with the reason.
    """
    # A step that fails for good is told in the timeline; its frames are of no use to an author.
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)
    async with time_skipping() as skipper:
        stage = Stage(skipper)
        async with Worker(
            skipper.client,
            task_queue=TASK_QUEUE,
            workflows=[ContactJourney],
            activities=activities(stage.world_of),
            interceptors=[Shifting(stage.ahead)],
            workflow_runner=workflow_runner(sandboxed=sandboxed),
        ):
            yield stage


class StageThread:
    """A stage with an event loop of its own, in a thread: it serves callers of any loop, and callers without one."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulations", daemon=True)
        self._opened = open_stage()
        self.stage: Stage | None = None

    def start(self) -> Stage:
        """Open the stage; blocks until it is open.

        Raises:
            Unavailable: the server does not start.
        """
        self._thread.start()
        self.stage = self.submit(self._opened.__aenter__()).result()
        return self.stage

    def submit(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        """Have something done on the stage's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Close the stage and end the thread; blocks until both are done."""
        if self.stage is not None:
            self.submit(self._opened.__aexit__(None, None, None)).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
