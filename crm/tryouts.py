"""Test users and what they try: who may be put into a draft, and the draft as it was then.

Each test run has the draft kept as a version of its own, numbered below 0. So a draft may be replaced, published or
thrown away while somebody tries it, and nothing that counts the journey's versions or those inside them meets a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm.journeys import definition_of, plan_of
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion, VersionState
from crm.models.voucher import VoucherRecord
from journeys.changes import told_by
from journeys.tryout import plan_of_test
from kit.errors import Conflict, NotFound

KEPT_FOR = timedelta(days=90)
"""How long a test run and the draft it tried are kept after its end."""
AT_ONCE = 500


@dataclass(frozen=True)
class Pace:
    """How a draft is walked: each wait at most so long (None: as written), and by experiment the arm to go."""

    waits: timedelta | None = None
    arms: Mapping[str, str] = field(default_factory=dict)


class TryoutRepository:
    """Test users and the drafts kept for them, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def mark(self, contact_id: UUID, *, test_user: bool) -> Contact:
        """Make the contact a test user at the mail address it has now, or none any more.

        Raises:
            NotFound: no such contact.
            Conflict: it has no mail address.
        """
        contact = await self._session.get(
            Contact, contact_id, with_for_update={"key_share": True}, populate_existing=True
        )
        if contact is None:
            raise NotFound(f"There is no contact {contact_id}.", remedy="It may have been erased.")
        if test_user and not contact.email:
            raise Conflict(
                "The contact has no mail address, and test mails go to the address it was made a test user with.",
                remedy="Give it an address first.",
            )
        contact.test_address = contact.email if test_user else None
        await self._session.flush()
        await self._session.refresh(contact)
        return contact

    async def test_users(self) -> list[Contact]:
        """All contacts that an operator has made test users, in the order of their making."""
        query = select(Contact).where(Contact.test_address.is_not(None)).order_by(Contact.id)
        return list(await self._session.scalars(query))

    async def tests_of(self, contact_id: UUID) -> frozenset[UUID]:
        """All test runs of the contact, those that have ended too."""
        query = select(Enrollment.id).where(Enrollment.contact_id == contact_id, Enrollment.tested_draft.is_not(None))
        return frozenset((await self._session.scalars(query)).all())

    async def keep(self, draft: JourneyVersion, pace: Pace) -> JourneyVersion:
        """Keep the draft as it is now, for a test run at this pace. Nobody may be changing it.

        Raises:
            Invalid: an arm is asked for that the draft does not have.
        """
        plan = plan_of_test(plan_of(draft), waits=pace.waits, arms=pace.arms)
        kept = JourneyVersion(
            journey_key=draft.journey_key,
            version=await self._next_number(draft.journey_key),
            state=VersionState.TEST,
            definition=draft.definition,
            plan=plan.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            listens=sorted(plan.listens | told_by(definition_of(draft).exit_when)),
            won_consents=draft.won_consents,
        )
        self._session.add(kept)
        await self._session.flush()
        await self._session.refresh(kept)
        return kept

    async def forget(self, now: datetime) -> int:
        """Remove drafts that were kept for test runs of which none has been on for `KEPT_FOR`, and these runs.

        With them goes what hangs on them: decisions, messages, tasks, made-up vouchers. The newest draft of a journey
        stays, so that no number is given twice. Returns how many: `AT_ONCE` where there may be more. `now` is aware.
        """
        earlier = now - KEPT_FOR
        newer = aliased(JourneyVersion)
        of_it = and_(Enrollment.journey_key == JourneyVersion.journey_key, Enrollment.version == JourneyVersion.version)
        still_needed = select(Enrollment.id).where(
            of_it, or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > earlier)
        )
        followed = select(newer.version).where(
            newer.journey_key == JourneyVersion.journey_key, newer.version < JourneyVersion.version
        )
        old = select(JourneyVersion.journey_key, JourneyVersion.version).where(
            JourneyVersion.version < 0, JourneyVersion.created_at < earlier, followed.exists(), ~still_needed.exists()
        )
        rows = await self._session.execute(old.limit(AT_ONCE).with_for_update(skip_locked=True))
        names = [(key, version) for key, version in rows]
        runs = select(Enrollment.id).where(tuple_(Enrollment.journey_key, Enrollment.version).in_(names))
        made_up = delete(VoucherRecord).where(VoucherRecord.is_test, VoucherRecord.enrollment_id.in_(runs))
        await self._session.execute(made_up)
        await self._session.execute(delete(Enrollment).where(Enrollment.id.in_(runs)))
        kept = tuple_(JourneyVersion.journey_key, JourneyVersion.version)
        await self._session.execute(delete(JourneyVersion).where(kept.in_(names)))
        return len(names)

    async def _next_number(self, key: str) -> int:
        # One after the other: two who look at once would take the same number.
        lock = func.hashtextextended(f"tryouts:{key}", 0)
        await self._session.execute(select(func.pg_advisory_xact_lock(lock)))
        query = select(func.least(func.min(JourneyVersion.version), 0) - 1).where(JourneyVersion.journey_key == key)
        number: int = (await self._session.scalars(query)).one()
        return number
