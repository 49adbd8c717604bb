"""A whole stack of real servers and processes, as a shop, ops and somebody with a mailbox meet it.

`live_stack` starts one on free ports in a directory of its own. `Customer` is one contact of it: what the contact does
goes through the HTTP API, and what came of it is read there and in the inbox.
"""

import asyncio
import itertools
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from cli.demo.purchases import WORDING
from cli.seed import ensure_key
from cli.stack.record import StackRecord
from cli.stack.supervisor import RestartPolicy, Stack, StackOptions
from kit.database import Sessions, create_engine, create_sessions
from kit.settings import Settings
from tests.support.processes import until

Found = TypeVar("Found")

PATIENCE_SECONDS = 60.0
"""Until something that was to happen counts as not happening: machines that run tests are slow at times."""
_LOOK_EVERY_SECONDS = 0.05
_TRAITS: Mapping[str, Any] = {"first_name": "Ada", "locale": "de", "time_zone": "Europe/Berlin", "country": "DE"}


async def found(
    look: Callable[[], Awaitable[Found | None]], *, what: Callable[[], str], within: float = PATIENCE_SECONDS
) -> Found:
    """The first answer that is not None, of something other processes are to bring about.

    Raises:
        AssertionError: none comes in time; says `what` was looked for.
    """
    loop = asyncio.get_running_loop()
    give_up = loop.time() + within
    while (answer := await look()) is None:
        assert loop.time() < give_up, f"within {within:.0f} seconds not seen: {what()}"
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    return answer


