import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Invalid
from messaging.liquid import HTML, PLAIN, fill


def filled(source: str, *, escape: bool = True, **variables: object) -> str:
    return fill(source, variables, escape=escape, what="the mail 'x' (de)")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% if contact.name %}yes{% else %}no{% endif %}", "no"),
        ("{% unless contact.name %}no{% endunless %}", "no"),
        ("{{ contact.name | default: 'you' }}", "you"),
        ("{% if contact.company.name %}yes{% else %}no{% endif %}", "no"),
        ("{% if contact.name == 'Ada' %}yes{% else %}no{% endif %}", "no"),
    ],
)
def test_a_missing_variable_may_be_asked_for_and_replaced(source: str, expected: str) -> None:
    assert filled(source, contact={}) == expected


@pytest.mark.parametrize(
    ("source", "quoted"),
    [
        ("Dear {{ contact.name }}", "`{{ contact.name }}`"),
        ("{{ contact.name | upcase }}", "`{{ contact.name | upcase }}`"),
        ("{{ nothing }}", "`{{ nothing }}`"),
        ("{% for item in entry.cart %}{{ item }}{% endfor %}", "`{% for item in entry.cart %}`"),
        ("{{ contact[contact.secret].x }}", "`{{ contact[contact.secret].x }}`"),
    ],
)
def test_a_missing_variable_is_never_printed_as_a_blank(source: str, quoted: str) -> None:
    with pytest.raises(Invalid) as error:
        filled(source, contact={"secret": "Adas secret"}, entry={})
    assert f"In the mail 'x' (de), {quoted} has no value for this contact." in str(error.value)
    assert "Adas secret" not in str(error.value), "the message quotes the template, never a value"


def test_an_expression_that_fails_is_quoted_without_its_values() -> None:
    with pytest.raises(Invalid) as error:
        filled("{{ contact.name | divided_by: 0 }}", contact={"name": "Ada"})
    assert "`{{ contact.name | divided_by: 0 }}` cannot be computed" in str(error.value)
    assert "Ada" not in str(error.value)


@pytest.mark.parametrize(
    "hostile",
    [
        "{% for a in (1..100000) %}{% for b in (1..100000) %}x{% endfor %}{% endfor %}",
        "{% assign s = 'aaaaaaaaaa' %}{% for i in (1..40) %}{% assign s = s | append: s %}{% endfor %}",
        "{% for i in (1..4000) %}{{ '" + "a" * 1_000 + "' }}{% endfor %}",
    ],
)
def test_a_runaway_template_ends_at_once(hostile: str) -> None:
    with pytest.raises(Invalid):
        filled(hostile)


class Record:
    """Something with a method and an attribute."""

    secret = "the key"

    def delete(self) -> str:
        raise AssertionError("a template has called a method")


@pytest.mark.parametrize("path", ["secret", "delete", "__class__", "__class__.__mro__", "__dict__"])
def test_templates_cannot_reach_into_objects(path: str) -> None:
    with pytest.raises(Invalid):
        filled(f"{{{{ record.{path} }}}}", record=Record())


@pytest.mark.parametrize("tag", ["{% include 'x' %}", "{% render 'x' %}"])
def test_templates_cannot_load_others(tag: str) -> None:
    with pytest.raises(Invalid):
        filled(tag)


@pytest.mark.parametrize("name", sorted(HTML.filters))
@pytest.mark.parametrize("arguments", ["", ": 'x'", ": 1", ": contact.name", ": 'b', contact.name"])
def test_no_filter_turns_a_contacts_words_into_markup(name: str, arguments: str) -> None:
    source = f"{{{{ contact.name | {name}{arguments} }}}}{{{{ 'x' | {name}{arguments} }}}}"
    try:
        written = filled(source, contact={"name": "<b onclick='x'>", "coded": "%3Cb%3E"})
    except Invalid:
        return  # an argument this filter does not take
    assert "<b" not in written


# A lone surrogate is no text: it is refused wherever values come in.
@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
def test_a_value_is_escaped_in_html_and_left_alone_in_text(value: str) -> None:
    assert filled("{{ x }}", escape=False, x=value) == value
    escaped = filled("{{ x }}", x=value)
    assert not set("<>\"'") & set(escaped)


def test_the_escape_hatch_of_the_library_is_shut() -> None:
    assert "safe" not in HTML.filters
    assert "safe" not in PLAIN.filters
