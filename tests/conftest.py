"""Fixtures for every test. What they are is written where they live: `tests.support`."""

pytest_plugins = ["tests.support.postgres"]
