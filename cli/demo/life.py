"""Walks one contact of each journey through its whole life on a server that skips time, with everything else real.

A second, in-memory Temporal server and a second database; the same intake, relay, workflow, activities, ledger and
inbox. Each workflow has a clock of its own, so what is shown are the times the contact would have seen.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import select
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from activities.registration import journey_worker
from cli.catalogue import publish_catalogue
from cli.demo.purchases import WORDING
from cli.stack.migrate import upgrade
from cli.time_skipping import time_skipping
from crm.contacts import ContactReference, ContactRepository
from crm.enrollments import EnrollmentRepository
from crm.events import EventRepository, NewEvent
from crm.journeys import JourneyRepository
from crm.models.enrollment import DecisionRecord, Enrollment
from intake.consumer import IntakeConsumer
from intake.relay import Relay
from intake.starting import start_requested
from journeys.describe import describe_node
from journeys.plan import Plan
from kit.clock import wall_clock
from kit.database import Sessions, create_engine, create_sessions
from kit.settings import Settings

TASK_QUEUE = "life"
REGISTERED = {"locale": "de", "time_zone": "Europe/Berlin", "country": "DE", "consent": True, "wording": WORDING}


@dataclass(frozen=True)
class Happening:
    """An event of the contact, so long after the journey began."""

    event: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    after: timedelta = timedelta(0)


@dataclass(frozen=True)
class Story:
    """A pretended contact of one journey, and what happens to it. Happenings without `after` come before it starts."""

    journey: str
    contact: str
    about: str
    happenings: Sequence[Happening]


def _order(number: int, cents: int) -> Happening:
    order = {"order_id": f"o-{number}", "order_number": number, "product_id": f"cd-{number}", "amount": cents}
    return Happening("order.placed", {**order, "quantity": 1, "currency": "EUR"})


STORIES = (
    Story(
        "welcome",
        "Anna",
        "registers and never completes her profile",
        [Happening("contact.registered", {**REGISTERED, "email": "anna@customers.example"})],
    ),
    Story(
        "voucher-and-review",
        "Ben",
        "buys once and writes no review",
        [Happening("contact.registered", {**REGISTERED, "email": "ben@customers.example"}), _order(1, 2_999)],
    ),
    Story(
        "voucher-and-review",
        "Clara",
        "writes her review on the second day: the goal is met, the 2-day wait ends at once",
        [
            Happening("contact.registered", {**REGISTERED, "email": "clara@customers.example"}),
            _order(1, 4_999),
            Happening("review.created", {"product_id": "cd-1", "stars": 5}, after=timedelta(days=1, hours=20)),
        ],
    ),
    Story(
        "loyal-customer",
        "David",
        "buys until the points model says so",
        [
            Happening("contact.registered", {**REGISTERED, "email": "david@customers.example"}),
            *(_order(number, 8_999) for number in range(1, 9)),
        ],
    ),
)


@dataclass(frozen=True)
class Moment:
    """One line of a life: when (aware UTC), which step in plain words, and what came of it."""

    at: datetime
    step: str
    result: str


@dataclass(frozen=True)
class Life:
    """A told story."""

    story: Story
    entered_at: datetime
    ended_at: datetime
    moments: tuple[Moment, ...]
    outcome: str


@dataclass(frozen=True)
class Stage:
    """What a story is played on."""

    skipper: TimeSkipper
    sessions: Sessions
    consumer: IntakeConsumer
    relay: Relay

    async def settle(self) -> None:
        """Apply what is queued and tell Temporal, until nothing follows from it any more."""
        while await self.consumer.drain() + await self.relay.drain():
            pass


@asynccontextmanager
async def open_stage(settings: Settings) -> AsyncIterator[Stage]:
    """A fresh database beside that of `settings`, an in-memory Temporal that skips time, a worker. Gone afterwards."""
    url = _fresh_database(settings.database_url)
    upgrade(url)
    own = settings.model_copy(update={"database_url": url, "task_queue": TASK_QUEUE})
    engine = create_engine(own)
    sessions = create_sessions(engine)
    try:
        await publish_catalogue(sessions)
        async with time_skipping() as skipper:
            consumer = IntakeConsumer(
                sessions, url, wall_clock, control_group=own.control_group_percent, digest_key=own.digest_key
            )
            relay = Relay(sessions, skipper.client, TASK_QUEUE, url)
            admit = partial(start_requested, control_group=own.control_group_percent, digest_key=own.digest_key)
            async with journey_worker(own, skipper.client, sessions, admit=admit) as worker, worker:
                yield Stage(skipper, sessions, consumer, relay)
    finally:
        await engine.dispose()


def _fresh_database(url: str) -> str:
    """Make the database `life` anew on the server of `url`; returns its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS life WITH (FORCE)")
        connection.execute("CREATE DATABASE life")
    address, question, options = url.partition("?")
    return f"{address.rpartition('/')[0]}/life{question}{options}"


