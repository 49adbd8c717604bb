"""A crowd of customers whose events are posted whatever happens. What came of them is read in `tests.support.books`.

What each person does follows from a number, and so does what must come of it. Posting is what a careful client does:
what was not acknowledged is sent again under the same message id.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

import httpx

from cli.demo.purchases import WORDING
from journeys.outcomes import JourneyState
from tests.support.stack import LiveStack

_RETRY_SECONDS = 0.05
_POSTERS = 6
_ORDERS_OF_LOYAL_PEOPLE = 6  # 60 points, which is the threshold


@dataclass(frozen=True)
class Person:
    """One customer of a crowd: everything that can be told apart is told by the number."""

    crowd: str
    number: int

    @property
    def user_id(self) -> str:
        """The shop's own id of this person."""
        return f"{self.crowd}-{self.number}"

    @property
    def email(self) -> str:
        """An address in a domain that can receive nothing."""
        return f"{self.user_id}@customers.example"

    @property
    def is_loyal(self) -> bool:
        """Whether the last order crosses the threshold that starts `loyal-customer`."""
        return self.number % 10 == 0

    @property
    def refunds(self) -> bool:
        """Whether the first order goes back, which ends `voucher-and-review`."""
        return self.number % 5 == 1

    @property
    def orders(self) -> Sequence[dict[str, Any]]:
        """The properties of each order, in their order."""
        count = _ORDERS_OF_LOYAL_PEOPLE if self.is_loyal else 1 + self.number % 3
        large, many = not self.is_loyal and self.number % 3 == 0, not self.is_loyal and self.number % 4 == 1
        return [
            {
                "order_id": f"{self.user_id}-{order}",
                "order_number": order,
                "product_id": f"record-{order}",
                "amount": 6_000 if large else 1_500,
                "currency": "USD",
                "quantity": 6 if many else 1,
            }
            for order in range(1, count + 1)
        ]

    @property
    def points(self) -> int:
        """What the shipped points model must make of it."""
        given: int = sum(10 + 5 * (order["amount"] >= 5_000) + 5 * (order["quantity"] >= 5) for order in self.orders)
        return given - 10 * self.refunds

    @property
    def journeys(self) -> dict[str, str]:
        """Each journey this person must be in exactly once, and the state in which it comes to rest."""
        voucher = JourneyState.EXITED if self.refunds else JourneyState.WAITING
        loyal = {"loyal-customer": JourneyState.WAITING} if self.is_loyal else {}
        return {"welcome": JourneyState.WAITING, "voucher-and-review": voucher, **loyal}

    @cached_property
    def calls(self) -> Sequence[dict[str, Any]]:
        """The calls to `/v1/track`, in their order."""
        registration = {"email": self.email, "first_name": "Ada", "locale": "de", "consent": True, "wording": WORDING}
        told = [("contact.registered", registration), *(("order.placed", order) for order in self.orders)]
        if self.refunds:
            told.append(("order.refunded", {"order_id": self.orders[0]["order_id"]}))
        at = datetime.now(UTC).isoformat()
        return [
            {
                "userId": self.user_id,
                "messageId": f"{self.user_id}-{place}",
                "timestamp": at,
                "event": event,
                "properties": properties,
            }
            for place, (event, properties) in enumerate(told)
        ]


@dataclass
class Crowd:
    """So many people, and what posting their calls has met so far."""

    live: LiveStack
    size: int
    name: str = field(default_factory=lambda: f"crowd-{uuid4().hex[:8]}")
    answers: Counter[str] = field(default_factory=Counter)
    _acknowledged: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @cached_property
    def people(self) -> Sequence[Person]:
        """Everybody."""
        return [Person(self.name, number) for number in range(self.size)]

    @property
    def message_ids(self) -> Sequence[str]:
        """The ids of all calls."""
        return [call["messageId"] for person in self.people for call in person.calls]

    async def post(self) -> None:
        """Post everybody's calls, several people at a time, each one's in order, until all are acknowledged."""
        waiting = list(reversed(self.people))

        async def post_some() -> None:
            while waiting:
                for call in waiting.pop().calls:
                    await self._post(call)

        await asyncio.gather(*(post_some() for _ in range(_POSTERS)))

    async def has_posted(self, share: float) -> None:
        """Returns once this share of all calls was acknowledged."""
        async with self._news:
            await self._news.wait_for(lambda: self._acknowledged >= share * len(self.message_ids))

    async def _post(self, call: dict[str, Any]) -> None:
        while not await self._is_acknowledged(call):  # noqa: ASYNC110 -- as a client does
            await asyncio.sleep(_RETRY_SECONDS)
        async with self._news:
            self._acknowledged += 1
            self._news.notify_all()

    async def _is_acknowledged(self, call: dict[str, Any]) -> bool:
        try:
            answer = await self.live.api.post("/v1/track", json=call)
        except httpx.TransportError:
            self.answers["none"] += 1
            return False
        self.answers[str(answer.status_code)] += 1
        if answer.status_code != httpx.codes.OK:
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "/problems/unavailable"
        return answer.is_success
