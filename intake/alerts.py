"""The mail that tells operators what is stuck: counts and reasons, never who. At most one in a stated time.

The mail is claimed in the database before it is sent, so several processes send it once. Where the mail server provably
has not taken it, the claim is given back and the next look tries again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode
from uuid import uuid4

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from intake.halts import Halt, halts, told_one_by_one
from intake.models import StuckFinding, StuckWatch
from intake.stuck import REMEDIES, Search, StuckGroup, groups
from kit.database import Sessions
from kit.settings import Settings
from messaging.channels.base import Channel, Mailbox, NotSent, Outgoing, Rejected, Uncertain
from messaging.personalisation import sender_of

REMIND_AFTER = timedelta(days=1)
"""What stays stuck without anything new is told again after this."""
GROUPS_TOLD = 30

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Alert:
    """What a mail tells."""

    now: datetime
    groups: Sequence[StuckGroup]
    halts: Sequence[Halt]

    @property
    def stuck(self) -> int:
        """How many enrollments the told groups hold."""
        return sum(group.count for group in self.groups)


@dataclass(frozen=True)
class _Claim:
    alert: Alert
    before: datetime | None
    """When the mail before was claimed."""


async def send_alert(
    sessions: Sessions, channel: Channel, settings: Settings, search: Search, *, namespace: str = "default"
) -> bool:
    """Tell what is stuck where it is time to; whether a mail was sent, or may have been.

    Without a recipient in the settings nobody is told, and nothing is claimed. `namespace` is that of the Temporal UI.
    """
    if not settings.alert_email:
        return False
    async with sessions.begin() as session:
        claim = await _claim(session, search, timedelta(minutes=settings.alert_every_minutes))
    if claim is None:
        return False
    try:
        await channel.send(as_mail(claim.alert, settings, namespace))
    except NotSent as error:
        async with sessions.begin() as session:
            await _give_back(session, claim)
        _log.warning("alert_not_sent", reason=error.because)
        return False
    except (Rejected, Uncertain) as error:
        _log.error("alert_may_not_have_arrived", reason=error.because)
    return True


async def _claim(session: AsyncSession, search: Search, every: timedelta) -> _Claim | None:
    """What is to be told now, claimed; None where nothing is new or the last mail is too fresh."""
    watch = await session.scalar(select(StuckWatch).with_for_update())
    if watch is None or (watch.alerted_at is not None and watch.alerted_at > search.now - every):
        return None
    news = func.count().filter(StuckFinding.told_at.is_(None))
    new, known = (await session.execute(select(news, func.count()).select_from(StuckFinding))).one()
    remind = known and watch.alerted_at is not None and watch.alerted_at <= search.now - REMIND_AFTER
    if not new and not remind:
        return None
    found = await halts(session, search)
    alert = Alert(search.now, await groups(session, told_one_by_one(search, found), limit=GROUPS_TOLD), found)
    if not alert.groups and not alert.halts:
        return None
    before, watch.alerted_at = watch.alerted_at, search.now
    await session.execute(update(StuckFinding).where(StuckFinding.told_at.is_(None)).values(told_at=search.now))
    return _Claim(alert, before)


async def _give_back(session: AsyncSession, claim: _Claim) -> None:
    mine = StuckWatch.alerted_at == claim.alert.now
    await session.execute(update(StuckWatch).where(mine).values(alerted_at=claim.before))
    told = update(StuckFinding).where(StuckFinding.told_at == claim.alert.now)
    await session.execute(told.values(told_at=None))


def as_mail(alert: Alert, settings: Settings, namespace: str = "default") -> Outgoing:
    """The alert as a mail in plain text, to the operators."""
    return Outgoing(
        message_id=uuid4(),
        sender=sender_of(settings),
        recipient=Mailbox(settings.alert_email),
        subject=subject_of(alert),
        html="",
        text=text_of(alert, settings, namespace),
        at=alert.now,
        headers={"Auto-Submitted": "auto-generated"},
    )


def subject_of(alert: Alert) -> str:
    """What is stuck in a line."""
    parts = (
        [f"{alert.stuck:,} {'enrollment is' if alert.stuck == 1 else 'enrollments are'} stuck"] if alert.groups else []
    )
    parts += [halt.kind.value.replace("_", " ") for halt in alert.halts]
    return "Dauerlauf: " + "; ".join(parts)


def text_of(alert: Alert, settings: Settings, namespace: str = "default") -> str:
    """The whole text: what does not work for everybody, who is stuck where and why, what to do, where to look."""
    parts = [f"Found {_instant(alert.now)}."]
    if alert.halts:
        parts.append("For the whole installation:\n\n" + "\n".join(_halt(halt) for halt in alert.halts))
    if alert.groups:
        parts.append("Enrollments that are stuck:\n\n" + "\n".join(_group(group) for group in alert.groups))
        kinds = sorted({group.kind for group in alert.groups})
        parts.append("What to do:\n\n" + "\n".join(f"* {_words(kind)}: {REMEDIES[kind]}" for kind in kinds))
    parts.append("Where to look:\n\n" + "\n".join(_places(settings, namespace)))
    parts.append(f"What is found from now on is told after {settings.alert_every_minutes} minutes at the earliest.")
    return "\n\n".join(parts) + "\n"


def _halt(halt: Halt) -> str:
    since = f"since {_instant(halt.since)}" if halt.since else "never until now"
    return f"* {_words(halt.kind)}, {since}: {halt.sentence}"


def _group(group: StuckGroup) -> str:
    step = f", step {group.step}" if group.step else ""
    reason = f": {' '.join(group.reason.split())}" if group.reason else ""
    since = _instant(group.since)
    return f"* {group.count:,} in {group.journey_key}{step}: {_words(group.kind)}, the first since {since}{reason}"


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _places(settings: Settings, namespace: str) -> list[str]:
    places = ["* dauerlauf stuck", f"* {settings.public_url.rstrip('/')}/v1/stuck"]
    if settings.temporal_ui_url:
        query = urlencode({"query": "JourneyState = 'needs_attention'"}, quote_via=quote)
        places.append(f"* {settings.temporal_ui_url.rstrip('/')}/namespaces/{namespace}/workflows?{query}")
    return places
