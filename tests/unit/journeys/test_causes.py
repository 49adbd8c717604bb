"""Every action goes back to an event, and every event of a step to that step."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.causes import Origin, event_id_of, led_by, origin_of

names = st.from_regex(r"[a-z]+(\.[a-z_]+)?", fullmatch=True)
steps = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)
CONTACT = UUID(int=7)


@given(names, st.builds(Origin, st.uuids(), steps, st.integers(1, 1_000)))
def test_the_id_of_an_event_tells_the_step_it_follows_from(name: str, origin: Origin) -> None:
    assert origin_of(event_id_of(name, origin), name) == origin


@pytest.mark.parametrize(
    ("event_id", "name"),
    [
        ("order-4711", "order.placed"),
        (f"score.crossed:{CONTACT}:purchases:loyal:9f2c", "score.crossed"),
        (f"segment.entered:vip:{CONTACT}:order-1", "segment.entered"),
        (f"date.reached:birthday:{CONTACT}:2026-05-03", "date.reached"),
        (f"journey.goal_met:{CONTACT}", "journey.goal_met"),
        (f"list.joined:{CONTACT}:add:first", "list.joined"),
    ],
)
def test_an_event_that_no_step_has_had_happen_follows_from_none(event_id: str, name: str) -> None:
    assert origin_of(event_id, name) is None


@given(st.none() | st.just("entry"), st.lists(st.none() | st.sampled_from(["a", "b"])))
def test_a_decision_goes_back_to_the_last_event_that_decided_or_to_the_entry(
    entry: str | None, decided: list[str | None]
) -> None:
    led = list(led_by(entry, decided))
    assert len(led) == len(decided)
    for number, cause in enumerate(led):
        known = [event for event in decided[: number + 1] if event]
        assert cause == (known[-1] if known else entry)
