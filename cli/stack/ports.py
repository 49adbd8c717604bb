"""Which ports the stack listens on: as set, else the usual ones, else others that are free. All on the loopback."""

import secrets
import socket
from collections.abc import Iterable

from kit.errors import Unavailable

LOOPBACK = "127.0.0.1"
# Below the ranges from which Linux and macOS take the ports of outgoing connections: a port stays ours while its
# server is being started again.
_FREE_RANGE = range(20_000, 32_000)
_ATTEMPTS = 200


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
    """A random port that is free now.

    Raises:
        Unavailable: none was found.
    """
    for _ in range(_ATTEMPTS):
        port = secrets.choice(_FREE_RANGE)
        if is_free(port):
            return port
    raise _none_free()


class PortClaims:
    """Ports that one stack has chosen, kept from other stacks of this machine until `release` or the process's end.

    Two stacks that start at the same moment would both see the usual ports free. So each binds the UDP port of the
    same number, which nobody sends to: only one can, whoever runs it, and the kernel lets go of it on any death.
    """

    def __init__(self) -> None:
        self._held: dict[int, socket.socket] = {}

    def choose(self, wanted: int | None, *, preferred: Iterable[int], option: str) -> int:
        """Claims exactly `wanted` if given, any free port for 0, else the first preferred that is free, else any.

        Raises:
            Unavailable: `wanted` is taken by another program or stack; names the `option` to change. Or none is free.
        """
        if wanted:
            if not self._claim(wanted):
                raise Unavailable(
                    f"Port {wanted} is taken by another program.",
                    remedy=f"End that program, or name another port with {option} (0 takes a free one).",
                )
            return wanted
        for port in preferred if wanted is None else ():
            if self._claim(port):
                return port
        for _ in range(_ATTEMPTS):
            port = any_free_port()
            if self._claim(port):
                return port
        raise _none_free()

    def release(self) -> None:
        """Lets go of every claimed port."""
        for claim in self._held.values():
            claim.close()
        self._held.clear()

    def _claim(self, port: int) -> bool:
        if port in self._held or not is_free(port):
            return False
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind((LOOPBACK, port))
        except OSError:
            claim.close()
            return False
        self._held[port] = claim
        return True


def _none_free() -> Unavailable:
    return Unavailable("No free port was found.", remedy="End programs that listen on many ports, then try again.")
