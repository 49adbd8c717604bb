"""What a template may speak of that was learned on the way: events that earlier steps met, and the newest of a kind."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import EventRepository
from crm.models.enrollment import Enrollment
from crm.steps_met import steps_met
from journeys.conditions.comparison import matches
from journeys.former_names import FormerNames
from journeys.step_references import StepsMet, filled, steps_named
from journeys.values import EventCriterion

Latest = Mapping[str, EventCriterion]
"""The events meant, by the name the template knows each under."""
MOST_LOOKED_AT = 1_000
"""Among so many events of a name, the newest, one that fits is looked for."""


def steps_in(variables: Iterable[str]) -> frozenset[str]:
    """The steps whose events a template speaks of, by its variables: `steps.paid.amount`."""
    parts = (variable.split(".") for variable in variables)
    return frozenset(found[1] for found in parts if len(found) > 1 and found[0] == "steps")


async def gathered(
    session: AsyncSession,
    enrollment: Enrollment,
    steps: frozenset[str],
    latest: Latest,
    *,
    until: datetime,
    former: FormerNames,
) -> dict[str, Any]:
    """The variables `steps.<step>.…` and `latest.<name>.…`; events later than `until` (aware) are not looked at.

    Raises:
        Invalid: properties of an event cannot be compared as asked.
    """
    asked = {name: criterion.model_dump(mode="json", by_alias=True) for name, criterion in latest.items()}
    wanted = steps | steps_named(asked)
    met = await steps_met(session, enrollment.id, enrollment.contact_id, wanted, former=former)
    found = {}
    for name, criterion in filled_latest(asked, met).items():
        events = await EventRepository(session).history(
            enrollment.contact_id, names=[criterion.event], until=until, limit=MOST_LOOKED_AT
        )
        found[name] = newest(criterion, [event.properties for event in events], enrollment.entry_properties)
    return {"steps": met, "latest": {name: properties for name, properties in found.items() if properties is not None}}


def filled_latest(asked: Mapping[str, Any], met: StepsMet) -> Latest:
    """The events meant, with what earlier steps have met filled in."""
    return {name: EventCriterion.model_validate(one) for name, one in filled(asked, met).items()}


def newest(
    criterion: EventCriterion, properties: Iterable[Mapping[str, Any]], entry: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Of the properties of events (oldest first) the last that fit; None where none do.

    Raises:
        Invalid: they cannot be compared as asked.
    """
    return next((one for one in reversed(list(properties)) if matches(criterion.where, one, entry)), None)
