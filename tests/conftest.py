"""Fixtures for every test. What they are is written where they live: `tests.support`."""

import time

import pytest

pytest_plugins = ["tests.support.postgres", "tests.support.sendgrid", "tests.support.smtp", "tests.support.temporal"]

LONGEST_FIRST = ("tests/e2e/", "tests/integration/cli/", "tests/replay/", "tests/integration/", "tests/catalogue/")
"""Where the long files are. With several workers a long one that comes last is waited for by all the others."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders of long files; within a folder the order stays the random one."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder)), 99)


def pytest_unconfigure() -> None:
    """The Temporal SDK's native threads may abort a process that leaves right after its last call."""
    time.sleep(0.5)
