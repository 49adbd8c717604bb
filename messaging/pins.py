"""Which version of each template the sends of a journey's version use: chosen when it is published, moved on request.

So a template that asks for more than contacts inside have can never stop them: a pin moves only where the proof of
variables finds nothing that it did not find before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.access import AuditRepository
from crm.journeys import JourneyRepository, definition_of, plan_of
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion, VersionState
from crm.publication import Publication
from journeys.checks import check
from journeys.findings import Finding, KnownTemplate
from journeys.plan import Plan
from journeys.proofs.withdrawal import consents_needed, write_consents
from journeys.steps.send import SendNode
from kit.errors import Invalid, NotFound
from messaging.models import MessageClass, Template, TemplatePin
from messaging.template_store import best_language, templates_at

_TEMPLATE_RULES = frozenset({"variable-may-be-missing", "mail-before-consent", "consent-may-lapse"})


@dataclass(frozen=True)
class Pinned:
    """A template of a journey's version: which version of it is sent, and which is the newest."""

    journey_version: int
    template: str
    version: int
    newest: int


@dataclass(frozen=True)
class _Change:
    """A version of a journey, what it sends now, and what it would send."""

    version: JourneyVersion
    before: Mapping[str, int]
    after: Mapping[str, int]


def templates_of(plan: Plan) -> frozenset[str]:
    """The templates that sends of the plan use."""
    return frozenset(node.template for node in plan.nodes.values() if isinstance(node, SendNode))


