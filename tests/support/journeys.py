"""Journeys for tests: a small one to change parts of, and hypothesis strategies for all of the language."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from journeys.conditions.base import EventFact, Facts
from journeys.conditions.registry import Condition
from journeys.documents import journey_from_document
from journeys.model import Journey
from journeys.stages import Stage

NOW = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
ENTERED = NOW - timedelta(days=3)

SMALL: Mapping[str, Any] = {
    "key": "small",
    "name": "A small journey",
    "owner": "tests",
    "entry": {"event": "contact.registered"},
    "steps": [{"wait": "1d"}],
}


def journey(**parts: Any) -> Journey:
    """A small journey in which these parts are as said."""
    return journey_from_document({**SMALL, **parts})


def condition(document: Mapping[str, Any]) -> Condition:
    """The condition a document describes."""
    audience = journey(entry={"event": "contact.registered", "audience": document}).entry.audience
    assert audience is not None
    return audience


def event(name: str, *, hours_ago: float = 0, event_id: str = "", **properties: Any) -> EventFact:
    """An event that occurred so long before `NOW`."""
    occurred_at = NOW - timedelta(hours=hours_ago)
    return EventFact(name=name, occurred_at=occurred_at, properties=properties, event_id=event_id)


EVENT_NAMES = ("order.placed", "review.created", "Signed Up")
PROPERTIES = ("product_id", "amount", "address.city")
STEP_IDS = ("first", "second")

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=10)
names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=10)
keys = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True)
durations = st.sampled_from(["90s", "15m", "24h", "1d", "2w", "1d 12h"])
scalars = st.one_of(
    texts,
    st.integers(-1_000, 1_000),
    st.floats(-1_000, 1_000),
    st.booleans(),
    st.none(),
    st.just("$entry.product_id"),
)
equal_comparisons = st.one_of(
    st.fixed_dictionaries({"equals": scalars.filter(lambda value: value is not None)}),
    st.fixed_dictionaries({"not_equals": scalars.filter(lambda value: value is not None)}),
    st.fixed_dictionaries({"one_of": st.lists(scalars, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"exists": st.booleans()}),
)
ranges = st.fixed_dictionaries({"at_least": st.integers(-10, 10)}, optional={"at_most": st.floats(-10, 10)})
comparable = st.one_of(scalars, equal_comparisons)
wheres = st.dictionaries(st.sampled_from(PROPERTIES), comparable, max_size=2)
wheres_with_ranges = st.dictionaries(st.sampled_from(PROPERTIES), st.one_of(comparable, ranges), max_size=2)

patterns = st.fixed_dictionaries(
    {"event": st.sampled_from(EVENT_NAMES)},
    optional={"where": wheres, "within": durations, "since": st.sampled_from(["entry", "step", "ever"])},
)
stages = st.sampled_from(list(Stage))
stage_questions = st.one_of(
    st.fixed_dictionaries({"is": stages.map(str)}),
    st.fixed_dictionaries({"at_least": stages.map(str)}, optional={"at_most": stages.map(str)}),
    st.fixed_dictionaries({"one_of": st.lists(stages.map(str), min_size=1, max_size=3)}),
)
leaves = st.one_of(
    st.fixed_dictionaries({"attribute": st.sampled_from(PROPERTIES)}, optional={"is": comparable}),
    st.builds(
        lambda pattern, counts: {**pattern, **counts},
        patterns,
        st.fixed_dictionaries({}, optional={"at_least": st.integers(0, 3), "at_most": st.integers(0, 3)}),
    ),
    st.fixed_dictionaries({"none": patterns}),
    st.fixed_dictionaries({"consent": st.fixed_dictionaries({}, optional={"purpose": st.just("sales")})}),
    st.fixed_dictionaries({"in_list": st.sampled_from(["vip", "newsletter"])}),
    st.fixed_dictionaries({"score": st.fixed_dictionaries({"model": keys, "at_least": st.integers(0, 50)})}),
    st.fixed_dictionaries({"stage": stage_questions}),
    st.fixed_dictionaries({"entry": st.sampled_from(PROPERTIES)}, optional={"is": comparable}),
    st.fixed_dictionaries(
        {"step": st.sampled_from([f"{step}.product_id" for step in STEP_IDS])}, optional={"is": comparable}
    ),
    st.fixed_dictionaries(
        {"result": st.fixed_dictionaries({"step": st.sampled_from(STEP_IDS), "is": st.sampled_from(["yes", "sent"])})}
    ),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=4,
)

values = st.one_of(texts, st.integers(-10, 10), st.booleans(), st.none())
properties = st.dictionaries(st.sampled_from(["product_id", "amount"]), values, max_size=2)
events = st.builds(
    EventFact,
    name=st.sampled_from(EVENT_NAMES),
    occurred_at=st.integers(-200, 0).map(lambda hours: NOW + timedelta(hours=hours)),
    properties=properties,
    event_id=st.sampled_from(["", "a", "b", "c"]),
)
facts = st.builds(
    Facts,
    now=st.just(NOW),
    attributes=properties,
    events=st.lists(events, max_size=5),
    lists=st.frozensets(st.sampled_from(["vip", "newsletter"])),
    consents=st.frozensets(st.tuples(st.sampled_from(["marketing", "sales"]), st.just("email"))),
    scores=st.dictionaries(keys, st.integers(0, 100), max_size=2),
    stage=stages,
    entry=properties,
    results=st.dictionaries(st.sampled_from(STEP_IDS), st.sampled_from(["yes", "no", "sent"]), max_size=2),
    entered_at=st.one_of(st.none(), st.just(ENTERED)),
)

date_names = st.sampled_from(["$entry.starts_at", "$contact.contract_end", "$contact.address.since"])
date_options = {
    "at": st.sampled_from(["09:00", "18:30:15"]),
    "late": st.sampled_from(["skip", "now"]),
    "missing": st.sampled_from(["skip", "attention"]),
    "yearly": st.booleans(),
}
offsets = st.sampled_from(["1d", "2w", "1 day", "3 months"])
moved = st.fixed_dictionaries(
    {"event": st.sampled_from(EVENT_NAMES)}, optional={"where": wheres_with_ranges, "property": st.just("starts_at")}
)
best_times = st.builds(
    lambda hours, rest: {**hours, **rest},
    st.sampled_from([{}, {"from": "22:00", "to": "06:00"}, {"from": "20:00"}]),
    st.fixed_dictionaries({"otherwise": st.just("22:00")}, optional={"in_window": st.booleans()}),
)
never_late = st.one_of(
    st.sampled_from(["1 day at 09:00", "2 weeks at 18:30:15", "next_window"]),
    st.fixed_dictionaries({"best_time": best_times}),
)
dated = st.one_of(
    st.fixed_dictionaries(
        {"until": st.sampled_from(["2026-12-24T09:00:00+01:00", "2026-12-24 09:00", "2026-12-24T09:00:30.5Z"])}
    ),
    st.fixed_dictionaries({"before": offsets, "date": date_names}, optional=date_options),
    st.fixed_dictionaries({"after": offsets, "date": st.just("$entry.starts_at"), "moved_by": moved}),
    st.fixed_dictionaries({"on": date_names}, optional=date_options),
)
ids = st.fixed_dictionaries({}, optional={"id": keys})
plain_steps = st.one_of(
    st.fixed_dictionaries({"wait": st.one_of(durations, never_late, dated)}),
    st.fixed_dictionaries({"send": st.fixed_dictionaries({"template": keys})}),
    st.fixed_dictionaries({"set": st.dictionaries(st.sampled_from(PROPERTIES), scalars, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"list": st.one_of(*(st.fixed_dictionaries({word: keys}) for word in ("add", "remove")))}),
    st.fixed_dictionaries({"recompute_score": keys}),
    st.fixed_dictionaries(
        {
            "score": st.fixed_dictionaries(
                {"model": keys, "add": st.sampled_from([-5, 10]), "reason": st.just("Came to the evening.")}
            )
        }
    ),
    st.fixed_dictionaries({"stage": stages.map(str)}),
    st.fixed_dictionaries(
        {
            "task": st.fixed_dictionaries(
                {
                    "title": st.sampled_from(["Call", "Write about $entry.order_id"]),
                    "due": st.sampled_from(["2d", "1 day at 09:00", "2 weeks at 18:30:15", "next_window"]),
                },
                optional={
                    "for": names,
                    "kind": keys,
                    "details": texts,
                    "at_end": st.sampled_from(["keep", "cancel"]),
                },
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "stage": st.fixed_dictionaries(
                {"to": stages.map(str), "reason": names.filter(str.strip)}, optional={"recycle": st.booleans()}
            )
        }
    ),
    st.fixed_dictionaries({"exit": names}),
    st.fixed_dictionaries(
        {
            "start": st.fixed_dictionaries(
                {"journey": keys},
                optional={
                    "entry_key": scalars,
                    "properties": st.dictionaries(st.sampled_from(PROPERTIES), scalars, max_size=2),
                },
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "wait_for": st.fixed_dictionaries(
                {"event": st.sampled_from(EVENT_NAMES), "up_to": durations},
                optional={"where": wheres_with_ranges, "since": st.sampled_from(["entry", "step"])},
            )
        }
    ),
)


def _with_id(step: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda identity, body: {**identity, **body}, ids, step)


def _nesting(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    branches = st.fixed_dictionaries({}, optional={word: st.lists(inner, max_size=2) for word in ("then", "else")})
    heads = st.one_of(
        st.fixed_dictionaries({"wait": dated}),
        st.fixed_dictionaries({"if": conditions}),
        st.fixed_dictionaries(
            {"wait_for": st.fixed_dictionaries({"event": st.sampled_from(EVENT_NAMES), "up_to": durations})}
        ),
    )
    forks = st.builds(lambda head, body: {**head, **body}, heads, branches)
    return _with_id(st.one_of(forks, *_further_nesting(inner)))


def _further_nesting(inner: st.SearchStrategy[dict[str, Any]]) -> list[st.SearchStrategy[dict[str, Any]]]:
    sequences = st.lists(inner, max_size=2)
    ways = st.lists(st.fixed_dictionaries({"if": conditions}, optional={"then": sequences}), min_size=1, max_size=2)
    awaited = st.one_of(
        st.fixed_dictionaries({"event": st.sampled_from(EVENT_NAMES)}, optional={"then": sequences}),
        st.fixed_dictionaries({"condition": conditions}, optional={"then": sequences}),
    )
    several = st.fixed_dictionaries(
        {"first_of": st.lists(awaited, min_size=1, max_size=2), "up_to": durations},
        optional={"ranked": st.booleans()},
    )
    holding = st.fixed_dictionaries({"condition": conditions, "up_to": durations})
    rounds = st.fixed_dictionaries(
        {"times": st.integers(1, 3), "steps": st.lists(inner, min_size=1, max_size=2)}, optional={"until": conditions}
    )
    shares = st.integers(1, 99).map(lambda share: (share, 100 - share))
    arms = st.builds(
        lambda pair, first, second: {
            "a": {"share": pair[0], "steps": first},
            "b": {"share": pair[1], "steps": second},
        },
        shares,
        sequences,
        sequences,
    )
    winner = st.fixed_dictionaries({"after": st.integers(30, 1_000)}, optional={"confidence": st.floats(0.6, 0.99)})
    experiment = st.fixed_dictionaries({"experiment": keys, "arms": arms}, optional={"winner": winner})
    approval = st.fixed_dictionaries({"by": names, "up_to": durations}, optional={"question": texts})
    return [
        st.fixed_dictionaries({"branch": ways, "else": sequences}),
        st.fixed_dictionaries(
            {"approve": approval}, optional={"then": sequences, "rejected": sequences, "else": sequences}
        ),
        st.fixed_dictionaries({"split": experiment}),
        st.fixed_dictionaries({"repeat": rounds}),
        st.fixed_dictionaries({"wait_for": several}, optional={"else": sequences}),
        st.fixed_dictionaries({"wait_for": holding}, optional={"then": sequences, "else": sequences}),
    ]


steps = st.recursive(_with_id(plain_steps), _nesting, max_leaves=5)
windows = st.fixed_dictionaries(
    {},
    optional={
        "days": st.sampled_from(["mon-fri", "sat,sun", "fri-mon"]),
        "from": st.sampled_from(["08:00", "22:00"]),
        "to": st.sampled_from(["06:00", "24:00"]),
        "holidays": st.booleans(),
    },
)
criteria = st.fixed_dictionaries({"event": st.sampled_from(EVENT_NAMES)}, optional={"where": wheres_with_ranges})
entry_rules = st.one_of(
    st.sampled_from(["never", "after_exit"]),
    st.fixed_dictionaries({"cooldown": durations}),
    st.fixed_dictionaries({"per": st.sampled_from(PROPERTIES)}),
)
documents = st.fixed_dictionaries(
    {
        "key": keys,
        "name": names,
        "owner": names,
        "entry": st.fixed_dictionaries(
            {"event": st.sampled_from(EVENT_NAMES)},
            optional={
                "where": wheres_with_ranges,
                "audience": conditions,
                "again": entry_rules,
                "at_most": st.integers(1, 1_000),
            },
        ),
        "steps": st.lists(steps, min_size=1, max_size=4),
    },
    optional={
        "description": texts,
        "goal": st.builds(
            lambda criterion, kind, then: {**criterion, "type": kind, "within": "30d", **then},
            criteria,
            st.sampled_from(["sell", "serve", "speak", "save", "sizzle"]),
            st.fixed_dictionaries({}, optional={"then": st.lists(steps, max_size=2)}),
        ),
        "stages": st.lists(stages.map(str), max_size=3, unique=True),
        "exit": st.one_of(criteria, st.lists(criteria, max_size=2)),
        "exit_when": conditions,
        "window": windows,
    },
)
"""Documents of valid journeys. Two steps may have the same id: that is for checks to find."""
