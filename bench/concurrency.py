"""Calling for many, a limited number at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

AT_ONCE = 20

Given = TypeVar("Given")
Answer = TypeVar("Answer")


async def all_of(
    call: Callable[[Given], Awaitable[Answer]], given: Sequence[Given], *, at_once: int = AT_ONCE
) -> list[Answer]:
    """Call for each; the answers in order."""
    gate = asyncio.Semaphore(at_once)

    async def limited(one: Given) -> Answer:
        async with gate:
            return await call(one)

    return await asyncio.gather(*(limited(one) for one in given))
