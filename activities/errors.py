"""Errors of the product as failures of Temporal: the one translation for every activity.

A failure is stored in Temporal for everybody with access to see, so it never holds personal data: sentences of
`kit.errors` hold none by contract, and of every other error only its kind and place are told.
"""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError
from temporalio import activity
from temporalio.exceptions import ApplicationError, FailureError

from kit.errors import DauerlaufError

LONGEST_MESSAGE = 2_000
"""A failure travels in the workflow's history; its text is cut here."""

PATIENCE = 5
"""So often an error nobody foresaw is tried again. Then it is final, and the enrollment waits for people to look."""

_log = logging.getLogger(__name__)
_REFUSED = (DataError, IntegrityError, ProgrammingError)


@contextmanager
def as_failures() -> Iterator[None]:
    """Translate what the block raises: an outage is retried for ever, a mistake is not.

    Errors of `kit.errors` say themselves which they are. Trouble with the database or the network is an outage; a
    statement the database refuses, and every other error, is a mistake after `PATIENCE` attempts.

    Raises:
        ApplicationError: its type is the name of the error's class.
    """
    try:
        yield
    except FailureError:
        raise
    except DauerlaufError as error:
        raise _failure(str(error), error, retryable=error.retryable) from None
    except Exception as error:  # noqa: BLE001 -- this is the edge: nothing may pass as it is
        # The frames without the error's own words: a statement's parameters are among those.
        frames = "".join(traceback.format_tb(error.__traceback__))
        _log.error("%s in an activity:\n%s", type(error).__name__, frames)
        raise _failure(_message(error), error, retryable=_is_outage(error) or _attempt() < PATIENCE) from None


def _failure(message: str, error: Exception, *, retryable: bool) -> ApplicationError:
    return ApplicationError(message[:LONGEST_MESSAGE], type=type(error).__name__, non_retryable=not retryable)


def _is_outage(error: Exception) -> bool:
    return isinstance(error, SQLAlchemyError | OSError) and not isinstance(error, _REFUSED)


def _attempt() -> int:
    return activity.info().attempt if activity.in_activity() else 1


def _message(error: Exception) -> str:
    if isinstance(error, SQLAlchemyError):
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        return "The database did not do it" + (f" (SQLSTATE {state})." if state else ".")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"An error nobody foresaw, in {frame.name}, line {frame.lineno}. The worker's log has the frames."