class TemplatePins:
    """Pins, within the caller's transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def published(self, publication: Publication, *, by: str) -> list[Pinned]:
        """What follows from a publication: a new version sends the newest templates; of an unchanged one the pins move.

        Raises:
            Invalid: as `refresh`.
        """
        version = publication.version
        known = await self._pins(version)
        if known and publication.before is None and publication.move is None and version.share is None:
            return await self.refresh(version.journey_key, by=by)
        await self.pin(version)
        return []

    async def pin(self, version: JourneyVersion) -> None:
        """Have the sends of a version use the newest templates, where nothing was chosen yet; note what they need."""
        newest = await self._newest(templates_of(plan_of(version)))
        await self._write(version, newest, keep=True)
        await self._note_needs(version)

    async def of(self, key: str) -> list[Pinned]:
        """What the versions of a journey that take contacts or hold some send, newest version first."""
        found = []
        for version in await self._in_use(key):
            pins = await self._pins(version)
            newest = await self._newest(templates_of(plan_of(version)))
            found += [
                Pinned(version.version, template, pins.get(template, number), number)
                for template, number in sorted(newest.items())
            ]
        return found

    async def refresh(self, key: str, *, by: str) -> list[Pinned]:
        """Have all versions in use send the newest templates; returns those that moved, with what they were.

        Raises:
            NotFound: no such journey.
            Invalid: a newer template asks for what contacts may not have, or for another consent; nothing has changed.
        """
        await JourneyRepository(self._session).lock(key)
        changes = [change for version in await self._in_use(key) if (change := await self._change(version)).after]
        problems = [finding.problem for change in changes for finding in await self._new_findings(change)]
        if problems:
            raise Invalid(
                f"The newest templates do not fit those inside {key}; nothing has changed.",
                problems=problems,
                remedy="Have the template do without, or publish a version of the journey that asks for it.",
            )
        moved = []
        for change in changes:
            await self._write(change.version, change.after, keep=False)
            await self._note_needs(change.version)
            number = change.version.version
            moved += [Pinned(number, one, change.before[one], new) for one, new in sorted(change.after.items())]
        if moved:
            told = [f"v{one.journey_version} {one.template} {one.version}→{one.newest}" for one in moved]
            await AuditRepository(self._session).record(by, "journey.templates", f"journey:{key}", {"moved": told})
        return moved

    async def classes(self, version: JourneyVersion) -> dict[str, MessageClass]:
        """The message class of each template the version sends, or would: of one that has none chosen, the newest."""
        newest = await self._newest(templates_of(plan_of(version)))
        known = await templates_at(self._session, newest | await self._pins(version))
        return {key: MessageClass(template.message_class) for key, template in known.items()}

    async def version_for(self, enrollment_id: UUID, template: str) -> int | None:
        """The version an enrollment is sent; chosen now where its journey was published before pins were.

        None: no such template has been published.
        """
        found = await self._session.scalar(_pin_of(enrollment_id, template))
        if found is not None:
            return int(found)
        query = select(JourneyVersion).join(Enrollment, _same_version()).where(Enrollment.id == enrollment_id)
        version = (await self._session.scalars(query)).one_or_none()
        newest = await self._newest([template])
        if version is None or not newest:
            return newest.get(template)
        await self._write(version, newest, keep=True)
        pinned: int | None = await self._session.scalar(_pin_of(enrollment_id, template))
        return pinned

    async def _in_use(self, key: str) -> Sequence[JourneyVersion]:
        inside = select(Enrollment.id).where(_same_version(), Enrollment.ended_at.is_(None)).exists()
        query = select(JourneyVersion).where(
            JourneyVersion.journey_key == key,
            JourneyVersion.published_at.is_not(None),
            or_(JourneyVersion.state == VersionState.LIVE, inside),
        )
        return (await self._session.scalars(query.order_by(JourneyVersion.version.desc()))).all()

    async def _newest(self, keys: Collection[str]) -> dict[str, int]:
        query = select(Template.key, func.max(Template.version)).where(Template.key.in_(keys)).group_by(Template.key)
        return dict((await self._session.execute(query)).tuples().all())

    async def _pins(self, version: JourneyVersion) -> dict[str, int]:
        query = select(TemplatePin.template_key, TemplatePin.template_version).where(
            TemplatePin.journey_key == version.journey_key, TemplatePin.version == version.version
        )
        return dict((await self._session.execute(query)).tuples().all())

    async def _change(self, version: JourneyVersion) -> _Change:
        pins = await self._pins(version)
        newest = await self._newest(templates_of(plan_of(version)))
        before = {template: pins.get(template, number) for template, number in newest.items()}
        after = {template: number for template, number in newest.items() if before[template] != number}
        return _Change(version, before, after)

    async def _new_findings(self, change: _Change) -> list[Finding]:
        """What is found with the newer templates and was not found with those sent now."""
        old = await templates_at(self._session, change.before)
        new = await templates_at(self._session, {**change.before, **change.after})
        # Only what is asked for in addition: what was missing before is known, and was accepted when it was published.
        added = {key: KnownTemplate(one.message_class, one.required - old[key].required) for key, one in new.items()}
        known = {key: KnownTemplate(one.message_class) for key, one in old.items()}
        definition = definition_of(change.version)
        before = check(definition, known)
        return [one for one in check(definition, added) if one.rule in _TEMPLATE_RULES and one not in before]

    async def _write(self, version: JourneyVersion, numbers: Mapping[str, int], *, keep: bool) -> None:
        own = {"journey_key": version.journey_key, "version": version.version}
        rows = [{**own, "template_key": key, "template_version": number} for key, number in sorted(numbers.items())]
        if not rows:
            return
        statement = insert(TemplatePin).values(rows)
        if keep:
            await self._session.execute(statement.on_conflict_do_nothing())
            return
        moved = {
            "template_version": statement.excluded.template_version,
            "pinned_at": func.clock_timestamp(),
        }
        columns = ["journey_key", "version", "template_key"]
        await self._session.execute(statement.on_conflict_do_update(index_elements=columns, set_=moved))

    async def _note_needs(self, version: JourneyVersion) -> None:
        """Keep with the version which consents its messages need, as intake asks when one is withdrawn."""
        known = await templates_at(self._session, await self._pins(version))
        classes = {key: template.message_class for key, template in known.items()}
        needed = write_consents(consents_needed(plan_of(version), classes))
        mine = (JourneyVersion.journey_key == version.journey_key, JourneyVersion.version == version.version)
        await self._session.execute(update(JourneyVersion).where(*mine).values(needed_consents=needed))


def _same_version() -> ColumnElement[bool]:
    return and_(JourneyVersion.journey_key == Enrollment.journey_key, JourneyVersion.version == Enrollment.version)


def _pin_of(enrollment_id: UUID, template: str) -> Select[tuple[int]]:
    own = and_(TemplatePin.journey_key == Enrollment.journey_key, TemplatePin.version == Enrollment.version)
    query = select(TemplatePin.template_version).join(Enrollment, own)
    return query.where(Enrollment.id == enrollment_id, TemplatePin.template_key == template)


async def template_for(
    session: AsyncSession, enrollment_id: UUID, key: str, *, locale: str | None, default_locale: str
) -> Template:
    """The template an enrollment is sent, in the language asked for, or else in the default language.

    Raises:
        NotFound: no such template has been published.
    """
    version = await TemplatePins(session).version_for(enrollment_id, key)
    rows = await session.scalars(select(Template).where(Template.key == key, Template.version == version))
    found = best_language({row.locale: row for row in rows}, locale, default_locale)
    if found is None:
        raise NotFound(f"There is no template {key!r}.", remedy="Publish it, then retry the step.")
    return found
