"""Variables a template cannot do without: compared with what filling it in really does."""

from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import Invalid
from messaging.liquid import fill
from messaging.publishing import checked_templates, compile_template
from messaging.required_variables import required_variables
from messaging.template_source import LOCALES, packaged_templates

NAMES = ("a", "b", "c")
SOURCES = checked_templates(packaged_templates())


def fails(source: str, known: dict[str, Any]) -> bool:
    try:
        fill(source, {"contact": known, "entry": {"n": 1}}, escape=True, what="the template")
    except Invalid as error:
        return "has no value for this contact" in error.message
    return False


@pytest.mark.parametrize(
    "source",
    [
        "{{ contact.x }}",
        "{{ contact.x | upcase | default: 'a' }}",
        "{{ contact.x | url_encode }}",
        "{{ 'a' | append: contact.x }}",
        "{{ entry.none | default: contact.x }}",
        "{{ contact.x.size }}",
        "{{ contact.x[0] }}",
        "{% for part in contact.x %}y{% endfor %}",
        "{% for part in (1..contact.x) %}y{% endfor %}",
        "{% tablerow part in contact.x %}y{% endtablerow %}",
        "{% assign y = contact.x | upcase %}",
        "{% assign y = contact.x %}{{ y }}",
        "{% cycle contact.x, 'b' %}",
        "{% capture z %}{{ contact.x }}{% endcapture %}",
        "{% echo contact.x %}",
        "{% liquid\necho contact.x %}",
        "{% if entry.n %}{{ contact.x }}{% endif %}",
        "{% if contact.x %}{% else %}{{ contact.x }}{% endif %}",
        "{% if contact.x != 'a' %}{{ contact.x }}{% endif %}",
        "{% if contact.x == nil %}{{ contact.x }}{% endif %}",
        "{% if contact.x or entry.n %}{{ contact.x }}{% endif %}",
        "{% unless contact.x %}{{ contact.x }}{% endunless %}",
        "{% unless contact.x == 'a' %}{{ contact.x }}{% endunless %}",
        "{% case entry.n %}{% when 1 %}{{ contact.x }}{% endcase %}",
    ],
)
def test_what_fails_without_the_variable_requires_it(source: str) -> None:
    assert fails(source, {})
    assert required_variables(source) == {"contact.x"}


@pytest.mark.parametrize(
    "source",
    [
        "{{ contact.x | default: 'a' }}",
        "{{ contact.x.y | default: 'a' | upcase }}",
        "{% if contact.x %}{{ contact.x | upcase }}{% endif %}",
        "{% if contact.x.y %}{{ contact.x.y }} {{ contact.x }}{% endif %}",
        "{% if contact.x and entry.n %}{{ contact.x }}{% endif %}",
        "{% if contact.x == 'a' %}{{ contact.x }}{% elsif contact.x == 3 %}{{ contact.x }}{% endif %}",
        "{% if contact.x > 2 %}{{ contact.x }}{% endif %}",
        "{% if contact.x contains 'a' %}{{ contact.x }}{% endif %}",
        "{% if contact.x != nil %}{{ contact.x }}{% endif %}",
        "{% if contact.x == nil %}none{% else %}{{ contact.x }}{% endif %}",
        "{% if entry.none %}{% elsif contact.x %}{{ contact.x }}{% endif %}",
        "{% unless contact.x %}none{% else %}{{ contact.x }}{% endunless %}",
        "{% unless contact.x != 'a' %}{{ contact.x }}{% endunless %}",
        "{% assign y = contact.x %}{% if y %}{{ y }}{% endif %}",
        "{% if contact.x %}{% for part in contact.x %}{{ part }}{% endfor %}{% endif %}",
        "{% case contact.x %}{% when 'a' %}yes{% else %}no{% endcase %}",
        "{{ sender.name }}{{ journey.name }}",
    ],
)
def test_what_asks_first_requires_nothing(source: str) -> None:
    assert required_variables(source) == frozenset()
    assert "sender" in source or not fails(source, {})


prints = st.sampled_from(NAMES).map(lambda name: f"{{{{ contact.{name} }}}}")
defaults = st.sampled_from(NAMES).map(lambda name: f"{{{{ contact.{name} | default: 'x' }}}}")
questions = st.one_of(
    st.sampled_from(NAMES).map(lambda name: f"contact.{name}"),
    st.sampled_from(NAMES).map(lambda name: f"contact.{name} == 'v'"),
    st.sampled_from(NAMES).map(lambda name: f"contact.{name} != 'v'"),
    st.sampled_from(NAMES).map(lambda name: f"contact.{name} == nil"),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["and", "or"]), st.sampled_from(NAMES)).map(
        lambda parts: f"contact.{parts[0]} {parts[1]} contact.{parts[2]}"
    ),
)
templates = st.recursive(
    st.one_of(prints, defaults, st.just("text")),
    lambda inner: (
        st.builds(
            lambda tag, question, first, second: f"{{% {tag} {question} %}}{first}{{% else %}}{second}{{% end{tag} %}}",
            st.sampled_from(["if", "unless"]),
            questions,
            inner,
            inner,
        )
        | st.lists(inner, min_size=2, max_size=3).map("".join)
    ),
    max_leaves=6,
)
subsets = list(chain.from_iterable(combinations(NAMES, size) for size in range(len(NAMES) + 1)))


@settings(max_examples=400, deadline=None)
@given(templates)
def test_with_what_it_requires_a_template_never_fails(source: str) -> None:
    required = {name.removeprefix("contact.") for name in required_variables(source)}
    for subset in subsets:
        if required <= set(subset):
            assert not fails(source, dict.fromkeys(subset, "v"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.key)
def test_a_shipped_template_can_be_filled_in_with_nothing_but_what_it_requires(source: Any) -> None:
    """Attributes and properties that are not required are left out."""
    for locale in LOCALES:
        row = compile_template(source, locale)
        given: dict[str, Any] = {"contact": {}, "entry": {}, "journey": {"name": "x"}}
        given["sender"] = {"name": "x", "address": "x@example.com", "postal_address": "x"}
        for name in row.required:
            *path, last = name.split(".")
            place = given
            for part in path:
                place = place.setdefault(part, {})
            place[last] = "1"
        for text in (row.subject, row.html, row.text or ""):
            assert fill(text, given, escape=True, what=source.key) is not None
