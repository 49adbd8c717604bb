"""The state directory of a stack: made, checked for room, and claimed for one supervisor at a time."""

import os
import shutil
from pathlib import Path

from cli.stack.record import StackRecord, StateLock
from kit.errors import Conflict, Unavailable

_NEEDED_BYTES = 400_000_000


def claim(root: Path, *, lock: StateLock) -> None:
    """Makes the directory if need be and takes its lock.

    Raises:
        Conflict: a stack runs on it already; says where.
        Unavailable: it cannot be made or written, belongs to another user, or its disk is nearly full.
    """
    try:
        _make(root)
        owner, free = root.stat().st_uid, shutil.disk_usage(root).free
    except OSError as error:
        raise Unavailable(
            f"The state directory {root} cannot be used: {error.strerror}.",
            remedy="Mend that, or name another directory with --state-directory.",
        ) from error
    if owner != os.geteuid():
        raise Unavailable(
            f"The state directory {root} belongs to another user.",
            remedy="Run as that user, or name another directory with --state-directory.",
        )
    if free < _NEEDED_BYTES:
        raise Unavailable(
            f"The disk of {root} is nearly full: {free // 1_000_000} MB left, {_NEEDED_BYTES // 1_000_000} MB needed.",
            remedy="Make room, or name a directory on another disk with --state-directory.",
        )
    if not lock.acquire():
        raise _runs_already(root)


def _make(root: Path) -> None:
    # Root's PostgreSQL runs as a user of its own, which must pass through; nobody else has business here.
    root.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    ignore = root / ".gitignore"
    if root.stat().st_uid == os.geteuid() and not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def _runs_already(root: Path) -> Conflict:
    record = StackRecord.read(root)
    who = f" as process {record.supervisor.pid}" if record.supervisor is not None else ""
    places = record.addresses
    named = {"API": places.api, "inbox": places.inbox, "Temporal UI": places.temporal_ui}
    where = ", ".join(f"{name} {address}" for name, address in named.items() if address)
    return Conflict(
        f"A stack runs on {root} already{who}{f' ({where})' if where else ''}.",
        remedy="Stop it with `dauerlauf down`, or take another directory with --state-directory.",
    )
