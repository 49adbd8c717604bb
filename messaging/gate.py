"""The gate every message passes: one question, one verdict, one reason. Reads the facts; the rules are next door.

Asked in the transaction of the claim, directly before it, so nothing can be withdrawn unseen in between.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import ConsentRepository
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyRecord, JourneyVersion, VersionState
from journeys.frequency import AtCap, Priority, Words
from journeys.quiet import QUIET_HOURS
from journeys.values import MessageChannel
from journeys.window import WhenClosed, Window
from kit.errors import NotFound
from kit.settings import Settings
from messaging.attention import Attention, treated
from messaging.ledger import MessageKey
from messaging.models import MessageClass
from messaging.person import facts_of
from messaging.rules import GateFacts, judge
from messaging.suppression import SuppressionList
from messaging.turns import Turns
from messaging.verdicts import Allowed, Verdict


@dataclass(frozen=True)
class GateRequest:
    """May this contact get this message of this class, made from this template, at `now`?

    `now` is the workflow's time and decides; `wall_now` only tells whether that lies too long ago. Both are aware.
    """

    key: MessageKey
    contact_id: UUID
    template: str
    message_class: MessageClass
    channel: MessageChannel
    window: Window | None
    now: datetime
    wall_now: datetime
    expires_at: datetime | None = None
    """After this (aware) the message is of no use any more."""
    priority: Priority = Priority.NORMAL
    at_cap: AtCap = AtCap.DEFER
    at_closed: WhenClosed = WhenClosed.DEFER
    repeat: Words | timedelta | None = None
    """When the template may go to the contact again; None: as the settings say."""


async def decide(
    session: AsyncSession, request: GateRequest, *, settings: Settings, turns: Turns | None = None
) -> Verdict:
    """Allowed, refused with a reason, or deferred to an instant, on facts read now in this transaction.

    Where `turns` are given, of a provider with a pace, what is allowed has been counted for it.

    Marketing and sales messages of one contact are decided one after the other: until this transaction ends, nobody
    else is told anything of them.

    Raises:
        NotFound: contact or enrollment does not exist (any more).
        NeverOpens: the window does not open within a year.
    """
    attention = Attention(session, request.contact_id, request.key)
    binding = request.message_class is not MessageClass.TRANSACTIONAL
    if binding:
        await attention.lock()  # before anything is read that another send may be about to change
    facts = await _facts(session, request, settings)
    # What is tried is neither held up by what else the contact is sent, nor the other way round.
    capped = binding and not facts.is_test
    if capped:
        frequency = treated(request.message_class, request.priority, request.at_cap, request.repeat, settings=settings)
        facts = replace(facts, frequency=await attention.read(frequency, request.template, facts.at))
    objection = judge(facts)
    if objection is None and turns is not None:
        objection = await turns.take(request.key, facts)
    if capped:
        await attention.note(objection)
    if objection is not None:
        return objection
    assert facts.deliverable_address is not None
    return Allowed(facts.deliverable_address, facts.zone.key)


async def _facts(session: AsyncSession, request: GateRequest, settings: Settings) -> GateFacts:
    row = (await session.execute(_of_both(request))).one_or_none()
    if row is None:
        raise NotFound("The contact or the enrollment does not exist any more.", remedy="End the enrollment.")
    profile = facts_of(
        request.contact_id,
        email=row.email,
        time_zone=row.time_zone,
        country=row.country,
        region=row.region,
        quiet_hours=row.quiet_hours,
        settings=settings,
    )
    return GateFacts(
        **profile,
        message_class=request.message_class,
        channel=request.channel,
        now=request.now,
        wall_now=request.wall_now,
        window=request.window,
        enrollment_ended=row.ended_at is not None,
        suppressed=await _suppressed(session, request, row.email, settings),
        consents=await ConsentRepository(session).standing(request.contact_id),
        expires_at=request.expires_at,
        held_out=row.holdout,
        in_control_group=row.control_group,
        version_stopped=row.state == VersionState.STOPPED,
        journey_paused=row.paused_at is not None,
        is_test=row.tested_draft is not None,
        is_test_user=row.test_address is not None and row.test_address == row.email,
        at_closed=request.at_closed,
    )


def _of_both(request: GateRequest) -> Select[Any]:
    """What is asked of the contact, of its enrollment, and of the version and the journey that is in."""
    columns = select(
        Contact.email,
        Contact.time_zone,
        Contact.country,
        Contact.region,
        Contact.attributes[QUIET_HOURS].astext.label(QUIET_HOURS),
        Enrollment.ended_at,
        Enrollment.holdout,
        Enrollment.control_group,
        Enrollment.tested_draft,
        Contact.test_address,
        JourneyVersion.state,
        JourneyRecord.paused_at,
    )
    own_version = and_(
        JourneyVersion.journey_key == Enrollment.journey_key, JourneyVersion.version == Enrollment.version
    )
    joined = (
        columns.join(Enrollment, Enrollment.contact_id == Contact.id)
        .join(JourneyVersion, own_version)
        .join(JourneyRecord, JourneyRecord.key == Enrollment.journey_key)
    )
    return joined.where(Contact.id == request.contact_id, Enrollment.id == request.key.enrollment_id)


async def _suppressed(session: AsyncSession, request: GateRequest, address: str | None, settings: Settings) -> bool:
    suppressions = SuppressionList(session, settings.digest_key)
    return address is not None and await suppressions.reason(request.channel, address) is not None
