"""Turns at providers that have a pace: asked for at the end of the gate, kept until the message comes back.

Where no pace is set nothing is read or written here.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from journeys.outcomes import RefusalReason
from kit.settings import MailProvider, Settings
from messaging.ledger import MessageKey
from messaging.lines import ProviderLines
from messaging.models import MessageClass, PromisedTurn
from messaging.pace import Pace, Question
from messaging.rules import GateFacts
from messaging.verdicts import Deferred, Refused


def pace_of(provider: str, settings: Settings) -> Pace | None:
    """The pace set for a provider; None where there is none."""
    per_second = {
        MailProvider.SMTP.value: settings.smtp_per_second,
        MailProvider.SENDGRID.value: settings.sendgrid_per_second,
    }.get(provider)
    return Pace(per_second) if per_second else None


@dataclass(frozen=True)
class Turns:
    """The turns of one provider with a pace; what was promised is kept within the caller's transaction."""

    session: AsyncSession
    lines: ProviderLines
    provider: str
    pace: Pace

    async def take(self, key: MessageKey, facts: GateFacts) -> Refused | Deferred | None:
        """Count the message as leaving now, or promise it a turn; refused where that comes after it is of use.

        To be asked last, about a message that nothing else keeps from leaving.
        """
        question = Question(
            facts.at,
            turn=await self._returned(key),
            waits=facts.message_class is not MessageClass.TRANSACTIONAL,
            last=facts.expires_at,
        )
        turn = (await self.lines.ask(self.provider, question, self.pace)).turn
        if turn is None:
            return None
        because = self._because(facts, turn)
        if facts.expires_at is not None and turn > facts.expires_at:
            return Refused(RefusalReason.OVERDUE, f"{because} The message is of no use then.")
        self.session.add(PromisedTurn(**vars(key), provider=self.provider, turn=turn))
        return Deferred(turn, facts.zone.key, because, "its turn", exact=True)

    def _because(self, facts: GateFacts, turn: datetime) -> str:
        # To the second, where the others say the minute: it is seconds that tell one turn from the next.
        at = f"{turn.astimezone(facts.zone):%Y-%m-%d %H:%M:%S} {facts.zone.key}"
        return f"Its turn is at {at}: {self.provider} takes {self.pace.described()}."

    async def _returned(self, key: MessageKey) -> datetime | None:
        """The turn that the message was promised, given back."""
        mine = [getattr(PromisedTurn, name) == value for name, value in vars(key).items()]
        given = delete(PromisedTurn).where(*mine, PromisedTurn.provider == self.provider)
        found: datetime | None = await self.session.scalar(given.returning(PromisedTurn.turn))
        return found
