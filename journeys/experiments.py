"""Who is in which group of an experiment: drawn by a hash, so the same for a contact wherever and whenever it is asked.

Pure functions of the contact's id and the experiment's key. How groups are compared is in `journeys.proportions`.
"""

import hashlib
from collections.abc import Mapping
from math import log
from uuid import UUID

CONTROL_GROUP = "control-group"
_PRECISION = 52
"""Bits of a draw: with the half that is added, as many as a float holds exactly; so none is ever rounded to 1."""


def held_out(contact_id: UUID, journey: str, *, percent: int) -> bool:
    """Whether the contact is among the percent of a journey's contacts to whom it sends nothing."""
    return _draw(f"holdout:{journey}", contact_id) < percent / 100


def in_sample(contact_id: UUID, journey: str, *, percent: int) -> bool:
    """Whether the contact is among the percent of those there are already that a publication of the journey lets in.

    A larger share takes all that a smaller one took.
    """
    return _draw(f"backfill:{journey}", contact_id) < percent / 100


def in_control_group(contact_id: UUID, *, percent: int) -> bool:
    """Whether the contact is among the percent of all contacts who get no marketing message at all."""
    return _draw(CONTROL_GROUP, contact_id) < percent / 100


def arm_of(contact_id: UUID, experiment: str, shares: Mapping[str, int]) -> str:
    """The arm the contact is in. Arms get contacts in proportion to their shares, which are positive numbers.

    Weighted rendezvous hashing: each arm draws a number for the contact, and the best one, weighed by its share, wins.
    So whoever changes arms when one is added, removed or given another share, does so because of that arm alone: an
    added arm takes contacts from the others and moves nobody between them. (Schindelhauer and Schomaker, "Weighted
    distributed hash tables", SPAA 2005, the logarithmic method.)
    """
    return max(shares, key=lambda arm: (-shares[arm] / log(_draw(f"arm:{experiment}:{arm}", contact_id)), arm))


def _draw(salt: str, contact_id: UUID) -> float:
    """A number between 0 and 1, both excluded, evenly spread over contacts and independent between salts."""
    digest = hashlib.sha256(f"{salt}:{contact_id}".encode()).digest()
    drawn = int.from_bytes(digest[:8]) >> (64 - _PRECISION)
    return (drawn + 0.5) / (1 << _PRECISION)
