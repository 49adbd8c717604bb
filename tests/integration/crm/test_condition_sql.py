"""The set by SQL is the set by judging each contact in memory: whatever is known of them, whatever is asked."""

import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.condition_sql import asked
from crm.facts import MOST_EVENTS, load_facts
from crm.models.consent import Consent
from crm.models.contact import Contact
from crm.models.contact_list import ContactList, ListMember
from crm.models.event import Event
from crm.models.score import Score
from crm.models.segment import SegmentMember, SegmentRecord
from journeys.conditions.base import Facts, Needs
from journeys.conditions.event import TICK
from journeys.conditions.registry import Condition
from journeys.stages import Stage
from kit.database import Sessions
from kit.errors import Invalid
from tests.support.builders import SOME_DAY, a_contact

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
NOW = SOME_DAY
MOMENT = timedelta(microseconds=1)
NAMES = ("opened", "bought")
KEYS = ("a", "b", "a.b", "email")
PATHS = ("a", "b", "a.b", "a.b.a", "email", "email.a", "nothing")
AGES = [
    timedelta(),
    MOMENT,
    -MOMENT,
    timedelta(days=1),
    timedelta(days=1) - MOMENT,
    timedelta(days=1) + MOMENT,
    timedelta(days=9),
]

PLAIN: list[Any] = [0, 1, 2, -1, 1.0, 1.5, True, False, "1", "x", "", "ä"]
plain = st.sampled_from(PLAIN)
numbers = st.sampled_from([0, 1, 2, 1.5, -1])
operators = st.one_of(
    plain.map(lambda value: {"equals": value}),
    plain.map(lambda value: {"not_equals": value}),
    numbers.map(lambda value: {"at_least": value}),
    numbers.map(lambda value: {"at_most": value}),
    st.lists(plain | st.none(), max_size=3).map(lambda several: {"one_of": several}),
    st.booleans().map(lambda value: {"exists": value}),
)
comparisons = operators | st.tuples(operators, operators).map(lambda two: {**two[0], **two[1]})
asks = comparisons | comparisons | plain | st.none()
patterns = st.fixed_dictionaries(
    {"event": st.sampled_from(NAMES)},
    optional={
        "where": st.dictionaries(st.sampled_from(PATHS), asks, max_size=2),
        "within": st.sampled_from(["1d", "9d"]),
        "since": st.sampled_from(["entry", "step", "ever"]),
    },
)
counted = st.tuples(
    patterns,
    st.fixed_dictionaries({}, optional={"at_least": st.integers(0, 2), "at_most": st.integers(0, 2)}),
).map(lambda parts: {**parts[0], **parts[1]})
scores = st.fixed_dictionaries(
    {"model": st.sampled_from(["lead", "other"])},
    optional={"at_least": st.integers(-1, 2), "at_most": st.integers(-1, 2)},
).filter(lambda question: len(question) > 1)
a_stage = st.sampled_from([stage.value for stage in Stage])
stages = st.fixed_dictionaries(
    {},
    optional={
        "is": a_stage,
        "one_of": st.lists(a_stage, min_size=1, max_size=3),
        "at_least": a_stage,
        "at_most": a_stage,
    },
).filter(bool)
leaves = st.one_of(
    st.builds(lambda path, asked: {"attribute": path, "is": asked}, st.sampled_from(PATHS), asks),
    st.builds(lambda path: {"attribute": path}, st.sampled_from(PATHS)),
    counted,
    patterns.map(lambda pattern: {"none": pattern}),
    st.sampled_from(["marketing", "sales"]).map(lambda purpose: {"consent": {"purpose": purpose}}),
    st.sampled_from(["vip", "unknown"]).map(lambda key: {"in_list": key}),
    st.sampled_from(["loyal", "unknown"]).map(lambda key: {"segment": key}),
    scores.map(lambda question: {"score": question}),
    stages.map(lambda question: {"stage": question}),
)
conditions = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda several: {"all": several})
        | st.lists(inner, max_size=3).map(lambda several: {"any": several})
        | inner.map(lambda one: {"not": one})
    ),
    max_leaves=5,
)
crowds = st.integers(0, 1_000_000).map(lambda seed: a_crowd(random.Random(seed)))
"""Drawn by a seed: sixty people with a few things each are more than hypothesis would draw one by one."""


