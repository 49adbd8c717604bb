"""Who carries which channel. A new carrier is one file beside this one and one line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from journeys.values import MessageChannel
from kit.settings import MailProvider, Settings
from messaging.channels.base import Channel
from messaging.channels.sendgrid import SendGridChannel
from messaging.channels.smtp import SmtpChannel

MAIL_CARRIERS: Mapping[MailProvider, Callable[[Settings], Channel]] = MappingProxyType(
    {
        MailProvider.SMTP: SmtpChannel,
        MailProvider.SENDGRID: SendGridChannel,
    }
)

Channels = Mapping[MessageChannel, Channel]


def open_channels(settings: Settings) -> Channels:
    """The channels of one process. Nothing is connected yet; close each at the end."""
    return {MessageChannel.EMAIL: MAIL_CARRIERS[settings.mail_provider](settings)}
