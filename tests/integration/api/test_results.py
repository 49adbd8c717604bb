"""Results over HTTP: what a journey brought about, and how sure that is."""

from datetime import timedelta
from typing import Any

import httpx

from crm.enrollments import EnrollmentRepository
from crm.models.enrollment import Enrollment
from crm.models.experiment import ExperimentRecord
from journeys.outcomes import JourneyState, StepVerdict
from kit.clock import wall_clock
from kit.database import Sessions
from messaging.models import MessageRecord, MessageState
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment, an_event
from workflows.state import Decision

DAY = timedelta(days=1)
SPLIT = {
    "id": "drawn",
    "split": {"experiment": "length", "arms": {"long": {"share": 50}, "short": {"share": 50}}},
}
JOURNEY: dict[str, Any] = {
    "goal": {"type": "sell", "event": "order.placed", "within": "30d"},
    "holdout": 10,
    "steps": [SPLIT, {"wait": "1d"}],
}


async def passed(sessions: Sessions, arm: str, *, met: bool, holdout: bool = False, control: bool = False) -> None:
    async with sessions.begin() as session:
        version = await a_live_journey(session, JOURNEY)
        one = await an_enrollment(session, (await a_contact(session)).id, version)
        one.holdout, one.control_group = holdout, control
        one.goal_until = SOME_DAY + 30 * DAY
        one.goal_met_at = SOME_DAY if met else None
        decision = Decision(
            ordinal=0, step="drawn", verdict=StepVerdict.PASSED, result=arm, entered_at=SOME_DAY, at=SOME_DAY
        )
        await EnrollmentRepository(session).record(
            one.id, state=JourneyState.RUNNING, step="wait-1", since=SOME_DAY, decisions=[decision]
        )


async def results(client: httpx.AsyncClient) -> Any:
    answer = await client.get("/v1/journeys/welcome-test/results")
    assert answer.status_code == 200
    return answer.json()


async def test_groups_and_arms_are_counted_and_compared(client: httpx.AsyncClient, sessions: Sessions) -> None:
    for number in range(10):
        await passed(sessions, "long", met=number < 9)
        await passed(sessions, "short", met=number < 3)
        await passed(sessions, "long", met=number < 2, holdout=True)
    found = await results(client)
    assert found["journey"] == "welcome-test"
    assert found["contacts"] | {"rate_low": 0, "rate_high": 0} == {
        "entered": 20,
        "goal_met": 12,
        "open": 0,
        "rate": 0.6,
        "rate_low": 0,
        "rate_high": 0,
    }
    assert (found["holdout"]["entered"], found["holdout"]["rate"]) == (10, 0.2)
    assert (found["effect"]["difference"], found["effect"]["lift"]) == (0.4, 2.0)
    (experiment,) = found["experiments"]
    long, short = experiment["arms"]
    assert (long["arm"], long["entered"], long["goal_met"], long["against_first"]) == ("long", 10, 9, None)
    assert (short["arm"], short["rate"]) == ("short", 0.3)
    compared = {name: round(value, 4) for name, value in short["against_first"].items()}
    assert compared == {"difference": -0.6, "low": -0.809, "high": -0.1705, "lift": -0.6667}
    assert (experiment["experiment"], experiment["winner"], experiment["decided_at"]) == ("length", None, None)


