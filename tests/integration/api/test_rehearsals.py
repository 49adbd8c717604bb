"""The tester for one contact: what would happen at the door, question by question, and nothing of it stored."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from crm.consent import ConsentRepository
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from intake.models import EntryRefusal, OutboxEntry
from journeys.outcomes import JourneyState
from kit.database import Sessions
from tests.integration.api.test_journeys import put
from tests.support.builders import SOME_DAY, a_contact, a_live_journey, an_enrollment, an_event

ADA = {"contact": {"user_id": "ada"}}
FORM = {"event": "form.submitted", "properties": {"form": "news", "topic": "jazz"}}
ORDER = {**ADA, "event": "order.placed", "properties": {"amount": 50}}
JOURNEY: dict[str, Any] = {
    "key": "hello",
    "entry": {
        "event": "order.placed",
        "where": {"amount": {"at_least": 20}},
        "audience": {
            "all": [{"attribute": "vip", "is": True}, {"any": [{"in_list": "news"}, {"not": {"in_list": "no"}}]}]
        },
    },
}


@pytest.fixture
async def contact(sessions: Sessions) -> Contact:
    async with sessions.begin() as session:
        await a_live_journey(session, JOURNEY)
        return await a_contact(session, user_id="ada", vip=True)


async def ask(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/v1/journeys/hello/enrollments/dry-run", json={**ORDER, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def failed(found: dict[str, Any]) -> list[tuple[str, int]]:
    return [(check["name"], check["depth"]) for check in found["checks"] if check["holds"] is not True]


@pytest.mark.usefixtures("contact")
async def test_who_would_enter_is_told_every_answer_and_nothing_is_stored(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    found = await ask(client)
    assert (found["version"], found["outcome"], found["reason"], found["holdout"]) == (1, "would_enter", None, False)
    assert [(check["name"], check["depth"]) for check in found["checks"]] == [
        *(("event", 0), ("event", 1), ("inside", 0), ("again", 0), ("open", 0), ("goal_before", 0), ("audience", 0)),
        *(("audience", depth) for depth in (1, 2, 2, 3, 3, 4)),
        ("address", 0),
    ]
    async with sessions() as session:
        for table in (Event, Enrollment, EntryRefusal, OutboxEntry):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
        assert await session.scalar(select(func.count()).select_from(Contact)) == 1


@pytest.mark.usefixtures("contact")
@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        ({"event": "order.refunded"}, "no_entry", None),
        ({"properties": {"amount": 10}}, "no_entry", None),
        ({"properties": {}}, "no_entry", None),
        ({"properties": {"amount": "much"}}, "refused", "undecidable"),
        ({"event": None}, "would_enter", None),
    ],
)
async def test_the_event_and_its_properties_open_the_door_or_not(
    client: httpx.AsyncClient, body: dict[str, Any], outcome: str, reason: str | None
) -> None:
    found = await ask(client, **body)
    assert (found["outcome"], found["reason"]) == (outcome, reason)
    assert (found["schedule"] is None) == (outcome == "no_entry")


@pytest.mark.usefixtures("contact")
@pytest.mark.parametrize(
    ("entry", "asked", "outcome"),
    [
        ({"form": "news"}, FORM, "would_enter"),
        ({"form": "guide"}, FORM, "no_entry"),
        ({"form": "news", "where": {"topic": "pop"}}, FORM, "no_entry"),
        ({"segment": {"entered": "vip"}}, {"event": "segment.entered", "properties": {"segment": "vip"}}, "no_entry"),
        ({"segment": {"entered": "vip"}}, {"event": None}, "would_enter"),
    ],
)
async def test_a_form_opens_the_door_and_what_follows_by_itself_is_asked_without_an_event(
    client: httpx.AsyncClient, sessions: Sessions, entry: dict[str, Any], asked: dict[str, Any], outcome: str
) -> None:
    async with sessions.begin() as session:
        await a_live_journey(session, {"key": "hello", "entry": entry})
    found = await ask(client, **asked)
    assert found["outcome"] == outcome
    if asked["event"] == "segment.entered":
        assert "ask without an event" in found["checks"][0]["because"]


async def test_every_condition_of_the_audience_says_why(client: httpx.AsyncClient, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await a_live_journey(session, JOURNEY)
        await a_contact(session, user_id="ada")
    found = await ask(client)
    assert (found["outcome"], found["reason"]) == ("refused", "audience")
    assert failed(found) == [("audience", 0), ("audience", 1), ("audience", 2), ("audience", 3), ("audience", 4)]
    assert any("vip" in check["because"] for check in found["checks"] if check["holds"] is False)


@pytest.mark.parametrize(
    ("body", "retried"),
    [({}, True), ({"event": None}, False), ({"properties": {"amount": 10}}, False)],
    ids=["by the event", "over the API", "by an event that opens nothing"],
)
async def test_an_audience_that_would_be_judged_again_is_told_with_its_end(
    client: httpx.AsyncClient, sessions: Sessions, body: dict[str, Any], *, retried: bool
) -> None:
    async with sessions.begin() as session:
        await a_live_journey(session, {**JOURNEY, "entry": {**JOURNEY["entry"], "retry": "30m"}})
        await a_contact(session, user_id="ada")
    found = await ask(client, **body)
    assert (found["retry_until"] is not None, "; judged again" in found["because"]) == (retried, retried)
    if retried:
        said = f"{datetime.fromisoformat(found['retry_until']):%Y-%m-%d %H:%M} UTC"
        assert found["because"].endswith(f"; judged again as the contact changes, until {said}")


async def test_all_that_speaks_against_it_is_told_and_the_first_reason_is_the_one_that_counts(
    client: httpx.AsyncClient, sessions: Sessions, contact: Contact
) -> None:
    async with sessions.begin() as session:
        goal = {"type": "sell", "event": "review.created", "met_before": "ever"}
        entry = {**JOURNEY["entry"], "again": "never"}
        version = await a_live_journey(session, {**JOURNEY, "goal": goal, "entry": entry})
        await an_enrollment(session, contact.id, version, state=JourneyState.COMPLETED)
        await an_event(session, contact.id, "review.created")
    await client.post("/v1/journeys/hello/pause")
    found = await ask(client)
    assert found["reason"] == "already_entered"
    assert [check for check in failed(found) if not check[1]] == [("again", 0), ("open", 0), ("goal_before", 0)]


async def test_an_exit_condition_that_holds_and_a_journey_that_is_full_are_told(
    client: httpx.AsyncClient, sessions: Sessions, contact: Contact
) -> None:
    async with sessions.begin() as session:
        entry = {**JOURNEY["entry"], "at_most": 1}
        version = await a_live_journey(session, {**JOURNEY, "entry": entry, "exit_when": {"attribute": "vip"}})
        other = await a_contact(session)
        await an_enrollment(session, other.id, version, state=JourneyState.COMPLETED)
    found = await ask(client)
    assert found["reason"] == "exit_already_met"
    assert [check for check in failed(found) if not check[1]] == [("exit", 0), ("places", 0)]
    assert contact.id != other.id


async def test_who_is_inside_is_told_so(client: httpx.AsyncClient, sessions: Sessions, contact: Contact) -> None:
    async with sessions.begin() as session:
        version = await a_live_journey(session, JOURNEY)
        running = await an_enrollment(session, contact.id, version)
    found = await ask(client)
    assert found["reason"] == "already_running"
    assert str(running.id) in found["because"]


@pytest.mark.usefixtures("contact", "templates")
async def test_a_draft_is_asked_as_if_it_were_live(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/journeys/hello/enrollments/dry-run", json={**ORDER, "draft": True})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    document = "key: hello\nname: H\nowner: crm\nentry: {event: form.submitted}\nsteps: [{wait: 1d}]\n"
    assert (await put(client, document)).status_code == 200
    found = await ask(client, draft=True, event="form.submitted")
    assert (found["version"], found["outcome"]) == (2, "would_enter")


@pytest.mark.usefixtures("contact")
async def test_what_agrees_with_the_door_is_the_promise(client: httpx.AsyncClient) -> None:
    """The same contact really asks, over the API: the answers agree."""
    for properties in ({"amount": 50}, {"amount": 10}):
        promised = await ask(client, event=None, properties=properties)
        asked = await client.post("/v1/journeys/hello/enrollments", json={**ADA, "properties": properties})
        assert (promised["outcome"] == "would_enter") == (asked.json()["result"] == "started")
        assert promised["reason"] in {None, "already_running"}


@pytest.mark.usefixtures("templates")
async def test_with_it_comes_when_each_step_would_be_due_where_the_contact_lives(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    wait: dict[str, Any] = {"id": "turns", "wait": {"on": "$entry.turns", "at": "09:00"}}
    mail: dict[str, Any] = {"id": "mail", "send": {"template": "welcome"}}
    async with sessions.begin() as session:
        window = {"days": "mon-fri", "from": "08:00", "to": "18:00", "holidays": True}
        await a_live_journey(session, JOURNEY | {"window": window, "steps": [wait, mail]})
        ada = await a_contact(
            session, user_id="ada", vip=True, time_zone="Europe/Vienna", country="AT", quiet_hours="17:00-10:30"
        )
        await ConsentRepository(session).record(
            ada.id, purpose="marketing", channel="email", state="granted", source="tests", occurred_at=SOME_DAY
        )
    # 8 December is a public holiday in Austria only.
    found = await ask(client, properties={"amount": 50, "turns": "2037-12-08"})
    told = [(one["step"], one["due_at"], one["local_time"], one["template"]) for one in found["schedule"]["steps"]]
    assert told == [
        ("turns", "2037-12-08T08:00:00Z", "Tue 8 Dec 2037 09:00 Europe/Vienna", None),
        ("mail", "2037-12-09T09:30:00Z", "Wed 9 Dec 2037 10:30 Europe/Vienna", "welcome"),
    ]
    assert found["schedule"]["steps"][1]["result"] == "sent"
    assert found["schedule"]["zone"] == "Europe/Vienna"
    assert len(found["schedule"]["assumptions"]) == 2


async def test_the_best_time_is_foreseen_and_an_exit_condition_that_does_not_hold_changes_nothing(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    best = {"id": "best", "wait": {"best_time": {"from": "08:00", "to": "20:00", "otherwise": "10:30"}}}
    rest = {"id": "rest", "wait": {"until": "2037-12-08T12:00:00Z"}}
    async with sessions.begin() as session:
        await a_live_journey(session, JOURNEY | {"steps": [rest, best], "exit_when": {"in_list": "staff"}})
        await a_contact(session, user_id="ada", vip=True, time_zone="Europe/Vienna")
    found = await ask(client)
    assert found["outcome"] == "would_enter"
    told = [(one["step"], one["due_at"]) for one in found["schedule"]["steps"]]
    assert told == [("rest", "2037-12-08T12:00:00Z"), ("best", "2037-12-09T09:30:00Z")]


@pytest.mark.usefixtures("templates")
async def test_the_journeys_own_zone_and_what_it_does_at_a_closed_window_are_foreseen(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    wait: dict[str, Any] = {"id": "turns", "wait": {"on": "$entry.turns", "at": "09:00"}}
    mails: list[dict[str, Any]] = [
        {"id": "left-out", "send": {"template": "welcome"}},
        {"id": "waits", "send": {"template": "welcome", "closed": "defer"}},
    ]
    frame = {"window": {"from": "10:00", "to": "18:00"}, "closed": "skip", "time_zone": "Asia/Tokyo"}
    async with sessions.begin() as session:
        await a_live_journey(session, JOURNEY | frame | {"steps": [wait, *mails]})
        ada = await a_contact(session, user_id="ada", vip=True, time_zone=None)
        await ConsentRepository(session).record(
            ada.id, purpose="marketing", channel="email", state="granted", source="tests", occurred_at=SOME_DAY
        )
    found = await ask(client, properties={"amount": 50, "turns": "2037-12-08"})
    told = [(one["step"], one["due_at"], one["result"]) for one in found["schedule"]["steps"]]
    assert told == [
        ("turns", "2037-12-08T00:00:00Z", "due"),
        ("left-out", "2037-12-08T00:00:00Z", "refused"),
        ("waits", "2037-12-08T01:00:00Z", "sent"),
    ]
    assert found["schedule"]["zone"] == "Asia/Tokyo"


async def test_a_contact_or_a_journey_that_does_not_exist_is_a_problem(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    assert (await client.post("/v1/journeys/nowhere/enrollments/dry-run", json=ORDER)).status_code == 404
    async with sessions.begin() as session:
        await a_live_journey(session, JOURNEY)
    answer = await client.post("/v1/journeys/hello/enrollments/dry-run", json=ORDER)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-contact")


async def test_of_an_event_that_has_happened_it_tells_what_came_of_it_and_what_would_now(
    client: httpx.AsyncClient, sessions: Sessions, contact: Contact
) -> None:
    async with sessions.begin() as session:
        version = await a_live_journey(session, JOURNEY)
        for event_id, amount in (("small", 10), ("refused", 50), ("entered", 50)):
            await an_event(session, contact.id, event_id=event_id, properties={"amount": amount})
        session.add(
            EntryRefusal(
                journey_key="hello",
                version=version.version,
                contact_id=contact.id,
                reason="audience",
                because="vip is not there",
                cause_event_id="refused",
                at=SOME_DAY,
            )
        )
        running = await an_enrollment(session, contact.id, version, entry_event_id="entered")
    found = {
        name: await ask(client, event=None, properties={}, event_id=name) for name in ("small", "refused", "entered")
    }
    told = [(one["aftermath"]["outcome"], one["aftermath"]["reason"], one["outcome"]) for one in found.values()]
    assert told == [
        ("nothing", None, "no_entry"),
        ("refused", "audience", "refused"),
        ("entered", None, "refused"),
    ]
    assert found["entered"]["aftermath"]["enrollment_id"] == str(running.id)
    answer = await client.post("/v1/journeys/hello/enrollments/dry-run", json={**ADA, "event_id": "never"})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
