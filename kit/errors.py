"""The base of every error this product raises on purpose.

    DauerlaufError
    ├── Invalid        what the caller sent cannot be used (carries the problems, each with place and remedy)
    ├── NotFound       the thing named does not exist
    ├── Conflict       the thing exists, but its state does not allow this
    ├── Forbidden      the caller is known, but may not do this
    └── Unavailable    a service we need does not answer now; trying again later may succeed

A business refusal ("has unsubscribed") is a value, never one of these (ADR 0003). Each edge translates the tree
once: `api.errors` to problem documents, `activities.errors` to Temporal failures, `cli.main` to one sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it is, what is wrong, and how to mend it. All three are for people."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.remedy}"


class DauerlaufError(Exception):
    """An error with a sentence for people; `remedy` says what to do about it. Never holds personal data."""

    retryable = False

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy


class Invalid(DauerlaufError):
    """What the caller sent cannot be used; `problems` lists every finding, not only the first."""

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)


class NotFound(DauerlaufError):
    """The thing named does not exist."""


class Conflict(DauerlaufError):
    """The thing exists, but its state does not allow this."""


class Forbidden(DauerlaufError):
    """The caller is known, but may not do this."""


class Unavailable(DauerlaufError):
    """A service we need does not answer now; the same call may succeed later."""

    retryable = True
