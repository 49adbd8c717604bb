import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.inbox.store import MailStore

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class TickingClock:
    """Every look at it is a second later."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def a_store(directory: Path, *, kept: int = 100) -> MailStore:
    return MailStore(directory, kept=kept, clock=TickingClock())


def put(store: MailStore, *, subject: str, to: str = "ada@example.com") -> str:
    raw = f"From: Dauerlauf <hello@example.com>\r\nSubject: {subject}\r\n\r\nHello".encode()
    return store.add(raw, sender="hello@example.com", recipients=[to])


def subjects(store: MailStore, words: str = "", *, limit: int = 50, before: str = "", recipient: str = "") -> list[str]:
    found = store.find(words, limit=limit, before=before, recipient=recipient)
    return [entry.summary.subject for entry in found]


def test_mails_are_listed_newest_first(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    for subject in ("one", "two", "three"):
        put(store, subject=subject)
    assert subjects(store) == ["three", "two", "one"]


def test_the_next_page_goes_on_where_the_last_ended(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    for number in range(5):
        put(store, subject=str(number))
    first = store.find(limit=2)
    assert subjects(store, limit=2, before=first[-1].mail_id) == ["2", "1"]


def test_search_looks_at_recipient_sender_and_subject_in_any_case(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    put(store, subject="Welcome", to="ada@example.com")
    put(store, subject="Voucher", to="bob@example.com")
    assert subjects(store, "ADA") == ["Welcome"]
    assert subjects(store, "bob vouch") == ["Voucher"]
    assert subjects(store, "dauerlauf") == ["Voucher", "Welcome"]
    assert store.count("nothing such") == 0


def test_a_recipient_is_compared_whole(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    put(store, subject="hers", to="ada@example.com")
    put(store, subject="his", to="not-ada@example.com")
    assert subjects(store, recipient="Ada@example.com") == ["hers"]


def test_mails_outlive_the_process(tmp_path: Path) -> None:
    mail_id = put(a_store(tmp_path), subject="kept")
    found = a_store(tmp_path).read(mail_id)
    assert found is not None
    entry, mail = found
    assert (entry.summary.subject, mail.text) == ("kept", "Hello")
    assert entry.received_at == NOON + timedelta(seconds=1)


def test_only_the_newest_mails_are_kept(tmp_path: Path) -> None:
    store = a_store(tmp_path, kept=2)
    for subject in ("one", "two", "three"):
        put(store, subject=subject)
    assert subjects(store) == ["three", "two"]
    assert len(list(tmp_path.glob("*.eml"))) == 2


def test_deleting_leaves_neither_entries_nor_files(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    put(store, subject="one")
    assert store.delete_all() == 1
    assert store.count() == 0
    assert not list(tmp_path.iterdir())


def test_an_unknown_id_is_no_mail(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    put(store, subject="one")
    assert store.read("../../etc/passwd") is None


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.eml").write_text("not from here")
    store = a_store(tmp_path, kept=0)
    assert store.count() == 0
    assert (tmp_path / "mine.eml").exists()


async def test_whoever_waits_is_told_of_a_new_mail(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    waiting = asyncio.create_task(store.changed())
    await asyncio.sleep(0)
    put(store, subject="new")
    async with asyncio.timeout(10):
        await waiting
