"""A Temporal development server that skips time, each workflow with a clock of its own; for the demo and simulations.

The dynamic configuration turns the feature on and makes a skipped timer take milliseconds instead of a second.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from cli.stack.binaries import find_temporal_binary
from workflows.names import SEARCH_ATTRIBUTES

_DYNAMIC_CONFIGURATION = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"1ms"',
    "history.timerProcessorMaxPollRPS": "10000",
    "history.timerProcessorMaxPollHostRPS": "10000",
}
_MAX_SKIPS = 100_000


@asynccontextmanager
async def time_skipping_environment() -> AsyncIterator[WorkflowEnvironment]:
    """An in-memory server whose workflows stand still in time until `fast_forward`. Stopped at the end."""
    values = [f"{key}={value}" for key, value in _DYNAMIC_CONFIGURATION.items()]
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False, max_session_skip_count=_MAX_SKIPS),
        dev_server_existing_path=str(find_temporal_binary()),
        dev_server_extra_args=[word for value in values for word in ("--dynamic-config-value", value)],
        dev_server_log_level="error",
        dev_server_startup_timeout=timedelta(seconds=60),
        data_converter=pydantic_data_converter,
        search_attributes=list(SEARCH_ATTRIBUTES),
    )
    async with environment:
        yield environment