async def test_the_control_group_is_counted_of_its_own_and_in_no_arm(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    for number in range(10):
        await passed(sessions, "long", met=number < 6)
        await passed(sessions, "long", met=number < 3, control=True)
    await passed(sessions, "long", met=True, holdout=True, control=True)
    found = await results(client)
    assert (found["contacts"]["entered"], found["contacts"]["goal_met"]) == (10, 6)
    assert (found["control_group"]["entered"], found["control_group"]["goal_met"]) == (11, 4)
    assert found["effect_of_marketing"]["difference"] == round(6 / 10 - 4 / 11, 6)
    assert (found["holdout"], found["effect"]) == (None, None)
    assert found["experiments"][0]["arms"][0]["entered"] == 10


async def test_conversions_after_a_message_are_counted_apart(client: httpx.AsyncClient, sessions: Sessions) -> None:
    async def written_to(
        *, after: timedelta | None, state: MessageState = MessageState.HANDED_OVER, **of: object
    ) -> None:
        """One who was written to on `SOME_DAY`, and met the goal so long after."""
        async with sessions.begin() as session:
            version = await a_live_journey(session, JOURNEY)
            one = await an_enrollment(session, (await a_contact(session)).id, version)
            one.goal_until = SOME_DAY + 30 * DAY
            one.goal_met_at = SOME_DAY + after if after is not None else None
            for name, value in of.items():
                setattr(one, name, value)
            for number in range(2):
                session.add(_a_message(one, number, state))

    await written_to(after=DAY)
    await written_to(after=None)
    await written_to(after=-DAY)
    await written_to(after=DAY, state=MessageState.UNKNOWN)
    await written_to(after=DAY, holdout=True)
    await written_to(after=DAY, control_group=True)
    await written_to(after=DAY, tested_draft=2)
    found = await results(client)
    assert (found["contacts"]["entered"], found["contacts"]["goal_met"]) == (4, 3)
    told = found["after_message"]
    assert (told["written_to"], told["goal_met"], told["open"], told["rate"]) == (2, 1, 0, 0.5)


def _a_message(enrollment: Enrollment, number: int, state: MessageState) -> MessageRecord:
    return MessageRecord(
        enrollment_id=enrollment.id,
        contact_id=enrollment.contact_id,
        step=f"hello-{number}",
        iteration=0,
        channel="email",
        template_key="hello",
        state=state,
        settled_at=SOME_DAY + number * 5 * DAY,
    )


async def test_a_winner_is_told_with_its_reason(client: httpx.AsyncClient, sessions: Sessions) -> None:
    await passed(sessions, "long", met=True)
    async with sessions.begin() as session:
        record = ExperimentRecord(
            journey_key="welcome-test", key="length", looked_at=SOME_DAY, decided_at=SOME_DAY, after=30
        )
        record.winner, record.because = "long", "'long' is best"
        session.add(record)
    (experiment,) = (await results(client))["experiments"]
    assert (experiment["winner"], experiment["because"]) == ("long", "'long' is best")
    assert experiment["decided_at"] is not None


async def test_a_journey_nobody_has_entered_has_results_too(client: httpx.AsyncClient, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await a_live_journey(session, {**JOURNEY, "holdout": None})
    found = await results(client)
    assert (found["contacts"]["entered"], found["contacts"]["rate_high"]) == (0, 1)
    assert (found["holdout"], found["effect"]) == (None, None)
    assert (found["control_group"], found["effect_of_marketing"]) == (None, None)
    assert found["experiments"][0]["arms"][1]["against_first"]["lift"] is None


async def test_an_unknown_journey_has_none(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/journeys/nothing/results")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-journey")


async def test_another_goal_is_counted_from_what_is_stored_and_says_so(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    async with sessions.begin() as session:
        version = await a_live_journey(session, JOURNEY)
        for held, days, amount in ((False, 40, 50), (False, 40, 9), (False, 61, 50), (True, 1, 50), (False, -1, 50)):
            contact = (await a_contact(session)).id
            one = await an_enrollment(session, contact, version, entry_properties={"cart": "c-1"})
            one.holdout = held
            for cart in ("c-1", "c-1", "c-2"):
                properties = {"amount": amount if cart == "c-1" else 50, "cart": cart}
                occurred = SOME_DAY + days * DAY
                if cart == "c-1" or days != 40:
                    await an_event(session, contact, occurred_at=occurred, properties=properties)
        silent = await an_enrollment(session, (await a_contact(session)).id, version)
        silent.entered_at = wall_clock() - DAY
        unusable = (await a_contact(session)).id
        await an_enrollment(session, unusable, version)
        await an_event(session, unusable, occurred_at=SOME_DAY + DAY, properties={"amount": "much"})
    goal = {"event": "order.placed", "where": {"amount": {"at_least": 50}, "cart": "$entry.cart"}, "within": "60d"}
    found = (await client.post("/v1/journeys/welcome-test/results/retroactive", json=goal)).json()
    assert (found["retroactive"], found["event"], found["within"]) == (True, "order.placed", "60d")
    assert [found["contacts"][name] for name in ("entered", "goal_met", "open")] == [6, 1, 1]
    assert [found["holdout"][name] for name in ("entered", "goal_met", "open")] == [1, 1, 0]
    assert (await results(client))["contacts"]["goal_met"] == 0
    assert (await client.post("/v1/journeys/nowhere/results/retroactive", json=goal)).status_code == 404
    assert (await client.post("/v1/journeys/welcome-test/results/retroactive", json={})).status_code == 422
