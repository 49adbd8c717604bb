"""Whole journeys paused, resumed and stopped, and everybody at a step steered: killed in the middle, nobody lost."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crm.journeys import JourneyRepository
from crm.models.access import AuditEntry
from crm.models.enrollment import Enrollment
from crm.models.steering import Steer, Steering
from crm.steering import AtStep, Operator, SteeringRepository, Stopped
from intake.models import OutboxEntry
from intake.moves import Turn
from journeys.conditions.registry import AttributeCondition
from journeys.migration import Inside
from journeys.resuming import Resuming
from kit.clock import wall_clock
from kit.errors import Conflict, Invalid
from tests.integration.intake.test_moves import KEY, PAUSE, REST, Moving, moving, verdicts
from tests.support.intake import Intake
from tests.support.temporal import BY_OPS, eventually
from workflows import starter

__all__ = ["moving"]

ADA = Operator("ada", "the shop is down")
ASKED: dict[str, Any] = {
    "id": "asked",
    "wait_for": {"event": "page.viewed", "up_to": "9d"},
    "then": [{"id": "looked", "wait": "30d"}],
    "else": [{"id": "late", "wait": "30d"}],
}


async def give(intake: Intake, ask: Any) -> Any:
    """Give an order in a transaction of its own."""
    async with intake.sessions.begin() as session:
        return await ask(SteeringRepository(session))


async def orders(intake: Intake) -> list[Steering]:
    async with intake.sessions() as session:
        return list(await session.scalars(select(Steering).order_by(Steering.id)))


async def stand(moving: Moving, **expected: Any) -> list[Enrollment]:
    """Wait until every enrollment is so."""

    async def so() -> bool:
        rows = await moving.intake.enrollments()
        return all(getattr(row, name) == value for row in rows for name, value in expected.items())

    await eventually(so)
    return list(await moving.intake.enrollments())


def numbers(order: Steering) -> tuple[int, int, int, int]:
    return order.ordered, order.carried, order.refused, order.gone


async def pause(moving: Moving) -> None:
    await give(moving.intake, lambda repository: repository.pause(KEY, ADA))


async def resume(moving: Moving, timers: Resuming = Resuming.CATCH_UP) -> None:
    await give(moving.intake, lambda repository: repository.resume(KEY, ADA, timers))


async def stop(moving: Moving, inside: Inside) -> Stopped:
    stopped: Stopped = await give(moving.intake, lambda repository: repository.stop(KEY, ADA, inside))
    return stopped


async def at_step(moving: Moving, action: Steer, whom: AtStep) -> None:
    await give(moving.intake, lambda repository: repository.steer(KEY, action, whom, ADA))
    await moving.carry()


class TestAWholeJourney:
    async def test_everybody_inside_is_frozen_and_nobody_gets_in_until_it_is_resumed(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        await moving.enter(3)
        await pause(moving)
        await moving.carry()
        await stand(moving, state="paused")

        late = await moving.intake.contact()
        await moving.intake.tell(late, "order.placed", {"order_id": "o-9"}, event_id="late")
        assert await moving.intake.refusals() == [("journey_paused", "late")]

        await resume(moving)
        await moving.carry()
        await stand(moving, state="waiting", paused_with=None)
        assert [numbers(order) for order in await orders(moving.intake)] == [(3, 3, 0, 0)] * 2
        await moving.intake.tell(late, "order.placed", {"order_id": "o-9"}, event_id="again")
        assert len(await moving.intake.enrollments()) == 4

    async def test_resuming_shifts_the_waits_where_that_is_asked(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        [before] = await moving.enter()
        await pause(moving)
        await moving.carry()
        await stand(moving, state="paused")
        await resume(moving, Resuming.SHIFT)
        await moving.carry()
        [after] = await stand(moving, state="waiting")
        assert before.due_at is not None
        assert after.due_at is not None
        assert after.due_at > before.due_at

    async def test_who_was_frozen_before_stays_frozen_when_the_journey_is_resumed(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        alone, other = await moving.enter(2)
        await starter.pause(moving.client, alone.workflow_id, BY_OPS)

        async def frozen() -> bool:
            return (await moving.intake.enrollments())[0].state == "paused"

        await eventually(frozen)
        await pause(moving)
        await moving.carry()
        await stand(moving, state="paused")
        await resume(moving)
        await moving.carry()

        async def goes_on() -> bool:
            states = {row.id: row.state for row in await moving.intake.enrollments()}
            return states == {alone.id: "paused", other.id: "waiting"}

        await eventually(goes_on)

    async def test_who_has_not_been_started_yet_is_started_and_then_frozen(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        contact = await moving.intake.contact()
        await moving.intake.tell(contact, "order.placed", {"order_id": "o-1"})
        await pause(moving)
        await moving.carry()
        await stand(moving, state="paused", step="pause")

    async def test_a_pause_that_is_not_carried_out_yet_is_carried_out_before_its_end(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        await moving.enter(3)
        await pause(moving)
        await resume(moving)
        await moving.carry()
        await stand(moving, state="waiting", paused_with=None)
        assert [numbers(order) for order in await orders(moving.intake)] == [(3, 3, 0, 0)] * 2

    async def test_a_journey_that_is_paused_again_before_all_have_gone_on_freezes_them_all(
        self, moving: Moving
    ) -> None:
        await moving.publish(steps=[PAUSE])
        await moving.enter(3)
        await pause(moving)
        await moving.carry()
        await stand(moving, state="paused")
        await resume(moving)
        await pause(moving)
        await moving.carry()
        await stand(moving, state="paused")
        assert [numbers(order) for order in await orders(moving.intake)] == [(3, 3, 0, 0)] * 3

        await resume(moving)
        await moving.carry()
        await stand(moving, state="waiting", paused_with=None)

    async def test_a_paused_journey_is_not_paused_again_nor_a_running_one_resumed(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        with pytest.raises(Conflict, match="not paused"):
            await resume(moving)
        await pause(moving)
        with pytest.raises(Conflict, match="paused already"):
            await pause(moving)

    async def test_a_killed_runner_is_taken_over_where_it_stopped(self, moving: Moving) -> None:
        """Pages of two; it dies within the second one, which an enrollment that is being written holds up."""
        await moving.publish(steps=[PAUSE])
        held = (await moving.enter(5))[3].id
        await pause(moving)
        async with moving.intake.sessions.begin() as session:
            await session.execute(select(Enrollment).where(Enrollment.id == held).with_for_update())
            runner = asyncio.create_task(moving.runner(page=2).order())

            async def first_page_is_done() -> bool:
                return await moving.intake.count(OutboxEntry) == 2

            await eventually(first_page_is_done)
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)
        [order] = await orders(moving.intake)
        assert (order.ordered, order.ordered_at) == (2, None)
        await moving.carry()
        await stand(moving, state="paused")
        assert [numbers(order) for order in await orders(moving.intake)] == [(5, 5, 0, 0)]

    async def test_stopping_lets_those_inside_finish_and_nobody_in(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        await moving.enter(2)
        stopped = await stop(moving, Inside.FINISH)
        assert (stopped.versions, stopped.inside, stopped.steering) == ([1], 2, None)
        late = await moving.intake.contact()
        await moving.intake.tell(late, "order.placed", {"order_id": "o-9"})
        await stand(moving, state="waiting")
        assert len(await moving.intake.enrollments()) == 2
        async with moving.intake.sessions() as session:
            assert [v.state for v in await JourneyRepository(session).versions(KEY)] == ["finishing"]
            noted = await session.scalar(select(AuditEntry).where(AuditEntry.action == "journey.stopped"))
        assert noted is not None
        assert noted.details == {"versions": [1], "inside": "finish", "reason": "the shop is down"}

    async def test_stopping_ends_those_inside_paused_or_not_and_a_later_version_opens_it_again(
        self, moving: Moving
    ) -> None:
        await moving.publish(steps=[PAUSE])
        await moving.enter(2)
        await pause(moving)
        await moving.carry()
        await stand(moving, state="paused")
        with pytest.raises(Conflict, match="nobody inside can finish"):
            await stop(moving, Inside.FINISH)

        stopped = await stop(moving, Inside.STOP)
        assert (stopped.versions, stopped.inside) == ([1], 2)
        await moving.carry()
        await stand(moving, state="exited", outcome="journey stopped by ada: the shop is down")
        assert numbers((await orders(moving.intake))[-1]) == (2, 2, 0, 0)
        async with moving.intake.sessions() as session:
            assert [v.state for v in await JourneyRepository(session).versions(KEY)] == ["stopped"]

        assert (await moving.publish(steps=[PAUSE])).version.version == 2
        assert len(await moving.enter()) == 3

    async def test_what_takes_nobody_and_holds_nobody_cannot_be_stopped(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        await stop(moving, Inside.FINISH)
        for inside in (Inside.FINISH, Inside.STOP):
            with pytest.raises(Conflict, match="No version"):
                await stop(moving, inside)


class TestEverybodyAtAStep:
    @pytest.mark.parametrize(("action", "step"), [(Steer.RELEASE, "late"), (Steer.SKIP, "late")])
    async def test_those_who_wait_go_on(self, moving: Moving, action: Steer, step: str) -> None:
        await moving.publish(steps=[ASKED])
        await moving.enter(2)
        await at_step(moving, action, AtStep("asked"))
        await stand(moving, step=step)
        assert [numbers(order) for order in await orders(moving.intake)] == [(2, 2, 0, 0)]

    async def test_those_at_the_step_leave_and_the_others_stay(self, moving: Moving) -> None:
        await moving.publish(steps=[ASKED])
        here, elsewhere = await moving.enter(2)
        await moving.intake.tell(elsewhere.contact_id, "page.viewed")
        await moving.relay().drain()

        async def apart() -> bool:
            return {row.step for row in await moving.intake.enrollments()} == {"asked", "looked"}

        await eventually(apart)
        await at_step(moving, Steer.EXIT, AtStep("asked"))

        async def left() -> bool:
            return {row.id: row.state for row in await moving.intake.enrollments()} == {
                here.id: "exited",
                elsewhere.id: "waiting",
            }

        await eventually(left)
        assert (await verdicts(moving.intake, here.id))[-1] == ("asked", "exited", None)

    async def test_a_limit_takes_those_who_entered_first(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE, REST])
        first, *others = await moving.enter(3)
        await at_step(moving, Steer.SKIP, AtStep("pause", most=1))

        async def gone_on() -> bool:
            steps = {row.id: row.step for row in await moving.intake.enrollments()}
            return steps == {first.id: "rest", **{other.id: "pause" for other in others}}

        await eventually(gone_on)

    async def test_only_those_due_before_are_meant_and_can_be_counted_first(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE, REST])
        await moving.enter(2)
        for days, found in ((29, 0), (31, 2)):
            whom = AtStep("pause", due_before=wall_clock() + timedelta(days=days))
            counted = await give(moving.intake, lambda repository, w=whom: repository.count(KEY, Steer.RELEASE, w))
            assert counted == found
            await at_step(moving, Steer.RELEASE, whom)
        assert [order.ordered for order in await orders(moving.intake)] == [0, 2]
        await stand(moving, step="rest")

    async def test_only_those_whose_contacts_a_condition_holds_for_are_meant(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE, REST])
        pro, other = await moving.enter(2)
        await moving.intake.tell(pro.contact_id, "contact.identified", {"plan": "pro"})
        await moving.intake.tell(other.contact_id, "contact.identified", {"seats": "many"})
        whom = AtStep("pause", where=AttributeCondition(attribute="plan", **{"is": "pro"}))
        assert await give(moving.intake, lambda repository: repository.count(KEY, Steer.SKIP, whom)) == 1
        await at_step(moving, Steer.SKIP, whom)

        async def gone_on() -> bool:
            steps = {row.id: row.step for row in await moving.intake.enrollments()}
            return steps == {pro.id: "rest", other.id: "pause"}

        await eventually(gone_on)

    async def test_who_has_gone_on_meanwhile_is_not_touched(self, moving: Moving) -> None:
        await moving.publish(steps=[ASKED])
        [enrollment] = await moving.enter()
        await give(moving.intake, lambda repository: repository.steer(KEY, Steer.SKIP, AtStep("asked"), ADA))
        assert await moving.runner().order() is Turn.NOTHING
        await starter.skip(moving.client, enrollment.workflow_id, BY_OPS)
        await stand(moving, step="late", state="waiting")
        await moving.relay().drain()

        [order] = await orders(moving.intake)
        assert numbers(order) == (1, 0, 1, 0)
        assert "gone on since" in str(order.last_refusal)
        await stand(moving, step="late")

    async def test_a_relay_killed_after_its_calls_skips_nothing_twice(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE, REST, {"id": "end", "wait": "30d"}])
        [enrollment] = await moving.enter()
        await give(moving.intake, lambda repository: repository.steer(KEY, Steer.SKIP, AtStep("pause"), ADA))
        await moving.runner().order()
        async with moving.intake.sessions() as session:
            [entry] = await session.scalars(select(OutboxEntry))
        await moving.relay().drain()
        await stand(moving, step="rest")
        async with moving.intake.sessions.begin() as session:
            session.add(OutboxEntry(enrollment_id=enrollment.id, kind=entry.kind, payload=entry.payload))
        await moving.relay().drain()
        await stand(moving, step="rest")
        assert await verdicts(moving.intake, enrollment.id) == [("pause", "skipped", "rest")]

    async def test_who_ended_meanwhile_is_gone(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        [enrollment] = await moving.enter()
        await give(moving.intake, lambda repository: repository.steer(KEY, Steer.EXIT, AtStep("pause"), ADA))
        await moving.runner().order()
        await moving.intake.end(enrollment.id, wall_clock())
        await moving.relay().drain()
        assert numbers((await orders(moving.intake))[0]) == (1, 0, 0, 1)

    async def test_a_step_that_no_version_has_is_refused(self, moving: Moving) -> None:
        await moving.publish(steps=[PAUSE])
        with pytest.raises(Invalid, match="no step 'elsewhere'"):
            await at_step(moving, Steer.SKIP, AtStep("elsewhere"))
