"""What a caller says of a contact, read: its names and traits. Findings point into the caller's body."""

from collections.abc import Mapping
from typing import Any

from api.schemas.tracking import ContactNames
from crm.contacts import ContactReference
from journeys.traits import sort_traits
from kit.errors import Invalid, Problem


def reference_to(names: ContactNames, *, at: str = "/contact") -> ContactReference:
    """The reference these names make. Raises `kit.errors.Invalid` where none is given or one cannot be used."""
    given = (names.id, names.user_id, names.anonymous_id, names.email)
    if all(name is None for name in given):
        problem = Problem(at or "/", "The contact has no name.", "Give `id`, `user_id`, `anonymous_id` or `email`.")
        raise Invalid("The contact has no name.", problems=[problem], remedy=problem.remedy)
    try:
        return ContactReference(
            contact_id=names.id, user_id=names.user_id, anonymous_id=names.anonymous_id, email=names.email
        )
    except Invalid as error:
        found = [Problem(f"{at}/{problem.where}", problem.what, problem.remedy) for problem in error.problems]
        raise Invalid(error.message, problems=found, remedy=error.remedy) from error


def demand_usable(traits: Mapping[str, Any]) -> None:
    """Raises `kit.errors.Invalid` where a trait cannot be used; lists every one."""
    rejected = sort_traits(traits).rejected
    if rejected:
        found = [
            Problem("/" + problem.where.replace(".", "/", 1), problem.what, problem.remedy) for problem in rejected
        ]
        raise Invalid("The contact's traits cannot be used; nothing was written.", problems=found)
