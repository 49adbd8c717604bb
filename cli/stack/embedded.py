"""The two servers we did not write: PostgreSQL and Temporal, each as a child process of this one.

Blocking context managers; tests use them directly, `cli.stack.supervisor` starts them in threads. Our own processes
(worker, API, inbox) are in `cli.stack.services`.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from cli.stack.binaries import find_postgres_binary, find_temporal_binary
from cli.stack.child import Launch, run
from cli.stack.guard import Guard
from cli.stack.health import read_json
from cli.stack.ports import LOOPBACK, any_free_port
from cli.stack.postgres_files import DATABASE, SUPERUSER, make_cluster, socket_directory, system_user
from cli.stack.server import Server

__all__ = ["SEARCH_ATTRIBUTES", "EmbeddedPostgres", "EmbeddedTemporal", "find_temporal_binary"]

_POSTGRES_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",  # the socket alone: no port to collide, nobody from outside
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "io_method": "sync",  # no processes for reading ahead
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "512MB",
    "autovacuum_naptime": "5min",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_UNSAFE_SETTINGS: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

SEARCH_ATTRIBUTES: Mapping[str, str] = {
    "JourneyKey": "Keyword",
    "JourneyVersion": "Int",
    "JourneyStep": "Keyword",
    "JourneyState": "Keyword",
    "ContactId": "Keyword",
    "DueAt": "Datetime",
}
"""Name and type of each search attribute journeys use, as `temporal` takes them; the same as in `workflows.names`."""
_RETENTION = f"{30 * 86_400}s"
_TIME_SKIPPING: Mapping[str, str] = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"1ms"',
    "history.timerProcessorMaxPollRPS": "10000",
    "history.timerProcessorMaxPollHostRPS": "10000",
}


class EmbeddedPostgres(Server):
    """PostgreSQL 18 on a Unix socket, its data below `directory`, with an empty database `dauerlauf` at first.

    As root it runs as a system user of its own. `durable=False` does not wait for the disk, which is for tests: then a
    crash of the machine, though not of a process, can lose data.
    """

    def __init__(
        self, directory: Path, *, durable: bool = True, log: Path | None = None, guard: Guard | None = None
    ) -> None:
        self._directory = directory.absolute()
        self._user: str | None = None
        self._socket: Path | None = None
        self._settings = {**_POSTGRES_SETTINGS, **({} if durable else _UNSAFE_SETTINGS)}
        super().__init__("PostgreSQL", log=log or self._directory / "postgres.log", guard=guard)

    @property
    def data(self) -> Path:
        """The data directory of the cluster."""
        return self._directory / "data"

    @property
    def url(self) -> str:
        """Connection URL of the database `dauerlauf`, `postgresql://…`. Known after the first `start`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Connection URL of another database of this server. Known after the first `start`."""
        assert self._socket is not None, "start the server first"
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self._socket), safe='')}"

    def prepare(self) -> None:
        """Makes the directories and the cluster, and ends what a killed predecessor left behind."""
        self._user = system_user()
        self._directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        _end_leftover_postmaster(self.data)
        make_cluster(self.data, user=self._user, log=self.log)
        self._socket = socket_directory(self._directory, user=self._user)

    def launch(self) -> Launch:
        """The server in the foreground; SIGINT is its fast shutdown, which does not wait for clients."""
        settings = {**self._settings, "unix_socket_directories": str(self._socket)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(find_postgres_binary("postgres")), "-D", str(self.data), *options]
        return Launch(command, environment=without_settings_of("PG"), stop_signal=signal.SIGINT, user=self._user)

    def stop(self) -> None:
        """Stops the server; removes the directory of its socket if that had to be outside `directory`."""
        super().stop()
        if self._socket is not None and self._socket.parent != self._directory:
            with contextlib.suppress(OSError):
                self._socket.rmdir()

    def is_ready(self) -> bool:
        """Whether the server accepts connections, as it writes into its own lock file."""
        pid, state = _read_postmaster(self.data)
        return self.child is not None and pid == self.child.pid and state == "ready"


class EmbeddedTemporal(Server):
    """The Temporal development server on the loopback interface, with our search attributes and, unless told, its UI.

    Keeps its state in `database_file`, or only in memory without one. `time_skipping` lets clients move the clock of
    a workflow (`WorkflowEnvironment` and the demo use it). A port of 0 takes a free one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        database_file: Path | None = None,
        port: int = 0,
        ui_port: int = 0,
        ui: bool = True,
        time_skipping: bool = False,
        log: Path | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._database_file = database_file.absolute() if database_file is not None else None
        self._port = port or any_free_port()
        self._ui_port = ui_port or any_free_port()
        self._ui = ui
        self._time_skipping = time_skipping
        super().__init__("Temporal", log=log or directory.absolute() / "temporal.log", guard=guard)

    @property
    def address(self) -> str:
        """Host and port of the gRPC frontend, as `TEMPORAL_ADDRESS` takes it."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def ui_address(self) -> str:
        """URL of the UI, which also serves Temporal's HTTP API; nothing answers there with `ui=False`."""
        return f"http://{LOOPBACK}:{self._ui_port}"

    def prepare(self) -> None:
        """Makes the directories of log and database."""
        for file in (self.log, self._database_file):
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)

    def launch(self) -> Launch:
        """`temporal server start-dev`; it neither calls home nor listens to settings meant for a client."""
        environment = {**without_settings_of("TEMPORAL_"), "TEMPORAL_VERSION_CHECK_DISABLED": "1"}
        return Launch([str(find_temporal_binary()), "server", "start-dev", *self._options()], environment=environment)

    def is_ready(self) -> bool:
        """Whether the namespace `default` answers over HTTP (without UI: over `temporal operator`)."""
        if self._ui:
            return read_json(f"{self.ui_address}/api/v1/namespaces/default") is not None
        return self._operate("cluster", "health") == 0

    def complete(self) -> None:
        """Prepares a database file: search attributes that one of an older version lacks, and a longer memory.

        The server registers search attributes only in a new file, and forgets what has ended after a day.
        """
        if self._database_file is None or not self._ui:
            return
        namespace: Any = read_json(f"{self.ui_address}/api/v1/namespaces/default") or {}
        config = namespace.get("config", {})
        known = set(config.get("customSearchAttributeAliases", {}).values())
        for name in SEARCH_ATTRIBUTES.keys() - known:
            self._operate("search-attribute", "create", "--name", name, "--type", SEARCH_ATTRIBUTES[name])
        if config.get("workflowExecutionRetentionTtl") != _RETENTION:
            self._operate("namespace", "update", "--namespace", "default", "--retention", _RETENTION)

    def _options(self) -> Sequence[str]:
        options = ["--ip", LOOPBACK, "--port", str(self._port), "--log-level", "warn"]
        options += ["--ui-port", str(self._ui_port), "--ui-disable-news-fetch"] if self._ui else ["--headless"]
        if self._database_file is not None:
            options += ["--db-filename", str(self._database_file)]
        for name, kind in SEARCH_ATTRIBUTES.items():
            options += ["--search-attribute", f"{name}={kind}"]
        for key, value in _TIME_SKIPPING.items() if self._time_skipping else ():
            options += ["--dynamic-config-value", f"{key}={value}"]
        return options

    def _operate(self, *words: str) -> int:
        command = [str(find_temporal_binary()), "operator", *words, "--address", self.address]
        environment = without_settings_of("TEMPORAL_")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return run(Launch(command, environment=environment), log=self.log, timeout=10.0)
        return 1


def without_settings_of(*prefixes: str) -> dict[str, str]:
    """This process's environment without the variables that begin so: they are meant for another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def _read_postmaster(data: Path) -> tuple[int, str]:
    """Process id and state in the server's lock file; (0, "") if there is none or it is just being written."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[7].strip()
    except (OSError, ValueError, IndexError):
        return 0, ""


def _end_leftover_postmaster(data: Path) -> None:
    """A server on this data whose guardian was killed too; or its lock file, whose number another program has now."""
    pid, _ = _read_postmaster(data)
    if not pid:
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.name() == "postgres" and str(data) in process.cmdline():
            process.send_signal(signal.SIGINT)
            psutil.wait_procs([process], timeout=20)
        else:
            (data / "postmaster.pid").unlink(missing_ok=True)
