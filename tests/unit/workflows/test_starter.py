"""What Temporal answers about one workflow, as errors of the product."""

from typing import Any, NoReturn

import pytest
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowUpdateInput
from temporalio.service import RPCError, RPCStatusCode

from kit.errors import Unavailable
from workflows import starter
from workflows.messages import Command
from workflows.starter import WorkflowFailing

BY_OPS = Command(by="ops-1")


class Refusing(Interceptor, OutboundInterceptor):
    """A server that answers every update with this status."""

    def __init__(self, status: RPCStatusCode) -> None:
        self._status = status

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 -- the SDK's name
        OutboundInterceptor.__init__(self, next)
        return self

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> NoReturn:  # noqa: A002 -- as above
        raise RPCError(f"{input.id} is refused", self._status, b"")


async def skipped(status: RPCStatusCode) -> Any:
    client = await Client.connect("127.0.0.1:1", lazy=True, interceptors=[Refusing(status)])
    return await starter.skip(client, "welcome:1", BY_OPS)


async def test_a_workflow_whose_task_fails_while_it_is_asked_is_to_be_asked_again() -> None:
    """As where it ends at that moment: somebody else's signal makes the server throw the ending task away."""
    with pytest.raises(WorkflowFailing, match="could not answer"):
        await skipped(RPCStatusCode.FAILED_PRECONDITION)


async def test_a_server_that_is_away_is_not_one_workflow_that_cannot_answer() -> None:
    with pytest.raises(Unavailable) as raised:
        await skipped(RPCStatusCode.UNAVAILABLE)
    assert not isinstance(raised.value, WorkflowFailing)
