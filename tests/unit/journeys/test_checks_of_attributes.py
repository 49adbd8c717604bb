"""What is said before publication of a `set` that every contact would stop at."""

from typing import Any

import pytest

from journeys.checks import Finding, check
from tests.support.journeys import journey


def findings(**attributes: Any) -> list[Finding]:
    steps = [{"wait": "1d"}, {"set": attributes}]
    return [one for one in check(journey(steps=steps), None) if one.rule == "impossible-attribute"]


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("quiet_hours", "9 to 5", 'Write the quiet hours as two times of the day, such as "21:00-08:00", or null'),
        ("quietHours", "08:00-08:00", "Quiet hours of a whole day would let nothing through"),
        ("time_zone", "Berlin", "Write an IANA time zone such as Europe/Berlin."),
        ("country", "Germany", "Write an ISO 3166-1 country code of two letters such as DE."),
        ("region", "Bavaria", "Write an ISO 3166-2 subdivision such as BY or DE-BY."),
        ("email", "nobody", "Write an e-mail address such as ada@example.com."),
        ("phone", "call me", "Write a phone number such as +49 30 1234567."),
        ("locale", "in German", "Write a language such as de, en or en-US."),
        ("first_name", 7, "Write a text of at most 255 characters, or null to remove it."),
    ],
)
def test_a_value_that_no_contact_can_have_is_found_where_it_stands(name: str, value: Any, remedy: str) -> None:
    (finding,) = findings(customer_group="loyal", **{name: value})

    assert str(finding).startswith(f"error: steps[1].set.{name}: ")
    assert finding.problem.remedy.startswith(remedy)
    assert "the journey would stop here for everybody" in finding.problem.what


def test_values_that_contacts_can_have_are_no_findings() -> None:
    usable = {"quiet_hours": "21:00-08:00", "time_zone": "Europe/Berlin", "country": "de", "region": "DE-BY"}
    assert not findings(**usable, email="ada@example.com", phone="", locale=None, customer_group=7)


def test_what_a_reference_stands_for_is_known_only_when_it_comes() -> None:
    assert not findings(time_zone="$entry.zone", country="$step.paid.country")
