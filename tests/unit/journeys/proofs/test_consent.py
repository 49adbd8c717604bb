"""No way mails before consent: what establishes a consent, what takes it away, and the way that is told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.catalogue import catalogue
from journeys.documents import journey_from_document, to_document
from journeys.findings import KnownTemplate, Note
from journeys.model import Journey
from journeys.places import Places
from journeys.plan import compile_plan
from journeys.proofs.consent import mail_before_consent
from journeys.proofs.explore import Question, Standing, arrivals
from journeys.proofs.subject import Subject, subject_of
from journeys.proofs.withdrawal import consents_needed, consents_won, ended_at, ending_steps
from journeys.values import ConsentRequirement
from tests.support.journeys import documents, journey
from tests.support.trails import assert_leads

KNOWN = {
    "voucher": KnownTemplate("marketing"),
    "offer": KnownTemplate("sales"),
    "receipt": KnownTemplate("transactional"),
}
CONSENT: dict[str, Any] = {"consent": {"purpose": "marketing"}}
SEND: dict[str, Any] = {"id": "mail", "send": {"template": "voucher"}}
LEAVE: list[Any] = [{"exit": "no consent"}]
GRANTED: dict[str, Any] = {"event": "consent.granted", "where": {"purpose": "marketing"}, "up_to": "7d"}


def subject(made: Journey) -> Subject:
    found = subject_of(made)
    assert found is not None
    return found


def notes(**parts: Any) -> list[Note]:
    return list(mail_before_consent(subject(journey(**parts)), KNOWN))


def rules(**parts: Any) -> list[str]:
    return [note.rule for note in notes(**parts)]


def test_the_way_is_told_from_the_entry_to_the_message() -> None:
    steps = [{"wait": "1d"}, {"id": "reviewed", "if": CONSENT, "else": [{"wait": "2h"}]}, SEND]
    (note,) = notes(entry={"event": "order.placed"}, steps=steps)
    assert str(note.at(Places())) == (
        "error: steps[2].send.template: 'voucher' is a marketing message, and a contact whose consent is not known to "
        "stand comes here: enter on order.placed → wait 1 day → "
        "'reviewed' (check: consent to marketing by email stands), otherwise → wait 2 hours → "
        "send 'voucher' by email. Ask for it in the audience: "
        "`audience: {consent: {purpose: marketing, channel: email}}`, or in an `if` before this step."
    )


@pytest.mark.parametrize(
    "steps",
    [
        [{"if": CONSENT, "then": [SEND]}],
        [{"if": {"not": CONSENT}, "else": [SEND]}],
        [{"if": {"not": CONSENT}, "then": LEAVE}, SEND],
        [{"if": {"any": [{"not": CONSENT}, {"in_list": "vip"}]}, "then": LEAVE}, SEND],
        [{"wait_for": GRANTED, "then": [SEND]}],
        [{"wait_for": GRANTED, "else": LEAVE}, SEND],
        [{"id": "asked", "if": CONSENT}, {"if": {"result": {"step": "asked", "is": "yes"}}, "then": [SEND]}],
        [
            {"id": "asked", "wait_for": GRANTED},
            {"if": {"result": {"step": "asked", "is": "timed_out"}}, "else": [SEND]},
        ],
        [{"branch": [{"if": {"in_list": "vip"}, "then": LEAVE}, {"if": CONSENT, "then": []}], "else": LEAVE}, SEND],
        [{"repeat": {"times": 2, "steps": [{"if": CONSENT, "else": LEAVE}]}}, SEND],
        [{"repeat": {"times": 2, "steps": [{"wait": "1d"}], "until": CONSENT}}, {"if": CONSENT, "then": [SEND]}],
        [{"send": {"template": "receipt"}}],
    ],
    ids=str,
)
def test_consent_that_a_way_establishes(steps: list[dict[str, Any]]) -> None:
    assert rules(steps=steps) == []


@pytest.mark.parametrize(
    "steps",
    [
        [SEND],
        [{"if": CONSENT, "else": [SEND]}],
        [{"if": CONSENT}, SEND],
        [{"if": CONSENT, "then": [{"if": {"not": CONSENT}, "then": [SEND]}]}],
        [{"wait_for": GRANTED | {"event": "order.placed"}, "then": [SEND]}],
        [{"wait_for": GRANTED | {"where": {}}, "then": [SEND]}],
        [{"wait_for": GRANTED | {"where": {"purpose": "sales"}}, "then": [SEND]}],
        [
            {"id": "asked", "wait_for": GRANTED},
            {"if": {"result": {"step": "asked", "is": "timed_out"}}, "then": [SEND]},
        ],
        [{"if": CONSENT, "then": [{"send": {"template": "offer"}}]}],
        [{"repeat": {"times": 2, "steps": [{"wait": "1d"}], "until": CONSENT}}, SEND],
    ],
    ids=str,
)
def test_consent_that_a_way_does_not_establish(steps: list[dict[str, Any]]) -> None:
    assert rules(steps=steps) == ["mail-before-consent"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"event": "x", "audience": CONSENT}, []),
        ({"event": "consent.granted", "where": {"purpose": "marketing"}}, []),
        ({"event": "consent.granted", "where": {"purpose": {"equals": "marketing"}, "channel": "email"}}, []),
        ({"event": "contact.registered", "where": {"consent": True}}, []),
        ({"event": "consent.granted"}, ["mail-before-consent"]),
        ({"event": "contact.registered", "where": {"consent": {"exists": True}}}, ["mail-before-consent"]),
        ({"event": "x", "audience": {"any": [CONSENT, {"in_list": "vip"}]}}, ["mail-before-consent"]),
        ({}, ["mail-before-consent"]),
    ],
    ids=str,
)
def test_consent_at_the_entry(entry: dict[str, Any], expected: list[str]) -> None:
    assert rules(entry=entry, steps=[SEND]) == expected


RECEIPT: dict[str, Any] = {"send": {"template": "receipt"}}
LATER: list[dict[str, Any]] = [{"if": {"not": CONSENT}, "then": LEAVE}, {"wait": "1d"}, SEND]
AMONG_OTHERS: list[dict[str, Any]] = [
    {"id": "asked", "if": CONSENT},
    {"wait": "1d"},
    {"if": {"result": {"step": "asked", "is": "yes"}}, "then": [SEND], "else": [RECEIPT]},
]
"""At the wait stand contacts with the consent and without it, who all get a message."""


def test_a_consent_may_be_withdrawn_while_time_passes_where_contacts_stay_without_it() -> None:
    (note,) = notes(steps=AMONG_OTHERS)
    assert (note.rule, note.severity) == ("consent-may-lapse", "warning")
    assert "if so → wait 1 day → 'if-1'" in note.what
    assert "at a step that contacts without it reach, too" in note.what


@pytest.mark.parametrize(
    "parts",
    [
        {"exit": {"event": "consent.withdrawn"}, "steps": AMONG_OTHERS},
        {"entry": {"event": "x", "audience": CONSENT}, "steps": AMONG_OTHERS},
        {"steps": [*AMONG_OTHERS[:2], {"if": CONSENT, "then": [SEND], "else": [RECEIPT]}]},
        {"steps": LATER},
        {"steps": [*LATER[:2], RECEIPT, SEND]},
        {"steps": [AMONG_OTHERS[0], {"wait": "1d"}, AMONG_OTHERS[2] | {"else": []}]},
        {"entry": {"event": "consent.granted", "where": {"purpose": "marketing"}}, "steps": LATER[1:]},
    ],
    ids=["exit", "audience", "asked again", "won", "won beside another message", "nothing left to send", "granted"],
)
def test_where_a_withdrawal_ends_the_enrollment_or_is_asked_for_nothing_lapses(parts: dict[str, Any]) -> None:
    assert rules(**parts) == []


def test_what_ends_an_enrollment_in_the_check_is_what_is_stored_with_the_version() -> None:
    """Intake ends enrollments by `consents_won` and `consents_needed`; a check that knew other steps would mislead."""
    classes = {key: template.message_class for key, template in KNOWN.items()}
    for steps in (LATER, AMONG_OTHERS, [*LATER[:2], RECEIPT, SEND], [{"wait": "1d"}, SEND]):
        made = journey(steps=steps)
        stored = ended_at(consents_won(made), consents_needed(compile_plan(made, 1), classes), {("marketing", "email")})
        assert ending_steps(subject(made), ConsentRequirement(), classes) == set(stored)


def test_where_a_question_expires_nobody_has_asked() -> None:
    asked = {"id": "asked", "if": {"not": CONSENT}, "then": LEAVE, "expires_after": "1h"}
    (note,) = notes(steps=[asked, SEND])
    assert note.rule == "mail-before-consent"
    assert "'asked' (check: not (consent to marketing by email stands)), too late for it → send" in note.what


def test_an_exit_for_some_withdrawals_does_not_do() -> None:
    exits = {"event": "consent.withdrawn", "where": {"purpose": "marketing"}}
    assert rules(exit=exits, steps=AMONG_OTHERS) == ["consent-may-lapse"], "one that names no purpose withdraws it, too"


SENDING = documents.filter(lambda document: "'send'" in str(document))


@given(SENDING, st.booleans())
def test_without_a_word_of_consent_every_message_that_a_way_leads_to_is_told_with_a_way(
    document: dict[str, Any],
    in_audience: bool,  # noqa: FBT001
) -> None:
    """The mutation: the same journey with the consent in its audience, and without any."""
    made = journey_from_document({**document, "entry": {"event": "order.placed"}})
    if "consent" in str(to_document(made)) or (looked := subject_of(made)) is None:
        return
    if in_audience:
        audience = {"all": [CONSENT, {"consent": {"purpose": "sales"}}]}
        looked = subject(journey_from_document({**document, "entry": {"event": "order.placed", "audience": audience}}))
    keys = {sending.node.template for sending in looked.sendings}
    found = list(mail_before_consent(looked, {key: KnownTemplate("marketing") for key in keys}))
    if in_audience:
        assert found == []
        return
    assert len(found) == len(looked.sendings)
    needed = Question(ConsentRequirement(), Standing.UNKNOWN)
    for sending in looked.sendings:
        trail = arrivals(looked.network, {sending.step_id}, needed)[sending.step_id, Standing.UNKNOWN]
        assert_leads(looked.plan, trail, to=sending.step_id)


def test_removing_the_consent_from_a_shipped_journey_is_told_with_a_way_that_leads_there() -> None:
    for shipped in catalogue():
        document = to_document(shipped)
        if document["entry"].pop("audience", None) is None:
            continue  # it sends on its own account, or asks on the way
        mutated = subject(journey_from_document(document))
        known = {sending.node.template: KnownTemplate("marketing") for sending in mutated.sendings}
        assert {note.rule for note in mail_before_consent(mutated, known)} == {"mail-before-consent"}
        for sending in mutated.sendings:
            trails = arrivals(mutated.network, {sending.step_id}, Question(ConsentRequirement(), Standing.UNKNOWN))
            assert_leads(mutated.plan, trails[sending.step_id, Standing.UNKNOWN], to=sending.step_id)
