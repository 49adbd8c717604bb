"""Publishing with a plan for those inside: looking ahead, trial by share, promotion, rollback, moves between versions.

What becomes of whom is computed in `journeys.outlook`; moves ordered here are carried out by `intake.moves`.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.access import AuditRepository
from crm.journeys import JourneyRepository, definition_of, plan_of
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion, VersionMove, VersionState
from crm.segments import SegmentRepository
from journeys.already import fitting_already
from journeys.documents import to_document
from journeys.migration import Inside, Timers, Treatment
from journeys.model import Journey
from journeys.outlook import Outlook, Standing, look_ahead
from journeys.plan import Plan
from kit.errors import Conflict, Invalid, NotFound, Problem

LARGEST_SHARE = 99

# By the minute: what is shown is read by people, and a version may have a million contacts inside.
_STANDINGS = text("""
    SELECT coalesce(step, :start), date_trunc('minute', since), date_trunc('minute', due_at), count(*)
    FROM enrollments WHERE journey_key = :journey AND version = :version AND ended_at IS NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")


@dataclass(frozen=True)
class Coming:
    """The version that a publication of a definition would have take new contacts.

    `trial` is its percentage where it is on trial: publishing it without a share promotes it.
    """

    version: int
    trial: int | None = None


@dataclass(frozen=True)
class Publication:
    """What a publication came to: the version that takes new contacts (or a share of them), and who is moved."""

    version: JourneyVersion
    before: int | None
    """The version that took them until now; None where there was none, or nothing has changed."""
    move: VersionMove | None = None


