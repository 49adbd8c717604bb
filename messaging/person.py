"""What the gate must know of a contact, however its record was read: where it lives, and where it can be reached.

The one reading of a profile for all who ask the gate's rules: a send, a simulation, a look ahead.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email

from crm.models.contact import Contact
from journeys.holidays import holidays_where
from journeys.quiet import QUIET_HOURS, outside
from journeys.spreading import place_of
from journeys.timing import zone_or_default
from journeys.window import Window
from kit.settings import Settings


class PersonFacts(TypedDict):
    """Those of the gate's facts (`messaging.rules.GateFacts`) that follow from a profile and the settings."""

    overdue_after: timedelta
    address: str | None
    deliverable_address: str | None
    zone: ZoneInfo
    zone_note: str | None
    closed: Callable[[date], bool]
    holiday_note: str | None
    quiet: Window | None
    place: float


def facts_of(
    contact_id: UUID,
    *,
    email: str | None,
    time_zone: str | None,
    country: str | None,
    region: str | None,
    quiet_hours: object,
    settings: Settings,
) -> PersonFacts:
    """What the rules look at of a contact with this profile. The settings say what holds where it says nothing."""
    zone, zone_note = zone_or_default(time_zone, settings.default_time_zone)
    closed, holiday_note = holidays_where(country, region, default=settings.default_country)
    return PersonFacts(
        overdue_after=timedelta(hours=settings.overdue_after_hours),
        address=email,
        deliverable_address=deliverable(email),
        zone=zone,
        zone_note=zone_note,
        closed=closed,
        holiday_note=holiday_note,
        quiet=outside(quiet_hours),
        place=place_of(contact_id),
    )


def facts_of_contact(contact: Contact, settings: Settings) -> PersonFacts:
    """The same of a record that was read whole."""
    return facts_of(
        contact.id,
        email=contact.email,
        time_zone=contact.time_zone,
        country=contact.country,
        region=contact.region,
        quiet_hours=contact.attributes.get(QUIET_HOURS),
        settings=settings,
    )


def deliverable(address: str | None) -> str | None:
    """The address as every server takes it: plain ASCII, international domains encoded. None where that cannot be."""
    try:
        return validate_email(address or "", check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        return None
