"""`journey(…)` of the pytest plugin: a journey, a pretended contact, and what a test does with both.

    async with journey("voucher-and-review.yaml", contact={"first_name": "Ada"}) as j:
        await j.event("order.placed", {"order_number": 1})
        await j.advance(days=1)
        j.assert_sent("voucher", at="Tue 10:00")

Time moves only when the test says so. What is claimed is in `cli.testing.claims`.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar

from cli.segments import read_segments
from cli.simulation.simulation import Simulation
from cli.simulation.sources import find_journey, read_models, sound
from cli.simulation.stage import StageThread
from cli.simulation.timeline import indented, lines, local_time
from cli.simulation.world import Mail
from cli.testing.claims import Claims, Said
from cli.testing.moments import When
from journeys.documents import from_document, journey_from_document
from journeys.model import Journey
from journeys.outcomes import JourneyState
from journeys.resuming import Resuming
from journeys.simulate import PretendedContact, parse_moment
from journeys.timing import zone_or_default
from kit.settings import Settings

Result = TypeVar("Result")

START = "2026-06-01 10:00"
"""A Monday morning: no change of the clocks before late October, no holiday of all Germany before October."""
_FAR = timedelta(days=5 * 366)


class JourneyUnderTest(Claims):
    """A journey on its way, inside `async with`."""

    def __init__(self, simulation: Simulation, thread: StageThread) -> None:
        super().__init__(simulation)
        self._thread = thread

    @property
    def now(self) -> datetime:
        """The present moment, in the contact's zone."""
        return self._simulation.now.astimezone(self._simulation.world.zone)

    @property
    def mails(self) -> Sequence[Mail]:
        """The mails sent so far, oldest first."""
        return tuple(self._simulation.world.mails)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The contact's attributes now."""
        return self._simulation.world.record.attributes

    async def event(self, name: str, properties: Mapping[str, Any] | None = None, *, event_id: str = "") -> None:
        """Something happens to the contact now; all that follows from it at once has happened afterwards."""
        await self._do(self._simulation.event(name, properties or {}, event_id=event_id))

    async def enroll(self, properties: Mapping[str, Any] | None = None, *, key: str | None = None) -> None:
        """The contact enters as over the API, without an event."""
        await self._do(self._simulation.enroll(properties or {}, key=key))

    async def advance(
        self, *, weeks: float = 0, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> None:
        """Let exact time pass; a day is 24 hours. A wait begun that long ago is over afterwards."""
        duration = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        await self._do(self._simulation.advance(duration))

    async def advance_to(self, moment: Said) -> None:
        """Let time pass until the next such moment in the contact's zone: `Mon 09:00`, `2026-06-08 09:00`.

        Raises:
            ValueError: it has passed, or is none.
        """
        when = When.read(moment).after(self._simulation.now, self._simulation.world.zone)
        await self._do(self._simulation.advance_to(when))

    async def finish(self) -> None:
        """Let time pass until nothing is left to happen by itself, five years at most."""
        await self._do(self._simulation.finish(until=self._simulation.now + _FAR))

    async def pause(self) -> None:
        """Freeze the journey, as ops would."""
        await self._do(self._simulation.command("pause"))

    async def resume(self, timers: Literal["catch_up", "shift", "drop_if_late"] = "catch_up") -> None:
        """Let a paused journey go on; `timers` says what becomes of the time that has passed meanwhile."""
        await self._do(self._simulation.resume(Resuming(timers)))

    async def skip(self) -> None:
        """Leave the current step undone."""
        await self._do(self._simulation.command("skip"))

    async def retry(self) -> None:
        """Take up the step that needs attention again."""
        await self._do(self._simulation.command("retry"))

    async def approve(self) -> None:
        """Answer the approval that is waited for with yes."""
        await self._do(self._simulation.decide("approved"))

    async def reject(self) -> None:
        """Answer the approval that is waited for with no."""
        await self._do(self._simulation.decide("rejected"))

    async def complete_task(self, step: str, outcome: str = "") -> None:
        """Somebody does the newest open task of this step, with this outcome."""
        await self._do(self._simulation.complete_task(step, outcome))

    async def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return await asyncio.wrap_future(self._thread.submit(work))


class OpeningJourney:
    """What `journey(…)` returns: an asynchronous context manager that gives a `JourneyUnderTest`."""

    def __init__(self, simulation: Simulation, thread: StageThread) -> None:
        self._simulation = simulation
        self._thread = thread
        self._journey = JourneyUnderTest(simulation, thread)

    async def __aenter__(self) -> JourneyUnderTest:
        return self._journey

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        await asyncio.wrap_future(self._thread.submit(self._simulation.close()))
        world = self._simulation.world
        if error is not None:
            # Failed claims of ours tell the timeline themselves.
            if "What happened:" not in str(error):
                error.add_note("What happened in the journey:\n" + indented(lines(world)))
            return
        if not self._journey.attention_expected:
            for ride in world.rides.values():
                if ride.running and ride.state is JourneyState.NEEDS_ATTENTION and ride.progress:
                    when = local_time(ride.progress.since, world.zone)
                    sentence = f"The journey needs attention at {ride.progress.step!r} since {when}"
                    raise AssertionError(
                        f"{sentence}: {ride.progress.attention}\n"
                        "Where a test expects that, it says so with assert_needs_attention.\n"
                        f"What happened:\n{indented(lines(world))}"
                    )


class OpenJourney(Protocol):
    """The fixture `journey`, for annotations."""

    def __call__(
        self,
        source: str | Path | Mapping[str, Any] | Journey,
        *,
        contact: Mapping[str, Any] | PretendedContact | None = None,
        start: str | datetime = START,
        templates: Sequence[Path] = (),
        models: Sequence[Path] = (),
        segments: Sequence[Path | Mapping[str, Any]] = (),
    ) -> OpeningJourney:
        """Open a journey for a test.

        Args:
            source: A file, looked for beside the test and in the root directory; the key of a shipped journey; a
                journey or its document.
            contact: Attributes, and `consents`, `lists`, `segments`, `history`, `suppressed` (`journeys.simulate`).
            start: When it begins, in the contact's zone.
            templates: Folders of templates, beside those that ship and `dauerlauf_templates` of the pytest settings.
            models: Files of points models, beside those that ship and `dauerlauf_models`.
            segments: Files or documents of the segments that the contact is judged by.

        Raises:
            NotFound: there is no such journey.
            Invalid: journey, contact, templates, models or segments have mistakes, each with its place.
        """


def open_journey(
    thread: StageThread,
    source: str | Path | Mapping[str, Any] | Journey,
    *,
    contact: Mapping[str, Any] | PretendedContact | None = None,
    start: str | datetime = START,
    templates: Sequence[Path] = (),
    models: Sequence[Path] = (),
    segments: Sequence[Path | Mapping[str, Any]] = (),
    folders: Sequence[Path] = (),
) -> OpeningJourney:
    """Prepare a journey for a test. Arguments are those of `OpenJourney`, and the folders files are looked for in.

    Raises:
        NotFound: there is no such journey.
        Invalid: journey, contact, templates, models or segments have mistakes, each with its place.
    """
    assert thread.stage is not None
    journey = _journey(source, folders)
    pretended = contact if isinstance(contact, PretendedContact) else _contact(contact or {})
    moment: datetime = parse_moment(start)
    if moment.tzinfo is None:
        zone, _ = zone_or_default(
            pretended.attributes.get("time_zone"), Settings().in_zone(journey.time_zone).default_time_zone
        )
        moment = moment.replace(tzinfo=zone)
    simulation = Simulation.prepare(
        thread.stage,
        journey,
        pretended,
        start=moment,
        templates=templates,
        models=read_models(models),
        segments=read_segments(segments),
    )
    return OpeningJourney(simulation, thread)


def _journey(source: str | Path | Mapping[str, Any] | Journey, folders: Sequence[Path]) -> Journey:
    if isinstance(source, Journey):
        return sound(source)
    if isinstance(source, Mapping):
        return sound(journey_from_document(dict(source)))
    return find_journey(source, folders=folders)


def _contact(document: Mapping[str, Any]) -> PretendedContact:
    return from_document(PretendedContact, dict(document), name="pretended contact")
