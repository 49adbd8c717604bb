"""The demo's input: real purchases as the calls of the Segment tracking API that a shop would make. Sends nothing.

The purchases are replayed as if they happened now, in their order: journeys live from now on. The day a purchase was
really made is in the property `purchased_on`. Names and addresses are made up; the data set has none.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from itertools import groupby
from typing import Any

_FIRST_NAMES = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hannes", "Ida", "Jonas", "Klara", "Leon")
_PLACES = (("de", "Europe/Berlin", "DE"), ("de", "Europe/Vienna", "AT"), ("en", "America/New_York", "US"))
WORDING = "Ja, ich möchte Neuigkeiten und Gutscheine per E-Mail erhalten. Abmelden kann ich mich jederzeit."


@dataclass(frozen=True)
class Purchase:
    """One purchase of a customer: ISO date, number of CDs, amount in US cents."""

    date: str
    quantity: int
    amount_cents: int


@dataclass(frozen=True)
class Customer:
    """A customer of the data set with all purchases, oldest first."""

    number: int
    purchases: tuple[Purchase, ...]

    @property
    def user_id(self) -> str:
        """The shop's own name for the customer."""
        return f"cdnow-{self.number:05}"

    @property
    def email(self) -> str:
        """A made-up address in a domain that can receive nothing."""
        return f"{self.user_id}@customers.example"


def customers(count: int) -> list[Customer]:
    """So many customers, spread evenly over the committed sample (2,355); always the same for the same number."""
    text = files("cli.demo").joinpath("cdnow_sample.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    everyone = [
        Customer(
            int(number),
            tuple(Purchase(row["date"], int(row["quantity"]), int(row["amount_cents"])) for row in purchases),
        )
        for number, purchases in groupby(rows, key=lambda row: row["customer"])
    ]
    stride = max(1, len(everyone) // max(1, count))
    return everyone[::stride][:count]


def calls(customer: Customer, now: datetime) -> Iterator[dict[str, Any]]:
    """The tracking calls for one customer: registration with consent, then each purchase. Message ids are stable."""
    yield _registration(customer, now)
    for number, purchase in enumerate(customer.purchases, start=1):
        yield {
            "type": "track",
            "userId": customer.user_id,
            "messageId": f"{customer.user_id}-order-{number}",
            "timestamp": now.isoformat(),
            "event": "order.placed",
            "properties": {
                "order_id": f"{customer.user_id}-{number}",
                "order_number": number,
                "product_id": f"cd-bundle-{purchase.quantity}",
                "quantity": purchase.quantity,
                "amount": purchase.amount_cents,
                "currency": "USD",
                "purchased_on": purchase.date,
            },
        }


def _registration(customer: Customer, now: datetime) -> dict[str, Any]:
    locale, time_zone, country = _PLACES[customer.number % len(_PLACES)]
    traits = {"email": customer.email, "locale": locale, "time_zone": time_zone, "country": country}
    if customer.number % 2:
        # Every other customer tells a name: the second welcome mail asks the others for it.
        traits |= {"first_name": _FIRST_NAMES[customer.number % len(_FIRST_NAMES)]}
    return {
        "type": "track",
        "userId": customer.user_id,
        "messageId": f"{customer.user_id}-registered",
        "timestamp": now.isoformat(),
        "event": "contact.registered",
        "properties": {**traits, "consent": True, "wording": WORDING},
    }
