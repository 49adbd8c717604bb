"""The inbox as its users meet it: mails over real SMTP, the page and JSON over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest
import pytest_asyncio

from cli.stack.ports import any_free_port
from cli.stack.server import Server
from cli.stack.services import make_inbox
from kit.errors import Unavailable


@dataclass(frozen=True)
class Inbox:
    """A running inbox: its SMTP port, and a client of its page."""

    server: Server
    smtp_port: int
    page: httpx.AsyncClient

    async def receive(self, message: EmailMessage) -> str:
        """Sends it over SMTP and returns the id of the mail it became."""
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self.smtp_port, start_tls=False)
        return str((await self.page.get("/api/mails")).json()["mails"][0]["id"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int, int]]:
    directory = tmp_path_factory.mktemp("inbox")
    port, smtp_port = any_free_port(), any_free_port()
    with make_inbox(directory / "mails", port=port, smtp_port=smtp_port, log=directory / "inbox.log") as server:
        yield server, port, smtp_port


@pytest_asyncio.fixture
async def inbox(running: tuple[Server, int, int]) -> AsyncIterator[Inbox]:
    server, port, smtp_port = running
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as page:
        await page.post("/api/mails/delete")
        yield Inbox(server=server, smtp_port=smtp_port, page=page)


def a_mail(*, subject: str = "Schöne Grüße", to: str = "ada@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Dauerlauf <hello@example.com>"
    message["To"] = to
    message["Subject"] = subject
    message["List-Unsubscribe"] = "<https://example.com/unsubscribe>"
    message.set_content("Grüße als Text")
    message.add_alternative("<html><head></head><body><h1>Grüße als HTML</h1></body></html>", subtype="html")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="Rechnung März.pdf")
    return message


async def test_a_mail_sent_over_smtp_is_listed_and_can_be_read_whole(inbox: Inbox) -> None:
    mail_id = await inbox.receive(a_mail())
    mail = (await inbox.page.get(f"/api/mails/{mail_id}")).json()
    assert mail["subject"] == "Schöne Grüße"
    assert mail["recipients"] == ["ada@example.com"]
    assert mail["text"].strip() == "Grüße als Text"
    assert "<h1>Grüße als HTML</h1>" in mail["html"]
    assert ["List-Unsubscribe", "<https://example.com/unsubscribe>"] in mail["headers"]
    assert [attachment["name"] for attachment in mail["attachments"]] == ["Rechnung März.pdf"]


async def test_the_list_shows_the_newest_mail_first_and_finds_by_words(inbox: Inbox) -> None:
    await inbox.receive(a_mail(subject="older"))
    await inbox.receive(a_mail(subject="newer", to="bob@example.com"))
    everything = (await inbox.page.get("/")).text
    assert everything.index("newer<") < everything.index("older<")
    found = (await inbox.page.get("/", params={"q": "bob"})).text
    assert "newer<" in found
    assert "older<" not in found


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("text", "Grüße als Text"),
        ("headers", "List-Unsubscribe"),
        ("source", "multipart/alternative"),
        ("html", "iframe"),
    ],
)
async def test_a_mail_is_shown_as_html_text_headers_and_source(inbox: Inbox, view: str, words: str) -> None:
    mail_id = await inbox.receive(a_mail())
    page = await inbox.page.get(f"/mails/{mail_id}", params={"view": view})
    assert page.status_code == 200
    assert words in page.text


async def test_html_of_a_mail_may_run_no_script_and_has_no_origin(inbox: Inbox) -> None:
    mail_id = await inbox.receive(a_mail())
    frame = await inbox.page.get(f"/mails/{mail_id}/html")
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert '<base target="_blank">' in frame.text
    page = (await inbox.page.get(f"/mails/{mail_id}")).text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


async def test_a_subject_is_text_and_never_markup(inbox: Inbox) -> None:
    await inbox.receive(a_mail(subject="<script>alert(1)</script>"))
    page = (await inbox.page.get("/")).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_an_attachment_is_downloaded_under_its_name_and_never_shown(inbox: Inbox) -> None:
    mail_id = await inbox.receive(a_mail())
    answer = await inbox.page.get(f"/mails/{mail_id}/attachments/0")
    assert answer.content == b"%PDF-1.4"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Rechnung%20M%C3%A4rz.pdf"
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_pages_of_the_json_list_follow_each_other(inbox: Inbox) -> None:
    for number in range(3):
        await inbox.receive(a_mail(subject=str(number)))
    first = (await inbox.page.get("/api/mails", params={"limit": 2})).json()
    second = (await inbox.page.get("/api/mails", params={"limit": 2, "before": first["next"]})).json()
    assert [mail["subject"] for mail in first["mails"] + second["mails"]] == ["2", "1", "0"]
    assert (first["total"], second["next"]) == (3, None)


async def test_deleting_empties_the_inbox_and_says_how_much_it_was(inbox: Inbox) -> None:
    await inbox.receive(a_mail())
    assert (await inbox.page.post("/api/mails/delete")).json() == {"deleted": 1}
    assert "No mail yet" in (await inbox.page.get("/")).text


async def test_a_mail_that_is_gone_is_a_404(inbox: Inbox) -> None:
    for path in ("/mails/nothing", "/api/mails/nothing", "/mails/nothing/html", "/mails/nothing/attachments/0"):
        assert (await inbox.page.get(path)).status_code == 404


async def test_another_web_page_cannot_delete_mails(inbox: Inbox) -> None:
    await inbox.receive(a_mail())
    answer = await inbox.page.post("/delete", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert (await inbox.page.get("/api/mails")).json()["total"] == 1


async def test_the_inbox_does_not_answer_to_foreign_names(inbox: Inbox) -> None:
    """Otherwise a page elsewhere could read it by pointing its own name at this machine."""
    assert (await inbox.page.get("/api/mails", headers={"Host": "elsewhere.example"})).status_code == 400


async def test_an_open_list_is_told_of_new_mails(inbox: Inbox) -> None:
    async with inbox.page.stream("GET", "/events", params={"newest": ""}) as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("retry")
        mail_id = await inbox.receive(a_mail())
        told = [line async for line in _until_data(lines)]
        assert told[-1] == f"data: {mail_id}"


async def _until_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if line.startswith("data:"):
            return


async def test_mails_are_still_there_after_the_process_was_started_again(inbox: Inbox) -> None:
    mail_id = await inbox.receive(a_mail(subject="kept"))
    inbox.server.stop()
    inbox.server.start()
    assert (await inbox.page.get(f"/api/mails/{mail_id}")).json()["subject"] == "kept"


async def test_an_inbox_whose_port_is_taken_ends_and_says_so(inbox: Inbox, tmp_path: Path) -> None:
    second = make_inbox(tmp_path, port=any_free_port(), smtp_port=inbox.smtp_port, log=tmp_path / "inbox.log")
    with pytest.raises(Unavailable, match="address already in use"):
        second.start()
