"""Every kind of condition can be asked of a set of contacts, or is refused with a sentence: none is forgotten."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from crm.condition_sql import asked
from journeys.conditions.registry import CONDITION_KINDS, Condition, condition_kind
from kit.errors import Invalid

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

EXAMPLES: dict[str, dict[str, Any]] = {
    "all": {"all": []},
    "any": {"any": []},
    "not": {"not": {"in_list": "vip"}},
    "attribute": {"attribute": "plan"},
    "event": {"event": "order.placed"},
    "none": {"none": {"event": "order.placed"}},
    "consent": {"consent": {"purpose": "marketing"}},
    "in_list": {"in_list": "vip"},
    "segment": {"segment": "loyal"},
    "score": {"score": {"model": "lead", "at_least": 1}},
    "stage": {"stage": {"at_least": "mql"}},
    "entry": {"entry": "plan"},
    "result": {"result": {"step": "asked", "is": "met"}},
    "step": {"step": "paid.amount"},
}
OF_ENROLLMENTS = {"entry", "result", "step"}


def test_there_is_an_example_of_every_kind() -> None:
    assert {kind: condition_kind(document) for kind, document in EXAMPLES.items()} == {k: k for k in CONDITION_KINDS}


@pytest.mark.parametrize("kind", CONDITION_KINDS)
def test_a_kind_is_compiled_or_refused(kind: str) -> None:
    condition = CONDITION.validate_python(EXAMPLES[kind])
    if kind in OF_ENROLLMENTS:
        with pytest.raises(Invalid, match=f"`{kind}` is of somebody inside a journey"):
            asked(condition, NOW)
    else:
        assert "FROM contacts" in str(asked(condition, NOW).members())
