"""Journeys as stored: one draft at a time, immutable versions, one of them live. Their meaning is in `journeys`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.clocks import ClockRepository
from crm.models.access import AuditEntry
from crm.models.journey import JourneyRecord, JourneyVersion, VersionState
from journeys.changes import told_by
from journeys.documents import journey_from_document, to_document
from journeys.model import Journey
from journeys.plan import Plan, compile_plan
from journeys.proofs.withdrawal import consents_won, write_consents
from journeys.shares import takes
from kit.errors import Conflict, NotFound

_MOST_PLANS = 500
_COUNTED = JourneyVersion.version > 0
"""Drafts kept for test users have numbers below 0 and are no versions to anybody."""
_plans: dict[tuple[str, int, datetime], Plan] = {}


@dataclass(frozen=True)
class JourneySummary:
    """A journey in a listing: its name and owner as in the live version, or else in the newest."""

    key: str
    name: str
    owner: str
    goal_type: str | None
    stages: tuple[str, ...]
    """The lifecycle stages it is for."""
    live: int | None
    draft: int | None


class _Version(NamedTuple):
    key: str
    version: int
    state: str
    share: int | None
    name: str
    owner: str
    goal_type: str | None
    stages: list[str] | None


class Takers(NamedTuple):
    """The versions of one journey that take new contacts."""

    live: JourneyVersion | None
    trial: JourneyVersion | None

    def of(self, contact_id: UUID) -> JourneyVersion | None:
        """The one this contact would enter, or None."""
        trial = self.trial
        if trial is not None and takes(trial.journey_key, trial.version, contact_id, percent=trial.share or 0):
            return trial
        return self.live


class JourneyRepository:
    """Journeys and their versions, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put_draft(self, journey: Journey) -> JourneyVersion:
        """Store the definition as the journey's draft, in place of the draft there may be."""
        await self._session.execute(insert(JourneyRecord).values(key=journey.key).on_conflict_do_nothing())
        await self.lock(journey.key)
        draft = await self.draft(journey.key)
        number = draft.version if draft is not None else await self.next_version(journey.key)
        plan = compile_plan(journey, number)
        values = {
            "definition": to_document(journey),
            "plan": plan.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            "entry_event": journey.entry.trigger,
            "listens": sorted(plan.listens | told_by(journey.exit_when)),
            "won_consents": write_consents(consents_won(journey)),
            "clock_events": list(journey.entry.timed.clock_events if journey.entry.timed is not None else ()),
        }
        written = (
            insert(JourneyVersion)
            .values(journey_key=journey.key, version=number, state=VersionState.DRAFT, **values)
            .on_conflict_do_update(index_elements=["journey_key", "version"], set_=values)
            .returning(JourneyVersion)
        )
        return (await self._session.scalars(written, execution_options={"populate_existing": True})).one()

    async def publish(self, key: str, *, by: str) -> JourneyVersion:
        """Make the draft live; the version that was live finishes with the contacts inside it.

        An unchanged definition makes no new version: the live one is returned, as it is where no draft exists.
        Writes an audit entry in the name of `by` where something changed.

        Raises:
            NotFound: no such journey.
            Conflict: there is neither a draft nor a live version.
        """
        await self.lock(key)
        draft, live = await self.draft(key), await self.live(key)
        if draft is None:
            return live if live is not None else _nothing_to_publish(key)
        if live is not None and live.definition == draft.definition:
            await self.discard(draft)
            return live
        if (trial := await self.trial(key)) is not None:
            _still_on_trial(trial)
        published = await self.open(draft, instead_of=live)
        details = {"version": draft.version, "finishing": live.version if live is not None else None}
        entry = AuditEntry(actor=by, action="journey.published", target=f"journey:{key}", details=details)
        self._session.add(entry)
        return published

    async def open(self, version: JourneyVersion, *, instead_of: JourneyVersion | None) -> JourneyVersion:
        """Have the version take all new contacts; the one before only finishes. The journey must be locked."""
        if instead_of is not None:
            await self.change(instead_of, state=VersionState.FINISHING, share=None)
        first = {} if version.published_at else {"replaces": instead_of.version if instead_of else None}
        opened = await self.change(version, state=VersionState.LIVE, share=None, **first)
        before, after = definition_of(instead_of) if instead_of is not None else None, definition_of(opened)
        await ClockRepository(self._session).follow(
            opened.journey_key,
            before=before.entry if before is not None else None,
            after=after.entry,
            moved=before is not None and before.time_zone != after.time_zone,
        )
        return opened

    async def live(self, key: str) -> JourneyVersion | None:
        """The version that takes new contacts (all that none on trial takes), or None."""
        return await self._in_state(key, VersionState.LIVE, JourneyVersion.share.is_(None))

    async def trial(self, key: str) -> JourneyVersion | None:
        """The version that takes a share of the new contacts beside the live one, or None."""
        return await self._in_state(key, VersionState.LIVE, JourneyVersion.share.is_not(None))

    async def taking(self, key: str, contact_id: UUID) -> JourneyVersion | None:
        """The version this contact would enter, or None; nothing is published until the transaction ends."""
        return (await self.takers(key)).of(contact_id)

    async def takers(self, key: str) -> "Takers":
        """The versions that contacts enter; nothing is published until the transaction ends."""
        await self.hold([key])
        return Takers(await self.live(key), await self.trial(key))

    async def draft(self, key: str) -> JourneyVersion | None:
        """The draft, or None."""
        return await self._in_state(key, VersionState.DRAFT)

    async def version(self, key: str, version: int) -> JourneyVersion | None:
        """One version, or None."""
        return await self._session.get(JourneyVersion, (key, version))

    async def versions(self, key: str) -> list[JourneyVersion]:
        """Every version, newest first; empty where the journey does not exist. Drafts kept for tests are none."""
        query = select(JourneyVersion).where(JourneyVersion.journey_key == key, _COUNTED)
        return list(await self._session.scalars(query.order_by(JourneyVersion.version.desc())))

    async def demand_versions(self, key: str) -> list[JourneyVersion]:
        """Every version, newest first. Raises `kit.errors.NotFound` where there is no such journey."""
        versions = await self.versions(key)
        if not versions:
            raise NotFound(f"There is no journey {key}.", remedy="Look at the list of journeys.")
        return versions

    async def page(
        self, *, stage: str | None = None, goal_type: str | None = None, after: str | None = None, limit: int = 50
    ) -> list[JourneySummary]:
        """Journeys in order of their keys, beginning behind `after`; of a stage or goal type only, where given."""
        keys = select(JourneyRecord.key).order_by(JourneyRecord.key).limit(limit)
        if after is not None:
            keys = keys.where(JourneyRecord.key > after)
        if stage is not None or goal_type is not None:
            keys = keys.where(JourneyRecord.key.in_(_filed(stage, goal_type)))
        definition = JourneyVersion.definition
        rows = await self._session.execute(
            select(
                JourneyVersion.journey_key,
                JourneyVersion.version,
                JourneyVersion.state,
                JourneyVersion.share,
                definition["name"].astext,
                definition["owner"].astext,
                definition["goal"]["type"].astext,
                definition["stages"],
            )
            .where(JourneyVersion.journey_key.in_(keys), _COUNTED)
            .order_by(JourneyVersion.journey_key, JourneyVersion.version)
        )
        versions = [_Version(*row) for row in rows]
        return [_summary(key, list(group)) for key, group in groupby(versions, key=lambda version: version.key)]

    async def live_for_event(self, name: str) -> list[JourneyVersion]:
        """Live versions that an event of this name may enter."""
        query = select(JourneyVersion).where(
            JourneyVersion.entry_event == name, JourneyVersion.state == VersionState.LIVE
        )
        return list(await self._session.scalars(query.order_by(JourneyVersion.journey_key)))

    async def hold(self, keys: Collection[str]) -> None:
        """Let nothing be published for these journeys until the transaction ends, and wait for what is going on."""
        query = select(JourneyRecord.key).where(JourneyRecord.key.in_(keys)).order_by(JourneyRecord.key)
        await self._session.execute(query.with_for_update(read=True))

    async def hold_if_free(self, key: str) -> bool:
        """`hold` for one journey, without waiting: False where it is being published, or changed otherwise."""
        query = select(JourneyRecord.key).where(JourneyRecord.key == key)
        return await self._session.scalar(query.with_for_update(read=True, skip_locked=True)) is not None

    async def lock(self, key: str) -> None:
        """Drafts and publications of one journey come one after the other."""
        query = select(JourneyRecord.key).where(JourneyRecord.key == key).with_for_update()
        if await self._session.scalar(query) is None:
            raise NotFound(
                f"There is no journey {key}.", remedy="Look at the list of journeys, or put a definition first."
            )

    async def _in_state(self, key: str, state: VersionState, *further: ColumnElement[bool]) -> JourneyVersion | None:
        query = select(JourneyVersion).where(JourneyVersion.journey_key == key, JourneyVersion.state == state, *further)
        return (await self._session.scalars(query, execution_options={"populate_existing": True})).one_or_none()

    async def next_version(self, key: str) -> int:
        """The number that the journey's next draft gets."""
        query = select(func.coalesce(func.max(JourneyVersion.version), 0) + 1)
        return (await self._session.scalars(query.where(JourneyVersion.journey_key == key, _COUNTED))).one()

    async def discard(self, draft: JourneyVersion) -> None:
        """Forget a draft that says nothing new."""
        await self._session.execute(delete(JourneyVersion).where(_is(draft)))

    async def change(self, version: JourneyVersion, **values: Any) -> JourneyVersion:
        """Change what may change of a version: state, share, and what it replaces. The journey must be locked."""
        published = func.coalesce(JourneyVersion.published_at, func.clock_timestamp())
        written = (
            update(JourneyVersion)
            .where(_is(version))
            .values(published_at=published, **values)
            .returning(JourneyVersion)
        )
        return (await self._session.scalars(written, execution_options={"populate_existing": True})).one()


