"""What an event does to the contact's record by its name alone. Scoring and journeys come after and are elsewhere.

An event that cannot mean anything (a grant of a consent we do not know) raises `kit.errors.Invalid` and is set aside by
`intake.failures`; a withdrawal is never set aside: in doubt, everything it may mean is withdrawn.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import ConsentRepository, ConsentState
from crm.contacts import ContactRepository
from crm.events import DERIVED, NewEvent
from crm.models.event import Event
from journeys.proofs.withdrawal import ConsentKey
from journeys.values import ConsentRequirement, MessageChannel, Purpose

IDENTIFIED = "contact.identified"
REGISTERED = "contact.registered"
UPDATED = "contact.updated"
GRANTED = "consent.granted"
WITHDRAWN = "consent.withdrawn"

_NOT_TRAITS = frozenset({"consent", "wording", "traits"})
_LONGEST_CAUSE = 200
_ASKED_BY_DEFAULT = ConsentRequirement()

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Consequences:
    """What follows from an event: events to accept, and consents that no longer stand."""

    derived: tuple[NewEvent, ...] = ()
    withdrawn: frozenset[ConsentKey] = frozenset()
    lost: frozenset[ConsentKey] = frozenset()
    """Of those withdrawn: the ones that stood until now."""


async def take_effect(session: AsyncSession, event: Event) -> Consequences:
    """Apply what the event's name says to the contact's record. Most names say nothing.

    Raises:
        Invalid: the event says something that cannot be recorded.
    """
    effect = _EFFECTS.get(event.name)
    return await effect(session, event) if effect else Consequences()


async def _identified(session: AsyncSession, event: Event) -> Consequences:
    report = await ContactRepository(session).apply_traits(event.contact_id, traits_of(event.properties))
    if report.rejected:
        _log.warning("traits_rejected", event_id=event.event_id, traits=[problem.where for problem in report.rejected])
    if not report.changed:
        return Consequences()
    updated = NewEvent(
        event_id=f"{UPDATED}:{_short(event.event_id)}",
        contact_id=event.contact_id,
        name=UPDATED,
        occurred_at=event.occurred_at,
        properties={"changed": sorted(report.changed)},
        source=DERIVED,
    )
    return Consequences(derived=(updated,))


async def _registered(session: AsyncSession, event: Event) -> Consequences:
    consequences = await _identified(session, event)
    if event.properties.get("consent") is True:
        await _granted(session, event)
    return consequences


async def _granted(session: AsyncSession, event: Event) -> Consequences:
    properties = event.properties
    if await _is_recorded(session, event):
        return Consequences()
    await _record(
        session,
        event,
        ConsentState.GRANTED,
        purpose=properties.get("purpose") or _ASKED_BY_DEFAULT.purpose,
        channel=properties.get("channel") or _ASKED_BY_DEFAULT.channel,
    )
    return Consequences()


async def _withdrawn(session: AsyncSession, event: Event) -> Consequences:
    consents = ConsentRepository(session)
    spoken_of = withdrawn_by(event.properties)
    stood = await _stood_before(session, event)
    for purpose, channel in sorted(spoken_of) if not await _is_recorded(session, event) else ():
        await _record(session, event, ConsentState.WITHDRAWN, purpose=purpose, channel=channel)
    withdrawn = spoken_of - await consents.standing(event.contact_id)
    return Consequences(withdrawn=withdrawn, lost=withdrawn & stood)


async def _stood_before(session: AsyncSession, event: Event) -> frozenset[ConsentKey]:
    """The consents that stood before the event, which may have been recorded already."""
    newest: dict[ConsentKey, str] = {}
    for one in await ConsentRepository(session).history(event.contact_id):
        if one.evidence.get("event_id") != event.event_id:
            newest.setdefault((one.purpose, one.channel), one.state)
    return frozenset(key for key, state in newest.items() if state == ConsentState.GRANTED)


async def _is_recorded(session: AsyncSession, event: Event) -> bool:
    """Whether whoever accepted the event has recorded its declaration at once, so that it counts without delay."""
    declarations = await ConsentRepository(session).history(event.contact_id)
    return any(declaration.evidence.get("event_id") == event.event_id for declaration in declarations)


async def _record(session: AsyncSession, event: Event, state: ConsentState, *, purpose: str, channel: str) -> None:
    wording = event.properties.get("wording")
    await ConsentRepository(session).record(
        event.contact_id,
        purpose=str(purpose),
        channel=str(channel),
        state=state,
        source=event.source,
        occurred_at=event.occurred_at,
        wording=wording if isinstance(wording, str) else None,
        evidence={"event_id": event.event_id},
    )


def traits_of(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The traits an event carries: under `traits`, or else all properties but those that speak of consent."""
    traits = properties.get("traits")
    if isinstance(traits, Mapping):
        return traits
    return {name: value for name, value in properties.items() if name not in _NOT_TRAITS}


def _short(event_id: str) -> str:
    """The id, or what stands for one so long that an id made of it would be too long."""
    return event_id if len(event_id) <= _LONGEST_CAUSE else hashlib.sha256(event_id.encode()).hexdigest()


def withdrawn_by(properties: Mapping[str, Any]) -> frozenset[ConsentKey]:
    """Consents a withdrawal speaks of: those named; where it names no purpose or channel that we know, every one."""
    purposes = _named(properties.get("purpose"), Purpose)
    channels = _named(properties.get("channel"), MessageChannel)
    return frozenset((purpose, channel) for purpose in purposes for channel in channels)


def _named(value: Any, vocabulary: type[StrEnum]) -> list[str]:
    every = [member.value for member in vocabulary]
    return [word for word in every if word == value] or every


_Effect = Callable[[AsyncSession, Event], Awaitable[Consequences]]
_EFFECTS: Mapping[str, _Effect] = {
    IDENTIFIED: _identified,
    REGISTERED: _registered,
    GRANTED: _granted,
    WITHDRAWN: _withdrawn,
}
