"""Fixtures for every test. What they are is written where they live: `tests.support`."""

import time

pytest_plugins = ["tests.support.postgres", "tests.support.sendgrid", "tests.support.smtp", "tests.support.temporal"]


def pytest_unconfigure() -> None:
    """The Temporal SDK's native threads may abort a process that leaves right after its last call."""
    time.sleep(0.5)
