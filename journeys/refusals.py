"""How a value in a journey document is refused: what is wrong and how to mend it, kept apart for the reader of both.

Where it is wrong is not known here; `journeys.mistakes` adds the place.
"""

from typing import Any

from pydantic_core import PydanticCustomError

REFUSED = "refused"
LONGEST_SHOWN = 60


def refused(what: str, remedy: str) -> PydanticCustomError:
    """The error (a ValueError) a validator raises: two sentences, without the place."""
    # The braces of pydantic's own template syntax must not be read out of an author's value.
    return PydanticCustomError(REFUSED, "{what} {remedy}", {"what": what, "remedy": remedy})


def shown(value: Any) -> str:
    """A value the author wrote, short enough for a sentence."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def kind_of(value: Any) -> str:
    """What a value is, in plain words: `a text`, `a number`, `a list` and so on."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case list() | tuple() | set() | frozenset():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"