async def tell(stage: Stage, story: Story) -> Life:
    """Play a story to its end and read what was decided on the way."""
    contact = await _contact(stage, story)
    begun = wall_clock()
    for number, happening in enumerate(story.happenings):
        if not happening.after:
            await _happen(stage, contact, story, number, happening, at=begun)
    await stage.settle()
    enrollment = await _enrollment(stage, story, contact)
    handle = stage.skipper.client.get_workflow_handle(enrollment.workflow_id)
    passed = timedelta(0)
    for number, happening in enumerate(story.happenings):
        if happening.after:
            await stage.skipper.fast_forward(handle, happening.after - passed)
            passed = happening.after
            now = await stage.skipper.get_current_time(handle)
            await _happen(stage, contact, story, number, happening, at=now)
            await stage.settle()
    await _to_the_end(stage, handle)
    return await _read(stage, story, enrollment.id)


async def _to_the_end(stage: Stage, handle: WorkflowHandle[Any, Any]) -> None:
    try:
        await stage.skipper.fast_forward(handle)
    except RPCError as error:
        # The last event ended the journey at once: there is no time left to skip.
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    await handle.result()


async def _contact(stage: Stage, story: Story) -> UUID:
    async with stage.sessions.begin() as session:
        reference = ContactReference(user_id=f"{story.journey}-{story.contact}".lower())
        return (await ContactRepository(session).resolve([reference]))[0]


async def _happen(
    stage: Stage, contact: UUID, story: Story, number: int, happening: Happening, *, at: datetime
) -> None:
    event = NewEvent(
        event_id=f"{story.journey}-{story.contact}-{number}",
        contact_id=contact,
        name=happening.event,
        properties=happening.properties,
        occurred_at=at,
        source="demo",
    )
    async with stage.sessions.begin() as session:
        await EventRepository(session).accept([event])


async def _enrollment(stage: Stage, story: Story, contact: UUID) -> Enrollment:
    async with stage.sessions() as session:
        page = await EnrollmentRepository(session).page(journey=story.journey, contact_id=contact, limit=1)
        return page[0]


async def _read(stage: Stage, story: Story, enrollment_id: UUID) -> Life:
    async with stage.sessions() as session:
        enrollment = (await session.execute(select(Enrollment).where(Enrollment.id == enrollment_id))).scalar_one()
        query = select(DecisionRecord).where(DecisionRecord.enrollment_id == enrollment_id)
        decisions = (await session.execute(query.order_by(DecisionRecord.ordinal))).scalars().all()
        version = await JourneyRepository(session).version(enrollment.journey_key, enrollment.version)
    assert version is not None
    plan = Plan.model_validate(version.plan)
    assert enrollment.ended_at is not None
    return Life(
        story=story,
        entered_at=enrollment.entered_at,
        ended_at=enrollment.ended_at,
        moments=tuple(_moment(row, plan) for row in decisions),
        outcome=f"{enrollment.state.replace('_', ' ')}{': ' + enrollment.outcome if enrollment.outcome else ''}",
    )


def _moment(decision: DecisionRecord, plan: Plan) -> Moment:
    because = decision.because or decision.result or decision.verdict
    return Moment(decision.at, describe_node(plan.nodes[decision.step]), because)
