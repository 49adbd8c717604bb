"""The mails of an inbox: one `.eml` file each in one directory, the newest kept up to a bound.

The file names sort by time and are the mails' ids. What a list shows is held in memory.
"""

import asyncio
import re
import secrets
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.inbox.mail import Mail, Summary, summarise, with_envelope
from kit.clock import Clock, wall_clock

KEPT = 5_000
_STAMP = "%Y%m%dT%H%M%S.%f"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Entry:
    """A mail as a list shows it. `received_at` is aware, in UTC; `size` is in bytes."""

    mail_id: str
    received_at: datetime
    summary: Summary
    size: int

    def matches(self, words: str, *, recipient: str = "") -> bool:
        """Whether each of the words stands in sender, recipients or subject, and the recipient got it.

        Upper and lower case are alike; no words and no recipient match everything.
        """
        if recipient and recipient.casefold() not in map(str.casefold, self.summary.recipients):
            return False
        told = "\n".join((self.summary.sender, *self.summary.recipients, self.summary.subject)).casefold()
        return all(word in told for word in words.casefold().split())


class MailStore:
    """Keeps mails over restarts. For one process and one event loop."""

    def __init__(self, directory: Path, *, kept: int = KEPT, clock: Clock = wall_clock) -> None:
        self._directory = directory
        self._kept = kept
        self._clock = clock
        self._entries: list[Entry] = []  # oldest first
        self._waiting: set[asyncio.Event] = set()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in sorted(directory.glob("*.eml")):
            if _NAME.fullmatch(file.stem):
                self._entries.append(_entry(file.stem, file.read_bytes()))
        self._forget_oldest()

    def add(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Keeps a mail and returns its id. It is on disk when this returns."""
        filed = with_envelope(content, sender=sender, recipients=recipients)
        mail_id = f"{self._clock().astimezone(UTC).strftime(_STAMP)}-{secrets.token_hex(4)}"
        draft = self._directory / f"{mail_id}.new"
        draft.write_bytes(filed)
        draft.rename(self._file(mail_id))
        self._entries.append(_entry(mail_id, filed))
        self._forget_oldest()
        self._tell()
        return mail_id

    def find(self, words: str = "", *, recipient: str = "", limit: int = 50, before: str = "") -> Sequence[Entry]:
        """Mails that match, newest first, at most `limit`; only those older than the mail `before`."""
        found: list[Entry] = []
        end = bisect_left(self._entries, before, key=lambda entry: entry.mail_id) if before else len(self._entries)
        for entry in reversed(self._entries[:end]):
            if len(found) == limit:
                break
            if entry.matches(words, recipient=recipient):
                found.append(entry)
        return found

    def count(self, words: str = "", *, recipient: str = "") -> int:
        """How many mails match."""
        if not words and not recipient:
            return len(self._entries)
        return sum(entry.matches(words, recipient=recipient) for entry in self._entries)

    def newest(self) -> str:
        """The id of the newest mail; empty if there is none."""
        return self._entries[-1].mail_id if self._entries else ""

    def read(self, mail_id: str) -> tuple[Entry, Mail] | None:
        """One mail, or None if there is none with this id (any more)."""
        place = bisect_left(self._entries, mail_id, key=lambda entry: entry.mail_id)
        if place == len(self._entries) or self._entries[place].mail_id != mail_id:
            return None
        return self._entries[place], Mail(self._file(mail_id).read_bytes())

    def delete_all(self) -> int:
        """Deletes every mail and returns how many there were."""
        count = len(self._entries)
        for entry in self._entries:
            self._file(entry.mail_id).unlink(missing_ok=True)
        self._entries.clear()
        self._tell()
        return count

    async def changed(self) -> None:
        """Waits until a mail arrives or the mails are deleted."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            await event.wait()
        finally:
            self._waiting.discard(event)

    def _file(self, mail_id: str) -> Path:
        return self._directory / f"{mail_id}.eml"

    def _forget_oldest(self) -> None:
        surplus = max(0, len(self._entries) - self._kept)
        for entry in self._entries[:surplus]:
            self._file(entry.mail_id).unlink(missing_ok=True)
        del self._entries[:surplus]

    def _tell(self) -> None:
        for event in self._waiting:
            event.set()


def _entry(mail_id: str, content: bytes) -> Entry:
    received_at = datetime.strptime(mail_id.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    return Entry(mail_id=mail_id, received_at=received_at, summary=summarise(content), size=len(content))
