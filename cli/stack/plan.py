"""What one stack consists of: its options, directories, ports, addresses and the environment of its processes.

Values only. Starting them is `cli.stack.supervisor`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from cli.stack.ports import LOOPBACK, PortClaims


class Part(StrEnum):
    """What the stack can run, in the order in which it starts."""

    POSTGRES = "postgres"
    TEMPORAL = "temporal"
    INBOX = "inbox"
    SCHEMA = "schema"
    WORKER = "worker"
    API = "api"


@dataclass(frozen=True)
class StackOptions:
    """What somebody wants to run. A port of None means the one used last time or the usual one, 0 means any free one.

    `temporal_in_memory` keeps no workflow over a restart of Temporal, which is quicker. `time_skipping` lets clients
    move a workflow's clock. `environment` is added to that of worker and API.
    """

    state_directory: Path = Path(".dauerlauf")
    api_port: int | None = None
    inbox_port: int | None = None
    smtp_port: int | None = None
    temporal_port: int | None = None
    ui_port: int | None = None
    temporal_in_memory: bool = False
    time_skipping: bool = False
    parts: frozenset[Part] = frozenset(Part)
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def on_free_ports(cls, state_directory: Path, **wishes: Any) -> "StackOptions":
        """Beside whatever else runs on this machine: each port is any free one unless a wish names it."""
        free = cls(state_directory, api_port=0, inbox_port=0, smtp_port=0, temporal_port=0, ui_port=0)
        return replace(free, **wishes)

    def wanted_ports(self) -> Mapping[str, int | None]:
        """The wish for each port by its name."""
        return {
            "api": self.api_port,
            "inbox": self.inbox_port,
            "smtp": self.smtp_port,
            "temporal": self.temporal_port,
            "ui": self.ui_port,
        }


@dataclass(frozen=True)
class Places:
    """Files and directories below the state directory."""

    root: Path

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        """The database cluster and its socket."""
        return self.root / "postgres"

    @property
    def temporal(self) -> Path:
        """The Temporal server's database file."""
        return self.root / "temporal.sqlite"

    @property
    def inbox(self) -> Path:
        """The mails the inbox received."""
        return self.root / "inbox"

    def log(self, part: Part) -> Path:
        """The log of one process."""
        return self.logs / f"{part}.log"


_USUAL_PORTS: Mapping[str, int] = {"api": 8000, "inbox": 8025, "smtp": 1025, "temporal": 7233, "ui": 8233}
_NEIGHBOURS = 10


def choose_ports(options: StackOptions, *, remembered: Mapping[str, int], claims: PortClaims) -> dict[str, int]:
    """A port for each server: as set, else the first free one of that of last time, the usual one, and those after it.

    Raises:
        Unavailable: a port that was set is taken.
    """
    chosen: dict[str, int] = {}
    for name, wanted in options.wanted_ports().items():
        usual = range(_USUAL_PORTS[name], _USUAL_PORTS[name] + _NEIGHBOURS)
        preferred = [*([remembered[name]] if name in remembered else []), *usual]
        chosen[name] = claims.choose(wanted, preferred=preferred, option=f"--{name}-port")
    return chosen


def child_environment(
    base: Mapping[str, str], *, ports: Mapping[str, int], database_url: str, places: Places
) -> dict[str, str]:
    """The environment of worker, API and migrations, made from `base`.

    Everything that could lead them out of the stack is taken away: another Temporal, another database, a real mail
    provider. Mail goes to the inbox and nowhere else.
    """
    strange = ("TEMPORAL_", "PG", "DAUERLAUF_SMTP_", "SENDGRID_", "DAUERLAUF_SENDGRID_", "UVICORN_")
    environment = {name: value for name, value in base.items() if not name.startswith(strange)}
    return environment | {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": f"{LOOPBACK}:{ports['temporal']}",
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": "/dev/null",
        "DAUERLAUF_MAIL_PROVIDER": "smtp",
        "DAUERLAUF_SMTP_HOST": LOOPBACK,
        "DAUERLAUF_SMTP_PORT": str(ports["smtp"]),
        "DAUERLAUF_API_HOST": LOOPBACK,
        "DAUERLAUF_API_PORT": str(ports["api"]),
        "DAUERLAUF_PUBLIC_URL": f"http://{LOOPBACK}:{ports['api']}",
        "DAUERLAUF_STATE_DIRECTORY": str(places.root),
        "PYTHONUNBUFFERED": "1",
    }
