"""What is known of a contact once a condition has been judged, or an event has come. Pure implications, nothing else.

Implications only ever say less than is true: what they name is certain, what they leave out may be so all the same.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from journeys.conditions.registry import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    ConsentCondition,
    EntryCondition,
    Not,
    ResultCondition,
    StepCondition,
)
from journeys.outcomes import SendStatus
from journeys.values import Comparison, ConsentRequirement, MessageChannel, Purpose, Where

Fact = ConsentRequirement | str
"""Something a way can depend on: a standing consent, or a variable that has a value, such as `contact.first_name`."""

GRANTED, WITHDRAWN, REGISTERED = "consent.granted", "consent.withdrawn", "contact.registered"


def voucher_of(step: str) -> Fact:
    """That a step which issues a voucher with its message has done so."""
    return f"voucher of {step}"


def established(condition: Condition | None, *, holds: bool) -> frozenset[Fact]:
    """What is certain where the condition holds, or where it does not."""
    return _gathered(condition, holds, _certain)


def refuted(condition: Condition | None, *, holds: bool) -> frozenset[Fact]:
    """What is certainly not so where the condition holds, or where it does not."""
    return _gathered(condition, holds, _impossible)


Leaf = Callable[[Condition, bool], frozenset[Fact]]
"""What a condition without conditions inside says."""


def _gathered(condition: Condition | None, holds: bool, leaf: Leaf) -> frozenset[Fact]:  # noqa: FBT001
    match condition:
        case None:
            return frozenset()
        case Not():
            return _gathered(condition.not_, not holds, leaf)
        case All():
            parts, every = condition.all, holds
        case AnyOf():
            parts, every = condition.any, not holds
        case _:
            return leaf(condition, holds)
    found = [_gathered(part, holds, leaf) for part in parts]
    if every or not found:
        return frozenset().union(*found)
    return frozenset.intersection(*found)


def _certain(condition: Condition, holds: bool) -> frozenset[Fact]:  # noqa: FBT001
    if isinstance(condition, ConsentCondition):
        return frozenset({condition.consent} if holds else ())
    if isinstance(condition, ResultCondition):
        left = holds and condition.result.is_ in {SendStatus.SENT, SendStatus.UNKNOWN}
        return frozenset({voucher_of(condition.result.step)} if left else ())
    name = _variable(condition)
    return _with_parents(name) if name and _has_value(_asked(condition), holds) else frozenset()


def _impossible(condition: Condition, holds: bool) -> frozenset[Fact]:  # noqa: FBT001
    if isinstance(condition, ConsentCondition):
        return frozenset(() if holds else {condition.consent})
    name = _variable(condition)
    return frozenset({name} if name and _has_none(_asked(condition), holds) else ())


def _variable(condition: Condition) -> str | None:
    if isinstance(condition, AttributeCondition):
        return f"contact.{condition.attribute}"
    if isinstance(condition, StepCondition):
        return f"steps.{condition.step}"
    return f"entry.{condition.entry}" if isinstance(condition, EntryCondition) else None


def _with_parents(name: str) -> frozenset[Fact]:
    """The variable, and those it is a part of."""
    parts = name.split(".")
    return frozenset(".".join(parts[:length]) for length in range(2, len(parts) + 1))


def _asked(condition: Condition) -> Any:
    return getattr(condition, "is_", None)


def _has_value(asked: Any, holds: bool) -> bool:  # noqa: FBT001
    """Whether a property that compares so, or does not, certainly has a value. Only `exists: false` fits none."""
    given = asked.operators() if isinstance(asked, Comparison) else {"equals": asked}
    if not holds:
        return given == {"exists": False}
    if given.get("exists") is False:
        return False
    return any(None not in value if name == "one_of" else value is not None for name, value in given.items())


def _has_none(asked: Any, holds: bool) -> bool:  # noqa: FBT001
    given = asked.operators() if isinstance(asked, Comparison) else {}
    return given.get("exists") is False if holds else given == {"exists": True}


def established_by_event(event: str | None, where: Where) -> frozenset[Fact]:
    """The consents that stand directly after such an event: a grant, or a registration that brings one."""
    if event == GRANTED:
        return frozenset(_consents(where))
    if event == REGISTERED and _plain(where.get("consent")) is True:
        return frozenset({ConsentRequirement()})
    return frozenset()


def entry_values(where: Where, root: str = "entry") -> frozenset[Fact]:
    """The properties that an event certainly has where it satisfies `where`, as variables of templates below `root`."""
    names = (f"{root}.{name}" for name, asked in where.items() if _has_value(asked, holds=True))
    return frozenset().union(*map(_with_parents, names))


def _consents(where: Where) -> Iterable[ConsentRequirement]:
    """The one consent that `where` leaves open; none where it leaves several."""
    purposes, channels = _named(where.get("purpose"), Purpose), _named(where.get("channel"), MessageChannel)
    if len(purposes) == len(channels) == 1:
        yield ConsentRequirement(purpose=Purpose(purposes[0]), channel=MessageChannel(channels[0]))


def _named(asked: Any, vocabulary: type[StrEnum]) -> list[str]:
    words = [member.value for member in vocabulary]
    return [word for word in words if word == _plain(asked)] or words


def _plain(asked: Any) -> Any:
    return asked.operators().get("equals") if isinstance(asked, Comparison) else asked


def truth(condition: Condition | None, results: Mapping[str, str | None]) -> bool | None:
    """Whether a condition holds, as far as the results of earlier steps decide it; None where they do not.

    A result of None is that of a step that has not run; an empty word stands for one that is not known, and so does
    a step that is left out.
    """
    match condition:
        case ResultCondition():
            word = results.get(condition.result.step, "")
            return None if word == "" else word == condition.result.is_
        case Not():
            inner = truth(condition.not_, results)
            return None if inner is None else not inner
        case All():
            return _every([truth(part, results) for part in condition.all])
        case AnyOf():
            inner = _every([truth(Not(not_=part), results) for part in condition.any])
            return None if inner is None else not inner
        case _:
            return None


def _every(truths: list[bool | None]) -> bool | None:
    if False in truths:
        return False
    return None if None in truths else True


def asked_results(condition: Condition | None) -> frozenset[str]:
    """The steps whose results a condition asks for, at any depth."""
    match condition:
        case ResultCondition():
            return frozenset({condition.result.step})
        case Not():
            return asked_results(condition.not_)
        case All():
            return frozenset().union(*map(asked_results, condition.all))
        case AnyOf():
            return frozenset().union(*map(asked_results, condition.any))
        case _:
            return frozenset()
