"""Which events may change what a condition says: what a wait for a condition listens to. Pure.

Time alone may change it too: `journeys.conditions.base.BaseCondition.changes_at` says when.
"""

from collections.abc import Iterator
from typing import NamedTuple

from journeys.conditions.base import BaseCondition, Needs
from journeys.stages import STAGE_CHANGED
from journeys.values import CONTACT_UPDATED

SCORE_CHANGED = "score.changed"
"""Stands for every event that some points model counts. Intake matches it; it is in no log of events."""

LISTS = ("list.joined", "list.left")
SEGMENTS = ("segment.entered", "segment.left")
SCORES = ("score.crossed", SCORE_CHANGED)
CONSENTS = ("consent.granted", "consent.withdrawn", "contact.registered")
"""A registration may carry a consent."""


def told_by(condition: BaseCondition | None) -> frozenset[str]:
    """Names of the events after which the condition may say something else; none where there is no condition."""
    return frozenset() if condition is None else frozenset(change.event for change in changes(condition.needs()))


class Change(NamedTuple):
    """Events of a name; of `contact.updated` only those that name one of `attributes` as changed."""

    event: str
    attributes: tuple[str, ...] = ()


def changes(needs: Needs) -> Iterator[Change]:
    """The events after which a condition with these needs may say something else, each once."""
    names = [*sorted(needs.events)]
    names += LISTS if needs.lists else ()
    names += SEGMENTS if needs.segments else ()
    names += SCORES if needs.score_models else ()
    names += CONSENTS if needs.consents else ()
    names += (STAGE_CHANGED,) if needs.stage else ()
    if needs.attributes and CONTACT_UPDATED not in names:
        # A change of a nested attribute is told under its own name or under that of the whole.
        roots = {path.partition(".")[0] for path in needs.attributes}
        yield Change(CONTACT_UPDATED, tuple(sorted(needs.attributes | roots)))
    yield from map(Change, dict.fromkeys(names))
