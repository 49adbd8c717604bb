"""A published version of a journey sends the templates it was published with, until its pins are moved."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from activities.messages import MessagingActivities
from crm.enrollments import EnrollmentRepository
from crm.journeys import JourneyRepository
from crm.models.enrollment import Enrollment
from crm.models.journey import JourneyVersion
from crm.publication import PublicationRepository
from journeys.migration import Treatment
from journeys.model import Journey
from journeys.outcomes import SendStatus, StepVerdict
from journeys.values import MessageChannel
from kit.database import Sessions
from kit.errors import Invalid
from kit.settings import Settings
from messaging.models import TemplatePin
from messaging.pins import Pinned, TemplatePins
from messaging.publishing import publish_templates
from tests.support.builders import A_JOURNEY
from tests.support.intake import NOW
from tests.support.messaging import NOON, Passage, RecordingChannel, TestClock, a_passage
from workflows.ports import Progress
from workflows.state import Decision

KEY = "welcome-test"
PACKAGED = Path(__file__).parents[3] / "messaging" / "templates"
DEMANDING = "{{ entry.voucher }}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the product's templates that a test may change."""
    return Path(shutil.copytree(PACKAGED, tmp_path / "templates"))


@pytest_asyncio.fixture
async def passage(sessions: Sessions) -> Passage:
    """A contact inside version 1, which is pinned to the templates as they were then."""
    passage = await a_passage(sessions)
    async with sessions.begin() as session:
        version = await session.get_one(JourneyVersion, (KEY, 1))
        await TemplatePins(session).pin(version)
    return passage


@pytest_asyncio.fixture
async def sender(sessions: Sessions) -> AsyncIterator[MessagingActivities]:
    sender = MessagingActivities(sessions, {MessageChannel.EMAIL: CHANNEL}, Settings(), TestClock())
    CHANNEL.sent.clear()
    yield sender
    await sender.close()


CHANNEL = RecordingChannel()


async def change(sessions: Sessions, folder: Path, old: str, new: str, *, file: str = "template.yaml") -> None:
    """Change the template `welcome` and publish it."""
    place = folder / "welcome" / file
    text = await asyncio.to_thread(place.read_text, encoding="utf-8")
    assert old in text
    await asyncio.to_thread(place.write_text, text.replace(old, new), encoding="utf-8")
    async with sessions.begin() as session:
        await publish_templates(session, folder)


async def publish(sessions: Sessions, **parts: Any) -> list[Pinned]:
    async with sessions.begin() as session:
        await JourneyRepository(session).put_draft(Journey.model_validate({**A_JOURNEY, **parts}))
        publication = await PublicationRepository(session).publish(KEY, by="ada", treatment=Treatment(), now=NOW)
        return await TemplatePins(session).published(publication, by="ada")


async def refresh(sessions: Sessions) -> list[Pinned]:
    async with sessions.begin() as session:
        return await TemplatePins(session).refresh(KEY, by="ada")


async def subject(sender: MessagingActivities, passage: Passage, step: str) -> str:
    receipt = await sender.send_message(passage.request(step=step, repeat="always"))
    assert receipt.status is SendStatus.SENT
    return CHANNEL.sent[-1].subject


async def test_what_is_sent_stays_what_it_was_until_the_pin_is_moved(
    sessions: Sessions, passage: Passage, sender: MessagingActivities, folder: Path
) -> None:
    before = await subject(sender, passage, "one")
    await change(sessions, folder, "Welcome to", "Well met at")
    assert await subject(sender, passage, "two") == before

    assert await refresh(sessions) == [Pinned(1, "welcome", 1, 2)]
    assert (await subject(sender, passage, "three")).startswith("Well met at")
    assert await refresh(sessions) == []


async def test_a_newly_required_variable_parks_nobody_and_keeps_the_pin_where_it_is(
    sessions: Sessions, passage: Passage, sender: MessagingActivities, folder: Path
) -> None:
    await change(sessions, folder, "Welcome to", f"{DEMANDING} from")
    with pytest.raises(Invalid, match="nothing has changed") as refused:
        await refresh(sessions)
    assert "'welcome' cannot be filled in without entry.voucher" in refused.value.problems[0].what
    assert (await subject(sender, passage, "one")).startswith("Welcome to")
    async with sessions() as session:
        assert await TemplatePins(session).of(KEY) == [Pinned(1, "welcome", 1, 2)]


async def test_a_variable_that_the_journey_brings_along_may_be_required_newly(sessions: Sessions, folder: Path) -> None:
    async with sessions.begin() as session:
        await publish_templates(session)
    where = {"voucher": {"exists": True}}
    await publish(sessions, entry={"event": "contact.registered", "where": where})
    await change(sessions, folder, "Welcome to", f"{DEMANDING} from")
    assert await refresh(sessions) == [Pinned(1, "welcome", 1, 2)]


async def test_publishing_the_same_again_moves_the_pins(sessions: Sessions, passage: Passage, folder: Path) -> None:
    assert passage.enrollment.version == 1
    await change(sessions, folder, "Welcome to", "Well met at")
    assert await publish(sessions) == [Pinned(1, "welcome", 1, 2)]
    await change(sessions, folder, "Well met at", f"{DEMANDING} from")
    with pytest.raises(Invalid, match="do not fit"):
        await publish(sessions)


async def test_a_new_version_sends_the_newest_and_those_in_the_older_one_what_they_were_promised(
    sessions: Sessions, passage: Passage, sender: MessagingActivities, folder: Path
) -> None:
    await change(sessions, folder, "Welcome to", "Well met at")
    assert await publish(sessions, name="Another name") == []
    async with sessions() as session:
        assert await TemplatePins(session).of(KEY) == [Pinned(2, "welcome", 2, 2), Pinned(1, "welcome", 1, 2)]
    assert (await subject(sender, passage, "one")).startswith("Welcome to")

    moved = Decision(
        ordinal=0,
        step="mail",
        verdict=StepVerdict.MIGRATED,
        entered_at=NOON,
        at=NOON,
        next_step="mail",
        version=1,
        to_version=2,
    )
    async with sessions.begin() as session:
        progress = Progress(
            enrollment_id=passage.enrollment.id, state="running", step="mail", since=NOON, decisions=[moved]
        )
        written = progress.model_dump(exclude={"enrollment_id", "decisions"})
        await EnrollmentRepository(session).record(passage.enrollment.id, **written, decisions=[moved])
    assert (await subject(sender, passage, "two")).startswith("Well met at")


async def test_a_version_from_before_there_were_pins_is_pinned_by_its_first_send(
    sessions: Sessions, sender: MessagingActivities, folder: Path
) -> None:
    passage = await a_passage(sessions)
    before = await subject(sender, passage, "one")
    await change(sessions, folder, "Welcome to", "Well met at")
    assert await subject(sender, passage, "two") == before
    async with sessions() as session:
        pin = await session.get_one(TemplatePin, (KEY, 1, "welcome"))
        assert pin.template_version == 1


async def test_versions_that_hold_nobody_any_more_are_left_as_they_are(
    sessions: Sessions, passage: Passage, folder: Path
) -> None:
    await change(sessions, folder, "Welcome to", "Well met at")
    await publish(sessions, name="Another name")
    async with sessions.begin() as session:
        enrollment = await session.get_one(Enrollment, passage.enrollment.id)
        enrollment.ended_at = NOON
    assert await refresh(sessions) == []
