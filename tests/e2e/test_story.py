"""The main job on the real stack: purchases and registrations in over HTTP, durable journeys and mails out."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus

from tests.support.stack import Customer, LiveStack, found, live_stack

pytestmark = pytest.mark.xdist_group("story")  # one stack for all of them


@pytest_asyncio.fixture(scope="module")
async def live() -> AsyncIterator[LiveStack]:
    async with live_stack(temporal_in_memory=True) as stack:
        yield stack


@pytest.fixture
def customer(live: LiveStack) -> Customer:
    return Customer(live)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def explained(live: LiveStack, enrollment: dict[str, Any]) -> dict[str, Any]:
    return await live.get(f"/v1/enrollments/{enrollment['id']}/explain")


async def commanded(live: LiveStack, enrollment: dict[str, Any], command: str) -> dict[str, Any]:
    path = f"/v1/enrollments/{enrollment['id']}/{command}"
    answer = await live.api.post(path, json={"reason": "the customer called"})
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


async def asked_to_enter(customer: Customer, journey: str) -> tuple[int, dict[str, Any]]:
    body = {"contact": {"user_id": customer.user_id}, "properties": {"product_id": "record-1", "order_id": "order-1"}}
    answer = await customer.live.api.post(f"/v1/journeys/{journey}/enrollments", json=body)
    return answer.status_code, answer.json()


async def closed(live: LiveStack, customer: Customer, journey: str) -> WorkflowExecutionStatus:
    """How the workflow of the customer's enrollment ended, as soon as it has."""
    handle = live.temporal.get_workflow_handle(f"{journey}:{await customer.contact_id()}")

    async def look() -> WorkflowExecutionStatus | None:
        status = (await handle.describe()).status
        return None if status is WorkflowExecutionStatus.RUNNING else status

    return await found(look, what=lambda: f"the end of {journey}")


async def test_a_first_purchase_starts_the_voucher_journey_which_waits_until_the_next_day(customer: Customer) -> None:
    await customer.registers()
    await customer.orders()
    enrollment = await customer.standing("voucher-and-review", "waiting")
    assert instant(enrollment["due_at"]) == instant(enrollment["since"]) + timedelta(days=1)
    told = await explained(customer.live, enrollment)
    assert (told["source"], told["live"]["state"], told["live"]["doing"]) == ("live", "waiting", "wait 1 day")
    assert told["live"]["until"] == enrollment["due_at"]
    assert instant(enrollment["due_at"]) - instant(enrollment["entered_at"]) < timedelta(days=1, minutes=2)
    assert told["live"]["next"] == ["send 'voucher' by email"]


async def test_a_second_purchase_starts_no_voucher_journey(customer: Customer) -> None:
    await customer.registers()
    await customer.orders(order_number=2)
    await customer.points(10)
    assert await customer.enrollments("voucher-and-review") == []


async def test_a_registration_is_welcomed_by_one_mail_in_german(customer: Customer) -> None:
    await customer.registers(first_name="Jürgen")
    enrollment = await customer.standing("welcome", "waiting")
    assert enrollment["step"] == "settle-in"
    (listed,) = await customer.live.mails_to(customer.email)
    mail = (await customer.live.inbox.get(f"/api/mails/{listed['id']}")).raise_for_status().json()
    headers = dict(mail["headers"])
    assert headers["From"] == "Dauerlauf <hello@example.com>"
    assert headers["To"] == f"Jürgen <{customer.email}>"
    assert headers["Subject"] == "Willkommen im Plattenladen, Jürgen!"
    assert headers["Message-ID"].endswith("@example.com>")
    assert headers["Auto-Submitted"] == "auto-generated"
    assert abs(instant(listed["received_at"]) - instant(enrollment["since"])) < timedelta(minutes=1)
    assert "Hallo Jürgen, willkommen im Plattenladen." in mail["text"]
    assert 'lang="de"' in mail["html"]


