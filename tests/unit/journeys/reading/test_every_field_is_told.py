"""Whatever an author can write changes what is read: the fields of the models are walked, so that none is forgotten.

Each field of each example is taken out, or given another value; where a reading stays the same, the field is not told.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from journeys.documents import journey_from_document, to_document
from journeys.model import Journey
from journeys.places import Path
from journeys.reading.reading import read_journey
from journeys.reading.wording import Language
from journeys.values import Strict
from kit.errors import Invalid
from tests.support.journeys import SMALL

NOT_TRIED = {
    ("Winner", "goal"): "it says what is always so: arms are compared by the journey's goal",
    ("Message", "channel"): "there is one channel",
    ("ConsentRequirement", "channel"): "there is one channel",
    ("Arm", "share"): "no share can be another one alone, since all make 100; the shares are in the example of a split",
    ("CalendarMoment", "span"): "written as one text with the time of day: `wait` and `due` are tried with others",
    ("CalendarMoment", "at"): "written as one text with the span: `wait` and `due` are tried with others",
}
"""Fields that no other value can be written to alone, and why."""
WHERE = {"amount": {"at_least": 10, "at_most": 20}, "size": {"one_of": ["s", "m"]}}
WHERE_NOT = {"a": {"equals": "x"}, "b": {"not_equals": "y"}, "c": {"exists": True}}
PATTERN = {"event": "paid", "where": WHERE, "within": "30d", "since": "ever"}
CONDITIONS: list[dict[str, Any]] = [
    {"attribute": "plan", "is": "pro"},
    {**PATTERN, "at_least": 2, "at_most": 3},
    {"none": {**PATTERN, "where": WHERE_NOT, "since": "step"}},
    {"consent": {"purpose": "sales", "channel": "email"}},
    {"in_list": "vip"},
    {"segment": "good"},
    {"score": {"model": "lead", "at_least": 1, "at_most": 9}},
    {"stage": {"at_least": "lead", "at_most": "sql"}},
    {"stage": {"is": "lead"}},
    {"stage": {"one_of": ["lead", "customer"]}},
    {"entry": "plan", "is": "pro"},
    {"result": {"step": "asked", "is": "timed_out"}},
    {"step": "asked.amount", "is": 3},
    {"not": {"in_list": "a"}},
    {"any": [{"in_list": "a"}, {"in_list": "b"}]},
]
THEN, ELSE = [{"exit": "so"}], [{"exit": "otherwise"}]
STEPS: list[dict[str, Any]] = [
    {"id": "first", "wait": "1d", "expires_after": "3d"},
    {"wait": "2 days at 10:30"},
    {"wait": {"until": "2026-12-24 18:00", "late": "now"}},
    {
        "wait": {
            "before": "2 days",
            "date": "$entry.starts_at",
            "at": "09:00",
            "missing": "skip",
            "moved_by": {"event": "moved", "where": WHERE, "property": "new_start"},
        },
        "then": THEN,
        "else": ELSE,
    },
    {"wait": {"after": "2 days", "date": "$contact.born", "yearly": True, "leap_day": "mar-1", "late": "now"}},
    {"wait": {"after": "2 days", "date": "$entry", "moved_by": {"event": "moved", "where": WHERE}, "late": "now"}},
    {"wait": {"on": "$contact.ends_on"}, "then": THEN},
    {"wait": {"best_time": {"from": "08:00", "to": "20:00", "otherwise": "10:00", "in_window": True}}},
    {"wait": {"on": "$contact.ends_on", "yearly": True}, "then": THEN},
    {"id": "asked", "wait_for": {"event": "paid", "where": WHERE, "up_to": "2d", "since": "step"}, "then": THEN},
    {"wait_for": {"condition": {"all": CONDITIONS}, "up_to": "2d"}, "else": ELSE},
    {
        "wait_for": {
            "first_of": [
                {"name": "paid", "event": "paid", "where": WHERE, "since": "step", "then": THEN},
                {"name": "listed", "condition": {"in_list": "vip"}, "then": THEN},
            ],
            "up_to": "2d",
            "ranked": True,
        },
        "else": ELSE,
    },
    {"if": {"in_list": "vip"}, "then": THEN, "else": ELSE},
    {"branch": [{"name": "vip", "if": {"in_list": "vip"}, "then": THEN}], "else": ELSE},
    {
        "approve": {"by": "sales", "question": "May it be?", "up_to": "2d"},
        "then": THEN,
        "rejected": [{"exit": "rejected"}],
        "else": ELSE,
    },
    {
        "split": {
            "experiment": "length",
            "arms": {"long": {"share": 60, "steps": THEN}, "short": {"share": 40}},
            "winner": {"after": 100, "confidence": 0.9},
        }
    },
    {"repeat": {"times": 2, "until": {"in_list": "vip"}, "steps": [{"wait": "1d"}]}},
    {
        "send": {
            "template": "gift",
            "cap": "skip",
            "closed": "skip",
            "repeat": "30d",
            "voucher": {"pool": "gifts", "valid": "7d"},
            "latest": {"cart": {"event": "cart.updated", "where": WHERE}},
        }
    },
    {"send": {"template": "gift", "voucher": {"of": "first"}}},
    {"set": {"plan": "pro"}},
    {"list": {"add": "vip"}},
    {"list": {"remove": "vip"}},
    {"stage": {"to": "lead", "reason": "Asked for it.", "recycle": True}},
    {"task": {"title": "Call", "kind": "call", "for": "sales", "due": "2d", "details": "Gently.", "at_end": "cancel"}},
    {"task": {"title": "Call", "due": "2 days at 09:00"}},
    {"score": {"model": "lead", "add": 10, "reason": "Came."}},
    {"recompute_score": "lead"},
    {"start": {"journey": "welcome", "entry_key": "$entry.order_id", "properties": {"plan": "pro"}}},
    {"exit": "enough"},
]
ENTRIES: list[dict[str, Any]] = [
    {"event": "paid", "where": WHERE, "audience": {"in_list": "a"}, "retry": "30m", "again": {"cooldown": "9d"}},
    {"form": "contact", "where": WHERE, "again": {"per": "order_id"}},
    {"event": "paid", "again": "after_exit", "at_most": 100},
    {"absence": {"of": ["paid"], "for": "9d", "where": WHERE, "also_without": True, "backfill": "matching"}},
    {"date": {"of": "born", "yearly": True, "at": "10:30", "before": "9 days", "leap_day": "mar-1"}},
    {"date": {"of": "born", "after": "9 days", "expires_after": "2d"}},
    {"date": {"feast": "easter", "after": "2 days"}},
    {"broadcast": {"at": "2026-12-24 18:00", "local": False, "expires_after": "2d", "spread": "2h"}},
    {"segment": {"entered": "good", "backfill": "matching"}},
    {"segment": {"entered": "good", "backfill": {"sample": 10}}},
    {"segment": {"left": "good"}},
]
FRAME: dict[str, Any] = {
    "description": "What it is for.",
    "goal": {
        "type": "save",
        "event": "paid",
        "where": WHERE,
        "within": "9d",
        "exit": False,
        "met_before": "90d",
    },
    "stages": ["lead"],
    "exit": [{"event": "left", "where": WHERE}],
    "exit_when": {"in_list": "vip"},
    "holdout": 5,
    "window": {"days": "mon-fri", "from": "08:00", "to": "20:00", "holidays": True, "spread": "30m"},
    "priority": "high",
    "cap": "skip",
    "closed": "skip",
    "time_zone": "Asia/Tokyo",
}
DOCUMENTS = [
    {**SMALL, **FRAME},
    {**SMALL, "goal": {"type": "save", "event": "paid", "then": THEN}},
    *({**SMALL, "entry": entry} for entry in ENTRIES),
    *({**SMALL, "steps": [step]} for step in STEPS),
]
OTHER_VALUES = ("other", "other.name", "$entry.other", "8d", "8 days", "8 days at 11:11", "11:11", "2027-02-03 11:11")

Field = tuple[str, str]
"""Names of a model and of its field."""


def models() -> set[type[BaseModel]]:
    """Every model that a journey document can hold."""
    found: set[type[BaseModel]] = set()
    pending: list[Any] = [Journey]
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, Strict):
            if kind not in found:
                found.add(kind)
                pending += [info.annotation for info in kind.model_fields.values()]
        else:
            pending += get_args(kind) if get_origin(kind) is not Literal else ()
    return found


def written(model: BaseModel, document: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Field, Any, Path]]:
    """The fields that are written in a document, with what they may be and where they stand."""
    for name, info in type(model).model_fields.items():
        key = info.alias or name
        if key not in document:
            continue
        yield (type(model).__name__, name), info.annotation, (*path, key)
        yield from _inside(getattr(model, name), document[key], (*path, key))


def _inside(value: Any, document: Any, path: Path) -> Iterator[tuple[Field, Any, Path]]:
    if isinstance(value, BaseModel) and isinstance(document, Mapping):
        yield from written(value, document, path)
    elif isinstance(value, Mapping) and isinstance(document, Mapping):
        for name, inner in value.items():
            yield from _inside(inner, document[name], (*path, name))
    elif isinstance(value, tuple) and isinstance(document, list):
        for number, inner in enumerate(value):
            yield from _inside(inner, document[number], (*path, number))


def others(value: Any, annotation: Any) -> Iterator[Any]:
    """Other values that may stand there."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value / 2)
    elif isinstance(value, str):
        yield from (one for one in _choices(annotation) if one != value)
        yield from OTHER_VALUES
    elif isinstance(value, list):
        yield from (value[:-1], [*value, "other"])
    elif isinstance(value, dict):
        yield {**value, "other": 1}


