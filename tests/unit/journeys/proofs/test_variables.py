"""Variables on every way: what brings one, what takes it away, and what is told where it may be missing."""

from typing import Any

import pytest

from journeys.findings import KnownTemplate, Note
from journeys.places import Places
from journeys.proofs.subject import subject_of
from journeys.proofs.variables import variables_present
from tests.support.journeys import journey

KNOWN = {
    "hello": KnownTemplate("marketing", frozenset({"contact.first_name"})),
    "receipt": KnownTemplate("transactional", frozenset({"entry.order.id", "contact.email"})),
    "plain": KnownTemplate("marketing"),
}
NAME = {"attribute": "first_name"}
ORDER = {"entry": "order.id"}
HELLO = {"send": {"template": "hello"}}
RECEIPT = {"send": {"template": "receipt"}}
PLACED = {"event": "order.placed"}
PAID_BY = {"id": "paid", "wait_for": {"event": "order.paid", "up_to": "1d"}}


def notes(**parts: Any) -> list[Note]:
    subject = subject_of(journey(**parts))
    assert subject is not None
    return list(variables_present(subject, KNOWN))


def test_the_variable_the_way_and_the_remedy_are_told() -> None:
    (note,) = notes(entry=PLACED, steps=[{"wait": "1d"}, RECEIPT])
    assert str(note.at(Places())) == (
        "warning: steps[1].send.template: 'receipt' cannot be filled in without entry.order.id, and a contact may come "
        "here without: enter on order.placed → wait 1 day → send 'receipt' by email. Ask in the template "
        "(`{% if entry.order.id %}`, or `| default: …`), or before: `where: {order.id: {exists: true}}` at the entry, "
        "or `{entry: order.id}` in an `if`."
    )


