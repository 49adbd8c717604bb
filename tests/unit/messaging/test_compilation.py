import html_text
import pytest

from kit.errors import Invalid
from messaging.compilation import compile_html, with_shared
from messaging.liquid import fill


def mail(inside: str, head: str = "") -> str:
    return (
        f"<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>{inside}"
        "</mj-column></mj-section></mj-body></mjml>"
    )


def compiled(inside: str, head: str = "") -> str:
    return compile_html(mail(inside, head), place="x/de.mjml")


def test_styles_are_inlined_and_media_queries_kept() -> None:
    html = compiled(
        '<mj-text><p class="a">x</p></mj-text>',
        "<mj-style>.a { color: red } @media (max-width: 479px) { .a { color: blue } }</mj-style>",
    )
    assert 'style="display: block;margin: 13px 0;color: red;"' in html
    assert "@media (max-width: 479px)" in html


def test_nothing_is_loaded_from_elsewhere() -> None:
    """A font fetched from a third party would tell it who reads which mail."""
    html = compiled("<mj-text font-family='Ubuntu'>x</mj-text>")
    assert "@import" not in html
    assert "<link" not in html


@pytest.mark.parametrize(
    "liquid",
    [
        "{{ contact.first_name }}",
        '{{ contact.first_name | default: "you" }}',
        "{% if contact.points > 3 and contact.name != '' %}A & B{% endif %}",
        "{%- if contact.name -%} x {%- endif -%}",
        "{{ 'a<b' }}",
    ],
)
def test_liquid_in_a_text_comes_through_as_written(liquid: str) -> None:
    assert liquid.replace("A & B", "A &amp; B") in compiled(f"<mj-text>{liquid}</mj-text>")


def test_liquid_in_an_attribute_comes_through_as_written() -> None:
    link = 'href="https://x.example/{{ entry.id | url_encode }}{% if a > 1 %}?b{% endif %}"'
    assert link in compiled(f"<mj-button {link}>x</mj-button>")


def test_liquid_in_title_and_preview_comes_through() -> None:
    html = compiled(
        "<mj-text>x</mj-text>",
        "<mj-title>{% if a %}A{% endif %}</mj-title><mj-preview>{{ b }}</mj-preview>",
    )
    assert "<title>{% if a %}A{% endif %}</title>" in html
    assert ">{{ b }}</div>" in html


def test_a_loop_around_table_rows_stays_around_them() -> None:
    """HTML parsers move a text out of a table; the loop would run over nothing."""
    html = compiled(
        "<mj-table><tbody>{% for item in entry.cart %}<tr><td>{{ item }}</td></tr>{% endfor %}</tbody></mj-table>"
    )
    filled = fill(html, {"entry": {"cart": ["one", "two"]}}, escape=True, what="x")
    rows = html_text.parse_html(filled).xpath("//table[contains(@style, 'table-layout')]//tr")
    assert [row.text_content() for row in rows] == ["one", "two"]


def test_a_condition_around_whole_sections_stays_around_them() -> None:
    html = compile_html(
        "<mjml><mj-body>{% if contact.vip %}<mj-section><mj-column><mj-text>gold</mj-text></mj-column></mj-section>"
        "{% endif %}</mj-body></mjml>",
        place="x/de.mjml",
    )
    assert "gold" in fill(html, {"contact": {"vip": True}}, escape=True, what="x")
    assert "gold" not in fill(html, {"contact": {}}, escape=True, what="x")


def test_liquid_that_mjml_would_swallow_is_told() -> None:
    with pytest.raises(Invalid, match=r"x/de\.mjml: \{% if a %\} stands where MJML keeps no text"):
        compile_html(
            "<mjml><mj-head>{% if a %}<mj-title>x</mj-title>{% endif %}</mj-head><mj-body></mj-body></mjml>",
            place="x/de.mjml",
        )


def test_what_the_compiler_refuses_names_the_file() -> None:
    with pytest.raises(Invalid, match=r"x/de\.mjml: The MJML compiler says"):
        compile_html("no mail", place="x/de.mjml")


def test_shared_parts_are_put_in_also_inside_each_other() -> None:
    shared = {"_shared/a.mjml": 'A<mj-include path="_shared/b.mjml" />', "_shared/b.mjml": "B"}
    source = '<mj-include path="_shared/a.mjml" />-<mj-include path="_shared/b.mjml"></mj-include>'
    assert with_shared(source, shared, place="x") == "AB-B"


def test_an_unknown_shared_part_names_those_there_are() -> None:
    with pytest.raises(Invalid, match=r"no shared part 'nope'. Shared parts are: _shared/a\.mjml"):
        with_shared('<mj-include path="nope" />', {"_shared/a.mjml": ""}, place="x/de.mjml")


@pytest.mark.parametrize("itself", ['<mj-include path="a" />', '<mj-include path="a" /><mj-include path="a" />x'])
def test_shared_parts_in_a_circle_are_told(itself: str) -> None:
    with pytest.raises(Invalid, match="without end"):
        with_shared('<mj-include path="a" />', {"a": itself}, place="x/de.mjml")
