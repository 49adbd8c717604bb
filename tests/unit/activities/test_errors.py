"""What leaves an activity is a failure that says whether to try again, and nothing about anybody."""

import dataclasses
import logging

import psycopg.errors
import pytest
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.errors import LONGEST_MESSAGE, PATIENCE, as_failures
from kit.errors import Invalid, NotFound, Unavailable

STATEMENT, PERSONAL = "UPDATE contacts SET email = %(email)s", {"email": "ada@example.com"}


def _failure(error: Exception, *, attempt: int = 1) -> ApplicationError:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)

    def work() -> None:
        with as_failures():
            raise error

    with pytest.raises(ApplicationError) as caught:
        environment.run(work)
    return caught.value


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (Invalid("The zone is none."), True),
        (NotFound("There is no model lead."), True),
        (Unavailable("The mail server does not answer."), False),
    ],
)
def test_errors_of_ours_say_themselves_whether_trying_again_helps(error: Exception, final: bool) -> None:  # noqa: FBT001
    failure = _failure(error)

    assert (failure.type, failure.message) == (type(error).__name__, str(error))
    assert failure.non_retryable is final


@pytest.mark.parametrize(
    "error",
    [
        OperationalError(STATEMENT, PERSONAL, psycopg.errors.AdminShutdown("terminating, says ada@example.com")),
        OperationalError(STATEMENT, PERSONAL, psycopg.errors.DeadlockDetected("deadlock")),
        DBAPIError(STATEMENT, PERSONAL, psycopg.errors.InternalError("broken")),
        PoolTimeoutError("no connection is free"),
        ConnectionRefusedError("nobody listens"),
    ],
    ids=["shutdown", "deadlock", "broken connection", "exhausted pool", "no server"],
)
def test_an_outage_is_tried_again_for_ever(error: Exception) -> None:
    failure = _failure(error, attempt=1_000)

    assert not failure.non_retryable
    assert failure.type == type(error).__name__


@pytest.mark.parametrize(
    "error",
    [
        DataError(STATEMENT, PERSONAL, psycopg.errors.UntranslatableCharacter("ada@example.com")),
        IntegrityError(STATEMENT, PERSONAL, psycopg.errors.UniqueViolation("Key (email)=(ada@example.com)")),
        KeyError("ada@example.com"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_mistake_is_tried_again_a_few_times_and_then_shown_to_people(error: Exception) -> None:
    assert not _failure(error, attempt=PATIENCE - 1).non_retryable
    assert _failure(error, attempt=PATIENCE).non_retryable


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError(STATEMENT, PERSONAL, psycopg.errors.UniqueViolation("Key (email)=(ada@example.com)")),
        ValueError("ada@example.com is none"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_words_of_foreign_errors_reach_neither_temporal_nor_the_log(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        failure = _failure(error)

    assert "ada" not in str(failure)
    assert failure.cause is None
    assert failure.__suppress_context__
    assert "ada" not in caplog.text
    assert type(error).__name__ in caplog.text


def test_the_state_the_database_gave_is_told() -> None:
    failure = _failure(OperationalError(STATEMENT, PERSONAL, psycopg.errors.DeadlockDetected("deadlock")))

    assert "40P01" in failure.message


def test_a_long_sentence_is_cut() -> None:
    assert len(_failure(Invalid("x" * 10_000)).message) == LONGEST_MESSAGE


def test_a_failure_passes_as_it_is() -> None:
    failure = ApplicationError("as it is", type="Mine")

    assert _failure(failure) is failure


def test_what_raises_nothing_returns() -> None:
    with as_failures():
        done = True

    assert done
