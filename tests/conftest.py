"""Fixtures for every test. What they are is written where they live: `tests.support`."""

import gc
import time

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["tests.support.postgres", "tests.support.sendgrid", "tests.support.smtp", "tests.support.temporal"]

_STACKS = "tests/e2e/"
LONGEST_FIRST = (_STACKS, "tests/integration/cli/", "tests/replay/", "tests/integration/", "tests/catalogue/")
"""Where the long files are. With several workers a long one that comes last is waited for by all the others."""


class OneLaneForStacks(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Files by turns, as `--dist loadfile`; but those that start whole stacks are one after the other, on one worker.

    They wait for other processes most of their time. Side by side they would leave the cores idle, which the other
    workers use meanwhile.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _STACKS if nodeid.startswith(_STACKS) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneLaneForStacks | None:
    """The scheduler for `--dist loadfile`; xdist's own for any other."""
    return OneLaneForStacks(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders of long files; within a folder the order stays the random one."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder)), 99)


def pytest_configure() -> None:
    """Nothing that is read before the first test is garbage."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is there before the first test stays for all of them, so it is not looked through for garbage again."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_unconfigure() -> None:
    """The Temporal SDK's native threads may abort a process that leaves right after its last call."""
    time.sleep(0.5)