@pytest.mark.parametrize(
    ("entry", "steps"),
    [
        ({"audience": NAME}, [HELLO]),
        ({"audience": {"attribute": "first_name", "is": "Ada"}}, [HELLO]),
        ({"audience": {"attribute": "first_name", "is": {"one_of": ["Ada", "Bo"]}}}, [HELLO]),
        ({"audience": {"not": {"attribute": "first_name", "is": {"exists": False}}}}, [HELLO]),
        ({}, [{"if": NAME, "then": [HELLO]}]),
        ({}, [{"if": {"attribute": "first_name", "is": None}, "else": [HELLO]}]),
        ({}, [{"branch": [{"if": {"attribute": "first_name", "is": {"exists": False}}, "then": []}], "else": [HELLO]}]),
        ({}, [{"set": {"first_name": "friend"}}, HELLO]),
        ({"audience": NAME}, [{"set": {"first_name": "friend"}, "expires_after": "1d"}, HELLO]),
        ({"audience": NAME}, [PAID_BY, {"set": {"first_name": "$step.paid.name"}}, HELLO]),
        ({**PLACED, "where": {"name": {"exists": True}}}, [{"set": {"first_name": "$entry.name"}}, HELLO]),
        ({**PLACED, "where": {"order.id": {"at_least": 1}}}, [RECEIPT]),
        ({**PLACED, "where": {"order.id": {"not_equals": 0}}}, [RECEIPT]),
        ({**PLACED, "audience": ORDER}, [RECEIPT]),
        (PLACED, [{"if": ORDER, "else": [{"exit": "incomplete"}]}, RECEIPT]),
        ({}, [{"send": {"template": "plain"}}, {"send": {"template": "unknown"}}]),
    ],
    ids=str,
)
def test_what_brings_a_variable(entry: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    assert notes(entry=entry, steps=steps) == []


@pytest.mark.parametrize(
    ("entry", "steps"),
    [
        ({}, [HELLO]),
        ({"audience": {"attribute": "first_name", "is": {"one_of": ["Ada", None]}}}, [HELLO]),
        ({"audience": {"any": [NAME, {"in_list": "vip"}]}}, [HELLO]),
        ({"audience": {"not": NAME}}, [HELLO]),
        ({"audience": {"not": {"attribute": "first_name", "is": "Ada"}}}, [HELLO]),
        ({}, [{"if": NAME, "else": [HELLO]}]),
        ({"audience": NAME}, [{"set": {"first_name": None}}, HELLO]),
        ({"audience": NAME}, [{"set": {"first_name": " "}}, HELLO]),
        (PLACED, [{"set": {"first_name": "$entry.name"}}, HELLO]),
        ({}, [{"set": {"first_name": "friend"}, "expires_after": "1d"}, HELLO]),
        ({}, [PAID_BY, {"set": {"first_name": "$step.paid.name"}}, HELLO]),
        ({"audience": NAME}, [{"if": {"attribute": "first_name", "is": {"exists": False}}, "then": [HELLO]}]),
        ({**PLACED, "where": {"order.number": 1}}, [RECEIPT]),
        ({**PLACED, "where": {"order.id": {"exists": False}}}, [RECEIPT]),
        ({**PLACED, "where": {"order.id": None}}, [RECEIPT]),
    ],
    ids=str,
)
def test_what_leaves_a_variable_open(entry: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    assert [note.rule for note in notes(entry=entry, steps=steps)] == ["variable-may-be-missing"]


def test_variables_that_one_way_lacks_are_told_together_and_others_with_their_own_way() -> None:
    known = {"all": KnownTemplate("transactional", frozenset({"entry.a", "entry.b", "contact.c"}))}
    subject = subject_of(journey(steps=[{"if": {"entry": "a"}}, {"send": {"template": "all"}}]))
    assert subject is not None
    told = [note.what for note in variables_present(subject, known)]
    assert ["entry.a" in what for what in told] == [False, True]
    assert "without contact.c and entry.b," in told[0]
    assert ", otherwise → send 'all' by email." in told[1]


def test_the_properties_of_an_absence_are_there() -> None:
    known = {"back": KnownTemplate("marketing", frozenset({"entry.since"}))}
    subject = subject_of(journey(entry={"absence": {"of": "x", "for": "90d"}}, steps=[{"send": {"template": "back"}}]))
    assert subject is not None
    assert list(variables_present(subject, known)) == []


PAID = KnownTemplate("transactional", frozenset({"steps.paid.amount"}))
WITH_AMOUNT = {"event": "order.paid", "where": {"amount": {"exists": True}}}


def lacking_amount(*steps: dict[str, Any]) -> bool:
    """Whether the message at the end may lack the amount that `paid` met."""
    subject = subject_of(journey(steps=[*steps, {"send": {"template": "paid"}}]))
    assert subject is not None
    found = list(variables_present(subject, {"paid": PAID}))
    assert all("`{step: paid.amount}` in an `if`" in note.remedy for note in found)
    return bool(found)


def a_wait(awaited: dict[str, Any], *late: dict[str, Any]) -> dict[str, Any]:
    return {"id": "paid", "wait_for": {**awaited, "up_to": "3d"}, "else": list(late)}


def test_what_an_event_must_have_is_there_where_it_was_met() -> None:
    assert not lacking_amount(a_wait(WITH_AMOUNT, {"exit": "not paid"}))
    assert not lacking_amount({**a_wait(WITH_AMOUNT, {"exit": "not paid"}), "expires_after": "1d"})
    asked = {"if": {"step": "paid.amount"}, "else": [{"exit": "nothing paid"}]}
    assert not lacking_amount(a_wait({"event": "order.paid"}), asked)
    first = {"first_of": [WITH_AMOUNT, {"condition": {"in_list": "vip"}, "then": [{"exit": "free"}]}]}
    assert not lacking_amount(a_wait(first, {"exit": "not paid"}))


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [a_wait(WITH_AMOUNT)],
        [{**a_wait(WITH_AMOUNT), "expires_after": "1d"}],
        [a_wait({"event": "order.paid"}, {"exit": "not paid"})],
        [a_wait({"first_of": [WITH_AMOUNT, {"condition": {"in_list": "vip"}}]}, {"exit": "not paid"})],
        [{"if": {"in_list": "vip"}, "else": [a_wait(WITH_AMOUNT, {"exit": "not paid"})]}],
        [{"repeat": {"times": 2, "steps": [a_wait(WITH_AMOUNT)]}}],
    ],
    ids=str,
)
def test_on_a_way_without_the_event_its_properties_may_be_missing(steps: list[dict[str, Any]]) -> None:
    assert lacking_amount(*steps)


def test_what_is_looked_up_at_the_sending_may_be_missing() -> None:
    known = {"cart": KnownTemplate("transactional", frozenset({"latest.cart.total"}))}
    step = {"send": {"template": "cart", "latest": {"cart": {"event": "cart.updated"}}}}
    subject = subject_of(journey(steps=[step]))
    assert subject is not None
    assert [note.rule for note in variables_present(subject, known)] == ["variable-may-be-missing"]
