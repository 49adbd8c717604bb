"""How much memory a running stack takes, counted so that shared pages count once (PSS) where the system tells."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from cli.stack.record import ProcessRecord, StackRecord


@dataclass(frozen=True)
class Usage:
    """One process of the stack with its children. `bytes` is 0 and `running` False for one that has ended."""

    record: ProcessRecord
    running: bool
    bytes: int
    cpu_seconds: float


def measure(record: StackRecord) -> Sequence[Usage]:
    """Looks at every process of the stack once, the supervisor first."""
    supervisor = (record.supervisor,) if record.supervisor is not None else ()
    return tuple(_usage(entry, with_children=entry not in supervisor) for entry in (*supervisor, *record.processes))


def _usage(entry: ProcessRecord, *, with_children: bool) -> Usage:
    process = entry.process()
    if process is None:
        return Usage(record=entry, running=False, bytes=0, cpu_seconds=0.0)
    family = [process]
    with contextlib.suppress(psutil.Error):
        family += process.children(recursive=True) if with_children else []
    return Usage(
        record=entry,
        running=True,
        bytes=sum(map(_bytes, family)),
        cpu_seconds=sum(map(_cpu_seconds, family)),
    )


def _bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", memory.uss))


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
