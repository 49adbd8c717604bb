"""Traits: what is said of a contact, checked and sorted into typed fields and free attributes. Pure.

Producers send them, and `set` steps write them, which is why they can be checked before a journey is published. Writing
them is in `crm.contacts`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from journeys.quiet import QUIET_HOURS, normalize_quiet_hours
from kit.documents import MAX_NAME_LENGTH, json_problem, text_problem
from kit.errors import Problem

FIELDS = ("email", "first_name", "last_name", "phone", "locale", "time_zone", "country", "region")
"""The typed fields of a contact, as columns and as attribute names in conditions."""

CHECKED = (QUIET_HOURS,)
"""The free attributes that the product itself reads, and so checks. None of them is a column."""

_ALIASES = {
    "firstName": "first_name",
    "lastName": "last_name",
    "timezone": "time_zone",
    "timeZone": "time_zone",
    "quietHours": QUIET_HOURS,
}


@dataclass(frozen=True)
class TraitReport:
    """What applying traits did: names of the fields and attributes that changed, and the traits that were not usable.

    No problem holds a value: they may be logged and shown to people who may not see the contact.
    """

    changed: frozenset[str] = frozenset()
    rejected: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class SortedTraits:
    """Usable traits: typed fields by column name and free attributes. None removes."""

    fields: Mapping[str, str | None]
    attributes: Mapping[str, Any]
    rejected: tuple[Problem, ...] = ()


def sort_traits(traits: Mapping[str, Any]) -> SortedTraits:
    """Check each trait; the unusable ones are left out and reported, the others stand. A blank text removes a field."""
    fields: dict[str, str | None] = {}
    attributes: dict[str, Any] = {}
    rejected: list[Problem] = []
    for name, value in traits.items():
        where = f"traits.{name}"
        field = _ALIASES.get(name, name)
        if field in FIELDS or field in CHECKED:
            try:
                (fields if field in FIELDS else attributes)[field] = _field_value(field, value)
            except ValueError as error:
                rejected.append(Problem(where, "is not usable.", f"{error}."))
        elif problem := text_problem(name, where="traits") or json_problem(value, where=where):
            rejected.append(problem)
        else:
            attributes[name] = value
    return SortedTraits(fields, attributes, tuple(rejected))


def normalize_email(value: str) -> str:
    """The address with its domain in normal form; the part before the @ as it was written.

    Raises:
        ValueError: it is no address, in a sentence that does not quote it.
    """
    try:
        return validate_email(value.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise ValueError("Write an e-mail address such as ada@example.com") from error


def _field_value(field: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or text_problem(value, where=field) is not None:
        raise ValueError(f"Write a text of at most {MAX_NAME_LENGTH} characters, or null to remove it")
    return _NORMALIZERS.get(field, _as_written)(value.strip())


def _as_written(value: str) -> str:
    return value


def _phone(value: str) -> str:
    digits = re.sub(r"[\s()./-]", "", value)
    if not re.fullmatch(r"\+?[0-9]{4,15}", digits, re.ASCII):
        raise ValueError("Write a phone number such as +49 30 1234567")
    return digits


def _language(value: str) -> str:
    match = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*", value)
    if match is None:
        raise ValueError("Write a language such as de, en or en-US")
    return match[1].lower()


def _time_zone(value: str) -> str:
    if value not in _time_zones():
        raise ValueError("Write an IANA time zone such as Europe/Berlin")
    return value


def _country(value: str) -> str:
    if value.upper() not in _countries():
        raise ValueError("Write an ISO 3166-1 country code of two letters such as DE")
    return value.upper()


def _region(value: str) -> str:
    match = re.fullmatch(r"(?:[A-Za-z]{2}-)?([A-Za-z0-9]{1,3})", value)
    if match is None:
        raise ValueError("Write an ISO 3166-2 subdivision such as BY or DE-BY")
    return match[1].upper()


_NORMALIZERS: Mapping[str, Callable[[str], str]] = {
    "email": normalize_email,
    "phone": _phone,
    "locale": _language,
    "time_zone": _time_zone,
    "country": _country,
    "region": _region,
    QUIET_HOURS: normalize_quiet_hours,
}


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _countries() -> frozenset[str]:
    """The codes of ISO 3166-1, from the table that comes with the time zones."""
    lines = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8").splitlines()
    return frozenset(line[:2] for line in lines if not line.startswith("#"))
