"""The contact's own best time of day: what a journey would wait for, and which of its openings and clicks led there."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import problems
from api.dependencies import ClockDep, SessionDep, SettingsDep
from api.operation import operation
from api.requests import JsonRoute
from api.routers.contacts import existing
from api.schemas.send_times import EXAMPLE, SendTimeView
from crm.access import Scope
from crm.reactions import reactions_of
from journeys.best_time import Hours
from journeys.quiet import QUIET_HOURS, outside
from journeys.send_time import send_time
from journeys.timing import next_occurrence, zone_or_default

router = APIRouter(tags=["Contacts"], route_class=JsonRoute)


@router.get(
    "/v1/contacts/{contact_id}/send-time",
    **operation(
        Scope.READ,
        problems.UNKNOWN_CONTACT,
        summary="Read a contact's best time of day, and why",
        operation_id="get_contact_send_time",
        response_model=SendTimeView,
        example=EXAMPLE,
    ),
)
async def get_contact_send_time(
    contact_id: UUID, hours: Annotated[Hours, Query()], session: SessionDep, clock: ClockDep, settings: SettingsDep
) -> SendTimeView:
    """What `wait: {best_time: …}` with these hours comes to for the contact now.

    `from` and `to` are the hours it is sought in, by default the whole day; `otherwise` is taken where too little is
    known.
    """
    contact, now = await existing(session, contact_id), clock()
    zone, note = zone_or_default(contact.time_zone, settings.default_time_zone)
    quiet = outside(contact.attributes.get(QUIET_HOURS))
    found = send_time(await reactions_of(session, contact_id, now), zone, now, hours, quiet=quiet)
    return SendTimeView.of(found, next_occurrence(found.time, now, zone), zone, now, note)