@dataclass(frozen=True)
class LiveStack:
    """A running stack and the ways to it. `said` are all texts and numbers that customers' events carried."""

    directory: Path
    api: httpx.AsyncClient
    inbox: httpx.AsyncClient
    sessions: Sessions
    temporal: Client
    said: set[str] = field(default_factory=set)

    def pid_of(self, name: str) -> int:
        """The process id of a part by its name in `stack.json`; 0 while it does not run."""
        processes = StackRecord.read(self.directory).processes
        return next((each.pid for each in processes if each.name == name and each.process() is not None), 0)

    async def kill(self, name: str) -> None:
        """SIGKILL one part as soon as it runs. The supervisor starts it again."""
        await self.signal(name, signal.SIGKILL)

    async def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to one part as soon as it runs."""
        await until(lambda: self.pid_of(name) != 0)
        os.kill(self.pid_of(name), number)

    async def mails_to(self, address: str) -> list[dict[str, Any]]:
        """All mails in the inbox that were sent to this address, newest first."""
        answer = await self.inbox.get("/api/mails", params={"recipient": address, "limit": 500})
        mails: list[dict[str, Any]] = answer.raise_for_status().json()["mails"]
        return mails

    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """A document of the API, which must be there."""
        answer = await self.api.get(path, params=parameters)
        document: dict[str, Any] = answer.raise_for_status().json()
        return document


@asynccontextmanager
async def live_stack(
    directory: Path | None = None, *, temporal_in_memory: bool, policy: RestartPolicy | None = None
) -> AsyncIterator[LiveStack]:
    """The stack that `dauerlauf up` starts, with a key for its API; in a directory of its own unless one is given.

    That is not below pytest's own directory: every further pytest of this machine closes that to root's PostgreSQL.
    """
    async with AsyncExitStack() as exits:
        if directory is None:
            made = tempfile.TemporaryDirectory(prefix="dauerlauf-e2e-", ignore_cleanup_errors=True)
            directory = Path(exits.enter_context(made))
        yield await _started(directory, exits, temporal_in_memory=temporal_in_memory, policy=policy)


async def _started(
    directory: Path, exits: AsyncExitStack, *, temporal_in_memory: bool, policy: RestartPolicy | None
) -> LiveStack:
    options = StackOptions.on_free_ports(directory, temporal_in_memory=temporal_in_memory)
    stack = await exits.enter_async_context(Stack(options, policy=policy))
    places = stack.addresses
    engine = create_engine(Settings(database_url=places.database_url))
    exits.push_async_callback(engine.dispose)
    sessions = create_sessions(engine)
    key = await ensure_key(sessions, directory)
    # No connection outlives its request: one that a killed server held would make the next request fail.
    alone = httpx.Limits(max_keepalive_connections=0)
    api = httpx.AsyncClient(base_url=places.api, auth=(key, ""), trust_env=False, timeout=30, limits=alone)
    inbox = httpx.AsyncClient(base_url=places.inbox, trust_env=False, timeout=30, limits=alone)
    return LiveStack(
        directory=directory,
        api=await exits.enter_async_context(api),
        inbox=await exits.enter_async_context(inbox),
        sessions=sessions,
        temporal=await Client.connect(places.temporal, data_converter=pydantic_data_converter),
    )


@dataclass
class Customer:
    """A contact of the shop, unknown to the stack until the first event."""

    live: LiveStack
    user_id: str = field(default_factory=lambda: f"customer-{uuid4().hex[:12]}")
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def email(self) -> str:
        """An address in a domain that can receive nothing."""
        return f"{self.user_id}@customers.example"

    async def does(
        self, event: str, properties: Mapping[str, Any] | None = None, *, message_id: str = "", at: str = ""
    ) -> str:
        """Post an event, which must be accepted; returns its id."""
        given = dict(properties or {})
        call = {
            "userId": self.user_id,
            "messageId": message_id or f"{uuid4()}",
            "timestamp": at or datetime.now(UTC).isoformat(),
            "event": event,
            "properties": given,
        }
        answer = await self.live.api.post("/v1/track", json=call)
        assert answer.status_code == 200, answer.text
        self.live.said.update({self.user_id, *(str(value) for value in given.values())})
        return str(call["messageId"])

    async def registers(self, *, message_id: str = "", **traits: Any) -> str:
        """Register with consent to marketing mail; German unless `traits` say otherwise."""
        properties = {"email": self.email, **_TRAITS, **traits, "consent": True, "wording": WORDING}
        return await self.does("contact.registered", properties, message_id=message_id)

    async def orders(self, **properties: Any) -> dict[str, Any]:
        """Place the next order; returns its properties."""
        number = next(self._numbers)
        order = {
            "order_id": f"order-{self.user_id}-{number}",
            "order_number": number,
            "product_id": f"record-{self.user_id}-{number}",
            "amount": 1_999,
            "currency": "EUR",
            "quantity": 1,
            **properties,
        }
        await self.does("order.placed", order)
        return order

    async def contact_id(self) -> str:
        """The stack's own id of the contact."""
        page = await self.live.get("/v1/contacts", user_id=self.user_id)
        return str(page["items"][0]["id"])

    async def enrollments(self, journey: str) -> list[dict[str, Any]]:
        """All enrollments in one journey, as the API lists them."""
        page = await self.live.get("/v1/enrollments", journey=journey, contact_id=await self.contact_id())
        items: list[dict[str, Any]] = page["items"]
        return items

    async def standing(self, journey: str, state: str) -> dict[str, Any]:
        """The only enrollment in one journey, as soon as it is in this state."""

        enrollments: list[dict[str, Any]] = []

        async def look() -> dict[str, Any] | None:
            enrollments[:] = await self.enrollments(journey)
            assert len(enrollments) <= 1, enrollments
            return next((each for each in enrollments if each["state"] == state), None)

        return await found(look, what=lambda: f"{self.user_id} {state} in {journey}, but {enrollments}")

    async def points(self, points: int) -> dict[str, Any]:
        """The score for purchases, as soon as it is this many points."""

        async def look() -> dict[str, Any] | None:
            scores = await self.live.get(f"/v1/contacts/{await self.contact_id()}/score")
            return next((each for each in scores["items"] if each["points"] == points), None)

        return await found(look, what=lambda: f"{self.user_id} with {points} points")
