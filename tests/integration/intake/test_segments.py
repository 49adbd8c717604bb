"""Membership of segments follows events, the time, and what is new; journeys are told of each change once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as listen
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.contacts import ContactReference, ContactRepository
from crm.models.event import Event
from crm.models.segment import SegmentClock, SegmentMember, SegmentRecord
from crm.scoring import ScoringRepository
from crm.segments import SegmentRepository
from crm.stages import StageRepository, Wanted
from intake.models import EntryRefusal
from journeys.experiments import in_control_group, in_sample
from journeys.scoring import PointsModel
from journeys.segment_entry import ENTERED, LEFT
from journeys.segments import Backfill, Segment
from journeys.stages import Stage
from journeys.values import MessageChannel
from kit.clock import wall_clock
from kit.settings import Settings
from messaging.suppression import SuppressionList
from tests.support.clocks import Timekeeper
from tests.support.intake import NOW, Intake
from worker import entry_clocks

PRO = {"attribute": "plan", "is": "pro"}
BUYER = {"event": "order.placed", "within": "7d"}


async def define(intake: Intake, key: str, condition: Mapping[str, Any], backfill: str = "none") -> None:
    """A segment. Nobody counts as new, so that only what touches it has it looked at."""
    segment = Segment.model_validate({"key": key, "name": key, "condition": condition})
    async with intake.sessions.begin() as session:
        await SegmentRepository(session).define(segment, backfill=Backfill(backfill), now=intake.now)
        await session.execute(update(SegmentRecord).values(swept_at=NOW + timedelta(days=10_000)))


async def members(intake: Intake, key: str) -> set[UUID]:
    return {member.contact_id for member in await intake.rows(SegmentMember) if member.segment_key == key}


async def told(intake: Intake) -> list[tuple[str, str]]:
    """Every change that was told, in order: what happened, and to which segment."""
    events: Sequence[Event] = await intake.rows(Event)
    return [(one.name, one.properties["segment"]) for one in events if one.name in (ENTERED, LEFT)]


async def move(intake: Intake, contact_id: UUID, to: Stage) -> None:
    """The contact comes to a stage, and intake hears of it."""
    async with intake.sessions.begin() as session:
        await StageRepository(session).change(contact_id, Wanted(to, f"to-{to}", actor="test", at=intake.now))
    await intake.apply()


async def test_an_event_takes_a_contact_in_and_another_out(intake: Intake) -> None:
    ada = await intake.contact()
    await define(intake, "buyers", {"all": [BUYER, {"none": {"event": "order.refunded"}}]})

    ordered = await intake.tell(ada, "order.placed")
    (member,) = await intake.rows(SegmentMember)
    assert (member.contact_id, member.because, member.cause_event_id) == (ada, "after order.placed", ordered)
    await intake.tell(ada, "order.placed")
    assert await told(intake) == [("segment.entered", "buyers")]

    await intake.tell(ada, "order.refunded")
    assert await told(intake) == [("segment.entered", "buyers"), ("segment.left", "buyers")]
    assert not await intake.rows(SegmentMember)


async def test_a_new_profile_counts_at_once_and_by_the_event_that_tells_of_it(intake: Intake) -> None:
    ada = await intake.contact()
    await define(intake, "pro", PRO)

    await intake.tell(ada, "contact.identified", {"plan": "pro"})

    assert await members(intake, "pro") == {ada}
    assert await told(intake) == [("segment.entered", "pro")]


async def test_a_score_takes_a_contact_in(intake: Intake) -> None:
    model = {"key": "lead", "name": "Lead", "rules": [{"key": "o", "event": "order.placed", "points": 7}]}
    async with intake.sessions.begin() as session:
        await ScoringRepository(session).publish(PointsModel.model_validate(model))
    ada = await intake.contact()
    await define(intake, "hot", {"score": {"model": "lead", "at_least": 14}})

    await intake.tell(ada, "order.placed")
    assert not await members(intake, "hot")
    await intake.tell(ada, "order.placed")
    assert await members(intake, "hot") == {ada}


async def test_a_stage_takes_a_contact_in_and_out_by_the_event_that_tells_of_it(intake: Intake) -> None:
    ada = await intake.contact()
    await define(intake, "qualified", {"stage": {"at_least": "mql", "at_most": "sql"}})

    await move(intake, ada, Stage.MQL)
    (member,) = await intake.rows(SegmentMember)
    assert (member.contact_id, member.because, member.cause_event_id) == (ada, "after stage.changed", "to-mql")

    await move(intake, ada, Stage.CUSTOMER)
    assert await told(intake) == [("segment.entered", "qualified"), ("segment.left", "qualified")]
    assert not await intake.rows(SegmentMember)


async def test_only_segments_that_an_event_may_change_are_asked_for(intake: Intake, engine: AsyncEngine) -> None:
    ada = await intake.contact()
    await define(intake, "pro", PRO)
    await define(intake, "buyers", BUYER)
    asked: list[str] = []
    listen.listen(engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    await intake.tell(ada, "page.viewed")
    await intake.tell(ada, "contact.updated", {"changed": ["city"]})
    assert not [statement for statement in asked if "judged" in statement]

    await intake.tell(ada, "contact.updated", {"changed": ["plan"]})
    assert len([statement for statement in asked if "judged" in statement]) == 1


async def test_a_segment_of_a_segment_follows_in_the_same_transaction(intake: Intake) -> None:
    ada = await intake.contact()
    await define(intake, "pro", PRO)
    await define(intake, "others", {"not": {"segment": "pro"}})
    assert await members(intake, "others") == {ada}
    await intake.publish("welcome-pro", entry={"event": "contact.identified", "audience": {"segment": "pro"}})

    await intake.tell(ada, "contact.identified", {"plan": "pro"})

    assert [enrollment.contact_id for enrollment in await intake.enrollments()] == [ada]
    assert (await members(intake, "pro"), await members(intake, "others")) == ({ada}, set())
    assert sorted(await told(intake)) == [("segment.entered", "pro"), ("segment.left", "others")]


async def test_time_takes_a_contact_out_and_in(timekeeper: Timekeeper) -> None:
    intake = timekeeper.intake
    ada = await intake.contact()
    await define(intake, "buyers", BUYER)
    await define(intake, "idle", {"none": {"event": "order.placed", "within": "3d"}})
    await intake.tell(ada, "order.placed")
    assert (await members(intake, "buyers"), await members(intake, "idle")) == ({ada}, set())

    await timekeeper.pass_time(timedelta(days=3, seconds=1))
    assert (await members(intake, "buyers"), await members(intake, "idle")) == ({ada}, {ada})
    await timekeeper.pass_time(timedelta(days=4))
    assert (await members(intake, "buyers"), await members(intake, "idle")) == (set(), {ada})

    assert (await told(intake))[-2:] == [("segment.entered", "idle"), ("segment.left", "buyers")]
    assert not await intake.rows(SegmentClock)


async def test_an_event_from_the_future_counts_once_it_has_come(timekeeper: Timekeeper) -> None:
    intake = timekeeper.intake
    ada = await intake.contact()
    await define(intake, "buyers", BUYER)
    await intake.tell(ada, "order.placed", ago=timedelta(hours=-1))
    assert not await members(intake, "buyers")

    await timekeeper.pass_time(timedelta(hours=1))

    assert await members(intake, "buyers") == {ada}


async def test_a_contact_of_whom_no_event_tells_is_found_all_the_same(timekeeper: Timekeeper) -> None:
    intake = timekeeper.intake
    await define(intake, "idle", {"none": {"event": "order.placed"}})
    async with intake.sessions.begin() as session:
        await session.execute(update(SegmentRecord).values(swept_at=intake.now))
        (ada,) = await ContactRepository(session).resolve([ContactReference(user_id="ada")])

    await timekeeper.pass_time(timedelta(minutes=6))

    assert await members(intake, "idle") == {ada}
    assert await told(intake) == [("segment.entered", "idle")]


async def test_a_new_contact_is_judged_by_whatever_tells_of_it_first(intake: Intake) -> None:
    await define(intake, "idle", {"none": {"event": "order.placed"}})
    async with intake.sessions.begin() as session:
        await session.execute(update(SegmentRecord).values(swept_at=intake.now))
    ada = await intake.contact()

    await intake.tell(ada, "page.viewed")

    assert await members(intake, "idle") == {ada}


@pytest.mark.parametrize(("backfill", "entered"), [("none", 0), ("matching", 1)])
async def test_who_matches_a_new_definition_is_told_of_only_when_asked(
    intake: Intake, backfill: str, entered: int
) -> None:
    await intake.contact(plan="pro")

    await define(intake, "pro", PRO, backfill)

    assert len(await told(intake)) == entered


class TestEntry:
    async def test_each_change_into_the_segment_lets_the_contact_in(self, intake: Intake) -> None:
        ada = await intake.contact()
        await define(intake, "pro", PRO)
        await intake.publish("welcome-pro", entry={"segment": {"entered": "pro"}, "again": "after_exit"}, goal=None)
        await intake.publish("farewell", entry={"segment": {"left": "pro"}}, goal=None)

        for plan in ("pro", "free", "pro"):
            await intake.tell(ada, "contact.identified", {"plan": plan})
            for enrollment in await intake.enrollments():
                await intake.end(enrollment.id, intake.now)

        journeys = [enrollment.journey_key for enrollment in await intake.enrollments()]
        assert journeys == ["welcome-pro", "farewell", "welcome-pro"]

    async def test_another_segment_or_a_producers_word_lets_nobody_in(self, intake: Intake) -> None:
        ada = await intake.contact()
        await define(intake, "pro", PRO)
        await define(intake, "other", {"event": "order.placed"})
        await intake.publish("welcome-pro", entry={"segment": {"entered": "pro"}}, goal=None)

        await intake.tell(ada, "order.placed")
        await intake.tell(ada, "segment.entered", {"segment": "pro"})

        assert not await intake.enrollments()

    @pytest.mark.parametrize(("backfill", "inside"), [("none", 0), ("matching", 2)])
    async def test_members_there_are_already_enter_only_when_asked(
        self, timekeeper: Timekeeper, backfill: str, inside: int
    ) -> None:
        intake = timekeeper.intake
        intake.now = wall_clock() + timedelta(minutes=1)  # rounds are ordered by the clock of the database
        members_then = {await intake.contact(plan="pro"), await intake.contact(plan="pro")}
        await intake.contact(plan="free")
        await define(intake, "pro", PRO)
        entry = {"segment": {"entered": "pro", "backfill": backfill}}
        await intake.publish("welcome-pro", entry=entry, goal=None)
        await intake.publish("deaf", entry={"segment": {"entered": "pro"}}, goal=None)

        await timekeeper.keep()

        entered = await intake.enrollments()
        assert {enrollment.contact_id for enrollment in entered} == (members_then if inside else set())
        assert {enrollment.journey_key for enrollment in entered} <= {"welcome-pro"}
        assert [enrollment.entry_properties["segment"] for enrollment in entered] == ["pro"] * inside
        assert not await told(intake)

    async def test_a_sample_lets_in_some_and_a_larger_one_the_others_once(self, timekeeper: Timekeeper) -> None:
        intake = timekeeper.intake
        intake.now = wall_clock() + timedelta(minutes=1)
        contacts = [await intake.contact(plan="pro") for _ in range(16)]
        await define(intake, "pro", PRO)
        entered: list[set[UUID]] = []
        for backfill in ({"sample": 25}, {"sample": 60}, "matching", "matching"):
            entry = {"segment": {"entered": "pro", "backfill": backfill}, "again": "after_exit"}
            await intake.publish("welcome-pro", entry=entry, goal=None)
            intake.now += timedelta(minutes=1)
            await timekeeper.keep()
            for enrollment in await intake.enrollments():
                await intake.end(enrollment.id, intake.now)
            entered.append({one.contact_id for one in await intake.enrollments()})
        drawn = [{one for one in contacts if in_sample(one, "welcome-pro", percent=share)} for share in (25, 60)]
        assert entered == [*drawn, set(contacts), set(contacts)]
        assert len(await intake.enrollments()) == len(contacts)

    async def test_members_who_are_let_in_are_drawn_and_judged_as_everybody_who_enters(self, intake: Intake) -> None:
        intake.now = wall_clock() + timedelta(minutes=1)
        contacts = [await intake.contact(plan="pro") for _ in range(12)]
        unwanted = await intake.contact(plan="pro", email="eve@customers.example")
        await define(intake, "pro", PRO)
        steps = [{"id": "news", "send": {"template": "news"}}]
        await intake.publish(
            "welcome-pro", entry={"segment": {"entered": "pro", "backfill": "matching"}}, goal=None, steps=steps
        )
        settings = Settings(database_url=intake.database_url, control_group_percent=50)
        async with intake.sessions.begin() as session:
            await SuppressionList(session, settings.digest_key).add(
                MessageChannel.EMAIL, "eve@customers.example", reason="bounce", source="ops"
            )

        await entry_clocks(settings, intake.sessions).drain(intake.now)

        drawn = {one.contact_id: one.control_group for one in await intake.enrollments()}
        assert drawn == {contact: in_control_group(contact, percent=50) for contact in contacts}
        assert set(drawn.values()) == {True, False}
        assert [(one.contact_id, one.reason) for one in await intake.rows(EntryRefusal)] == [(unwanted, "suppressed")]

    async def test_a_form_lets_in_who_submits_that_form(self, intake: Intake) -> None:
        ada = await intake.contact()
        await intake.publish("letters", entry={"form": "newsletter", "where": {"topic": "vinyl"}})

        await intake.tell(ada, "form.submitted", {"form": "contact", "topic": "vinyl"})
        await intake.tell(ada, "form.submitted", {"form": "newsletter", "topic": "cassettes"})
        assert not await intake.enrollments()
        await intake.tell(ada, "form.submitted", {"form": "newsletter", "topic": "vinyl"})
        assert len(await intake.enrollments()) == 1


async def test_leaving_a_segment_wakes_who_waits_for_it_and_ends_who_is_to_leave_by_it(intake: Intake) -> None:
    ada = await intake.contact(plan="pro")
    await define(intake, "pro", PRO)
    await intake.publish(
        goal=None,
        exit=[{"event": "segment.left", "where": {"segment": "pro"}}],
        steps=[{"wait_for": {"condition": {"not": {"segment": "pro"}}, "up_to": "9d"}}],
    )
    await intake.tell(ada, "order.placed")

    await intake.tell(ada, "contact.identified", {"plan": "free"})

    (_, (kind, _, criteria)) = await intake.outbox()
    assert kind == "deliver"
    assert len(criteria) == 2


@pytest.mark.parametrize("backfill", Backfill)
async def test_a_new_version_of_a_points_model_moves_its_segments_and_tells_journeys_only_where_asked(
    intake: Intake, timekeeper: Timekeeper, backfill: Backfill
) -> None:
    told = backfill is Backfill.MATCHING
    rules = [{"key": "o", "event": "order.placed", "points": 5}, {"key": "v", "event": "page.viewed", "points": 1}]
    ada, eve, bob = [await intake.contact() for _ in range(3)]
    await publish_model(intake, rules[:1])
    await define(intake, "hot", {"score": {"model": "lead", "at_least": 10}})
    await define(intake, "cold", {"not": {"segment": "hot"}})
    await intake.publish("hot-ones", entry={"segment": {"entered": "hot"}})
    for _ in range(2):
        await intake.tell(ada, "order.placed")
    await intake.tell(eve, "order.placed")
    await intake.tell(bob, "page.viewed")
    await timekeeper.keep()
    assert (await members(intake, "hot"), await members(intake, "cold")) == ({ada}, {eve, bob})
    assert await timekeeper.entered() == [ada]

    await publish_model(intake, [rules[0] | {"points": 10}, rules[1] | {"points": 12}], loyal=15, backfill=backfill)
    await timekeeper.keep()
    assert (await members(intake, "hot"), await members(intake, "cold")) == ({ada, eve, bob}, set())
    assert set(await timekeeper.entered()) == ({ada, eve, bob} if told else {ada})
    assert [event.contact_id for event in await timekeeper.events("score.crossed")] == ([ada] if told else [])
    (member,) = [one for one in await intake.rows(SegmentMember) if one.contact_id == bob]
    assert member.because == "as version 2 of the points model 'lead' counts"

    await publish_model(intake, [rules[0] | {"points": 4}], backfill=backfill)
    await timekeeper.keep()
    assert (await members(intake, "hot"), await members(intake, "cold")) == (set(), {ada, eve, bob})
    before = len(await intake.rows(Event))
    await timekeeper.keep()
    assert len(await intake.rows(Event)) == before


async def test_an_event_that_comes_before_the_recount_tells_of_its_own_rise_only(intake: Intake) -> None:
    rule = {"key": "o", "event": "order.placed", "points": 5}
    ada, eve = await intake.contact(), await intake.contact()
    await publish_model(intake, [rule], loyal=15)
    for contact in (ada, ada, eve):
        await intake.tell(contact, "order.placed")

    await publish_model(intake, [rule | {"points": 10}], loyal=15)
    for contact in (ada, eve):
        await intake.tell(contact, "order.placed")

    crossed = [event.contact_id for event in await intake.rows(Event) if event.name == "score.crossed"]
    assert crossed == [eve], "the new version has lifted the one, her order the other"


async def publish_model(
    intake: Intake,
    rules: Sequence[Mapping[str, Any]],
    loyal: int | None = None,
    *,
    backfill: Backfill = Backfill.NONE,
) -> None:
    thresholds = [{"key": "loyal", "points": loyal}] if loyal is not None else []
    model = {"key": "lead", "name": "Lead", "rules": rules, "thresholds": thresholds}
    async with intake.sessions.begin() as session:
        await ScoringRepository(session).publish(PointsModel.model_validate(model), backfill=backfill)
