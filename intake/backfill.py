"""Members a segment has already when a journey is published that is entered by coming into it: let in, page by page.

No event of theirs brings this about, and no other journey is to hear of it, so each has an event of its own as cause.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from crm.events import DERIVED, EventRepository, NewEvent
from crm.journeys import JourneyRepository
from crm.models.contact import Contact
from crm.models.event import Event
from crm.models.journey import JourneyVersion
from crm.models.segment import SegmentMember
from intake.admission import Enrolled
from intake.enrollment import enroll
from intake.walks import CONTACTS_AT_ONCE, Page, Walk
from journeys.experiments import in_sample
from journeys.segment_entry import BACKFILLED, SegmentEntry


async def let_members_in(walk: Walk, entry: SegmentEntry) -> Page:
    """Let the next members in; those refused are stored as everybody who is."""
    member = Contact.id == SegmentMember.contact_id
    query = select(Contact.id).join(SegmentMember, member).where(SegmentMember.segment_key == entry.segment)
    journey, percent = walk.round.journey_key, entry.backfilled
    if walk.round.cursor is not None:
        query = query.where(Contact.id > walk.round.cursor)
    query = query.order_by(Contact.id).limit(CONTACTS_AT_ONCE)
    contacts = (await walk.session.scalars(query.with_for_update(of=Contact, key_share=True))).all()
    before = await _let_in_before(walk, entry, contacts)
    meant = [one for one in contacts if one not in before and in_sample(one, journey, percent=percent)]
    takers = await JourneyRepository(walk.session).takers(journey)
    taken = {one: version for one in meant if (version := takers.of(one)) is not None}
    causes = await _causes(walk, entry, list(taken))
    done = [one for one, version in taken.items() if await _is_let_in(walk, version, causes[one])]
    return Page(contacts, len(done))


async def _let_in_before(walk: Walk, entry: SegmentEntry, contacts: Sequence[UUID]) -> set[UUID]:
    """Those of a smaller sample of the same segment: a larger one lets in the others."""
    query = select(Event.contact_id).where(
        Event.contact_id.in_(contacts),
        Event.name == BACKFILLED,
        Event.properties.contains({"journey": walk.round.journey_key, "segment": entry.segment}),
    )
    return set(await walk.session.scalars(query))


async def _is_let_in(walk: Walk, version: JourneyVersion, cause: Event) -> bool:
    result = await enroll(
        walk.session,
        version,
        cause.contact_id,
        cause_event=cause,
        properties=cause.properties,
        now=walk.present.now,
        control_group=walk.present.control_group,
        digest_key=walk.present.digest_key,
    )
    return isinstance(result, Enrolled)


async def _causes(walk: Walk, entry: SegmentEntry, contact_ids: Sequence[UUID]) -> Mapping[UUID, Event]:
    """Each contact's event, stored for the whole page by one statement."""
    journey = walk.round.journey_key
    events = [
        NewEvent(
            event_id=f"{BACKFILLED}:{journey}:{contact_id}:{walk.round.id}",
            contact_id=contact_id,
            name=BACKFILLED,
            occurred_at=walk.present.now,
            properties={"segment": entry.segment, "journey": journey},
            source=DERIVED,
        )
        for contact_id in contact_ids
    ]
    await EventRepository(walk.session).accept(events)
    stored = await walk.session.scalars(select(Event).where(Event.event_id.in_([event.event_id for event in events])))
    return {event.contact_id: event for event in stored}
