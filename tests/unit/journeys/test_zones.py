"""The time zone a journey names for contacts without one: how it is written, and where it goes along."""

import pytest

from journeys.documents import to_document
from journeys.plan import compile_plan
from kit.errors import Invalid
from kit.settings import Settings
from tests.support.journeys import journey


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Europe/Viena", "'Europe/Viena' is no time zone. Did you mean 'Europe/Vienna'?"),
        ("europe/vienna", "Did you mean 'Europe/Vienna'?"),
        ("+02:00", "Write a name of the IANA database, such as Europe/Vienna."),
        (2, "2 is no time zone."),
    ],
)
def test_what_is_no_time_zone_is_refused_with_the_one_that_may_be_meant(written: object, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        journey(time_zone=written)
    (problem,) = caught.value.problems
    assert str(problem).startswith("time_zone: ")
    assert said in str(problem)


def test_it_goes_along_in_the_plan_and_nothing_does_where_none_is_named() -> None:
    named, plain = journey(time_zone="Europe/Vienna"), journey()
    assert compile_plan(named, 1).time_zone == "Europe/Vienna"
    assert "time_zone" not in to_document(plain)
    assert "time_zone" not in compile_plan(plain, 1).model_dump(mode="json")


def test_it_stands_in_for_the_zone_of_the_installation_and_for_nothing_else() -> None:
    settings = Settings(default_time_zone="Europe/Berlin", weekly_cap=7)
    assert settings.in_zone(None) is settings
    assert settings.in_zone("Asia/Tokyo") == settings.model_copy(update={"default_time_zone": "Asia/Tokyo"})