async def test_an_event_sent_again_changes_nothing(customer: Customer) -> None:
    registration = await customer.registers()
    order = await customer.orders()
    await customer.standing("welcome", "waiting")
    await customer.standing("voucher-and-review", "waiting")
    first = (await customer.points(10))["entries"][0]["event_id"]
    await customer.registers(message_id=registration, first_name="Somebody Else")
    await customer.does("order.placed", {**order, "amount": 9_999_999, "quantity": 50}, message_id=first)
    # Events of one contact keep their order: with this one in effect, the repeated ones had their chance.
    await customer.orders()
    assert len((await customer.points(20))["entries"]) == 2
    contact = await customer.live.get(f"/v1/contacts/{await customer.contact_id()}")
    assert contact["first_name"] == "Ada"
    events = await customer.live.get(f"/v1/contacts/{await customer.contact_id()}/events")
    names = sorted(event["name"] for event in events["items"] if event["source"] == "segment")
    assert names == ["contact.registered", "order.placed", "order.placed"]
    assert len(await customer.live.mails_to(customer.email)) == 1
    assert len(await customer.enrollments("welcome")) == 1


async def test_a_refund_ends_the_wait_at_once_and_the_enrollment_says_why(customer: Customer) -> None:
    await customer.registers()
    order = await customer.orders()
    await customer.standing("voucher-and-review", "waiting")
    refund = await customer.does("order.refunded", {"order_id": order["order_id"]})
    ended = await customer.standing("voucher-and-review", "exited")
    assert ended["outcome"] == "exit criterion met: order.refunded"
    assert await closed(customer.live, customer, "voucher-and-review") is WorkflowExecutionStatus.COMPLETED
    (decision,) = (await explained(customer.live, ended))["decisions"]
    assert (decision["verdict"], decision["cause_event_id"]) == ("exited", refund)


async def test_a_refund_of_another_order_ends_nothing(customer: Customer) -> None:
    await customer.registers()
    await customer.orders()
    await customer.standing("voucher-and-review", "waiting")
    await customer.does("order.refunded", {"order_id": "another"})
    await customer.points(0)
    assert (await customer.enrollments("voucher-and-review"))[0]["state"] == "waiting"


async def test_the_goal_ends_the_journey_as_met(customer: Customer) -> None:
    await customer.registers()
    order = await customer.orders()
    await customer.standing("voucher-and-review", "waiting")
    await customer.does("review.created", {"product_id": order["product_id"], "stars": 5})
    await customer.standing("voucher-and-review", "goal_met")
    assert await closed(customer.live, customer, "voucher-and-review") is WorkflowExecutionStatus.COMPLETED


async def test_enrolling_over_http_answers_started_already_running_and_refused(customer: Customer) -> None:
    status, refused = await asked_to_enter(customer, "voucher-and-review")
    assert (status, refused["result"], refused["reason"]) == (200, "refused", "audience")
    await customer.registers()
    await customer.standing("welcome", "waiting")
    status, started = await asked_to_enter(customer, "voucher-and-review")
    assert (status, started["result"]) == (201, "started")
    await customer.standing("voucher-and-review", "waiting")
    status, again = await asked_to_enter(customer, "voucher-and-review")
    assert (status, again["result"]) == (200, "already_running")
    assert again["enrollment"]["id"] == started["enrollment"]["id"]
    await customer.does("order.refunded", {"order_id": "order-1"})
    await customer.standing("voucher-and-review", "exited")
    status, over = await asked_to_enter(customer, "voucher-and-review")
    assert (status, over["result"], over["reason"]) == (200, "refused", "already_entered")
    assert over["because"]


async def test_ops_pause_resume_and_end_an_enrollment_over_http(customer: Customer) -> None:
    live = customer.live
    await customer.registers()
    enrollment = await customer.standing("welcome", "waiting")
    paused = await commanded(live, enrollment, "pause")
    assert (paused["now"]["state"], paused["now"]["step"]) == ("paused", "settle-in")
    await customer.standing("welcome", "paused")
    resumed = await commanded(live, enrollment, "resume")
    assert (resumed["now"]["state"], resumed["now"]["until"]) == ("waiting", enrollment["due_at"])
    await customer.standing("welcome", "waiting")
    assert (await commanded(live, enrollment, "exit"))["result"] == "requested"
    ended = await customer.standing("welcome", "exited")
    assert "the customer called" in ended["outcome"]
    assert await closed(live, customer, "welcome") is WorkflowExecutionStatus.COMPLETED
    assert (await commanded(live, enrollment, "exit"))["result"] == "already_ended"


