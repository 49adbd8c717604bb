from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, update
from temporalio.exceptions import ApplicationError

from activities.contacts import ContactActivities
from crm.access import AuditRepository
from crm.contacts import ContactRepository
from crm.enrollments import EnrollmentRepository
from crm.events import EventRepository
from crm.lists import ListRepository
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event, QueuedEvent
from crm.scoring import ScoringRepository
from crm.stages import StageRepository
from journeys.outcomes import JourneyState, StepVerdict
from journeys.scoring import PointsModel
from journeys.stages import Stage
from kit.database import Sessions
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment, an_event
from workflows.ports import (
    ActionRequest,
    ChangeList,
    ChangeStage,
    GivePoints,
    JudgeCondition,
    Progress,
    RecomputeScore,
    SetAttributes,
)
from workflows.state import Decision

NOW = SOME_DAY + timedelta(days=3)
Request = TypeVar("Request", bound=ActionRequest)


@pytest.fixture
async def enrollment(sessions: Sessions) -> Enrollment:
    async with sessions.begin() as session:
        contact = await a_contact(session, plan="pro")
        version = await a_live_journey(session)
        properties = {"product_id": "p1", "seats": 3, "zone": "Nowhere"}
        return await an_enrollment(session, contact.id, version, entry_properties=properties)


@pytest.fixture
def activities(sessions: Sessions) -> ContactActivities:
    return ContactActivities(sessions)


def _request(kind: type[Request], enrollment: Enrollment, **fields: Any) -> Request:
    progress = Progress(enrollment_id=enrollment.id, state=JourneyState.RUNNING, step="act", since=NOW)
    common: Mapping[str, Any] = {
        "enrollment_id": enrollment.id,
        "contact_id": enrollment.contact_id,
        "step": "act",
        "iteration": 1,
        "now": NOW,
        "progress": progress,
    }
    return kind(**{**common, **fields})


async def _derived(sessions: Sessions) -> list[Event]:
    async with sessions() as session:
        queued = select(QueuedEvent.sequence)
        found = await session.scalars(select(Event).where(Event.sequence.in_(queued)).order_by(Event.sequence))
        return list(found)


async def _step(sessions: Sessions, enrollment: Enrollment) -> str | None:
    async with sessions() as session:
        found = await EnrollmentRepository(session).get(enrollment.id)
        assert found is not None
        return found.step


