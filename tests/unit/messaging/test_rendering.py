import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from kit.errors import Invalid
from messaging import rendering
from messaging.models import Template
from messaging.rendering import Renderer, render


def a_template(html: str = "<p>x</p>", **overrides: Any) -> Template:
    given: dict[str, Any] = {"key": "x", "version": 1, "locale": "de", "subject": "s", "html": html, "text": None}
    return Template(**{**given, **overrides})


def html_of(html: str, **variables: object) -> str:
    return render(a_template(html), variables).html


def test_values_are_escaped_in_the_html_but_not_in_the_subject() -> None:
    content = render(
        a_template("<p>{{ contact.name }}</p>", subject="{{ contact.name }}"), {"contact": {"name": "A & <B>"}}
    )
    assert content.html == "<p>A &amp; &lt;B&gt;</p>"
    assert content.subject == "A & <B>"
    assert content.text == "A & <B>\n"


@pytest.mark.parametrize("name", ["Ada\r\nBcc: x@example.com", "Ada\nX", "Ada\u2028X", "Ada\vX"])
def test_a_subject_is_one_line_whatever_is_filled_in(name: str) -> None:
    subject = render(a_template(subject="Hello {{ name }}"), {"name": name}).subject
    assert len(subject.splitlines()) == 1


@pytest.mark.parametrize(
    "link", ["https://a.example/x?y=1#z", "http://a.example", "mailto:a@example.com", "tel:+4930123"]
)
def test_links_that_belong_into_a_mail_pass(link: str) -> None:
    assert link in html_of('<a href="{{ link }}">x</a>', link=link)


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        " \x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/relative",
        "#top",
        "",
        "https://",
        "https:nothing",
        "http://[broken",
        "mailto:",
    ],
)
def test_links_that_do_not_belong_into_a_mail_park_the_step(link: str) -> None:
    with pytest.raises(Invalid, match="no http, https, mailto or tel address") as error:
        html_of('<a href="{{ link }}">x</a>', link=link)
    assert "alert" not in str(error.value)


def test_pictures_come_over_http_only() -> None:
    with pytest.raises(Invalid, match="a link of <img>"):
        html_of('<img src="data:image/png;base64,xyz">')


def test_plain_text_is_made_from_the_html() -> None:
    html = """<html><head><title>t</title><style>p{}</style></head><body>
      <div style="display:none;font-size:1px">preview</div><!--[if mso]>outlook<![endif]-->
      <table><tr><td><p>Grüße,<br>Ada</p></td></tr><tr><td><a href="https://x.example/a">Read on</a></td></tr>
      <tr><td><a href="https://x.example">x.example</a></td></tr></table></body></html>"""
    assert render(a_template(html), {}).text == "Grüße,\nAda\n\nRead on: https://x.example/a\n\nx.example\n"


def test_a_plain_text_of_the_author_is_taken() -> None:
    assert render(a_template(text="Hello {{ name }} & Co"), {"name": "<Ada>"}).text == "Hello <Ada> & Co"


def test_every_part_names_itself_where_a_value_is_missing() -> None:
    with pytest.raises(Invalid, match=r"In the subject of 'x' \(de\), `{{ a }}` has no value"):
        render(a_template(subject="{{ a }}"), {})
    with pytest.raises(Invalid, match=r"In the mail 'x' \(de\), `{{ a }}` has no value"):
        render(a_template("{{ a }}"), {})
    with pytest.raises(Invalid, match=r"In the plain text of 'x' \(de\), `{{ a }}` has no value"):
        render(a_template(text="{{ a }}"), {})


@dataclass
class Watched(Mapping[str, object]):
    """Variables that know which thread read them, and hold it up until they are let go."""

    let_go: threading.Event = field(default_factory=threading.Event)
    readers: list[str] = field(default_factory=list)

    def __getitem__(self, key: str) -> object:
        raise KeyError(key)

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[str]:
        self.readers.append(threading.current_thread().name)
        self.let_go.wait(30)
        return iter(())


async def test_a_rendering_that_takes_too_long_is_given_up() -> None:
    renderer, slow = Renderer(seconds=0.01), Watched()
    with pytest.raises(Invalid, match=r"took longer than 0\.01 s"):
        await renderer.render(a_template(), slow)
    slow.let_go.set()
    renderer.close()


async def test_rendering_happens_off_the_event_loop() -> None:
    renderer, variables = Renderer(), Watched()
    variables.let_go.set()
    await renderer.render(a_template(), variables)
    renderer.close()
    assert [name.partition("_")[0] for name in variables.readers] == ["render"]


def test_the_bound_is_shorter_than_what_an_attempt_has() -> None:
    assert rendering.SECONDS < 60