class PublicationRepository:
    """Versions taking each other's place, within the caller's transaction. Everything is noted in the audit log."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._journeys = JourneyRepository(session)

    async def outlook(self, key: str, new: Plan, treatment: Treatment, now: datetime) -> Outlook | None:
        """What would become of those inside the live version if `new` took its place; None where none is live."""
        live = await self._journeys.live(key)
        return None if live is None else await self._look(live, new, treatment, now)

    async def coming(self, journey: Journey) -> Coming:
        """The version that the definition would be published as: the one on trial where that says the same."""
        trial, draft = await self._journeys.trial(journey.key), await self._journeys.draft(journey.key)
        if trial is not None and trial.definition == to_document(journey):
            return Coming(trial.version, trial.share)
        return Coming(draft.version if draft is not None else await self._journeys.next_version(journey.key))

    async def fitting_already(self, journey: Journey, now: datetime) -> int | None:
        """How many contacts `backfill` of the entry is about, before its audience is asked; None where about none.

        Raises:
            Invalid: the entry names a segment that does not exist.
        """
        condition = fitting_already(journey.entry, now)
        if condition is None:
            return None
        return (await SegmentRepository(self._session).preview(condition, now, sample=0)).count

    async def publish(
        self, key: str, *, by: str, treatment: Treatment, share: int | None = None, now: datetime
    ) -> Publication:
        """Publish the draft: wholly, or on trial with a share (1 to 99 percent) of the new contacts.

        A draft that says what the version on trial says changes its share, or without a share promotes it.

        Raises:
            NotFound: no such journey.
            Conflict: there is nothing to publish, or another version is on trial.
            Invalid: those inside cannot be treated as asked; nothing was changed.
        """
        demand_sense(treatment, share)
        await self._journeys.lock(key)
        draft, live, trial = (
            await self._journeys.draft(key),
            await self._journeys.live(key),
            await self._journeys.trial(key),
        )
        if draft is not None and trial is not None and draft.definition == trial.definition:
            await self._journeys.discard(draft)
            return await self.promote(key, by=by, treatment=treatment, share=share, now=now)
        if share is not None and trial is None:
            return await self._begin_trial(key, draft, live, share=share, by=by)
        published = await self._journeys.publish(key, by=by)
        if live is None or published.version == live.version:
            return Publication(published, None)
        return await self._replace(live, published, by=by, treatment=treatment, now=now)

    async def promote(
        self, key: str, *, by: str, treatment: Treatment, share: int | None = None, now: datetime
    ) -> Publication:
        """Give the version on trial all new contacts, or another share of them.

        Raises:
            NotFound: no such journey.
            Conflict: no version is on trial.
            Invalid: as `publish`.
        """
        demand_sense(treatment, share)
        await self._journeys.lock(key)
        trial, live = await self._journeys.trial(key), await self._journeys.live(key)
        if trial is None or live is None:
            raise Conflict(f"No version of {key} is on trial.", remedy="Publish one with a share first.")
        details = {"version": trial.version, "share": share, "before": trial.share}
        await AuditRepository(self._session).record(by, "journey.promoted", f"journey:{key}", details)
        if share is not None:
            return Publication(await self._journeys.change(trial, share=share), None)
        # The one that finishes leaves first: only one may be live wholly.
        opened = await self._journeys.open(trial, instead_of=live)
        return await self._replace(live, opened, by=by, treatment=treatment, now=now)

    async def rollback(self, key: str, *, by: str, treatment: Treatment, now: datetime) -> Publication:
        """Have the version before take the new contacts again; the treatment is of those inside the one given up.

        Moving people into the version that is given up ends where it is.

        Raises:
            NotFound: no such journey.
            Conflict: there is no version to go back to.
            Invalid: as `publish`.
        """
        demand_sense(treatment, None)
        await self._journeys.lock(key)
        live, trial = await self._journeys.live(key), await self._journeys.trial(key)
        if live is None:
            raise Conflict(f"No version of {key} is live.", remedy="Publish one first.")
        if trial is not None:
            given_up = await self._journeys.change(trial, state=VersionState.FINISHING, share=None)
            opened = live
        else:
            given_up = live
            opened = await self._journeys.open(await self._before(live), instead_of=live)
        await self._end_moves_into(given_up)
        details = {"version": opened.version, "given_up": given_up.version}
        await AuditRepository(self._session).record(by, "journey.rolled_back", f"journey:{key}", details)
        return await self._replace(given_up, opened, by=by, treatment=treatment, now=now)

    async def move(self, key: str, number: int, *, by: str, treatment: Treatment, now: datetime) -> Publication:
        """Move those inside an older version to the live one, or stop them.

        Raises:
            NotFound: no such journey or version.
            Conflict: the version takes new contacts itself, or is a draft, or no version is live.
            Invalid: as `publish`.
        """
        demand_sense(treatment, None)
        await self._journeys.lock(key)
        live, old = await self._journeys.live(key), await self._journeys.version(key, number)
        if old is None:
            raise NotFound(f"Journey {key} has no version {number}.", remedy="List its versions first.")
        if live is None or old.state not in {VersionState.FINISHING, VersionState.STOPPED}:
            raise Conflict(
                f"Version {number} of {key} is {old.state}: only those inside an older version can be moved.",
                remedy="Publish another version first.",
            )
        return await self._replace(old, live, by=by, treatment=treatment, now=now)

    async def moves(self, key: str, *, before: int | None = None, limit: int = 20) -> list[VersionMove]:
        """The moves of a journey, newest first, beginning behind the one with the id `before`."""
        query = select(VersionMove).where(VersionMove.journey_key == key).order_by(VersionMove.id.desc()).limit(limit)
        if before is not None:
            query = query.where(VersionMove.id < before)
        return list(await self._session.scalars(query, execution_options={"populate_existing": True}))

    async def inside(self, key: str) -> dict[int, int]:
        """How many contacts are inside each version that has any."""
        query = (
            select(Enrollment.version, func.count())
            .where(Enrollment.journey_key == key, Enrollment.ended_at.is_(None), Enrollment.tested_draft.is_(None))
            .group_by(Enrollment.version)
        )
        return dict((await self._session.execute(query)).tuples().all())

    async def _look(self, old: JourneyVersion, new: Plan, treatment: Treatment, now: datetime) -> Outlook:
        plan = plan_of(old)
        names = {"journey": old.journey_key, "version": old.version, "start": plan.start}
        rows = await self._session.execute(_STANDINGS, names)
        return look_ahead(plan, new, [Standing(*row) for row in rows], treatment, now=now)

    async def _begin_trial(
        self,
        key: str,
        draft: JourneyVersion | None,
        live: JourneyVersion | None,
        *,
        share: int,
        by: str,
    ) -> Publication:
        if draft is None:
            raise Conflict(f"Journey {key} has no draft to publish.", remedy="Put a definition first, then publish it.")
        if live is None:
            raise Conflict(f"No version of {key} is live to share contacts with.", remedy="Publish the draft wholly.")
        if draft.definition == live.definition:
            await self._journeys.discard(draft)
            return Publication(live, None)
        if definition_of(draft).entry != definition_of(live).entry:
            raise Conflict(
                f"Version {draft.version} of {key} has another `entry` than version {live.version}: "
                "a version on trial takes its share of the same contacts.",
                remedy="Leave the entry as it is, or publish the version wholly.",
            )
        begun = await self._journeys.change(draft, state=VersionState.LIVE, share=share, replaces=live.version)
        details = {"version": begun.version, "share": share, "live": live.version}
        await AuditRepository(self._session).record(by, "journey.trial", f"journey:{key}", details)
        return Publication(begun, live.version)

    async def _replace(
        self, old: JourneyVersion, new: JourneyVersion, *, by: str, treatment: Treatment, now: datetime
    ) -> Publication:
        """Order what becomes of those inside the version that is replaced."""
        if treatment.inside is Inside.FINISH:
            return Publication(new, old.version)
        outlook = await self._look(old, plan_of(new), treatment, now)
        if treatment.inside is Inside.MIGRATE:
            demand_targets(outlook)
        else:
            await self._journeys.change(old, state=VersionState.STOPPED)
        move = VersionMove(
            journey_key=old.journey_key,
            from_version=old.version,
            to_version=new.version,
            inside=treatment.inside,
            mapping=dict(treatment.mapping),
            timers=treatment.timers,
        )
        self._session.add(move)
        await self._session.flush()
        details: dict[str, Any] = {"from": old.version, "to": new.version, "contacts": outlook.count, "move": move.id}
        details |= {name: value for name, value in asdict(treatment).items() if value}
        await AuditRepository(self._session).record(by, "journey.moved", f"journey:{old.journey_key}", details)
        return Publication(new, old.version, move)

    async def _before(self, live: JourneyVersion) -> JourneyVersion:
        before = None if live.replaces is None else await self._journeys.version(live.journey_key, live.replaces)
        if before is None:
            raise Conflict(
                f"Version {live.version} of {live.journey_key} replaced none: there is nothing to go back to.",
                remedy="Publish what should run instead.",
            )
        return before

    async def _end_moves_into(self, given_up: JourneyVersion) -> None:
        """Nobody else is ordered into a version that is given up; who has been is on the way."""
        mine = (VersionMove.journey_key == given_up.journey_key, VersionMove.to_version == given_up.version)
        ended = update(VersionMove).where(*mine, VersionMove.ordered_at.is_(None))
        await self._session.execute(ended.values(ordered_at=func.clock_timestamp()))


def demand_sense(treatment: Treatment, share: int | None) -> None:
    """Raise Invalid where there is no such share, or what is asked for those inside contradicts itself."""
    if share is not None and not 1 <= share <= LARGEST_SHARE:
        problem = Problem("share", f"{share} is not a share.", f"Give a percentage from 1 to {LARGEST_SHARE}.")
        raise Invalid("A version on trial takes some of the new contacts, and not all.", problems=[problem])
    problems = []
    if treatment.inside is not Inside.MIGRATE and (treatment.mapping or treatment.timers is Timers.KEEP):
        what = f"Steps are mapped and timers kept when contacts migrate; these {treatment.inside}."
        problems.append(Problem("inside", what, "Ask for migrate, or leave mapping and timers out."))
    if share is not None and treatment.inside is not Inside.FINISH:
        what = "While a version is on trial, those inside the other one stay in it."
        problems.append(Problem("inside", what, "Leave it out; say what becomes of them when you promote the version."))
    if problems:
        raise Invalid("This cannot be asked for together.", problems=problems)


def demand_targets(outlook: Outlook) -> None:
    """Raise Invalid where some of those inside could not go on in the newer version."""
    if outlook.problems:
        raise Invalid(
            f"Those inside version {outlook.old} cannot migrate to version {outlook.new} as asked; nothing changed.",
            problems=outlook.problems,
        )
