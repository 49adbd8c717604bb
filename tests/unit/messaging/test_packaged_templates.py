"""The templates that come with the product: complete, honest, readable, and the ones its journeys send."""

import re
from typing import Any

import html_text
import pytest

from journeys.catalogue import catalogue
from journeys.steps.send import SendStep
from journeys.walk import visits
from messaging.models import MessageClass
from messaging.publishing import checked_templates, compile_template
from messaging.rendering import Content, render
from messaging.template_source import LOCALES, packaged_templates

SOURCES = {source.key: source for source in checked_templates(packaged_templates())}
LARGEST = 100_000
"""Gmail cuts what is longer."""
SENDER = {"name": "Plattenladen", "address": "hallo@example.com", "postal_address": "Musterweg 1, 12345 Musterstadt"}
FULL: dict[str, Any] = {
    "contact": {"first_name": "Zoë", "country": "DE"},
    "entry": {"product_id": "cd 17&x", "product_name": "Kind of Blue"},
    "latest": {"cart": {"product_name": "Kind of Blue", "lines": [{"name": "Kind of Blue", "quantity": 2}, {}]}},
    "steps": {"shipped": {"tracking_url": "https://plattenladen.example/track?id=7"}},
    "voucher": {"code": "PLATTE-7KF3Q-M9XTA", "value": "10 %", "expires_at": "2026-07-01T23:59:59+02:00"},
}
REASONS = {"de": "weil Du zugestimmt hast", "en": "because you agreed"}
ENDINGS = {"de": "Antworte einfach auf diese Mail", "en": "Just reply to this mail"}
SERVICE_REASONS = {"de": "weil Du etwas bei uns bestellt", "en": "because you ordered"}
SERVICE_ENDINGS = {"de": "Antworte einfach auf diese Mail", "en": "Just reply to this mail"}
SERVICE = {
    "demo-choose-time",
    "demo-confirmation",
    "event-tomorrow",
    "guide-confirm",
    "guide-confirm-reminder",
    "guide-download",
    "onboarding-access",
    "onboarding-check-in",
    "onboarding-welcome",
    "order-confirmation",
    "order-delayed",
    "order-shipped",
    "return-instructions",
    "return-received",
    "return-reminder",
    "webinar-missed",
    "webinar-reminder",
    "webinar-teaser",
    "webinar-thanks",
}
BARE: dict[str, Any] = {"contact": {}, "entry": {}, "voucher": {"code": "PLATTE-7KF3Q-M9XTA"}}
"""A mail about a voucher has one; where it does not expire, no date."""
EVERY = [(key, locale) for key in SOURCES for locale in LOCALES]


def content(key: str, locale: str, known: dict[str, Any]) -> Content:
    return render(compile_template(SOURCES[key], locale), {**known, "sender": SENDER, "journey": {"name": "x"}})


@pytest.mark.parametrize(("key", "locale"), EVERY)
@pytest.mark.parametrize("known", [FULL, BARE], ids=["everything known", "nothing known"])
def test_each_can_be_filled_in_for_every_contact(key: str, locale: str, known: dict[str, Any]) -> None:
    mail = content(key, locale, known)
    assert mail.subject
    assert SENDER["postal_address"] in mail.text
    assert "https://plattenladen.example/" in mail.text, "the plain text leads where the button leads"
    assert not re.search(r"\{[{%]|zqliquid", mail.html + mail.text + mail.subject)
    assert len(mail.html.encode()) < LARGEST


@pytest.mark.parametrize(("key", "locale"), EVERY)
def test_each_greets_by_name_where_one_is_known_and_politely_where_none_is(key: str, locale: str) -> None:
    hello = {"de": "Hallo", "en": "Hello"}[locale]
    assert re.search(rf"{hello} Zoë\b", content(key, locale, FULL).text)
    assert re.search(rf"{hello}\b(?! *[,!.]? *Zoë)", content(key, locale, BARE).text)


@pytest.mark.parametrize(("key", "locale"), EVERY)
def test_each_says_its_language_and_loads_nothing(key: str, locale: str) -> None:
    mail = content(key, locale, FULL)
    document = html_text.parse_html(mail.html)
    assert document.get("lang") == locale
    assert not document.xpath("//*[@src] | //link | //script | //*[@background]")
    assert not re.search(r"@import|url\(", mail.html)


@pytest.mark.parametrize(("key", "locale"), EVERY)
def test_each_says_why_it_comes_and_how_to_end_it(key: str, locale: str) -> None:
    service = SOURCES[key].head.message_class is MessageClass.TRANSACTIONAL
    reasons, endings = (SERVICE_REASONS, SERVICE_ENDINGS) if service else (REASONS, ENDINGS)
    text = content(key, locale, BARE).text
    assert reasons[locale] in text
    assert endings[locale] in text


def test_mails_without_a_consent_are_few_and_known() -> None:
    """They go to everybody, at any hour: what sells does not belong here."""
    service = {key for key, source in SOURCES.items() if source.head.message_class is MessageClass.TRANSACTIONAL}
    assert service == SERVICE


def test_a_profile_that_lacks_one_thing_is_asked_for_that_thing_only() -> None:
    text = content("complete-profile", "de", {"contact": {"first_name": "Zoë"}, "entry": {}}).text
    assert "Dein Land" in text
    assert "Dein Vorname" not in text


def test_a_value_in_a_link_is_encoded() -> None:
    assert "artikel=cd+17%26x" in content("review-request", "de", FULL).text


def test_every_message_of_the_catalogue_has_its_template() -> None:
    sent = {
        visit.step.send.template
        for journey in catalogue()
        for visit in visits(journey)
        if isinstance(visit.step, SendStep)
    }
    assert sent
    assert sent <= SOURCES.keys()
