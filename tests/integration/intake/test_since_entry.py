"""What has happened since the entry: criteria and conditions give the same answer."""

from datetime import timedelta
from typing import Any

import pytest

from crm.facts import load_facts
from journeys.conditions.registry import EventCondition
from tests.support.intake import Intake

REVIEWED = EventCondition.model_validate({"event": "review.created"})
AGO = timedelta(days=9_000)


async def has_reviewed(intake: Intake) -> tuple[bool, bool]:
    """Since the entry: by the criterion that was delivered, by the condition that is judged."""
    [enrollment] = await intake.enrollments()
    async with intake.sessions() as session:
        facts = await load_facts(session, enrollment.contact_id, REVIEWED.needs(), intake.now, enrollment=enrollment)
    delivered = any("goal" in criteria for _, _, criteria in await intake.outbox())
    return delivered, REVIEWED.judge(facts).holds


@pytest.mark.parametrize("later", [timedelta(days=3), timedelta()], ids=["later", "the same day"])
async def test_an_imported_event_counts_from_the_imported_entry_on(intake: Intake, later: timedelta) -> None:
    """Imports know only days, so an event of the entry's own instant counts where it stands behind it in the log."""
    contact = await intake.contact()
    await intake.publish()
    await intake.tell(contact, "order.placed", ago=AGO)
    await intake.tell(contact, "review.created", ago=AGO - later)

    assert await has_reviewed(intake) == (True, True)


@pytest.mark.parametrize("entry", [{"event": "order.placed"}, {"event": "review.created"}])
async def test_what_was_before_the_entry_and_the_entry_itself_do_not_count(intake: Intake, entry: Any) -> None:
    contact = await intake.contact()
    await intake.tell(contact, "review.created", ago=AGO + timedelta(days=1))
    await intake.publish(entry=entry)
    await intake.tell(contact, entry["event"], ago=AGO)

    assert await has_reviewed(intake) == (False, False)