def _choices(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (str(one.value) for one in annotation)
    for one in get_args(annotation):
        yield from [one] if isinstance(one, str) else _choices(one)


def changed(document: dict[str, Any], path: Path, annotation: Any) -> Iterator[Journey]:
    """Journeys that differ from the document in this field alone."""
    original = journey_from_document(document)
    for new in (..., *others(_at(document, path), annotation)):
        variant = deepcopy(document)
        around = _at(variant, path[:-1])
        if new is ...:
            del around[path[-1]]
        else:
            around[path[-1]] = new
        try:
            made = journey_from_document(variant)
        except Invalid:
            continue
        if made != original:
            yield made


def _at(document: Any, path: Path) -> Any:
    for part in path:
        document = document[part]
    return document


def tried() -> Iterator[tuple[Field, Path, dict[str, Any], Journey]]:
    """Each field that is written in an example, with a journey that differs in nothing else.

    One that has to be there, and holds fields of its own, is tried by the first of these that can be.
    """
    for document in DOCUMENTS:
        short = to_document(journey_from_document(document))
        fields = list(written(journey_from_document(short), short))
        found = {path: next(changed(short, path, annotation), None) for _, annotation, path in fields}
        for field, _, path in fields:
            below = (other for inner, other in found.items() if other and inner[: len(path)] == path)
            if (other := found[path] or next(below, None)) is not None:
                yield field, path, short, other


TRIED = list(tried())


@pytest.mark.parametrize("language", Language)
def test_a_field_that_is_written_otherwise_is_read_otherwise(language: Language) -> None:
    untold = {
        field: (path, read_journey(other, language))
        for field, path, document, other in TRIED
        if read_journey(other, language) == read_journey(journey_from_document(document), language)
    }
    assert not untold


def test_every_field_there_is_has_been_tried() -> None:
    there_are = {(model.__name__, name) for model in models() for name in model.model_fields}
    seen = {field for field, *_ in TRIED}
    # Told of every kind in the same place; of one kind both are among the examples.
    of_all_steps = {
        (model, name) for model, name in there_are if model.endswith("Step") for name in ("id", "expires_after")
    }
    assert {("WaitStep", "id"), ("WaitStep", "expires_after")} <= seen
    assert there_are - seen - of_all_steps == set(NOT_TRIED)