def plan_of(version: JourneyVersion) -> Plan:
    """The plan of a stored version. Published plans are kept parsed in memory: they never change."""
    if version.published_at is None:
        return Plan.model_validate(version.plan)
    # The instant of publication is in the key because journeys of another database may bear the same name and number.
    key = (version.journey_key, version.version, version.published_at)
    if key not in _plans:
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        _plans[key] = Plan.model_validate(version.plan)
    return _plans[key]


def definition_of(version: JourneyVersion) -> Journey:
    """The definition of a stored version."""
    return journey_from_document(version.definition)


def _is(version: JourneyVersion) -> ColumnElement[bool]:
    return and_(JourneyVersion.journey_key == version.journey_key, JourneyVersion.version == version.version)


def _nothing_to_publish(key: str) -> NoReturn:
    raise Conflict(f"Journey {key} has no draft to publish.", remedy="Put a definition first, then publish it.")


def _still_on_trial(trial: JourneyVersion) -> NoReturn:
    raise Conflict(
        f"Version {trial.version} of {trial.journey_key} is on trial with {trial.share} % of the new contacts.",
        remedy="Promote it or roll it back first.",
    )


def _filed(stage: str | None, goal_type: str | None) -> Select[tuple[str]]:
    """Keys of the journeys that are filed so, as the version says that `_summary` shows."""
    is_live = and_(JourneyVersion.state == VersionState.LIVE, JourneyVersion.share.is_(None))
    shown = (
        select(JourneyVersion.journey_key, JourneyVersion.definition)
        .distinct(JourneyVersion.journey_key)
        .where(_COUNTED)
        .order_by(JourneyVersion.journey_key, is_live.desc(), JourneyVersion.version.desc())
        .subquery()
    )
    query = select(shown.c.journey_key)
    if stage is not None:
        query = query.where(shown.c.definition["stages"].contains([stage]))
    return query.where(shown.c.definition["goal"]["type"].astext == goal_type) if goal_type is not None else query


def _summary(key: str, versions: Sequence[_Version]) -> JourneySummary:
    by_state = {version.state: version for version in versions if version.share is None}
    live, draft = by_state.get(VersionState.LIVE), by_state.get(VersionState.DRAFT)
    shown = live or versions[-1]
    return JourneySummary(
        key=key,
        name=shown.name,
        owner=shown.owner,
        goal_type=shown.goal_type,
        stages=tuple(shown.stages or ()),
        live=live.version if live is not None else None,
        draft=draft.version if draft is not None else None,
    )
