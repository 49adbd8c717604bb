from typing import Any

import pytest

from messaging.template_checks import template_problems, variables_of
from messaging.template_source import TemplateHead, TemplateSource

BODY = """<mjml>
  <mj-body><mj-section><mj-column><mj-text>
    Hello {{ contact.first_name }}, {{ sender.postal_address }}
  </mj-text></mj-column></mj-section></mj-body>
</mjml>
"""


def source(**overrides: Any) -> TemplateSource:
    head = {"class": "marketing", "subject": {"de": "Hallo", "en": "Hello"}, **overrides.pop("head", {})}
    texts = {"de.mjml": BODY, "en.mjml": BODY, **overrides.pop("texts", {})}
    texts = {name: text for name, text in texts.items() if text is not None}
    return TemplateSource("welcome", TemplateHead.model_validate(head), texts, overrides.pop("shared", {}))


def problems(**overrides: Any) -> list[str]:
    return [str(problem) for problem in template_problems(source(**overrides))]


def test_a_good_template_has_no_problems() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"texts": {"en.mjml": None}}, "welcome/en.mjml: This file is missing. Every template has every language."),
        (
            {"head": {"subject": {"de": "Hallo"}}},
            "welcome/template.yaml: There is no subject in 'en'. Add `subject: {en: …}`.",
        ),
        (
            {"head": {"subject": {"de": "a", "en": "b", "fr": "c"}}},
            "welcome/template.yaml: 'fr' is no language of this product. Languages are: de, en.",
        ),
        (
            {"head": {"subject": {"de": "{{ contact. }}", "en": "b"}}},
            "welcome/template.yaml, subject.de: Liquid says: expected an identifier, found end of expression.",
        ),
        (
            {"texts": {"de.mjml": BODY.replace("Hello", "{% if contact.vip %}")}},
            "welcome/de.mjml, line 3: Liquid says: expected tag endif, found end of expression.",
        ),
        (
            {"texts": {"de.mjml": BODY.replace("Hello", "\n{{ contat.name }}")}},
            "welcome/de.mjml, line 4: There is no variable 'contat.name'. Variables begin with: ",
        ),
        (
            {"texts": {"de.mjml": BODY.replace("Hello", "{{ sender.phone }}")}},
            "welcome/de.mjml, line 3: There is no variable 'sender.phone'. There are: sender.address, sender.name, sen",
        ),
        (
            {"texts": {"de.mjml": BODY.replace("Hello", "{{ contact.name | shout }}")}},
            "welcome/de.mjml, line 3: There is no filter 'shout'. Take a filter of Shopify's Liquid.",
        ),
        (
            {"texts": {"de.mjml": BODY.replace("Hello", "{{ contact.name | safe }}")}},
            "welcome/de.mjml, line 3: There is no filter 'safe'. Take a filter of Shopify's Liquid.",
        ),
        (
            {"texts": {"de.mjml": BODY.replace("</mj-text>", "")}},
            "welcome/de.mjml, line 4: </mj-column> closes nothing here. </mj-text> comes first (opened in line 2).",
        ),
        (
            {"texts": {"de.mjml": BODY.replace("{{ sender.postal_address }}", "")}},
            "welcome/de.mjml: A marketing mail must show the sender's postal address. Put {{ sender.postal_address }}",
        ),
        (
            {"texts": {"de.txt": "{{ nope }}"}},
            "welcome/de.txt, line 1: There is no variable 'nope'. Variables begin with: ",
        ),
    ],
)
def test_every_finding_has_its_place_and_its_remedy(overrides: dict[str, Any], expected: str) -> None:
    [problem] = problems(**overrides)
    assert problem.startswith(expected)


def test_the_postal_address_may_stand_in_a_shared_part() -> None:
    footer = "<mj-text>{{ sender.postal_address }}</mj-text>"
    body = BODY.replace(", {{ sender.postal_address }}", "").replace(
        "</mj-column>", '<mj-include path="_shared/footer.mjml" /></mj-column>'
    )
    shared = {"_shared/footer.mjml": footer, "_shared/unused.mjml": "{{ broken"}
    assert problems(texts={"de.mjml": body}, shared=shared) == []


def test_a_mistake_in_a_shared_part_is_told_there() -> None:
    body = BODY.replace("</mj-column>", '<mj-include path="_shared/a.mjml" /></mj-column>')
    assert problems(texts={"de.mjml": body}, shared={"_shared/a.mjml": "\n<mj-txt />"}) == [
        "_shared/a.mjml, line 2: MJML has no element <mj-txt>. Correct it, or use plain HTML inside."
    ]


def test_a_transactional_mail_may_leave_the_address_out() -> None:
    body = BODY.replace("{{ sender.postal_address }}", "")
    assert problems(head={"class": "transactional"}, texts={"de.mjml": body, "en.mjml": body}) == []


def test_all_findings_are_told_at_once() -> None:
    assert len(problems(head={"subject": {"de": "{{ a }}"}}, texts={"de.mjml": BODY + "</mjml>", "en.mjml": None})) == 4


def test_variables_are_those_from_outside_the_template() -> None:
    found = variables_of(
        "{% assign x = entry.a %}{{ x }}{% for i in entry.items %}{{ i.name }}{% endfor %}", "{{ contact['b'].c }}"
    )
    assert set(found) == {"entry.a", "entry.items", "contact.b.c"}


def test_the_same_sources_have_the_same_digest_and_any_change_another() -> None:
    assert source().digest == source().digest
    changed = [
        source(head={"subject": {"de": "Hallo!", "en": "Hello"}}),
        source(head={"class": "sales"}),
        source(texts={"de.mjml": BODY + " "}),
        source(texts={"de.txt": "x"}),
        source(shared={"_shared/a.mjml": ""}),
    ]
    assert len({source().digest, *(other.digest for other in changed)}) == 6
