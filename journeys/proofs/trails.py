"""Trails in plain words: "enter on order.placed → wait 1 day → 'reviewed' (no review.created), if so → send 'x'"."""

from collections.abc import Sequence

from journeys.describe import describe_node
from journeys.model import Entry
from journeys.plan import Plan
from journeys.proofs.network import Hop, Trail

LONGEST = 14
"""Parts of a trail that are told; of a longer one the middle is left out."""
_WORDS = 70
"""Characters of a node's description where it is only passed."""


def describe_trail(entry: Entry, plan: Plan, trail: Trail, *, arriving: str | None = None) -> str:
    """The trail from the entry on, up to the node `arriving`, or else to its own last hop."""
    parts = [*_gathered(plan, trail), *([describe_node(plan.nodes[arriving])] if arriving else [])]
    if len(parts) > LONGEST:
        left_out = len(parts) - LONGEST + 1
        parts = [*parts[: LONGEST // 2], f"… {left_out} more steps …", *parts[-(LONGEST // 2 - 1) :]]
    return " → ".join([describe_entry(entry), *parts])


def describe_entry(entry: Entry) -> str:
    """How a contact gets in, in a few words."""
    return f"enter on {entry.trigger}" if entry.trigger else "enter"


def _gathered(plan: Plan, trail: Trail) -> Sequence[str]:
    return [_words(plan, hop) for hop in trail]


def _words(plan: Plan, hop: Hop) -> str:
    node = hop.station.node
    text = describe_node(plan.nodes[node])
    if not hop.way.when:
        return text
    short = text if len(text) <= _WORDS else f"{text[: _WORDS - 1]}…"
    return f"'{node}' ({short}), {hop.way.when}"