async def test_points_that_cross_the_threshold_start_the_journey_of_loyal_customers(customer: Customer) -> None:
    await customer.registers()
    for number in range(1, 4):
        await customer.orders(amount=5_000, currency="USD", quantity=5)
        await customer.points(20 * number)
    loyal = await customer.standing("loyal-customer", "waiting")
    assert (loyal["step"], loyal["entry_event_id"][:14]) == ("await-next-order", "score.crossed:")
    assert sum(entry["points"] for entry in (await customer.points(60))["entries"]) == 60
    contact = await customer.live.get(f"/v1/contacts/{await customer.contact_id()}")
    assert contact["attributes"]["customer_group"] == "loyal"
    assert len(await customer.live.mails_to(customer.email)) == 2  # the welcome, and the thanks
    await customer.orders()
    await customer.standing("loyal-customer", "goal_met")


async def test_a_withdrawn_consent_ends_the_welcome_journey(customer: Customer) -> None:
    await customer.registers()
    await customer.standing("welcome", "waiting")
    await customer.does("consent.withdrawn", {"purpose": "marketing", "channel": "email"})
    ended = await customer.standing("welcome", "exited")
    assert "consent" in ended["outcome"]
    status, answer = await asked_to_enter(customer, "voucher-and-review")
    assert (status, answer["result"], answer["reason"]) == (200, "refused", "audience")


async def what_temporal_knows(client: Client) -> dict[str, bytes]:
    """Everything Temporal holds of every workflow: histories, memo, search attributes and ids, as bytes."""
    known = {}
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        description = (await handle.describe()).raw_description
        events = [event.SerializeToString() for event in (await handle.fetch_history()).events]
        known[execution.id] = b"".join([execution.id.encode(), description.SerializeToString(), *events])
    return known


def spelled(text: str) -> set[bytes]:
    """How a text may be written in a payload: as it is, and as JSON escapes it."""
    return {text.encode(), json.dumps(text).strip('"').encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()}


async def test_nothing_personal_is_in_temporal(live: LiveStack) -> None:
    """The zone of the contact is: waits are told in it. Short values such as the language are no words to look for."""
    customer = Customer(live, user_id=f"zacharias-{uuid4().hex[:8]}")
    await customer.registers(
        first_name="Zephyrine", last_name="Öztürk-Lindqvist", phone="+4915112345678", favourite_genre="krautrock"
    )
    order = await customer.orders(amount=739_154_286, gift_note="Alles Gute, Großmutter")
    await customer.standing("welcome", "waiting")
    await customer.standing("voucher-and-review", "waiting")
    await customer.does("order.refunded", {"order_id": order["order_id"], "refund_reason": "zerkratzt, leider"})
    await customer.standing("voucher-and-review", "exited")
    contact_id = await customer.contact_id()

    async def look() -> dict[str, bytes] | None:
        known = await what_temporal_knows(live.temporal)
        return known if {f"welcome:{contact_id}", f"voucher-and-review:{contact_id}"} <= known.keys() else None

    known = await found(look, what=lambda: "both workflows in the list")
    assert contact_id.encode() in known[f"welcome:{contact_id}"]  # so this does look where things are
    secrets = {text for text in live.said if len(text) > 5} - {"Europe/Berlin", "marketing"}
    assert {"Zephyrine", customer.email, "739154286", "krautrock", "zerkratzt, leider"} <= secrets
    told = {
        (workflow, text)
        for workflow, content in known.items()
        for text in secrets
        if any(form in content for form in spelled(text))
    }
    assert not told
