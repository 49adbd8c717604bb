"""Our own processes as servers of the stack: worker, API, inbox; and the migrations, which run to their end.

Each is a fresh interpreter (`-P`: nothing in the present directory shadows our modules) with its settings in the
environment, exactly as in production.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cli.stack.child import Launch
from cli.stack.embedded import EmbeddedPostgres, EmbeddedTemporal
from cli.stack.guard import Guard
from cli.stack.health import answers, read_json
from cli.stack.plan import Part, Places, StackOptions, child_environment
from cli.stack.ports import LOOPBACK
from cli.stack.record import Addresses
from cli.stack.server import Server
from kit.settings import Role, Settings

_TASK_QUEUE = "{ui}/api/v1/namespaces/default/task-queues/{queue}?taskQueueType=TASK_QUEUE_TYPE_WORKFLOW"


class PythonServer(Server):
    """A module of ours as a server; `ready` is asked with the time (seconds since the epoch) of the last start."""

    def __init__(
        self,
        name: str,
        *,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        ready: Callable[[float], bool],
        log: Path,
        guard: Guard | None = None,
        stop_seconds: float = 10.0,
    ) -> None:
        super().__init__(name, log=log, guard=guard)
        self._stop_seconds = stop_seconds
        self._arguments = tuple(arguments)
        self._environment = environment
        self._ready = ready
        self._launched_at = 0.0

    def launch(self) -> Launch:
        """The interpreter of this environment with the module's arguments."""
        self._launched_at = time.time()
        return Launch(python(*self._arguments), environment=self._environment, stop_seconds=self._stop_seconds)

    def is_ready(self) -> bool:
        """What the `ready` given by the maker says."""
        return self._ready(self._launched_at)


class Workshop:
    """Makes the servers of one stack from its options and ports. Starts nothing."""

    def __init__(self, options: StackOptions, *, ports: Mapping[str, int], places: Places, guard: Guard) -> None:
        self._options = options
        self._ports = ports
        self._places = places
        self._guard = guard
        log = places.log
        self._postgres = EmbeddedPostgres(places.postgres, log=log(Part.POSTGRES), guard=guard)
        self._temporal = EmbeddedTemporal(
            places.root,
            database_file=None if options.temporal_in_memory else places.temporal,
            port=ports["temporal"],
            ui_port=ports["ui"],
            time_skipping=options.time_skipping,
            log=log(Part.TEMPORAL),
            guard=guard,
        )

    def make(self, part: Part) -> Server:
        """The server of one part. Worker and API can be made once PostgreSQL has been started."""
        match part:
            case Part.POSTGRES:
                return self._postgres
            case Part.TEMPORAL:
                return self._temporal
            case Part.INBOX:
                return self._inbox()
            case Part.WORKER:
                return self._worker()
            case Part.API:
                return self._api()
            case Part.SCHEMA:
                raise ValueError(part)  # it runs to its end: `migrations`

    def environment(self) -> dict[str, str]:
        """The environment of worker, API and migrations. Known once PostgreSQL has been started."""
        url = self._postgres.url
        own = child_environment(os.environ, ports=self._ports, database_url=url, places=self._places)
        return {**own, **self._options.environment}

    def addresses(self) -> Addresses:
        """Where the parts answer that this stack runs. Known once PostgreSQL has been started."""
        parts, ports = self._options.parts, self._ports
        api = f"http://{LOOPBACK}:{ports['api']}"
        return Addresses(
            api=api if Part.API in parts else "",
            api_docs=f"{api}/docs" if Part.API in parts else "",
            inbox=f"http://{LOOPBACK}:{ports['inbox']}" if Part.INBOX in parts else "",
            smtp=f"{LOOPBACK}:{ports['smtp']}" if Part.INBOX in parts else "",
            temporal=self._temporal.address if Part.TEMPORAL in parts else "",
            temporal_ui=self._temporal.ui_address if Part.TEMPORAL in parts else "",
            database_url=self._postgres.url if Part.POSTGRES in parts else "",
        )

    def _inbox(self) -> Server:
        """Ready when both its SMTP port and its page listen."""
        return make_inbox(
            self._places.inbox,
            port=self._ports["inbox"],
            smtp_port=self._ports["smtp"],
            log=self._places.log(Part.INBOX),
            guard=self._guard,
        )

    def _worker(self) -> Server:
        """Ready when Temporal has seen it ask for work."""
        ui = self._temporal.ui_address
        return PythonServer(
            "Worker",
            arguments=["-m", "worker"],
            environment=self.environment(),
            ready=lambda since: _asks_for_work(ui, since=since),
            log=self._places.log(Part.WORKER),
            guard=self._guard,
            stop_seconds=30.0,  # it finishes the sends it has begun
        )

    def _api(self) -> Server:
        """Under uvicorn; ready when `GET /healthz` succeeds."""
        port = self._ports["api"]
        where = ["--app-dir", str(_root()), "--host", LOOPBACK, "--port", str(port)]
        manners = ["--workers", "1", "--no-access-log", "--timeout-graceful-shutdown", "5"]
        return PythonServer(
            "API",
            arguments=["-m", "uvicorn", "--factory", "api.app:create_app_from_environment", *where, *manners],
            environment=self.environment(),
            ready=lambda _: answers(f"http://{LOOPBACK}:{port}/healthz"),
            log=self._places.log(Part.API),
            guard=self._guard,
        )


def make_inbox(directory: Path, *, port: int, smtp_port: int, log: Path, guard: Guard | None = None) -> Server:
    """The SMTP inbox with its page, keeping mails in `directory`; tests use it alone."""
    ports = ["--smtp-port", str(smtp_port), "--http-port", str(port)]
    return PythonServer(
        "Inbox",
        arguments=["-m", "cli.inbox", "--directory", str(directory.absolute()), *ports],
        environment={**os.environ, "PYTHONUNBUFFERED": "1"},
        ready=lambda _: answers(f"http://{LOOPBACK}:{port}/healthz"),
        log=log,
        guard=guard,
    )


def migrations(*, environment: Mapping[str, str]) -> Launch:
    """Migrations and what a new stack starts with, in a process of its own: the supervisor stays small."""
    return Launch(python("-m", "cli.seed"), environment=environment)


def python(*arguments: str) -> Sequence[str]:
    """A command for the interpreter of this environment that does not look into the present directory for modules."""
    return (sys.executable, "-P", *arguments)


def _root() -> Path:
    """The directory our packages lie in."""
    spec = find_spec("kit")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent


def _asks_for_work(temporal_ui: str, *, since: float) -> bool:
    settings = Settings()
    if Role.JOURNEYS not in settings.roles:
        return True
    answer: Any = read_json(_TASK_QUEUE.format(ui=temporal_ui, queue=settings.task_queue)) or {}
    seen = [poller.get("lastAccessTime", "") for poller in answer.get("pollers", ())]
    return any(_instant(text) >= datetime.fromtimestamp(since, UTC) for text in seen if text)


def _instant(text: str) -> datetime:
    """An RFC 3339 instant with up to nanoseconds, as Temporal writes it."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}+00:00")
