"""Makes a pretended contact fit an audience, where nobody said otherwise: what it cannot do without is made up."""

from collections.abc import Sequence

from intake.matching import demanded_consents
from journeys.conditions.all_of import All
from journeys.conditions.in_list import ListCondition
from journeys.conditions.registry import Condition
from journeys.model import Journey
from journeys.simulate import PretendedContact
from journeys.values import ConsentRequirement


def oblige(contact: PretendedContact, journey: Journey) -> tuple[PretendedContact, list[str]]:
    """The contact with the consents and lists that the audience demands; and what was made up, in words.

    Consents are left alone where any are spoken of, and so are lists.
    """
    audience = journey.entry.audience
    consents = [] if "consents" in contact.model_fields_set else _missing_consents(contact, audience)
    lists = [] if "lists" in contact.model_fields_set else _demanded_lists(audience)
    made_up = [f"the contact agrees to {one.purpose} by {one.channel}" for one in consents]
    made_up += [f"the contact is on the list '{key}'" for key in lists]
    update = {"consents": (*contact.consents, *consents), "lists": (*contact.lists, *lists)}
    return (contact.model_copy(update=update) if made_up else contact), made_up


def _missing_consents(contact: PretendedContact, audience: Condition | None) -> list[ConsentRequirement]:
    standing = {(consent.purpose.value, consent.channel.value) for consent in contact.consents}
    missing = sorted(demanded_consents(audience) - standing)
    return [ConsentRequirement.model_validate({"purpose": purpose, "channel": channel}) for purpose, channel in missing]


def _demanded_lists(audience: Condition | None) -> Sequence[str]:
    """The lists that every contact of the audience is on."""
    match audience:
        case ListCondition(in_list=key):
            return [key]
        case All(all=conditions):
            return [key for condition in conditions for key in _demanded_lists(condition)]
        case _:
            return []
