"""What pydantic finds wrong, said to people: a JSON pointer to the place, what is wrong, and how to mend it."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.schemas.problem import FieldProblem
from journeys.refusals import REFUSED

MOST_FINDINGS = 50
LONGEST_QUOTE = 80

REMEDIES: Mapping[str, tuple[str, str]] = {
    "missing": ("It is missing.", "Add it."),
    "extra_forbidden": ("There is no field of this name.", "Remove it, or check its spelling."),
    "string_type": ("{input} is not a text.", "Write a JSON string."),
    "string_too_short": ("It is too short.", "Write at least {min_length} character(s)."),
    "string_too_long": ("It is too long.", "Write at most {max_length} characters."),
    "string_pattern_mismatch": ("{input} has not the form this needs.", "Write something that matches {pattern}."),
    "int_parsing": ("{input} is not a whole number.", "Write a whole number."),
    "int_type": ("{input} is not a whole number.", "Write a whole number."),
    "int_from_float": ("{input} is not a whole number.", "Write a whole number."),
    "greater_than_equal": ("{input} is too small.", "Write {ge} or more."),
    "less_than_equal": ("{input} is too large.", "Write {le} or less."),
    "bool_parsing": ("{input} is neither true nor false.", "Write true or false."),
    "bool_type": ("{input} is neither true nor false.", "Write true or false."),
    "uuid_parsing": ("{input} is not an id of ours.", "Write a UUID, as our answers give it."),
    "uuid_type": ("{input} is not an id of ours.", "Write a UUID, as our answers give it."),
    "enum": ("{input} is not one of the values this takes.", "Write one of {expected}."),
    "literal_error": ("{input} is not one of the values this takes.", "Write one of {expected}."),
    "union_tag_invalid": ("{tag!r} is not one of the kinds there are.", "Write one of {expected_tags}."),
    "union_tag_not_found": ("It does not say of which kind it is.", "Add {discriminator}."),
    "dict_type": ("{input} is not an object.", "Write a JSON object, in braces."),
    "model_type": ("{input} is not an object.", "Write a JSON object, in braces."),
    "model_attributes_type": ("{input} is not an object.", "Write a JSON object, in braces."),
    "list_type": ("{input} is not a list.", "Write a JSON list, in brackets."),
    "too_short": ("It is empty or too short.", "Give at least {min_length}."),
    "too_long": ("It holds too many entries.", "Give at most {max_length}; split the request."),
    "none_required": ("{input} is not expected here.", "Leave it out."),
    "json_invalid": ("The body is not JSON.", "Send a JSON object."),
}
FORMS: Sequence[tuple[str, str]] = (
    (r"^[^\s", "Begin with a visible character, such as in order.placed, and use no control characters."),
    ("^[a-z][a-z0-9]*", "Use lower case letters, digits and single hyphens, such as voucher-and-review."),
    (r"^[\x21", "Use printable characters of ASCII, without spaces."),
    (r"^[^\x00]", "Leave out the character U+0000."),
)
"""What the patterns of our fields demand, in words, by how they begin."""
PLACES = {"query": "query parameter", "path": "path parameter", "header": "header"}


def field_problems(errors: Sequence[Mapping[str, Any]], body: Any) -> list[FieldProblem]:
    """Pydantic's findings as problems, in order, each place once, at most fifty."""
    found: dict[str, FieldProblem] = {}
    for error in errors:
        problem = _field_problem(error, body)
        found.setdefault(problem.field, problem)
    return list(found.values())[:MOST_FINDINGS]


def _field_problem(error: Mapping[str, Any], body: Any) -> FieldProblem:
    place, *path = error["loc"] or ("body",)
    named = PLACES.get(str(place))
    missing = error["type"] == "missing"
    field = f"{named} {'.'.join(map(str, path))}" if named else json_pointer(path, body, missing=missing)
    what, remedy = ("There is no body.", "Send a JSON object.") if missing and field == "/" else _sentences(error)
    return FieldProblem(field=field, what=what, remedy=remedy)


def _sentences(error: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong and how to mend it. A validator of ours says both itself: `what | remedy`."""
    if error["type"] == "value_error":
        what, _, remedy = str(error["msg"]).removeprefix("Value error, ").partition(" | ")
        return what, remedy or "Correct it."
    if error["type"] == REFUSED:
        return error["ctx"]["what"], error["ctx"]["remedy"]
    known = REMEDIES.get(error["type"])
    if known is None:
        return f"{error['msg']}.", "Correct it; see /docs for what is expected here."
    values = {**error.get("ctx", {}), "input": quoted(error.get("input"))}
    if error["type"] == "string_pattern_mismatch":
        meant = [words for beginning, words in FORMS if values["pattern"].startswith(beginning)]
        return known[0].format(**values), meant[0] if meant else known[1].format(**values)
    return known[0].format(**values), known[1].format(**values)


def quoted(value: Any) -> str:
    """A value as a sentence can hold it: short, and only its kind where it is long or nested."""
    if isinstance(value, dict | list):
        return "An object" if isinstance(value, dict) else "A list"
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def json_pointer(path: Sequence[str | int], body: Any, *, missing: bool) -> str:
    """RFC 6901 pointer to the place in `body` that `path` leads to.

    Pydantic's path also names the branches of unions it tried; those lead nowhere in the body and are left out.
    """
    pointer = ""
    for number, part in enumerate(path):
        inside, below = _step(body, part), path[number + 1 : number + 2]
        if inside is _NOWHERE and not (missing and number == len(path) - 1):
            continue
        if below and _step(inside, below[0]) is _NOWHERE and _step(body, below[0]) is not _NOWHERE:
            continue  # A branch that is called like a key beside the place: `event` of a condition with `at_least`.
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
        body = inside
    return pointer or "/"


_NOWHERE = object()


def _step(body: Any, part: str | int) -> Any:
    if isinstance(body, dict):
        return body.get(part, _NOWHERE) if isinstance(part, str) else _NOWHERE
    if isinstance(body, list) and isinstance(part, int) and part < len(body):
        return body[part]
    return _NOWHERE
