"""The SMTP side of the inbox: takes any mail from this machine for any recipient and files it."""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from cli.inbox.store import MailStore

LARGEST_MAIL_BYTES = 30_000_000


class Filing:
    """The aiosmtpd handler: a mail is answered with 250 once it is on disk."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """Files the mail and returns the SMTP answer."""
        content = envelope.content
        assert isinstance(content, bytes)
        mail_id = self._store.add(content, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos)
        return f"250 OK filed as {mail_id}"


async def serve_smtp(store: MailStore, *, host: str, port: int) -> asyncio.Server:
    """Starts to listen and returns the server; the caller closes it.

    Raises:
        OSError: the port is taken.
    """
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(
            Filing(store),
            data_size_limit=LARGEST_MAIL_BYTES,
            enable_SMTPUTF8=True,
            decode_data=False,
            hostname="localhost",  # otherwise it looks its own name up in the DNS
            ident="Dauerlauf inbox",
            loop=loop,
        )

    return await loop.create_server(session, host, port)
