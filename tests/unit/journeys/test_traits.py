import pytest

from journeys.traits import sort_traits


@pytest.mark.parametrize(
    ("trait", "given", "field", "stored"),
    [
        ("email", " Ada@Example.COM ", "email", "Ada@example.com"),
        ("firstName", "Ada", "first_name", "Ada"),
        ("last_name", " Lovelace ", "last_name", "Lovelace"),
        ("phone", "+49 (30) 123-4567", "phone", "+49301234567"),
        ("locale", "en-US", "locale", "en"),
        ("locale", "de_AT", "locale", "de"),
        ("timezone", "Europe/Vienna", "time_zone", "Europe/Vienna"),
        ("country", "at", "country", "AT"),
        ("region", "de-by", "region", "BY"),
        ("region", "9", "region", "9"),
        ("phone", "", "phone", None),
        ("country", None, "country", None),
    ],
)
def test_a_known_trait_becomes_a_typed_field(trait: str, given: str | None, field: str, stored: str | None) -> None:
    found = sort_traits({trait: given})

    assert found.fields == {field: stored}
    assert found.attributes == {}
    assert found.rejected == ()


@pytest.mark.parametrize(
    ("trait", "given"),
    [
        ("email", "no address"),
        ("email", "ada@localhost"),
        ("email", 7),
        ("first_name", "x" * 300),
        ("last_name", "   "),
        ("phone", "call me"),
        ("locale", "deutsch bitte"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("country", "Germany"),
        ("country", "ZZ"),
        ("region", "Bavaria"),
    ],
)
def test_an_unusable_trait_is_left_out_and_told_without_its_value(trait: str, given: object) -> None:
    found = sort_traits({trait: given, "plan": "pro"})

    assert found.fields == {}
    assert found.attributes == {"plan": "pro"}
    (problem,) = found.rejected
    assert problem.where == f"traits.{trait}"
    assert str(given) not in f"{problem.what} {problem.remedy}"


@pytest.mark.parametrize(
    ("trait", "given", "stored"),
    [
        ("quiet_hours", " 21:00 - 8:00 ", "21:00-08:00"),
        ("quietHours", "21:00-08:00", "21:00-08:00"),
        ("quiet_hours", None, None),
        ("quiet_hours", "", None),
    ],
)
def test_quiet_hours_are_an_attribute_that_is_checked(trait: str, given: str | None, stored: str | None) -> None:
    found = sort_traits({trait: given})
    assert (found.fields, found.attributes, found.rejected) == ({}, {"quiet_hours": stored}, ())


@pytest.mark.parametrize("given", ["at night", 21, ["21:00-08:00"], "00:00-24:00"])
def test_quiet_hours_that_cannot_be_read_are_not_stored(given: object) -> None:
    found = sort_traits({"quiet_hours": given})
    (problem,) = found.rejected
    assert (found.attributes, problem.where) == ({}, "traits.quiet_hours")
    assert str(given) not in problem.remedy


def test_everything_else_is_a_free_attribute_as_it_came() -> None:
    traits = {"plan": "pro", "seats": 3, "address": {"city": "Köln"}, "tags": ["a", "b"], "old": None}

    assert sort_traits(traits).attributes == traits


def test_a_free_attribute_that_cannot_be_stored_is_left_out_and_told() -> None:
    found = sort_traits({"weight": float("nan"), "": 1})

    assert found.attributes == {}
    assert [problem.where for problem in found.rejected] == ["traits.weight", "traits"]


@pytest.mark.parametrize("country", ["DE", "AT", "CH", "GB", "US", "TW"])
def test_codes_of_iso_3166_are_countries(country: str) -> None:
    assert sort_traits({"country": country}).fields == {"country": country}
