from typing import Any

import pytest

from journeys.catalogue import catalogue
from journeys.model import Journey
from journeys.plan import compile_plan
from journeys.proofs.withdrawal import (
    consents_needed,
    consents_won,
    ended_at,
    read_consents,
    write_consents,
)

MARKETING, SALES = ("marketing", "email"), ("sales", "email")
CLASSES = {"news": "marketing", "offer": "sales", "receipt": "transactional"}
HAS_CONSENT = {"consent": {"purpose": "marketing", "channel": "email"}}


def a_journey(*steps: dict[str, Any], **parts: Any) -> Journey:
    given = {"key": "hello", "name": "Hello", "owner": "crm", "goal": None, "entry": {"event": "form.submitted"}}
    return Journey.model_validate({**given, "steps": list(steps), **parts})


def send(template: str) -> dict[str, Any]:
    return {"id": template, "send": {"template": template}}


CONFIRMED: dict[str, Any] = {
    "id": "confirmed",
    "wait_for": {"event": "consent.granted", "where": {"purpose": "marketing"}, "up_to": "2d"},
    "else": [{"exit": "not confirmed"}],
}
REST = {"id": "rest", "wait": "5d"}


class TestConsentsWon:
    def test_behind_a_wait_for_it_that_nobody_passes_without(self) -> None:
        won = consents_won(a_journey(send("receipt"), CONFIRMED, REST))
        assert won == {"rest": frozenset({MARKETING})}

    def test_in_the_way_of_a_condition_and_not_behind_it(self) -> None:
        asked = {"id": "asked", "if": HAS_CONSENT, "then": [REST], "else": []}
        won = consents_won(a_journey(asked, {"id": "later", "wait": "5d"}))
        assert won == {"rest": frozenset({MARKETING})}

    def test_where_all_ways_that_lead_there_have_asked(self) -> None:
        asked = {"id": "asked", "if": HAS_CONSENT, "else": [CONFIRMED]}
        assert consents_won(a_journey(asked, REST)) == {"rest": frozenset({MARKETING})}

    def test_from_the_entry_on_where_the_entry_is_the_grant(self) -> None:
        entry = {"event": "contact.registered", "where": {"consent": True}}
        assert consents_won(a_journey(REST, entry=entry)) == {"rest": frozenset({MARKETING})}

    def test_not_where_the_grant_may_be_of_any_purpose(self) -> None:
        wait_for = {**CONFIRMED["wait_for"], "where": {}}
        assert consents_won(a_journey({**CONFIRMED, "wait_for": wait_for}, REST)) == {}

    def test_not_where_it_is_refuted_afterwards(self) -> None:
        again = {"id": "again", "if": {"not": HAS_CONSENT}, "then": [REST], "else": []}
        won = consents_won(a_journey(CONFIRMED, again))
        assert "rest" not in won


class TestConsentsNeeded:
    @pytest.mark.parametrize(
        ("ahead", "needed"),
        [
            (["news"], {MARKETING}),
            (["news", "offer"], {MARKETING, SALES}),
            (["news", "receipt"], None),
            (["receipt"], None),
            ([], None),
        ],
    )
    def test_of_all_messages_ahead_or_of_none(self, ahead: list[str], needed: set[tuple[str, str]] | None) -> None:
        plan = compile_plan(a_journey(REST, *map(send, ahead)), 1)
        found = consents_needed(plan, CLASSES).get("rest")
        assert found == (frozenset(needed) if needed else None)

    def test_a_message_that_waits_for_its_window_lies_ahead_of_itself(self) -> None:
        plan = compile_plan(a_journey(send("receipt"), send("news"), REST), 1)
        assert consents_needed(plan, CLASSES) == {"news": frozenset({MARKETING})}

    def test_what_another_journey_sends_is_not_known(self) -> None:
        plan = compile_plan(a_journey(REST, send("news"), {"id": "then", "start": {"journey": "care"}}), 1)
        assert consents_needed(plan, CLASSES) == {}

    def test_a_loop_leads_back_to_what_was_sent(self) -> None:
        loop = {"id": "loop", "repeat": {"times": 3, "steps": [send("news"), REST]}}
        assert consents_needed(compile_plan(a_journey(loop), 1), CLASSES)["rest"] == {MARKETING}


WON = {"a": frozenset({MARKETING})}
NEEDED = {"b": frozenset({MARKETING, SALES}), "c": frozenset({SALES})}


class TestEndedAt:
    @pytest.mark.parametrize(
        ("lost", "steps"),
        [([], []), ([MARKETING], ["a"]), ([SALES], ["c"]), ([MARKETING, SALES], ["a", "b", "c"])],
    )
    def test_one_consent_that_was_won_is_enough_but_every_one_that_is_needed_must_be_lost(
        self, lost: list[tuple[str, str]], steps: list[str]
    ) -> None:
        assert ended_at(WON, NEEDED, lost) == steps


def test_what_is_written_is_read_back() -> None:
    at_steps = {"a": frozenset({MARKETING, SALES}), "b": frozenset({SALES})}
    assert read_consents(write_consents(at_steps)) == at_steps
    assert read_consents(None) == {}


def test_of_the_shipped_journeys_gated_content_wins_it_on_the_way() -> None:
    won = {journey.key: consents_won(journey) for journey in catalogue()}
    assert won["gated-content"].keys() == {"promote", "hand-over", "await-download"}
