"""Public holidays by country and region, from the data of the `holidays` library. Nothing is looked up elsewhere."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache

import holidays as calendars

from journeys.timing import open_every_day


def closed_on_holidays(country: str | None, region: str | None = None) -> Callable[[date], bool]:
    """Whether a date is a public holiday there, as a function for `journeys.timing.next_opening`.

    Args:
        country: ISO 3166-1 code (`DE`). A country that is unknown, or not given, is never closed.
        region: ISO 3166-2 code (`DE-BY` or `BY`). An unknown one leaves the holidays of the whole country.
    """
    known, subdivision = _known(country, region)
    if known is None:
        return open_every_day
    return lambda day: day in _dates(known, subdivision, day.year)


def holidays_where(
    country: str | None, region: str | None, *, default: str
) -> tuple[Callable[[date], bool], str | None]:
    """Whether a date is a public holiday where the contact lives; in the default country where it has none.

    With it a sentence where that is not known for certain, else None. The sentence repeats nothing of the contact.
    """
    if country:
        return closed_on_holidays(country, region), holidays_note(country, region)
    note = f"The contact has no country: the holidays of {default}, the default of the installation, are respected."
    return closed_on_holidays(default, region), note if _known(default, None)[0] else holidays_note(default)


def holidays_note(country: str | None, region: str | None = None) -> str | None:
    """A sentence where `closed_on_holidays` falls back, else None. Repeats no value, which may hold anything."""
    known, subdivision = _known(country, region)
    if known is None:
        return "The country of the contact is unknown: no holidays are respected."
    if region and subdivision is None:
        return f"The region of the contact is unknown: the holidays of {known} as a whole are respected."
    return None


def _known(country: str | None, region: str | None) -> tuple[str | None, str | None]:
    """Country and region as the library names them, None for what it does not have."""
    supported = _supported()
    name = (country or "").strip().upper()
    if name not in supported:
        return None, None
    subdivision = (region or "").strip().upper().removeprefix(f"{name}-")
    return name, supported[name].get(subdivision)


@lru_cache(maxsize=1)
def _supported() -> dict[str, dict[str, str]]:
    """Country → its regions as the library writes them, by their name in capitals."""
    countries = calendars.list_supported_countries(include_aliases=True)
    return {name: {region.upper(): region for region in regions} for name, regions in countries.items()}


@lru_cache(maxsize=4_096)
def _dates(country: str, region: str | None, year: int) -> frozenset[date]:
    return frozenset(calendars.country_holidays(country, subdiv=region, years=year, expand=False))