def a_crowd(chance: random.Random) -> list[dict[str, Any]]:
    """People about whom all kinds of things are known, many of them the same."""
    return [a_person(chance) for _ in range(60)]


def a_person(chance: random.Random) -> dict[str, Any]:
    return {
        "attributes": a_document(chance),
        "email": chance.random() < 0.5,
        "events": [
            (chance.choice(NAMES), chance.choice(AGES), a_document(chance))
            for _ in range(chance.choice([0, 1, 1, 2, 4]))
        ],
        "consents": [
            (chance.choice(["marketing", "sales"]), chance.choice(["granted", "withdrawn"]), chance.choice(AGES))
            for _ in range(chance.randrange(3))
        ],
        "vip": chance.random() < 0.5,
        "loyal": chance.random() < 0.5,
        "points": chance.choice([None, -1, 0, 1, 2]),
        "stage": chance.choice([stage.value for stage in Stage]),
    }


def a_document(chance: random.Random, depth: int = 2) -> dict[str, Any]:
    """A JSON object with some of the keys; what nests does so at most twice."""
    choices = [*PLAIN, None, ["x", "a", "a.b"]]
    keys = [key for key in KEYS if chance.random() < 0.6]
    return {
        key: a_document(chance, depth - 1) if depth and chance.random() < 0.4 else chance.choice(choices)
        for key in keys
    }


async def populate(session: AsyncSession, crowd: Sequence[dict[str, Any]]) -> list[UUID]:
    """These people, their rows written as they are, into empty tables."""
    await session.execute(insert(ContactList), [{"key": "vip"}])
    await session.execute(insert(SegmentRecord), [{"key": "loyal", "version": 1, "definition": {}, "swept_at": NOW}])
    ids = [uuid4() for _ in crowd]
    rows: dict[Any, list[dict[str, Any]]] = {}
    for contact_id, one in zip(ids, crowd, strict=True):
        own = {"contact_id": contact_id}
        email = "ada@example.com" if one["email"] else None
        rows.setdefault(Contact, []).append(
            {"id": contact_id, "email": email, "attributes": one["attributes"], "stage": one["stage"]}
        )
        rows.setdefault(Event, []).extend(
            {
                "event_id": str(uuid4()),
                "name": name,
                "occurred_at": NOW - age,
                "properties": held,
                "source": "api",
                **own,
            }
            for name, age, held in one["events"]
        )
        rows.setdefault(Consent, []).extend(
            {"purpose": purpose, "channel": "email", "state": state, "source": "x", "occurred_at": NOW - age, **own}
            for purpose, state, age in one["consents"]
        )
        rows.setdefault(ListMember, []).extend([{"list_key": "vip", "reason": "x", **own}] if one["vip"] else [])
        rows.setdefault(SegmentMember, []).extend(
            [{"segment_key": "loyal", "since": NOW, "because": "x", **own}] if one["loyal"] else []
        )
        rows.setdefault(Score, []).extend(
            [{"model_key": "lead", "model_version": 1, "points": one["points"], **own}]
            if one["points"] is not None
            else []
        )
    for model, several in rows.items():
        if several:
            await session.execute(insert(model), several)
    return ids


async def judged(session: AsyncSession, conditions: Sequence[Condition], ids: Sequence[UUID]) -> list[set[UUID]]:
    """For each condition those of the contacts it holds for, judged in memory. Nobody can tell: left out."""
    found: list[set[UUID]] = [set() for _ in conditions]
    for contact_id in ids:
        facts = await load_facts(session, contact_id, Needs.union(one.needs() for one in conditions), NOW)
        for condition, members in zip(conditions, found, strict=True):
            with suppress(Invalid):
                members.update({contact_id} if condition.judge(facts).holds else ())
    return found


