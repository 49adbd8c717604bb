"""The edge to Temporal: the client of a process, and how its worker runs workflow code.

Where the server is comes from Temporal's own environment configuration (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
TLS, API key, profiles), read with `temporalio.envconfig`. Nothing of journeys is known here but module names.
"""

from typing import Any, TypedDict

from temporalio.client import Client
from temporalio.common import VersioningBehavior
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    WorkerDeploymentConfig,
    WorkerDeploymentVersion,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from kit.settings import Settings

PURE_MODULES = (
    "journeys",
    "kit",
    "workflows.details",
    "workflows.limits",
    "workflows.messages",
    "workflows.names",
    "workflows.ports",
    "workflows.position",
    "workflows.state",
)
"""Modules the sandbox shares instead of importing them anew per workflow: models, without clock, chance or I/O."""

_CACHED_WORKFLOWS = 2_000
_WORKFLOW_TASKS_AT_ONCE = 10


async def connect(settings: Settings, *, lazy: bool = False, **overrides: Any) -> Client:  # noqa: ARG001
    """A client of the server the environment names; `localhost:7233`, namespace `default`, where it names none.

    Args:
        settings: Of this process. Nothing of them is needed yet; the keys of a payload codec will be among them.
        lazy: Connect at the first call instead of now; such a client cannot carry a worker.
        **overrides: Arguments of `Client.connect` that win over the environment, such as `target_host`.

    Raises:
        RuntimeError: The server does not answer (not when lazy).
    """
    config: dict[str, Any] = {"target_host": "localhost:7233", **ClientConfig.load_client_connect_config(), **overrides}
    return await Client.connect(**config, data_converter=pydantic_data_converter, lazy=lazy)


def workflow_runner(*, sandboxed: bool) -> WorkflowRunner:
    """How workflow code runs: in the SDK's sandbox (tests), or without it (production, at half the CPU)."""
    if not sandboxed:
        return UnsandboxedWorkflowRunner()
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PURE_MODULES)
    return SandboxedWorkflowRunner(restrictions=restrictions)


class WorkerOptions(TypedDict, total=False):
    """Arguments of `temporalio.worker.Worker` that follow from the settings, beside the `workflow_runner`."""

    max_cached_workflows: int
    max_concurrent_workflow_tasks: int
    deployment_config: WorkerDeploymentConfig


def worker_options(settings: Settings) -> WorkerOptions:
    """The worker's options. Few workflow tasks at once: they only take turns on one core, and time out together."""
    options = WorkerOptions(
        max_cached_workflows=_CACHED_WORKFLOWS,
        max_concurrent_workflow_tasks=_WORKFLOW_TASKS_AT_ONCE,
    )
    if settings.deployment_name:
        options["deployment_config"] = WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(settings.deployment_name, settings.build_id),
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
        )
    return options
