"""Time zones as journeys write them: names of the IANA database, such as `Europe/Vienna`.

Which zone counts for a contact is decided in `journeys.timing.zone_or_default`.
"""

from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from journeys.refusals import refused, shown
from journeys.timing import zone_names


def parse_zone_name(value: Any) -> Any:
    """The name of a time zone, as it is.

    Raises:
        ValueError: there is no such zone, in a sentence that names one that may be meant.
    """
    if isinstance(value, str) and value in zone_names():
        return value
    meant = get_close_matches(str(value), sorted(zone_names()), n=1)
    remedy = f"Did you mean '{meant[0]}'?" if meant else "Write a name of the IANA database, such as Europe/Vienna."
    raise refused(f"{shown(value)} is no time zone.", remedy)


ZoneName = Annotated[
    str,
    BeforeValidator(parse_zone_name),
    WithJsonSchema({"type": "string", "examples": ["Europe/Vienna", "America/New_York"]}),
]
"""The name of a time zone of the IANA database."""
