"""The names of feasts in both languages."""

from collections.abc import Mapping

from journeys.feasts import Feast

FEASTS_IN_ENGLISH: Mapping[Feast, str] = {
    Feast.NEW_YEAR: "New Year's Day",
    Feast.VALENTINES_DAY: "Valentine's Day",
    Feast.WOMENS_DAY: "International Women's Day",
    Feast.GOOD_FRIDAY: "Good Friday",
    Feast.EASTER: "Easter Sunday",
    Feast.MOTHERS_DAY: "Mother's Day",
    Feast.ASCENSION: "Ascension Day",
    Feast.PENTECOST: "Whit Sunday",
    Feast.HALLOWEEN: "Halloween",
    Feast.BLACK_FRIDAY: "Black Friday",
    Feast.FIRST_ADVENT: "the first Sunday in Advent",
    Feast.SAINT_NICHOLAS: "Saint Nicholas Day",
    Feast.CHRISTMAS_EVE: "Christmas Eve",
    Feast.CHRISTMAS: "Christmas Day",
    Feast.NEW_YEARS_EVE: "New Year's Eve",
}
FEASTS_IN_GERMAN: Mapping[Feast, str] = {
    Feast.NEW_YEAR: "Neujahr",
    Feast.VALENTINES_DAY: "Valentinstag",
    Feast.WOMENS_DAY: "Weltfrauentag",
    Feast.GOOD_FRIDAY: "Karfreitag",
    Feast.EASTER: "Ostersonntag",
    Feast.MOTHERS_DAY: "Muttertag",
    Feast.ASCENSION: "Christi Himmelfahrt",
    Feast.PENTECOST: "Pfingstsonntag",
    Feast.HALLOWEEN: "Halloween",
    Feast.BLACK_FRIDAY: "Black Friday",
    Feast.FIRST_ADVENT: "1. Advent",
    Feast.SAINT_NICHOLAS: "Nikolaustag",
    Feast.CHRISTMAS_EVE: "Heiligabend",
    Feast.CHRISTMAS: "1. Weihnachtstag",
    Feast.NEW_YEARS_EVE: "Silvester",
}
_WITHOUT_ARTICLE = frozenset(
    {Feast.NEW_YEAR, Feast.ASCENSION, Feast.HALLOWEEN, Feast.CHRISTMAS_EVE, Feast.NEW_YEARS_EVE}
)


def at_feast(feast: Feast) -> str:
    """`am Ostersonntag`, `an Neujahr`: when it is that day."""
    return f"{'an' if feast in _WITHOUT_ARTICLE else 'am'} {FEASTS_IN_GERMAN[feast]}"
