"""Feasts: days of the year that are the same for everybody, many of which move. A closed list; pure."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum

from dateutil.easter import easter

SHORTEST_YEAR = timedelta(days=350)
"""The least that lies between two returns of one feast: from one Easter to the next, 50 weeks."""
_SUNDAY, _THURSDAY = 6, 3


class Feast(StrEnum):
    """The feasts an entry knows."""

    NEW_YEAR = "new-year"
    VALENTINES_DAY = "valentines-day"
    WOMENS_DAY = "womens-day"
    GOOD_FRIDAY = "good-friday"
    EASTER = "easter"
    MOTHERS_DAY = "mothers-day"
    ASCENSION = "ascension"
    PENTECOST = "pentecost"
    HALLOWEEN = "halloween"
    BLACK_FRIDAY = "black-friday"
    FIRST_ADVENT = "first-advent"
    SAINT_NICHOLAS = "saint-nicholas"
    CHRISTMAS_EVE = "christmas-eve"
    CHRISTMAS = "christmas"
    NEW_YEARS_EVE = "new-years-eve"


def feast_day(feast: Feast, year: int) -> date:
    """The day of the feast in a year from 1583 on. Easter and what hangs on it by the western churches."""
    return _DAYS[feast](year)


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _beside_easter(days: int) -> Callable[[int], date]:
    return lambda year: easter(year) + timedelta(days=days)


def _weekday(month: int, day: int, weekday: int) -> Callable[[int], date]:
    """The first such weekday on the day or after it."""

    def of(year: int) -> date:
        earliest = date(year, month, day)
        return earliest + timedelta(days=(weekday - earliest.weekday()) % 7)

    return of


def _black_friday(year: int) -> date:
    return _weekday(11, 22, _THURSDAY)(year) + timedelta(days=1)


_DAYS: Mapping[Feast, Callable[[int], date]] = {
    Feast.NEW_YEAR: _fixed(1, 1),
    Feast.VALENTINES_DAY: _fixed(2, 14),
    Feast.WOMENS_DAY: _fixed(3, 8),
    Feast.GOOD_FRIDAY: _beside_easter(-2),
    Feast.EASTER: _beside_easter(0),
    Feast.MOTHERS_DAY: _weekday(5, 8, _SUNDAY),
    Feast.ASCENSION: _beside_easter(39),
    Feast.PENTECOST: _beside_easter(49),
    Feast.HALLOWEEN: _fixed(10, 31),
    Feast.BLACK_FRIDAY: _black_friday,
    Feast.FIRST_ADVENT: _weekday(11, 27, _SUNDAY),
    Feast.SAINT_NICHOLAS: _fixed(12, 6),
    Feast.CHRISTMAS_EVE: _fixed(12, 24),
    Feast.CHRISTMAS: _fixed(12, 25),
    Feast.NEW_YEARS_EVE: _fixed(12, 31),
}
