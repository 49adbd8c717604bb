"""Dates that move: what a producer says of a contact or of its entry reaches the enrollments that wait for it."""

from typing import Any

from tests.support.intake import Intake

CONTRACT: dict[str, Any] = {
    "steps": [{"id": "ending", "wait": {"before": "1 month", "date": "$contact.contract_end", "late": "now"}}],
    "goal": None,
    "exit": [],
}
WEBINAR: dict[str, Any] = {
    "steps": [
        {
            "id": "tomorrow",
            "wait": {
                "before": "1d",
                "date": "$entry.starts_at",
                "moved_by": {"event": "webinar.moved", "where": {"webinar": "$entry.webinar"}},
                "late": "now",
            },
        }
    ],
    "goal": None,
    "exit": [],
}


async def told(intake: Intake) -> list[list[str]]:
    """The criteria of all deliveries, in order."""
    return [criteria for kind, _, criteria in await intake.outbox() if kind == "deliver"]


async def test_a_changed_attribute_moves_the_wait_that_hangs_on_it(intake: Intake) -> None:
    contact = await intake.contact(contract_end="2026-12-31")
    await intake.publish(**CONTRACT)
    await intake.tell(contact, "order.placed")
    await intake.tell(contact, "contact.identified", {"plan": "pro"})
    assert await told(intake) == []

    await intake.tell(contact, "contact.identified", {"contract_end": "2027-12-31"})
    assert await told(intake) == [["moved:ending:contact"]]


async def test_the_same_value_again_moves_nothing(intake: Intake) -> None:
    contact = await intake.contact(contract_end="2026-12-31")
    await intake.publish(**CONTRACT)
    await intake.tell(contact, "order.placed")
    await intake.tell(contact, "contact.identified", {"contract_end": "2026-12-31"})
    assert await told(intake) == []


async def test_a_contact_that_moves_to_another_zone_moves_its_moments(intake: Intake) -> None:
    contact = await intake.contact(time_zone="Europe/Berlin")
    await intake.publish(**CONTRACT)
    await intake.tell(contact, "order.placed")
    await intake.tell(contact, "contact.identified", {"timezone": "Asia/Tokyo"})
    assert await told(intake) == [["moved:ending:contact"]]


async def test_an_event_moves_the_date_of_its_own_entry_only(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "again": {"per": "webinar"}}, **WEBINAR)
    for webinar in ("w-1", "w-2"):
        await intake.tell(contact, "order.placed", {"webinar": webinar, "starts_at": "2026-06-10"})
    await intake.tell(contact, "webinar.moved", {"webinar": "w-2", "starts_at": "2026-07-10"})
    second = next(row for row in await intake.enrollments() if row.entry_key == "w-2")
    assert [(kind, enrollment) for kind, enrollment, criteria in await intake.outbox() if criteria] == [
        ("deliver", second.id)
    ]
    assert await told(intake) == [["moved:tomorrow"]]
