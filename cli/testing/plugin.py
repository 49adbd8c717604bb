"""The pytest plugin for those who write journeys; pytest finds it by its entry point `dauerlauf`.

Fixture `journey`: see `cli.testing.journey`. The server it needs is started by the first test that asks for it and
serves all tests of the process; with xdist each process has its own.
"""

import asyncio
import inspect
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cli.simulation.stage import StageThread
    from cli.testing.journey import OpeningJourney, OpenJourney

_FIXTURE = "journey"
_opened = False


def pytest_addoption(parser: pytest.Parser) -> None:
    """Settings of the plugin."""
    parser.addini("dauerlauf_templates", "Folders of mail templates, beside those that ship.", type="paths", default=[])
    parser.addini("dauerlauf_models", "Files of points models, beside those that ship.", type="paths", default=[])


@pytest.fixture(scope="session")
def dauerlauf_stage() -> "Iterator[StageThread]":
    """Server and worker for all tests of this process."""
    from cli.simulation.stage import StageThread  # noqa: PLC0415 -- heavy, and most test runs need none of it

    global _opened  # noqa: PLW0603 -- for the end of the process
    thread = StageThread()
    thread.start()
    _opened = True
    yield thread
    thread.stop()


@pytest.fixture
def journey(dauerlauf_stage: "StageThread", request: pytest.FixtureRequest) -> "OpenJourney":
    """What opens a journey in a test: see `cli.testing.journey.OpenJourney`.

    The arguments of what it returns:
        source: A file, looked for beside the test and in the root directory; the key of a shipped journey; a mapping.
        contact: Attributes, and `consents`, `lists`, `history`, `suppressed`; see docs/journeys/testing.md.
        start: When it begins, in the contact's zone; a Monday at 10:00 unless told.
        templates: Folders of templates, beside `dauerlauf_templates` of the pytest settings.
        models: Files of points models, beside `dauerlauf_models`.
    """
    from cli.testing.journey import open_journey  # noqa: PLC0415 -- heavy, and most test runs need none of it

    config = request.config
    folders = (request.path.parent, config.rootpath)
    templates: list[Path] = config.getini("dauerlauf_templates")
    models: list[Path] = config.getini("dauerlauf_models")
    opening = partial(open_journey, dauerlauf_stage, folders=folders)

    def opened(source: Any, **given: Any) -> "OpeningJourney":
        given["templates"] = (*templates, *given.get("templates", ()))
        given["models"] = (*models, *given.get("models", ()))
        return opening(source, **given)

    return opened


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests that use the fixture, where no other plugin has taken charge of them."""
    function = pyfuncitem.obj
    if _FIXTURE not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(function) or _marked(pyfuncitem):
        return None
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 -- what pytest's own implementation asks
    asyncio.run(function(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


def _marked(item: pytest.Function) -> bool:
    return any(item.get_closest_marker(name) is not None for name in ("asyncio", "anyio", "trio"))


def pytest_unconfigure() -> None:
    """The Temporal SDK's native threads may abort a process that leaves right after its last call."""
    if _opened:
        time.sleep(0.5)
