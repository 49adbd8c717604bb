"""The event loop a long-running process works on."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

if sys.platform != "win32":
    import uvloop

Result = TypeVar("Result")


def run_on_fast_loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end on uvloop, or on asyncio's own loop where uvloop does not exist.

    A worker spends most of its time handing small things between threads; uvloop spares a fifth of its CPU
    (`docs/performance.md`).
    """
    if sys.platform == "win32":
        return asyncio.run(main)
    return uvloop.run(main)
