"""Which running enrollments are told of an event."""

from datetime import timedelta

from tests.support.intake import NOW, Intake


async def test_an_event_is_delivered_to_every_running_enrollment_that_listens(intake: Intake) -> None:
    contact, other = await intake.contact(), await intake.contact()
    await intake.publish("first")
    await intake.publish("second", goal={"type": "sell", "event": "page.viewed"})
    for who in (contact, other):
        await intake.tell(who, "order.placed", {"order_id": "o-1"})
    first = next(e for e in await intake.enrollments() if (e.journey_key, e.contact_id) == ("first", contact))

    await intake.tell(contact, "review.created")

    assert (await intake.outbox())[4:] == [("deliver", first.id, ["goal"])]


async def test_the_start_precedes_what_happened_in_the_same_batch(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()
    for name in ("order.placed", "order.refunded", "review.created"):
        await intake.accept(contact, name, {"order_id": "o-1"})

    await intake.apply()

    assert [(kind, criteria) for kind, _, criteria in await intake.outbox()] == [
        ("start", []),
        ("deliver", ["exit:1"]),
        ("deliver", ["goal"]),
    ]


async def test_an_entry_event_that_is_also_a_goal_does_not_end_what_it_begins(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(goal={"type": "sell", "event": "order.placed"})

    await intake.tell(contact, "order.placed", event_id="e-1")
    await intake.tell(contact, "order.placed", event_id="e-2")

    assert [(kind, criteria) for kind, _, criteria in await intake.outbox()] == [("start", []), ("deliver", ["goal"])]


async def test_an_event_of_an_earlier_passage_never_reaches_a_later_one(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish(entry={"event": "order.placed", "again": "after_exit"})
    await intake.tell(contact, "order.placed", ago=timedelta(hours=3))
    await intake.tell(contact, "review.created", ago=timedelta(hours=2))
    first = (await intake.enrollments())[0]
    await intake.end(first.id, NOW)

    await intake.tell(contact, "order.placed", ago=timedelta(hours=1))
    second = (await intake.enrollments())[1]
    await intake.tell(contact, "review.created")

    assert await intake.outbox() == [
        ("start", first.id, []),
        ("deliver", first.id, ["goal"]),
        ("start", second.id, []),
        ("deliver", second.id, ["goal"]),
    ]


async def test_an_ended_enrollment_is_told_nothing(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()
    await intake.tell(contact, "order.placed")
    await intake.end((await intake.enrollments())[0].id, NOW)

    await intake.tell(contact, "review.created")

    assert len(await intake.outbox()) == 1


async def test_a_contact_inside_an_older_version_is_matched_by_that_version(intake: Intake) -> None:
    contact = await intake.contact()
    await intake.publish()
    await intake.tell(contact, "order.placed")
    await intake.publish(goal={"type": "sell", "event": "page.viewed"})

    await intake.tell(contact, "page.viewed")
    assert len(await intake.outbox()) == 1
    await intake.tell(contact, "review.created")

    assert [criteria for _, _, criteria in await intake.outbox()] == [[], ["goal"]]
