"""Filling a published template in for one contact: subject, HTML, plain text. Off the event loop and bounded in time.

The limits of `messaging.liquid` end a runaway template; the time bound is for what no limit counts.
"""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import html_text

from kit.errors import Invalid
from messaging.liquid import fill
from messaging.models import Template

SECONDS = 5.0
THREADS = 4
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_LINKS = ("href", "src", "background", "action", "formaction", "poster", "cite", "xlink:href")
_LINKING = f"//*[{' or '.join(f'@*[name()={name!r}]' for name in _LINKS)}]"
_CONTROL = re.compile(r"[\x00-\x20\x7f]+")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


@dataclass(frozen=True)
class Content:
    """A message as its reader will see it. `subject` is one line."""

    subject: str
    html: str
    text: str


class Renderer:
    """Renders in a few threads of its own. `close()` at the end of the process."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="render")

    async def render(self, template: Template, variables: Mapping[str, object]) -> Content:
        """The message for these variables (plain values only).

        Raises:
            Invalid: a variable without a value, a failing expression, a link that must not be in a mail, or too long.
        """
        work = asyncio.get_running_loop().run_in_executor(self._threads, partial(render, template, variables))
        try:
            return await asyncio.wait_for(work, self._seconds)
        except TimeoutError:
            raise Invalid(
                f"The template {template.key!r} ({template.locale}) took longer than {self._seconds:g} s to fill in.",
                remedy="Make its loops shorter, publish it, then retry the step.",
            ) from None

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def render(template: Template, variables: Mapping[str, object]) -> Content:
    """As `Renderer.render`, in the caller's thread and without a bound in time."""
    name = f"{template.key!r} ({template.locale})"
    values = dict(variables)
    subject = fill(template.subject, values, escape=False, what=f"the subject of {name}")
    html = fill(template.html, values, escape=True, what=f"the mail {name}")
    document = html_text.parse_html(html)
    _check_links(document, name)
    if template.text is not None:
        text = fill(template.text, values, escape=False, what=f"the plain text of {name}")
    else:
        text = plain_text(document)
    return Content(" ".join(subject.split()), html, text)


def _check_links(document: Any, name: str) -> None:
    """Only what belongs into a mail may be linked to: a contact's attribute must not become a script."""
    for element in document.xpath(_LINKING):
        for attribute in _LINKS:
            link = element.get(attribute)
            if link is not None and not _harmless(link, attribute):
                raise Invalid(
                    f"In the mail {name}, a link of <{element.tag}> is no http, https, mailto or tel address.",
                    remedy="Write the whole address with https://, or provide the value it is made from.",
                )


def _harmless(link: str, attribute: str) -> bool:
    # Browsers ignore white space and control characters inside a scheme.
    scheme, _, rest = _CONTROL.sub("", link).partition(":")
    if attribute != "href" and scheme.lower() not in {"http", "https"}:
        return False
    if scheme.lower() in {"http", "https"}:
        try:
            return bool(urlsplit(link.strip()).hostname)
        except ValueError:
            return False
    return scheme.lower() in SCHEMES and bool(rest)


def plain_text(document: Any) -> str:
    """The text of a mail, for readers without HTML. Links are written out; what is hidden in HTML is left out."""
    for element in document.xpath("//*[@style]"):
        if _HIDDEN.search(element.get("style")) and element.getparent() is not None:
            element.drop_tree()
    for anchor in document.xpath("//a[@href]"):
        href = anchor.get("href")
        label = (anchor.text_content() or "").strip()
        if label and label not in href:
            address = anchor.makeelement("span")
            address.text = f": {href}"
            anchor.append(address)
    text = html_text.extract_text(
        document.find("body"), guess_layout=True, double_newline_tags=html_text.DOUBLE_NEWLINE_TAGS | {"tr"}
    )
    return f"{text.strip()}\n"
