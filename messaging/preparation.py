"""The first half of a send, one transaction of the caller: what is known, render, gate, claim.

The second half, calling the carrier and settling, is in `messaging.handover`; the caller commits in between.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.models.enrollment import Enrollment
from crm.vouchers import IssueKey
from journeys.former_names import FormerNames
from journeys.frequency import AtCap, Priority, Words
from journeys.tryout import marked
from journeys.values import MessageChannel
from journeys.vouchers import MessageVoucher
from journeys.window import WhenClosed, Window
from kit.errors import Invalid
from kit.settings import Settings
from messaging.channels.base import Mailbox, Outgoing
from messaging.gate import GateRequest, decide
from messaging.gathered import Latest, gathered, steps_in
from messaging.holding import hold_back, let_go
from messaging.ledger import Claim, Draft, Ledger, MessageKey, Settled, TooEarly, content_digest
from messaging.lines import ProviderLines
from messaging.models import MessageClass, MessageRecord, MessageState, Template
from messaging.personalisation import Recipient, recipient, sender_of
from messaging.pins import template_for
from messaging.rendering import Content, Renderer
from messaging.turns import Turns, pace_of
from messaging.verdicts import Allowed, Deferred, Refused, Verdict
from messaging.vouchers import Chosen, VoucherDesk, VoucherOrder


@dataclass(frozen=True)
class SendOrder:
    """What is asked for: this template to this contact, at this step, in this window. `now` is the workflow's time."""

    enrollment_id: UUID
    contact_id: UUID
    step: str
    iteration: int
    channel: MessageChannel
    template: str
    window: Window | None
    now: datetime
    expires_at: datetime | None = None
    priority: Priority = Priority.NORMAL
    at_cap: AtCap = AtCap.DEFER
    at_closed: WhenClosed = WhenClosed.DEFER
    repeat: Words | timedelta | None = None
    voucher: MessageVoucher | None = None
    latest: Latest = field(default_factory=dict)
    former: FormerNames = field(default_factory=dict)
    """What steps were called before, where they have been renamed."""

    @property
    def key(self) -> MessageKey:
        """What makes it the same message when it is asked for again."""
        return MessageKey(self.enrollment_id, self.step, self.iteration, self.channel)

    @property
    def issue_key(self) -> IssueKey:
        """What makes its voucher the same voucher."""
        return IssueKey(self.enrollment_id, self.step, self.iteration)


@dataclass(frozen=True)
class Prepared:
    """Claimed and committed by the caller: now hand `outgoing` over, once."""

    claim: Claim
    outgoing: Outgoing
    zone: str
    message_class: MessageClass


Preparation = Prepared | Settled | Deferred | TooEarly


@dataclass(frozen=True)
class _Letter:
    """A message filled in, or why that failed: the failure only matters where the gate lets the message leave."""

    template: Template
    recipient: Recipient
    content: Content | Invalid
    voucher: Chosen | Refused | None = None

    def draft(self, contact_id: UUID) -> Draft:
        content = self.content
        digest = None if isinstance(content, Invalid) else content_digest(content.subject, content.html, content.text)
        template = self.template
        message_class = MessageClass(template.message_class)
        return Draft(contact_id, template.key, template.version, template.locale, message_class, digest)


