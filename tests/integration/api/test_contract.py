"""The API against its own OpenAPI document, with requests a property-based tester makes up: no undeclared answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import (
    CHECKS,  # noqa: F401 - registers what is named below
    not_a_server_error,
)
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crm.access import Scope
from kit.database import Sessions
from tests.support.api import a_key
from tests.support.serving import served

EXAMPLES_PER_OPERATION = 12
CHECKS_OF_ANSWERS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest_asyncio.fixture
async def host(app: FastAPI) -> AsyncIterator[str]:
    async with served(app) as address:
        yield address


def check_operation(operation: Any, key: str) -> None:
    """Try an operation with requests made up from its schema. Raises where an answer is not as declared."""

    @settings(
        max_examples=EXAMPLES_PER_OPERATION,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def conforms(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, checks=CHECKS_OF_ANSWERS)

    conforms()


def check_every_operation(host: str, key: str) -> tuple[int, list[str]]:
    """How many operations there are, and what is wrong with the answers of which."""
    schema = schemathesis.openapi.from_url(f"{host}/openapi.json")
    operations = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), "the document itself is valid"
        operations.append(result.ok())
    wrong = []
    for operation in operations:
        try:
            check_operation(operation, key)
        except FailureGroup as failures:
            wrong += [f"{operation.label}: {failure}" for failure in failures.exceptions]
    return len(operations), wrong


@pytest.mark.usefixtures("templates")
@pytest.mark.timeout(300)
async def test_every_operation_answers_as_its_document_says(host: str, sessions: Sessions) -> None:
    tried, wrong = await asyncio.to_thread(check_every_operation, host, await a_key(sessions, Scope.ADMIN))
    assert wrong == []
    assert tried > 30
