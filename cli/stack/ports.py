"""Which ports the stack listens on: as set, else the usual ones, else others that are free. All on the loopback."""

import secrets
import socket
from collections.abc import Iterable

from kit.errors import Unavailable

LOOPBACK = "127.0.0.1"
# Below the ranges from which Linux and macOS take the ports of outgoing connections: a port stays ours while its
# server is being started again.
_FREE_RANGE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: a closed connection is no hindrance
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def any_free_port() -> int:
    """A random free port.

    Raises:
        Unavailable: none was found.
    """
    for _ in range(200):
        port = secrets.choice(_FREE_RANGE)
        if is_free(port):
            return port
    raise Unavailable("No free port was found.", remedy="End programs that listen on many ports, then try again.")


def choose_port(wanted: int | None, *, preferred: Iterable[int], option: str, taken: Iterable[int] = ()) -> int:
    """The port of one server: exactly `wanted` if given, any free one for 0, else the first preferred that is free.

    Raises:
        Unavailable: `wanted` is given and another program listens there.
    """
    if wanted:
        if not is_free(wanted):
            raise Unavailable(
                f"Port {wanted} is taken by another program.",
                remedy=f"End that program, or name another port with {option} (0 takes a free one).",
            )
        return wanted
    refused = set(taken)
    for port in preferred if wanted is None else ():
        if port and port not in refused and is_free(port):
            return port
    return any_free_port()
