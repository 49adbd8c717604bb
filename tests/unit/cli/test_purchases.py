"""The demo's purchases as tracking calls: always the same, in order, each with an id of its own."""

from datetime import UTC, datetime

import pytest

from cli.demo.purchases import Customer, Purchase, calls, customers

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_the_same_number_gives_the_same_customers() -> None:
    assert customers(50) == customers(50)


@pytest.mark.parametrize("count", [1, 7, 100, 2_355])
def test_as_many_customers_as_asked_for_each_with_purchases_oldest_first(count: int) -> None:
    people = customers(count)
    assert len(people) == count
    for customer in people:
        assert customer.purchases
        assert list(customer.purchases) == sorted(customer.purchases, key=lambda purchase: purchase.date)


def test_a_customer_registers_before_the_first_order_and_orders_are_numbered() -> None:
    customer = Customer(7, (Purchase("2021-01-02", 1, 1_999), Purchase("2021-03-04", 2, 4_999)))
    registration, first, second = calls(customer, NOW)
    assert registration["event"] == "contact.registered"
    assert registration["properties"]["consent"] is True
    assert [first["properties"]["order_number"], second["properties"]["order_number"]] == [1, 2]
    assert first["properties"]["amount"] == 1_999
    assert first["properties"]["purchased_on"] == "2021-01-02"


def test_every_call_has_an_id_of_its_own() -> None:
    ids = [call["messageId"] for customer in customers(200) for call in calls(customer, NOW)]
    assert len(ids) == len(set(ids))
