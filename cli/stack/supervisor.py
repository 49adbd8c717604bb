"""The supervisor: starts the parts of a stack in order, keeps them running, stops them in reverse.

It polls nothing: each process's end wakes it. A part that dies is started again on the same ports, each time a little
later; one that keeps dying at once is given up with a sentence that names its log.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cli.stack.child import ended
from cli.stack.guard import Guard
from cli.stack.plan import Part, Places, StackOptions, choose_ports
from cli.stack.ports import PortClaims
from cli.stack.record import Addresses, ProcessRecord, StackRecord, StateLock, end_leftovers
from cli.stack.server import Server, describe_exit, run_to_end
from cli.stack.services import Workshop, migrations
from cli.stack.state_directory import claim
from kit.errors import DauerlaufError, Unavailable

__all__ = ["Part", "RestartPolicy", "Stack", "StackOptions"]

Announce = Callable[[str], None]


@dataclass(frozen=True)
class RestartPolicy:
    """How a part that died is started again. Times in seconds.

    An end within `quick_seconds` after the start is a quick failure; `quick_failures` of them in a row end the stack.
    """

    first_delay: float = 0.2
    longest_delay: float = 10.0
    quick_seconds: float = 10.0
    quick_failures: int = 6

    def delay(self, failures: int) -> float:
        """How long to wait before the next start, after so many quick failures in a row."""
        return min(self.longest_delay, self.first_delay * 2.0**failures)


class Stack:
    """A whole stack on one state directory: `async with Stack(StackOptions(…)) as stack:`.

    `announce` is told in sentences what happens: a part started, died, was started again.
    """

    def __init__(
        self,
        options: StackOptions,
        *,
        announce: Announce = lambda _: None,
        policy: RestartPolicy | None = None,
    ) -> None:
        self._options = options
        self._announce = announce
        self._policy = policy or RestartPolicy()
        self._places = Places(options.state_directory.absolute())
        self._lock = StateLock(self._places.root)
        self._ports = PortClaims()
        self._guard = Guard()
        self._servers: dict[Part, Server] = {}
        self._restarts: dict[Part, int] = {}
        self._starts: set[asyncio.Future[None]] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._failed: asyncio.Future[None] | None = None
        self._record = StackRecord()

    @property
    def addresses(self) -> Addresses:
        """Where the stack answers. Whole once `start` has returned."""
        return self._record.addresses

    @property
    def places(self) -> Places:
        """Where its files are."""
        return self._places

    async def start(self) -> None:
        """Starts every part and returns when all are ready.

        Raises:
            Conflict: a stack runs on this state directory already; says where.
            Unavailable: a part could not be started; says why and what to do. Nothing is left running then.
        """
        self._failed = asyncio.get_running_loop().create_future()
        self._failed.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._claim()
        try:
            await self._start_parts()
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> None:
        """Waits until a part is given up; for ever if none is.

        Raises:
            Unavailable: which part was given up, and where its log is.
        """
        assert self._failed is not None
        await asyncio.shield(self._failed)

    async def stop(self) -> None:
        """Stops every part, the last started first, and gives the state directory back. Safe to repeat."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers.clear()
        await self._stop_servers()
        if self._starts:  # a start under way in its thread ends soon, but may have launched its process just now
            await asyncio.wait(self._starts)
            await self._stop_servers()
        self._servers.clear()
        self._guard.close()
        if self._record.supervisor is not None:
            self._record = StackRecord(ports=self._record.ports)
            self._record.write(self._places.root)
        self._ports.release()
        self._lock.release()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _claim(self) -> None:
        """Takes the state directory, ends what a killed predecessor left, and chooses ports."""
        claim(self._places.root, lock=self._lock)
        try:
            predecessor = StackRecord.read(self._places.root)
            end_leftovers(predecessor)
            ports = choose_ports(self._options, remembered=predecessor.ports, claims=self._ports)
            self._guard.start()
        except BaseException:
            self._ports.release()
            self._lock.release()
            raise
        supervisor = ProcessRecord.of(os.getpid(), name="Supervisor")
        self._record = StackRecord(started_at=datetime.now(UTC), supervisor=supervisor, ports=ports)
        self._write_record()

    async def _start_parts(self) -> None:
        """Each line needs the one before it; the parts named in one line do not need each other."""
        workshop = Workshop(self._options, ports=self._record.ports, places=self._places, guard=self._guard)
        await self._start_together(workshop, Part.POSTGRES, Part.TEMPORAL, Part.INBOX)
        self._record = self._record.model_copy(update={"addresses": workshop.addresses()})
        self._write_record()
        if Part.SCHEMA in self._options.parts:
            launch = migrations(environment=workshop.environment())
            log = self._places.log(Part.SCHEMA)
            await asyncio.to_thread(run_to_end, "The preparation of the database", launch, log=log, guard=self._guard)
            self._announce("The database is prepared.")
        await self._start_together(workshop, Part.WORKER, Part.API)
        self._watch_over(self._keep_guardian())

    async def _start_together(self, workshop: Workshop, *parts: Part) -> None:
        wanted = [part for part in parts if part in self._options.parts]
        self._servers |= {part: workshop.make(part) for part in wanted}
        starts = [asyncio.create_task(self._start(part)) for part in wanted]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            raise
        for part in wanted:
            self._watch_over(self._keep(part))

    def _watch_over(self, keeper: Coroutine[None, None, None]) -> None:
        """Runs a keeper beside everything else; should it fail itself, the stack fails rather than go on unwatched."""
        task = asyncio.create_task(keeper)
        task.add_done_callback(self._pass_on)
        self._keepers.append(task)

    def _pass_on(self, keeper: asyncio.Task[None]) -> None:
        error = None if keeper.cancelled() else keeper.exception()
        if error is not None and self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _start(self, part: Part) -> None:
        """Starts one server in a thread. Cancelling this does not end the thread: `stop` sees to it."""
        server = self._servers[part]
        start = asyncio.ensure_future(asyncio.to_thread(server.start))
        self._starts.add(start)
        start.add_done_callback(self._starts.discard)
        start.add_done_callback(lambda future: future.cancelled() or future.exception())
        await asyncio.shield(start)
        self._write_record()
        self._announce(f"{server.name} is ready.")

    async def _keep(self, part: Part) -> None:
        """Starts the server again whenever it ends.

        Raises:
            Unavailable: it was given up.
        """
        server, failures = self._servers[part], 0
        while failures < self._policy.quick_failures:
            lived = await self._until_it_ends(server)
            failures = failures + 1 if lived < self._policy.quick_seconds else 1
            while failures < self._policy.quick_failures and not await self._start_again(part, failures):
                failures += 1
        raise Unavailable(
            f"{server.name} ended {failures} times in a row soon after its start, so the stack stops.",
            remedy=f"Its log says why: {server.log}",
        )

    async def _until_it_ends(self, server: Server) -> float:
        """Waits for the server's end and tells it. Returns how many seconds it lived."""
        assert server.child is not None
        clock = asyncio.get_running_loop().time
        begun = clock()
        code = await server.child.ended()
        self._announce(f"{server.name} ended unexpectedly ({describe_exit(code)}); its log: {server.log}")
        return clock() - begun

    async def _start_again(self, part: Part, failures: int) -> bool:
        delay = self._policy.delay(failures - 1)
        self._announce(f"{self._servers[part].name} is started again in {delay:.1f} s.")
        await asyncio.sleep(delay)
        self._restarts[part] = self._restarts.get(part, 0) + 1
        try:
            await self._start(part)
        except DauerlaufError as error:
            self._announce(str(error))
            return False
        return True

    async def _keep_guardian(self) -> None:
        """Whoever ends the guardian gets another one: without it a killed supervisor would leave orphans."""
        while (process := self._guard.process) is not None:
            await ended(process.wait)
            await asyncio.sleep(self._policy.first_delay)
            self._guard.start()
            self._write_record()

    def _write_record(self) -> None:
        processes = [
            ProcessRecord.of(
                server.child.pid,
                name=server.name,
                stop_signal=server.child.stop_signal,
                log=str(server.log),
                restarts=self._restarts.get(part, 0),
            )
            for part, server in self._servers.items()
            if server.child is not None and server.child.exit_code() is None
        ]
        if self._guard.process is not None:
            processes.append(ProcessRecord.of(self._guard.process.pid, name="Guardian"))
        self._record = self._record.model_copy(update={"processes": tuple(processes)})
        self._record.write(self._places.root)

    async def _stop_servers(self) -> None:
        for part in sorted(self._servers, key=list(Part).index, reverse=True):
            await asyncio.to_thread(self._servers[part].stop)