class TestJudge:
    async def test_it_judges_on_what_is_stored_and_names_the_cause(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        async with sessions.begin() as session:
            await an_event(
                session,
                enrollment.contact_id,
                "review.created",
                event_id="r1",
                occurred_at=SOME_DAY + timedelta(days=1),
                properties={"product_id": "p1"},
            )
        condition = {"event": "review.created", "where": {"product_id": "$entry.product_id"}}

        judgement = await activities.judge_condition(
            _request(JudgeCondition, enrollment, condition=condition, entered_at=SOME_DAY)
        )

        assert judgement.holds
        assert judgement.cause_event_id == "r1"
        assert judgement.because

    async def test_what_happens_after_now_is_not_seen(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        async with sessions.begin() as session:
            await an_event(session, enrollment.contact_id, "review.created", occurred_at=NOW + timedelta(seconds=1))

        judgement = await activities.judge_condition(
            _request(JudgeCondition, enrollment, condition={"none": {"event": "review.created"}}, entered_at=SOME_DAY)
        )

        assert judgement.holds

    async def test_results_of_earlier_steps_count(self, activities: ContactActivities, enrollment: Enrollment) -> None:
        judgement = await activities.judge_condition(
            _request(
                JudgeCondition,
                enrollment,
                condition={"result": {"step": "asked", "is": "timed_out"}},
                entered_at=SOME_DAY,
                results={"asked": "timed_out"},
            )
        )

        assert judgement.holds

    async def test_a_condition_that_cannot_be_judged_fails_for_good_and_writes_nothing(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        condition = {"attribute": "plan", "is": {"at_least": 3}}

        with pytest.raises(ApplicationError) as caught:
            await activities.judge_condition(
                _request(JudgeCondition, enrollment, condition=condition, entered_at=SOME_DAY)
            )

        assert (caught.value.type, caught.value.non_retryable) == ("Invalid", True)
        assert "pro" not in caught.value.message.split()
        assert await _step(sessions, enrollment) == "pause"

    async def test_the_progress_rides_along(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        await activities.judge_condition(
            _request(JudgeCondition, enrollment, condition={"attribute": "plan"}, entered_at=SOME_DAY)
        )

        assert await _step(sessions, enrollment) == "act"


class TestSetAttributes:
    async def test_it_writes_fields_attributes_and_properties_of_the_entry(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        attributes = {"country": "at", "plan": None, "bought": "$entry.product_id", "seats": "$entry.seats"}

        result = await activities.set_attributes(_request(SetAttributes, enrollment, attributes=attributes))

        async with sessions() as session:
            contact = await session.get_one(Contact, enrollment.contact_id)
        assert (contact.country, contact.attributes) == ("AT", {"bought": "p1", "seats": 3})
        assert result.result == "changed"
        assert await _step(sessions, enrollment) == "act"

    async def test_a_change_is_an_event_that_names_no_values(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        await activities.set_attributes(_request(SetAttributes, enrollment, attributes={"plan": "free", "a": 1}))

        (event,) = await _derived(sessions)
        assert (event.event_id, event.name) == (f"contact.updated:{enrollment.id}:act:1", "contact.updated")
        assert (event.properties, event.occurred_at, event.source) == ({"changed": ["a", "plan"]}, NOW, "derived")

    async def test_what_is_so_already_is_no_event(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        result = await activities.set_attributes(_request(SetAttributes, enrollment, attributes={"plan": "pro"}))

        assert result.result == "unchanged"
        assert await _derived(sessions) == []

    async def test_a_second_attempt_answers_as_the_first_whose_answer_was_lost(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        request = _request(SetAttributes, enrollment, attributes={"plan": "free"})

        results = [(await activities.set_attributes(request)).result for _ in range(2)]

        assert results == ["changed", "changed"]
        assert len(await _derived(sessions)) == 1

    async def test_a_second_attempt_leaves_alone_what_was_changed_since_the_first(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        request = _request(SetAttributes, enrollment, attributes={"plan": "free"})
        await activities.set_attributes(request)
        async with sessions.begin() as session:
            await ContactRepository(session).apply_traits(enrollment.contact_id, {"plan": "max"})

        await activities.set_attributes(request)

        async with sessions() as session:
            assert (await session.get_one(Contact, enrollment.contact_id)).attributes == {"plan": "max"}

    async def test_a_property_the_entry_does_not_have_changes_nothing_and_is_told(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        result = await activities.set_attributes(
            _request(SetAttributes, enrollment, attributes={"plan": "$entry.plan"})
        )

        async with sessions() as session:
            assert (await session.get_one(Contact, enrollment.contact_id)).attributes == {"plan": "pro"}
        assert (result.result, result.because) == ("unchanged", "there is no entry.plan")

    async def test_an_unusable_value_fails_for_good_without_being_quoted(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        with pytest.raises(ApplicationError) as caught:
            await activities.set_attributes(
                _request(SetAttributes, enrollment, attributes={"time_zone": "$entry.zone", "plan": "free"})
            )

        assert caught.value.non_retryable
        assert "traits.time_zone" in caught.value.message
        assert "Nowhere" not in caught.value.message
        async with sessions() as session:
            assert (await session.get_one(Contact, enrollment.contact_id)).attributes == {"plan": "pro"}


class TestChangeList:
    async def test_joining_and_leaving_are_events(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        joined = await activities.change_list(_request(ChangeList, enrollment, list_key="vip", member=True))
        left = await activities.change_list(
            _request(ChangeList, enrollment, step="later", list_key="vip", member=False)
        )

        assert (joined.result, left.result) == ("joined", "left")
        assert [(event.event_id, event.properties) for event in await _derived(sessions)] == [
            (f"list.joined:{enrollment.id}:act:1", {"list": "vip"}),
            (f"list.left:{enrollment.id}:later:1", {"list": "vip"}),
        ]

    async def test_a_second_attempt_answers_as_the_first_whose_answer_was_lost(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        request = _request(ChangeList, enrollment, list_key="vip", member=True)

        results = [(await activities.change_list(request)).result for _ in range(2)]

        assert results == ["joined", "joined"]
        assert len(await _derived(sessions)) == 1

    async def test_a_second_attempt_brings_nobody_back_who_has_left_since_the_first(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        request = _request(ChangeList, enrollment, list_key="vip", member=True)
        await activities.change_list(request)
        async with sessions.begin() as session:
            await ListRepository(session).change(enrollment.contact_id, list_key="vip", member=False, reason="left")

        await activities.change_list(request)

        async with sessions() as session:
            assert await ListRepository(session).of(enrollment.contact_id) == frozenset()

    async def test_who_is_on_the_list_already_changes_nothing(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        async with sessions.begin() as session:
            await ListRepository(session).change(enrollment.contact_id, list_key="vip", member=True, reason="before")

        result = await activities.change_list(_request(ChangeList, enrollment, list_key="vip", member=True))

        assert result.result == "unchanged"
        assert await _derived(sessions) == []


class TestRecomputeScore:
    @pytest.fixture
    async def model(self, sessions: Sessions, enrollment: Enrollment) -> str:
        """A model published after the contact's order, so that only a recomputation counts it."""
        rules = [{"key": "order", "event": "order.placed", "points": 60}]
        definition = {"key": "lead", "name": "Lead", "rules": rules, "thresholds": [{"key": "hot", "points": 50}]}
        async with sessions.begin() as session:
            await an_event(session, enrollment.contact_id, "order.placed")
            await ScoringRepository(session).publish(PointsModel.model_validate(definition))
        return "lead"

    async def test_a_threshold_risen_to_is_an_event_once(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment, model: str
    ) -> None:
        results = [
            await activities.recompute_score(_request(RecomputeScore, enrollment, model=model)) for _ in range(2)
        ]

        assert [result.result for result in results] == ["changed", "unchanged"]
        assert "rose over hot" in results[0].because
        (event,) = await _derived(sessions)
        assert (event.name, event.occurred_at) == ("score.crossed", NOW)
        assert event.properties == {"model": "lead", "threshold": "hot", "points": 60}

    async def test_an_unknown_model_fails_for_good(self, activities: ContactActivities, enrollment: Enrollment) -> None:
        with pytest.raises(ApplicationError) as caught:
            await activities.recompute_score(_request(RecomputeScore, enrollment, model="nothing"))

        assert (caught.value.type, caught.value.non_retryable) == ("NotFound", True)


async def test_an_action_whose_progress_cannot_be_written_is_not_done(
    sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
) -> None:
    """Action and bookkeeping are one transaction."""
    stranger = Progress(enrollment_id=enrollment.contact_id, state=JourneyState.RUNNING, step="act", since=NOW)

    with pytest.raises(ApplicationError):
        await activities.change_list(_request(ChangeList, enrollment, list_key="vip", member=True, progress=stranger))

    async with sessions() as session:
        assert await ListRepository(session).of(enrollment.contact_id) == frozenset()
        assert await EventRepository(session).page(enrollment.contact_id) == []


class TestChangeStage:
    async def test_it_moves_forward_only_and_tells_once(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        up = _request(ChangeStage, enrollment, to=Stage.MQL)
        results = [await activities.change_stage(up) for _ in range(2)]
        results.append(await activities.change_stage(_request(ChangeStage, enrollment, to=Stage.MQL, step="again")))
        results.append(await activities.change_stage(_request(ChangeStage, enrollment, to=Stage.LEAD, step="back")))

        assert [one.result for one in results] == ["changed", "changed", "unchanged", "kept"]
        (event,) = await _derived(sessions)
        assert (event.name, event.properties) == ("stage.changed", {"from": "visitor", "to": "mql"})
        async with sessions() as session:
            (change,) = await StageRepository(session).page(enrollment.contact_id)
        assert (change.actor, change.enrollment_id) == ("journey:welcome-test", enrollment.id)
        assert change.event_id == event.event_id
        assert await _step(sessions, enrollment) == "act"

    async def test_the_change_names_the_event_that_led_to_it(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        decided = [
            Decision(
                ordinal=number, step=step, verdict=StepVerdict.PASSED, cause_event_id=cause, entered_at=NOW, at=NOW
            )
            for number, (step, cause) in enumerate([("asked", "answer-1"), ("mail", None)])
        ]
        request = _request(ChangeStage, enrollment, to=Stage.LEAD)
        async with sessions.begin() as session:
            await session.execute(update(Enrollment).values(entry_event_id="form-1"))
        await activities.change_stage(request)
        carried = request.progress.model_copy(update={"decisions": decided})
        later = request.model_copy(update={"to": Stage.MQL, "step": "later", "progress": carried})
        await activities.change_stage(later)
        await activities.change_stage(later.model_copy(update={"to": Stage.SQL, "step": "last"}))

        async with sessions() as session:
            changes = await StageRepository(session).page(enrollment.contact_id)
        assert [one.cause_event_id for one in reversed(changes)] == ["form-1", "answer-1", "answer-1"]

    async def test_a_step_back_is_audited_with_its_reason(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        await activities.change_stage(_request(ChangeStage, enrollment, to=Stage.SQL, step="up"))
        back = _request(ChangeStage, enrollment, to=Stage.LEAD, recycle=True, reason="Rejected.")

        assert (await activities.change_stage(back)).result == "changed"

        async with sessions() as session:
            (entry,) = await AuditRepository(session).of(f"contact:{enrollment.contact_id}")
        assert (entry.action, entry.details["reason"]) == ("contact.stage_back", "Rejected.")


class TestGivePoints:
    async def test_they_count_at_once_and_once_and_lead_over_a_threshold(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        model = {
            "key": "lead",
            "name": "Lead",
            "rules": [{"key": "order", "event": "order.placed", "points": 5}],
            "thresholds": [{"key": "warm", "points": 10}],
        }
        async with sessions.begin() as session:
            await ScoringRepository(session).publish(PointsModel.model_validate(model))
        request = _request(GivePoints, enrollment, model="lead", points=12, reason="Came.")

        results = [await activities.give_points(request) for _ in range(2)]

        assert [one.result for one in results] == ["given", "given"]
        assert results[0].because == "+12 points under lead: 12, before 0"
        given, crossed = await _derived(sessions)
        assert (given.name, given.properties["reason"], given.properties["step"]) == ("score.given", "Came.", "act")
        assert (crossed.name, crossed.properties["threshold"]) == ("score.crossed", "warm")
        async with sessions() as session:
            (explained,) = await ScoringRepository(session).explain(enrollment.contact_id)
        assert (explained.points, [one.reason for one in explained.entries]) == (12, ["Came."])

    async def test_under_an_unknown_model_it_fails_for_good_and_writes_nothing(
        self, sessions: Sessions, activities: ContactActivities, enrollment: Enrollment
    ) -> None:
        with pytest.raises(ApplicationError) as caught:
            await activities.give_points(_request(GivePoints, enrollment, model="lead", points=1, reason="Came."))
        assert (caught.value.type, caught.value.non_retryable) == ("NotFound", True)
        assert await _derived(sessions) == []
