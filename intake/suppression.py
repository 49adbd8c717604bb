"""Suppressing an address: nothing is sent to it from now on, and what has nothing left to do without it ends at once.

Taking an address off the list lets nobody in by itself.
"""

from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.access import AuditRepository
from crm.enrollments import EnrollmentRepository
from crm.journeys import plan_of
from crm.models.contact import Contact, Identity, IdentityKind
from intake.outbox import put_delivery
from journeys.proofs.withdrawal import only_messages_over
from journeys.values import MessageChannel
from kit.clock import wall_clock
from messaging.suppression import SuppressionList, normalised
from workflows.messages import EXIT_REQUESTED

SUPPRESSED = "the address is on the suppression list"
"""Why an enrollment has ended. Who put it there and why is free text of people and stays in PostgreSQL."""


async def suppress(
    session: AsyncSession, key: SecretStr, channel: MessageChannel, address: str, *, reason: str, source: str
) -> bool:
    """Put an address on the list and tell the running enrollments of the contact it leads to.

    False where it was on the list already; then nobody is told. `key` is `settings.digest_key`.
    """
    added = await SuppressionList(session, key).add(channel, address, reason=reason, source=source)
    if added:
        await _tell_running(session, channel, address)
    return added


async def suppress_as_ordered(
    session: AsyncSession, key: SecretStr, channel: MessageChannel, address: str, *, reason: str, by: str
) -> bool:
    """`suppress` on somebody's order, noted in the audit log. `by` is an opaque actor, `reason` is for people."""
    added = await suppress(session, key, channel, address, reason=reason, source=by)
    # Which address it was must not be read from the log.
    await AuditRepository(session).record(
        by, "address.suppress", f"channel:{channel}", {"reason": reason, "added": added}
    )
    return added


async def lift_as_ordered(
    session: AsyncSession, key: SecretStr, channel: MessageChannel, address: str, *, reason: str, by: str
) -> bool:
    """Take an address off the list on somebody's order, noted in the audit log; False where it was not on it."""
    removed = await SuppressionList(session, key).remove(channel, address)
    details = {"reason": reason, "removed": removed}
    await AuditRepository(session).record(by, "address.lift", f"channel:{channel}", details)
    return removed


async def _tell_running(session: AsyncSession, channel: MessageChannel, address: str) -> None:
    """The enrollment ends where messages lie ahead of its step and all of them go to that address."""
    query = (
        select(Contact)
        .join(Identity, Identity.contact_id == Contact.id)
        .where(Identity.kind == IdentityKind.EMAIL, Identity.value == normalised(address))
        .with_for_update(of=Contact, key_share=True)  # intake lets contacts in under the same lock
    )
    contact = (await session.scalars(query)).one_or_none()
    if contact is None or normalised(contact.email or "") != normalised(address):
        return
    event_id = f"address.suppressed:{uuid4()}"
    for enrollment, version in await EnrollmentRepository(session).running_of(contact.id):
        steps = only_messages_over(plan_of(version), channel)
        if steps:
            put_delivery(
                session,
                enrollment.id,
                event_id=event_id,
                at=wall_clock(),
                criteria=[EXIT_REQUESTED],
                reason=SUPPRESSED,
                version=version.version,
                exit_at=steps,
            )
    await session.flush()
