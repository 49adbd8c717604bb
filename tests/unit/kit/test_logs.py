"""No secret and no address gets through to a log line, whoever writes it."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from kit.logs import configure_logs
from kit.settings import Settings


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs(Settings(log_format="json"))
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = before, level


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sendgrid_api_key", "SG.abcdefghij.klmnopqrst"),
        ("Authorization", "Bearer dl_secret"),
        ("note", "bounced: ada.lovelace+shop@example.co.uk"),
        ("url", "https://api.example/?key=SG.abcdefghij.klmnopqrst"),
    ],
)
def test_secrets_and_addresses_are_masked(written: io.StringIO, name: str, value: str) -> None:
    structlog.get_logger("test").info("something", **{name: value})
    assert "***" in written.getvalue()
    for secret in ("abcdefghij", "dl_secret", "lovelace", "co.uk"):
        assert secret not in written.getvalue()


def test_lines_of_libraries_are_masked_too(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("could not reach %s", "ada@example.com")
    assert "ada@example.com" not in written.getvalue()
    assert "could not reach" in written.getvalue()


def test_the_sendgrid_client_cannot_log_its_payloads(written: io.StringIO) -> None:
    logging.getLogger("python_http_client.client").debug("Authorization: SG.abcdefghij.klmnopqrst")
    assert written.getvalue() == ""
