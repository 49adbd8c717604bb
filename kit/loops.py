"""The event loop a long-running process works on, and how often it looks for garbage."""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

if sys.platform != "win32":
    import uvloop

Result = TypeVar("Result")

_NEW_OBJECTS = 20_000
"""So many more objects than were freed have Python look for garbage in circles; its own default is 700."""
_ROUNDS = 20


def run_on_fast_loop(main: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end on uvloop, or on asyncio's own loop where uvloop does not exist.

    A worker spends most of its time handing small things between threads; uvloop spares a fifth of its CPU
    (`docs/performance.md`). What has been imported until now is never garbage and not looked through again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _ROUNDS, _ROUNDS)
    if sys.platform == "win32":
        return asyncio.run(main)
    return uvloop.run(main)
