"""Looking up the instants journeys wait for. The rules are in `journeys.instants`, reading the record in `crm`."""

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from activities.enrollments import write_progress
from activities.errors import as_failures
from crm.calendars import Asked, Dates, Found, look_up
from crm.enrollments import EnrollmentRepository
from crm.events import EventRepository
from crm.models.contact import Contact
from crm.models.event import Event
from crm.reactions import reactions_of
from journeys.best_time import BestTimeMoment
from journeys.moments import AnyMoment, DateMoment, Moment
from journeys.outcomes import JourneyState
from journeys.window import Window
from kit.database import Sessions
from kit.errors import NotFound
from kit.settings import Settings
from workflows.ports import CalendarPort, Progress, ResolvedInstant, ResolveInstant

_MOMENT: TypeAdapter[Moment] = TypeAdapter(AnyMoment)


class CalendarActivities(CalendarPort):
    """`CalendarPort` on PostgreSQL."""

    def __init__(self, sessions: Sessions, settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings

    @activity.defn(name="resolve_instant")
    async def resolve_instant(self, request: ResolveInstant) -> ResolvedInstant:
        """Look up an instant. Where it lies ahead, the progress is written as waiting until then.

        A window that never opens is a non-retryable failure.
        """
        with as_failures():
            async with self._sessions.begin() as session:
                found = await self._look_up(session, request)
                await write_progress(session, _waiting(request, found))
        return ResolvedInstant(at=found.at, zone=found.zone, because=found.because)

    async def _look_up(self, session: AsyncSession, request: ResolveInstant) -> Found:
        moment = moment_of(request.moment)
        asked = Asked(
            reached=request.reached_at,
            now=request.now,
            window=Window.model_validate(request.window) if request.window is not None else None,
        )
        dates = await _dates(session, request, moment)
        return look_up(moment, asked, dates, settings=self._settings.in_zone(request.time_zone))


def moment_of(document: Any) -> Moment:
    """The moment a node holds as JSON."""
    return _MOMENT.validate_python(document)


def _waiting(request: ResolveInstant, found: Found) -> Progress:
    if found.at is None or found.at <= request.now:
        return request.progress
    return request.progress.model_copy(update={"state": JourneyState.WAITING, "due_at": found.at})


async def _dates(session: AsyncSession, request: ResolveInstant, moment: Moment) -> Dates:
    contact = await session.get(Contact, request.contact_id)
    enrollment = await EnrollmentRepository(session).get(request.enrollment_id)
    if contact is None or enrollment is None:
        raise NotFound("The contact or the enrollment does not exist any more.", remedy="End the enrollment.")
    moved = None
    if isinstance(moment, DateMoment) and moment.moved_by and request.moved_by:
        moved = await _event(session, request.contact_id, moment.moved_by.event, request.moved_by)
    asks_best = isinstance(moment, BestTimeMoment)
    reactions = await reactions_of(session, request.contact_id, request.now) if asks_best else []
    return Dates(contact, enrollment.entry_properties, moved, enrollment.entered_at, reactions)


async def _event(session: AsyncSession, contact_id: UUID, name: str, event_id: str) -> Event | None:
    events = await EventRepository(session).history(contact_id, names=[name])
    return next((event for event in events if event.event_id == event_id), None)
