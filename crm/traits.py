"""Traits: what a producer says of a contact, checked and sorted into typed fields and free attributes. Pure.

Writing them is in `crm.contacts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kit.errors import Problem


@dataclass(frozen=True)
class TraitReport:
    """What applying traits did: names of the fields and attributes that changed, and the traits that were not usable.

    No problem holds a value: they may be logged and shown to people who may not see the contact.
    """

    changed: frozenset[str] = frozenset()
    rejected: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class SortedTraits:
    """Usable traits: typed fields by column name and free attributes. None removes."""

    fields: Mapping[str, str | None]
    attributes: Mapping[str, Any]
    rejected: tuple[Problem, ...] = ()


def sort_traits(traits: Mapping[str, Any]) -> SortedTraits:
    """Check each trait; the unusable ones are left out and reported, the others stand."""
    raise NotImplementedError