@dataclass(frozen=True)
class Preparer:
    """Prepares sends through one session. `attempt` names the one attempt, `wall_now` is the wall clock, aware."""

    session: AsyncSession
    settings: Settings
    renderer: Renderer
    provider: str
    attempt: str
    wall_now: datetime
    lines: ProviderLines | None = None
    """Where some provider has a pace."""

    @property
    def ledger(self) -> Ledger:
        """The ledger under this installation's grace period."""
        return Ledger(self.session, resend_after=timedelta(minutes=self.settings.resend_after_minutes))

    async def prepare(self, order: SendOrder) -> Preparation:
        """Claim the message, or say what became of it, or until when to wait.

        Raises:
            NotFound: contact, enrollment or template does not exist.
            Invalid: the template cannot be filled in for this contact, or the window never opens.
        """
        if order.voucher is not None:
            await self._desk.take_turn(order.issue_key)
        known = await self.ledger.find(order.key)
        standing = self.ledger.standing(known, self.wall_now) if known else None
        if standing is not None:
            return standing
        letter = await self._write(order)
        # Asked after the rendering, which takes time, and directly before the claim.
        verdict = await self._decide(order, letter)
        if isinstance(verdict, Deferred):
            await hold_back(self.session, order.key, order.contact_id, order.template, verdict)
            return verdict
        await let_go(self.session, order.key)
        if isinstance(verdict, Refused):
            return await self._refuse(order, letter, known, verdict)
        if isinstance(letter.content, Invalid):
            raise letter.content
        claim = await self._claim(order, letter, known)
        if claim is None:
            return await self._prepared_by_another(order)
        outgoing = self._outgoing(claim, letter.recipient, letter.content, verdict)
        return Prepared(claim, outgoing, verdict.zone, MessageClass(letter.template.message_class))

    @property
    def _desk(self) -> VoucherDesk:
        return VoucherDesk(self.session, self.settings)

    async def _decide(self, order: SendOrder, letter: _Letter) -> Verdict:
        """What the gate says; and where it lets the message leave, the voucher is issued or stands in the way."""
        question, turns = self._question(order, letter), self._turns(letter)
        verdict = await decide(self.session, question, settings=self.settings, turns=turns)
        voucher = letter.voucher
        if voucher is None or not isinstance(verdict, Allowed):
            return verdict
        if isinstance(voucher, Refused):
            return voucher
        if isinstance(letter.content, Invalid):
            return verdict  # nothing leaves
        return await self._desk.issue(voucher, self._voucher_order(order, letter.recipient)) or verdict

    def _turns(self, letter: _Letter) -> Turns | None:
        """Those of the provider, where it has a pace and the letter may leave as far as is known."""
        pace = pace_of(self.provider, self.settings) if self.lines is not None else None
        if self.lines is None or pace is None or isinstance(letter.content, Invalid):
            return None
        sold_out = isinstance(letter.voucher, Refused)
        return None if sold_out else Turns(self.session, self.lines, self.provider, pace)

    def _voucher_order(self, order: SendOrder, to: Recipient) -> VoucherOrder:
        assert order.voucher is not None
        return VoucherOrder(order.voucher, order.issue_key, to.contact, order.now, order.former, to.is_test)

    async def _write(self, order: SendOrder) -> _Letter:
        to = await recipient(self.session, order.contact_id, order.enrollment_id, settings=self.settings)
        voucher = await self._desk.choose(self._voucher_order(order, to)) if order.voucher is not None else None
        if isinstance(voucher, Chosen):
            to = to.with_variables({"voucher": voucher.variables(self._desk.zone(to.contact))})
        template = await template_for(
            self.session,
            order.enrollment_id,
            order.template,
            locale=to.locale,
            default_locale=self.settings.default_locale,
        )
        try:
            to = to.with_variables(await self._gathered(order, template))
            written = await self.renderer.render(template, MappingProxyType(dict(to.variables)))
            content: Content | Invalid = replace(written, subject=marked(written.subject)) if to.is_test else written
        except Invalid as error:
            content = error
        return _Letter(template, to, content, voucher)

    async def _gathered(self, order: SendOrder, template: Template) -> dict[str, Any]:
        """What was learned on the way, as far as the template or the step asks for it, as it is at this moment."""
        steps = steps_in(template.variables)
        if not steps and not order.latest:
            return {}
        enrollment = await self.session.get_one(Enrollment, order.enrollment_id)
        until = max(order.now, self.wall_now)
        return await gathered(self.session, enrollment, steps, order.latest, until=until, former=order.former)

    def _question(self, order: SendOrder, letter: _Letter) -> GateRequest:
        return GateRequest(
            key=order.key,
            contact_id=order.contact_id,
            template=letter.template.key,
            message_class=MessageClass(letter.template.message_class),
            channel=order.channel,
            window=order.window,
            now=order.now,
            wall_now=self.wall_now,
            expires_at=order.expires_at,
            priority=order.priority,
            at_cap=order.at_cap,
            at_closed=order.at_closed,
            repeat=order.repeat,
        )

    async def _refuse(
        self, order: SendOrder, letter: _Letter, known: MessageRecord | None, refused: Refused
    ) -> Settled | TooEarly:
        if known is not None:
            return self.ledger.refuse_again(known, refused, now=self.wall_now)
        draft = letter.draft(order.contact_id)
        message_id = await self.ledger.refuse(order.key, draft, refused, now=self.wall_now)
        if message_id is None:
            return await self._prepared_by_another(order)
        return Settled(MessageState.REFUSED, message_id, refused.reason, refused.because)

    async def _claim(self, order: SendOrder, letter: _Letter, known: MessageRecord | None) -> Claim | None:
        draft, by = letter.draft(order.contact_id), {"attempt": self.attempt, "provider": self.provider}
        counted_at, is_test = max(order.now, self.wall_now), letter.recipient.is_test
        if known is not None:
            return self.ledger.claim_again(
                known, draft, **by, now=self.wall_now, counted_at=counted_at, is_test=is_test
            )
        return await self.ledger.claim(
            order.key, draft, **by, now=self.wall_now, counted_at=counted_at, is_test=is_test
        )

    async def _prepared_by_another(self, order: SendOrder) -> Settled | TooEarly:
        """Another attempt wrote the row between our look and our claim."""
        known = await self.ledger.find(order.key)
        assert known is not None
        standing = self.ledger.standing(known, self.wall_now)
        # It may have released the message already; then the next attempt takes it.
        return standing or TooEarly(timedelta(seconds=1))

    def _outgoing(self, claim: Claim, to: Recipient, content: Content, allowed: Allowed) -> Outgoing:
        sender = sender_of(self.settings)
        domain = sender.address.rpartition("@")[2]
        return Outgoing(
            message_id=claim.message_id,
            sender=sender,
            recipient=Mailbox(allowed.address, to.name),
            subject=content.subject,
            html=content.html,
            text=content.text,
            at=self.wall_now,
            headers={"Message-ID": f"<{claim.message_id}@{domain}>", "Auto-Submitted": "auto-generated"},
        )
