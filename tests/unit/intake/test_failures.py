"""Telling an event that cannot be applied from a database that is away."""

import psycopg
import pytest
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from intake.failures import LONGEST_REASON, is_outage, reason_of
from kit.errors import Invalid, Unavailable


def wrapped(kind: type[DBAPIError], original: psycopg.Error) -> DBAPIError:
    return kind("INSERT …", {}, original)


@pytest.mark.parametrize(
    "error",
    [
        wrapped(OperationalError, psycopg.errors.AdminShutdown("terminating connection")),
        wrapped(OperationalError, psycopg.errors.DeadlockDetected("deadlock detected")),
        wrapped(OperationalError, psycopg.OperationalError("connection refused")),
        wrapped(ProgrammingError, psycopg.errors.UndefinedColumn("column does not exist")),
        PoolTimeout("pool exhausted"),
        ConnectionResetError(),
        Unavailable("away"),
    ],
    ids=lambda error: type(getattr(error, "orig", error)).__name__,
)
def test_what_may_go_well_next_time_is_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        wrapped(DataError, psycopg.errors.NumericValueOutOfRange("out of range")),
        wrapped(IntegrityError, psycopg.errors.ForeignKeyViolation("no such row")),
        wrapped(ProgrammingError, psycopg.ProgrammingError("cannot adapt type")),
        Invalid("no such purpose"),
        KeyError("purpose"),
    ],
    ids=lambda error: type(getattr(error, "orig", error)).__name__,
)
def test_what_lies_in_the_event_is_no_outage(error: Exception) -> None:
    assert not is_outage(error)


def test_a_reason_is_one_bounded_line_that_names_the_kind() -> None:
    assert reason_of(Invalid("No such purpose.\nsecond line")) == "Invalid: No such purpose."
    assert reason_of(KeyError()) == "KeyError: "
    assert len(reason_of(ValueError("x" * 5_000))) == LONGEST_REASON
