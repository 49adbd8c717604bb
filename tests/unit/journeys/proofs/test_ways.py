"""Durations and messages of all ways: compared with brute force over the documents, and in known cases."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.findings import KnownTemplate
from journeys.plan import Plan
from journeys.proofs.consent import mail_before_consent
from journeys.proofs.durations import every_way_ends, longest, shortest, ways_through
from journeys.proofs.mails import WEEK, earliest, heaviest_week, marketing, most_passages
from journeys.proofs.network import Network, network_of
from journeys.proofs.subject import Subject, subject_of
from journeys.proofs.summary import describe_ways
from journeys.proofs.variables import variables_present
from journeys.proofs.vouchers import vouchers_present
from journeys.proofs.withdrawal import consents_needed
from journeys.steps.base import Way
from journeys.steps.change_list import ListNode
from journeys.steps.decide import IfNode
from journeys.steps.send import SendNode
from journeys.steps.wait import WaitNode
from tests.support.journeys import condition, journey
from tests.support.trails import assert_leads
from tests.support.ways import further_journeys, most_within, small_journeys, walks

KNOWN = {"voucher": KnownTemplate("marketing"), "receipt": KnownTemplate("transactional")}
ALL = 100_000
DAY = timedelta(days=1)
SEND = {"send": {"template": "voucher"}}


def subject(**parts: Any) -> Subject:
    found = subject_of(journey(**parts))
    assert found is not None
    return found


@settings(max_examples=300)
@given(small_journeys)
def test_every_way_takes_and_sends_what_brute_force_finds(steps: list[dict[str, Any]]) -> None:
    looked = subject(steps=steps)
    counts = marketing(looked, {**KNOWN, "receipt": KnownTemplate("marketing")})
    expected = Counter((walk.least, walk.most, len(walk.sent)) for walk in walks(steps))
    found = Counter(
        (way.least, way.most, sum(counts(hop.station) for hop in way.trail))
        for way in ways_through(looked.unrolled, most=ALL)
    )
    assert found == expected
    assert looked.ends


@settings(max_examples=300)
@given(small_journeys)
def test_the_extremes_are_those_of_brute_force_and_are_ways(steps: list[dict[str, Any]]) -> None:
    looked = subject(steps=steps)
    every = list(walks(steps))
    least, most = shortest(looked.unrolled), longest(looked.unrolled)
    assert least.least == min(walk.least for walk in every)
    assert most.most == max(walk.most for walk in every)
    assert_leads(looked.plan, least.trail, to=None)
    assert_leads(looked.plan, most.trail, to=None)


@settings(max_examples=300)
@given(small_journeys, st.sampled_from([timedelta(days=1), timedelta(days=4), WEEK, timedelta(days=30)]))
def test_the_heaviest_week_is_that_of_brute_force(steps: list[dict[str, Any]], span: timedelta) -> None:
    looked = subject(steps=steps)
    counts = marketing(looked, {**KNOWN, "receipt": KnownTemplate("marketing")})
    sent = heaviest_week(looked.unrolled, counts, span=span)
    every = list(walks(steps))
    assert len(sent) == max(most_within(walk.sent, span) for walk in every)
    if sent:
        assert sent[-1].after - sent[0].after < span
        assert min(earliest(looked.unrolled)[place] for place in looked.unrolled.hops if counts(place)) == min(
            at for walk in every for at in walk.sent
        )


def test_messages_exactly_seven_days_apart_are_not_within_seven_days() -> None:
    looked = subject(steps=[SEND, {"wait": "7d"}, SEND])
    assert len(heaviest_week(looked.unrolled, marketing(looked, KNOWN))) == 1
    looked = subject(steps=[SEND, {"wait": "6d 23h 59m 59s"}, {"send": {"template": "receipt"}}, SEND])
    assert [sent.step_id for sent in heaviest_week(looked.unrolled, marketing(looked, KNOWN))] == ["send-1", "send-3"]


def test_a_wait_for_an_event_may_end_at_once() -> None:
    looked = subject(steps=[SEND, {"wait_for": {"event": "x", "up_to": "30d"}, "then": [SEND]}, SEND])
    sent = heaviest_week(looked.unrolled, marketing(looked, KNOWN))
    assert [(one.step_id, one.after) for one in sent] == [
        ("send-1", timedelta()),
        ("send-2", timedelta()),
        ("send-3", timedelta()),
    ]


def test_a_wait_for_a_date_has_no_known_end() -> None:
    steps = [{"wait": {"before": "3 days", "date": "$entry.starts_at"}, "then": [SEND]}, {"wait": "1d"}]
    looked = subject(steps=steps)
    assert shortest(looked.unrolled).least == DAY
    assert longest(looked.unrolled).most is None
    first, *_ = describe_ways(looked, KNOWN)
    assert first == "Every way ends. It takes at least 1 day; send windows, pauses, goal and exit are not counted."


@pytest.mark.parametrize(
    ("parts", "steps", "expected"),
    [
        ({"again": "never"}, [SEND], 1),
        ({"again": {"cooldown": "7d"}}, [SEND], 1),
        ({"again": {"cooldown": "6d"}}, [SEND], 2),
        ({"again": {"cooldown": "1d"}}, [SEND], 7),
        ({"again": {"cooldown": "1d"}}, [{"wait": "1d"}, SEND], 4),
        ({"again": "after_exit"}, [SEND], None),
        ({"again": "after_exit"}, [SEND, {"wait": "7d"}], 2),
        ({"again": "after_exit"}, [{"wait": "3d"}, SEND], 4),
        ({"again": {"per": "order_id"}}, [SEND, {"wait": "30d"}], None),
        ({"absence": {"of": "x", "for": "30d"}, "again": "after_exit"}, [SEND, {"wait": "2d"}], 1),
        ({"absence": {"of": "x", "for": "3d"}, "again": "after_exit"}, [SEND, {"wait": "2d"}], 4),
        ({"absence": {"of": "x", "for": "3d"}, "again": {"per": "since"}}, [SEND, {"wait": "20d"}], 10),
        ({"absence": {"of": "x", "for": "3d"}, "again": {"cooldown": "7d"}}, [SEND, {"wait": "20d"}], 1),
        (
            {"absence": {"of": "x", "for": "3d"}, "again": {"per": "since"}},
            [{"wait": {"on": "$contact.renewal", "late": "now"}}, SEND],
            None,
        ),
    ],
    ids=str,
)
def test_how_many_passages_fit_into_a_week(
    parts: dict[str, Any], steps: list[dict[str, Any]], expected: int | None
) -> None:
    looked = subject(entry=parts if "absence" in parts else {"event": "x", **parts}, steps=steps)
    assert most_passages(looked.journey, looked.unrolled, marketing(looked, KNOWN)) == expected


def test_an_exit_may_end_a_passage_directly_behind_its_message() -> None:
    looked = subject(entry={"event": "x", "again": "after_exit"}, exit={"event": "y"}, steps=[SEND, {"wait": "7d"}])
    assert most_passages(looked.journey, looked.unrolled, marketing(looked, KNOWN)) is None


class Again(ListNode):
    """A node that can be passed again a number of times: what a repeat is to the proofs."""

    most: int
    body: str

    def ways(self) -> tuple[Way, ...]:
        return (Way("again", self.body, at_most=self.most), Way("enough", self.next))


def plan(again: Any) -> Plan:
    """Send and wait a day, then what `again` says."""
    nodes = {
        "mail": SendNode(kind="send", template="voucher", next="pause"),
        "pause": WaitNode(kind="wait", duration=DAY, next="again"),
        "again": again,
        "end": SendNode(kind="send", template="receipt"),
    }
    return Plan.model_construct(journey="x", version=1, name="x", owner="x", start="mail", nodes=nodes, criteria={})


def bounded(most: int) -> Plan:
    return plan(Again(kind="list", list_key="x", member=True, most=most, body="mail", next="end"))


def unrolled(most: int) -> Network:
    return network_of(bounded(most), unrolled=True)


def test_a_bounded_repeat_ends_and_is_counted_as_often_as_it_may_go_round() -> None:
    network = unrolled(3)
    assert not network.endless
    assert sorted(way.least for way in ways_through(network, most=ALL)) == [DAY, 2 * DAY, 3 * DAY, 4 * DAY]
    sent = heaviest_week(network, lambda station: station.node == "mail")
    assert [one.after for one in sent] == [timedelta(), DAY, 2 * DAY, 3 * DAY]
    assert len(heaviest_week(unrolled(30), lambda station: station.node == "mail")) == 7


def test_an_unbounded_circle_is_told_with_the_way_into_it() -> None:
    circle = IfNode(kind="if", condition=condition({"in_list": "vip"}), next="mail", otherwise="end")
    steps = [{"id": step, "wait": "1d"} for step in ("mail", "pause", "again", "end")]
    looked = Subject(journey(steps=steps), plan(circle))
    (note,) = every_way_ends(looked)
    assert (note.rule, note.severity, note.path) == ("endless-way", "error", ("steps", 2))
    assert "send 'voucher' by email → wait 1 day → 'again' (check: on the list 'vip'), if so." in note.what
    assert not looked.ends
    assert list(describe_ways(looked, KNOWN)) == ["It is not known that every way ends."]


def test_more_ways_than_can_be_looked_at_are_told() -> None:
    looked = Subject(journey(), bounded(100_000))
    (note,) = every_way_ends(looked)
    assert (note.rule, note.severity) == ("too-many-ways", "warning")
    assert len(looked.network.hops) == len(bounded(1).nodes), "facts are proven all the same"


def test_results_that_are_asked_for_too_often_are_not_told_apart() -> None:
    """Ways are then more than there are, never less."""
    asked = [{"id": f"a{number}", "if": {"in_list": f"l{number}"}} for number in range(20)]
    asking = [{"if": {"result": {"step": f"a{number}", "is": "yes"}}, "then": [SEND]} for number in range(20)]
    looked = subject(steps=[*asked, *asking])
    assert looked.ends
    assert len(heaviest_week(looked.unrolled, marketing(looked, KNOWN))) == len(asking)


def test_ways_are_told_one_by_one_up_to_a_number() -> None:
    steps = [{"if": {"in_list": f"l{number}"}, "then": [SEND]} for number in range(6)]
    told = list(describe_ways(subject(steps=steps), KNOWN))
    assert told[1] == "Marketing messages to one contact within 7 days of one passage, at most: 6."
    assert told[-1] == "… and further ways."


THANKFUL = {"type": "sell", "event": "order.paid", "then": [SEND]}


def test_a_goal_with_steps_is_a_way_from_every_step_and_ends() -> None:
    looked = subject(steps=[SEND, {"wait": "3d"}, SEND], goal=THANKFUL)
    trails = [way.trail for way in ways_through(looked.unrolled, most=ALL)]
    for trail in trails:
        assert_leads(looked.plan, trail, to=None)
    assert [tuple(hop.station.node for hop in trail) for trail in trails] == [
        ("send-1", "wait-1", "send-2"),
        ("send-1", "wait-1", "send-2", "send-3"),
        ("send-1", "wait-1", "send-3"),
        ("send-1", "send-3"),
    ]
    assert (shortest(looked.unrolled).least, longest(looked.unrolled).most) == (timedelta(), 3 * DAY)
    assert len(heaviest_week(looked.unrolled, marketing(looked, KNOWN))) == 3
    first, *_, last = describe_ways(looked, KNOWN)
    assert first == "Every way ends. It takes up to 3 days; send windows, pauses and exit are not counted."
    assert "'send-1' (send 'voucher' by email), the goal is met → send 'voucher' by email" in last


@settings(max_examples=100)
@given(small_journeys, further_journeys)
def test_what_is_sent_behind_the_goal_counts_wherever_it_is_met(
    steps: list[dict[str, Any]], then: list[dict[str, Any]]
) -> None:
    looked = subject(steps=steps, goal={**THANKFUL, "then": then})
    counts = marketing(looked, {**KNOWN, "receipt": KnownTemplate("marketing")})
    usual, behind = [walk.sent for walk in walks(steps)], [walk.sent for walk in walks(then)]
    begun = [sent[:number] for sent in usual for number in range(1, len(sent) + 1)]
    pulled = [(*sent, *(sent[-1] + at for at in more)) for sent in begun for more in behind]
    assert looked.ends
    assert len(heaviest_week(looked.unrolled, counts)) == max(
        most_within(sent, WEEK) for sent in [*usual, *behind, *pulled]
    )


def test_a_marketing_mail_behind_the_goal_needs_consent_on_the_way_from_anywhere() -> None:
    parts = {"steps": [{"wait": "1d"}], "goal": THANKFUL}
    (note,) = mail_before_consent(subject(**parts), KNOWN)
    assert (note.rule, note.path) == ("mail-before-consent", ("goal", "then", 0, "send", "template"))
    assert "'wait-1' (wait 1 day), the goal is met → send 'voucher' by email" in note.what
    audience = {"consent": {"purpose": "marketing"}}
    assert not list(mail_before_consent(subject(**parts, entry={"event": "x", "audience": audience}), KNOWN))


def test_what_a_step_was_to_bring_may_be_missing_where_the_goal_is_met_at_it() -> None:
    gift = {"id": "gift", "send": {"template": "voucher", "voucher": {"pool": "welcome"}}}
    named = {"id": "named", "set": {"first_name": "Ada"}}
    thanks = {"send": {"template": "thanks", "voucher": {"of": "gift"}}}
    looked = subject(steps=[gift, named], goal={**THANKFUL, "then": [thanks]})
    known = {"thanks": KnownTemplate("transactional", required=frozenset({"contact.first_name"}))}
    (voucher,) = vouchers_present(looked, known)
    (variable,) = variables_present(looked, known)
    assert voucher.rule == "voucher-may-be-missing"
    assert "'gift' (" in voucher.what
    assert variable.rule == "variable-may-be-missing"


def test_the_messages_behind_the_goal_lie_ahead_of_every_step() -> None:
    looked = subject(steps=[{"wait": "1d"}], goal=THANKFUL)
    assert consents_needed(looked.plan, {"voucher": "marketing"}) == {
        step: frozenset({("marketing", "email")}) for step in ("wait-1", "send-1")
    }
