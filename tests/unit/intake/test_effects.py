"""What the properties of built-in events mean."""

from typing import Any

import pytest

from intake.effects import traits_of, withdrawn_by

EVERYTHING = {("marketing", "email"), ("sales", "email")}


def test_traits_are_the_properties_unless_they_are_named_so() -> None:
    assert traits_of({"email": "ada@example.com", "plan": "pro"}) == {"email": "ada@example.com", "plan": "pro"}
    assert traits_of({"traits": {"plan": "pro"}, "anonymous": True}) == {"plan": "pro"}


def test_what_a_registration_says_of_consent_is_no_trait() -> None:
    assert traits_of({"plan": "pro", "consent": True, "wording": "Yes, write to me."}) == {"plan": "pro"}


def test_a_withdrawal_names_what_it_withdraws() -> None:
    assert withdrawn_by({"purpose": "marketing", "channel": "email"}) == {("marketing", "email")}
    assert withdrawn_by({"purpose": "sales"}) == {("sales", "email")}


@pytest.mark.parametrize("properties", [{}, {"purpose": "newsletter"}, {"purpose": ["marketing"]}, {"channel": None}])
def test_a_withdrawal_that_names_nothing_we_know_withdraws_everything(properties: dict[str, Any]) -> None:
    assert withdrawn_by(properties) == EVERYTHING
