from email.message import EmailMessage

import pytest

from cli.inbox.mail import Mail, summarise, with_envelope


def a_mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in {"From": "Dauerlauf <hello@example.com>", "To": "ada@example.com", **headers}.items():
        message[name] = value
    return message


def test_encoded_words_in_headers_are_decoded() -> None:
    raw = b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nSubject: =?iso-8859-1?b?R3L832U=?= aus Wien\r\n\r\n"
    summary = summarise(raw)
    assert summary.sender == "Jürgen <j@example.com>"
    assert summary.subject == "Grüße aus Wien"


def test_a_long_subject_folded_over_lines_is_one_line_again() -> None:
    subject = "Schöne Grüße aus München, und noch ein sehr langer Satz, der sicher keine einzelne Zeile bleibt"
    assert summarise(a_mail(Subject=subject).as_bytes()).subject == subject


def test_raw_utf_8_in_headers_is_read_as_such() -> None:
    assert summarise("Subject: Grüße\r\n\r\n".encode()).subject == "Grüße"


@pytest.mark.parametrize("subject", [b"=?x-unknown?q?abc?=", b"=?utf-8?b?!!!?=", b"=?utf-8?q?", b"\xff\xfe"])
def test_a_broken_subject_hides_no_mail(subject: bytes) -> None:
    raw = b"Subject: " + subject + b"\r\nTo: ada@example.com\r\n\r\nHello"
    assert summarise(raw).recipients == ("ada@example.com",)
    assert Mail(raw).text == "Hello"


def test_the_envelope_tells_who_really_got_it() -> None:
    filed = with_envelope(
        a_mail(To="list@example.com").as_bytes(), sender="b@example.com", recipients=["ada@example.com"]
    )
    assert summarise(filed).recipients == ("ada@example.com",)
    assert dict(Mail(filed).headers)["Return-Path"] == "<b@example.com>"


def test_an_envelope_address_cannot_add_headers() -> None:
    filed = with_envelope(b"\r\n", sender="a\r\nX-Evil: 1", recipients=[])
    assert "X-Evil" not in dict(Mail(filed).headers)


def test_text_and_html_of_an_alternative_are_told_apart() -> None:
    message = a_mail()
    message.set_content("Schöne Grüße", charset="iso-8859-1")
    message.add_alternative("<p>Schöne Grüße</p>", subtype="html")
    mail = Mail(message.as_bytes())
    assert (mail.text.strip(), mail.html.strip()) == ("Schöne Grüße", "<p>Schöne Grüße</p>")
    assert not mail.attachments


def test_a_mail_without_html_has_none() -> None:
    message = a_mail()
    message.set_content("only text")
    assert Mail(message.as_bytes()).html == ""


def test_an_unknown_character_set_still_shows_text() -> None:
    raw = b"Content-Type: text/plain; charset=x-nobody-knows\r\n\r\nGr\xfc\xdfe"
    assert Mail(raw).text == "Grüße"


def test_attachments_are_listed_with_their_decoded_names() -> None:
    message = a_mail()
    message.set_content("see the attachment")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="Rechnung März.pdf")
    message.add_attachment("a text file", filename="notes.txt")
    attachments = Mail(message.as_bytes()).attachments
    assert [attachment.name for attachment in attachments] == ["Rechnung März.pdf", "notes.txt"]
    assert (attachments[0].content, attachments[0].size) == (b"%PDF-1.4", 8)


def test_inline_pictures_are_shown_where_the_html_names_them() -> None:
    message = a_mail()
    message.set_content('<img src="cid:logo"><img src="cid:unknown">', subtype="html")
    message.add_related(b"png", "image", "png", cid="<logo>")
    html = Mail(message.as_bytes()).html_with_pictures("/pictures/")
    assert html.strip() == '<img src="/pictures/0"><img src="cid:unknown">'


def test_a_mail_that_is_no_mail_is_still_shown() -> None:
    assert Mail(b"").text == ""
    assert Mail(b"\xff\x00no headers").attachments == ()