async def test_every_comparison_of_every_value_says_the_same(session: AsyncSession) -> None:
    values = [*PLAIN, None, [], ["a"], {}, {"a": 1}, {"b": {"a": 2}}]
    documents: list[dict[str, Any]] = [{}, *({"a": value} for value in values), {"a.b": 1, "a": {"b": 2, "b.a": 3}}]
    known = {uuid4(): document for document in documents}
    await session.execute(insert(Contact), [{"id": one, "attributes": held} for one, held in known.items()])
    single = [
        *({name: value} for name in ("equals", "not_equals") for value in PLAIN),
        *({name: value} for name in ("at_least", "at_most") for value in (0, 1, 1.5)),
        *({"one_of": several} for several in ([], [None], [1, "x"], [True, None])),
        {"exists": True},
        {"exists": False},
    ]
    two = [{**first, **second} for first in single[-12:] for second in single[-12:] if first != second]
    for path, comparison in product(("a", "a.b", "a.b.a"), [*single, *two, *PLAIN, None]):
        condition = CONDITION.validate_python({"attribute": path, "is": comparison})
        expected = set()
        for one, held in known.items():
            with suppress(Invalid):
                expected |= {one} if condition.judge(Facts(NOW, attributes=held)).holds else set()
        assert set(await session.scalars(asked(condition, NOW).members())) == expected, (path, comparison)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crowds, st.lists(conditions, min_size=8, max_size=16))
async def test_sql_and_memory_find_the_same_contacts(
    sessions: Sessions, crowd: Sequence[dict[str, Any]], documents: Sequence[dict[str, Any]]
) -> None:
    asks = [CONDITION.validate_python(document) for document in documents]
    async with sessions() as session:
        ids = await populate(session, crowd)
        for condition, expected in zip(asks, await judged(session, asks, ids), strict=True):
            everybody = await session.scalars(asked(condition, NOW).members())
            some = await session.scalars(asked(condition, NOW, among=ids[::2]).members())
            assert set(everybody) == expected, condition
            assert set(some) == expected & set(ids[::2]), condition


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crowds, st.lists(conditions, min_size=2, max_size=4))
async def test_what_it_says_stays_so_until_it_is_due(
    sessions: Sessions, crowd: Sequence[dict[str, Any]], documents: Sequence[dict[str, Any]]
) -> None:
    async with sessions() as session:
        await populate(session, crowd)
        for condition in map(CONDITION.validate_python, documents):
            made = asked(condition, NOW)
            rows = (
                await session.execute(select(Contact.id, made.is_member, made.due_at).select_from(made.source))
            ).all()
            for later in {NOW + age for age in AGES if age > timedelta()} | {due for *_, due in rows if due}:
                now_in = set(await session.scalars(asked(condition, later).members()))
                changed = [due for contact_id, member, due in rows if (contact_id in now_in) != member]
                assert all(due is not None and due <= later + TICK for due in changed), condition


async def test_of_a_machine_the_same_newest_events_count(session: AsyncSession) -> None:
    contact = await a_contact(session)
    statement = """
        INSERT INTO events (event_id, contact_id, name, properties, occurred_at, source)
        SELECT 'e' || n, :contact, CASE WHEN n > :most THEN 'bought' ELSE 'opened' END, '{}',
               CAST(:now AS timestamptz) - n * interval '1 minute', 'api'
        FROM generate_series(1, :most + 5) AS given (n)
    """
    await session.execute(text(statement), {"contact": contact.id, "most": MOST_EVENTS, "now": NOW})
    both = [{"event": "opened"}, {"none": {"event": "bought"}}]
    for document in ({"all": both}, {"event": "bought", "at_least": 5}, {"event": "opened", "at_least": MOST_EVENTS}):
        condition = CONDITION.validate_python(document)
        assert await judged(session, [condition], [contact.id]) == [{contact.id}]
        assert set(await session.scalars(asked(condition, NOW).members())) == {contact.id}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"entry": "plan"}, "condition.entry"),
        ({"not": {"result": {"step": "a", "is": "b"}}}, "condition.not.result"),
        ({"all": [{"attribute": "plan", "is": {"one_of": ["$entry.plan"]}}]}, "condition.all[0].is"),
        ({"not": {"step": "paid.amount"}}, "condition.not.step"),
        ({"event": "bought", "where": {"id": "$entry.id"}}, "condition.where.id"),
        ({"event": "bought", "where": {"id": "$step.paid.id"}}, "condition.where.id"),
        ({"any": [{"attribute": "plan", "is": "$step.paid.plan"}]}, "condition.any[0].is"),
        ({"none": {"event": "bought", "where": {"id": "$entry.id"}}}, "condition.none.where.id"),
        ({"any": [{"in_list": "x"}] * 50}, "condition"),
    ],
)
def test_what_only_an_enrollment_has_is_refused(document: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid, match="cannot be asked of a set of contacts") as refusal:
        asked(CONDITION.validate_python(document), NOW)
    assert [problem.where for problem in refusal.value.problems] == [where]
