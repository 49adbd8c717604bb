"""What a test claims of a journey, and what it is told where that is not so: what there was instead, when, and why."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from cli.simulation.simulation import Simulation
from cli.simulation.timeline import indented, lines, local_time, standing
from cli.simulation.world import Happening, Mail, Moment, NoMail, Ride
from cli.testing.moments import When
from crm.models.event import Event
from crm.models.task import Task
from journeys.outcomes import JourneyState

Said = str | datetime
"""A moment as a test says it."""


class Claims:
    """The claims. Each raises an AssertionError where it is not so."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.attention_expected = False

    def assert_sent(self, template: str, *, at: Said | None = None, step: str | None = None, times: int = 0) -> Mail:
        """A mail of this template was sent.

        Args:
            template: Its key.
            at: When, in the contact's zone: `Mon 09:00`, `09:00`, `2026-06-08 09:00`; or a datetime.
            step: By which step.
            times: How often, exactly; 0: once or more.

        Returns:
            The newest of those mails, with its subject and text.
        """
        __tracebackhide__ = True
        mails = [mail for mail in self._mails(template) if self._is(mail.at, at) and step in {None, mail.step}]
        if not mails or (times and len(mails) != times):
            asked = f"{template!r} was not sent" if not mails else f"{template!r} was sent {len(mails)} times"
            self._fail(
                f"{asked}{_said(at=at, by=step)}{f', not {times} times' if mails else ''}.", self._about(template)
            )
        return mails[-1]

    def assert_not_sent(self, template: str | None = None, *, at: Said | None = None) -> None:
        """No mail of this template, or none at all, was sent (at that moment)."""
        __tracebackhide__ = True
        mails = [mail for mail in self._mails(template) if self._is(mail.at, at)]
        if mails:
            self._fail(f"{mails[0].template!r} was sent{_said(at=at)}.", [self._line(mail) for mail in mails])

    def assert_refused(self, template: str, *, reason: str | None = None, at: Said | None = None) -> NoMail:
        """A mail of this template was refused, for this reason of the closed list."""
        __tracebackhide__ = True
        found = [one for one in self._simulation.world.refused if one.template == template and self._is(one.at, at)]
        refused = [one for one in found if reason in {None, one.reason}]
        if not refused:
            as_reason = f" as {reason}" if reason else ""
            self._fail(f"{template!r} was not refused{_said(at=at)}{as_reason}.", self._about(template))
        return refused[-1]

    def assert_waiting(self, *, at: str | None = None, until: Said | None = None) -> None:
        """The contact waits (at this step, until that moment)."""
        __tracebackhide__ = True
        for ride in self._rides():
            here = ride.state is JourneyState.WAITING and ride.progress and at in {None, ride.progress.step}
            if here and (until is None or (ride.due is not None and self._is(ride.due, until))):
                return
        self._fail(f"The contact does not wait{_said(step=at, until=until)}.", [])

    def assert_entered(self, *, times: int = 1) -> None:
        """The contact has entered the journey, so often."""
        __tracebackhide__ = True
        entered = len(self._rides())
        if entered != times:
            self._fail(f"The contact has entered {entered} times, not {times} times.", [])

    def assert_not_entered(self, *, reason: str | None = None) -> None:
        """The contact was turned away at its last try (for this reason of the closed list)."""
        __tracebackhide__ = True
        tried = self._log(Happening.ENTERED, Happening.TURNED_AWAY)
        if tried and tried[-1].what is Happening.TURNED_AWAY and reason in {None, tried[-1].subject}:
            return
        if not tried and reason is None:
            return
        self._fail(f"The contact was not turned away{f' as {reason}' if reason else ''}.", [])

    def assert_ended(
        self, outcome: str = JourneyState.COMPLETED, *, reason: str | None = None, at: Said | None = None
    ) -> None:
        """The contact has left: `completed`, `goal_met` or `exited` (with this in the reason, at that moment)."""
        __tracebackhide__ = True
        ended = [ride.enrollment for ride in self._rides() if not ride.running]
        if ended:
            row = ended[-1]
            assert row.ended_at is not None
            if row.state == outcome and (reason is None or reason in row.outcome) and self._is(row.ended_at, at):
                return
        self._fail(f"The contact has not left as {outcome}{_said(at=at)}{f': {reason}' if reason else ''}.", [])

    def assert_running(self) -> None:
        """The contact is in the journey."""
        __tracebackhide__ = True
        if not any(ride.running for ride in self._rides()):
            self._fail("The contact is not in the journey.", [])

    def assert_result(self, step: str, result: str, *, at: Said | None = None) -> None:
        """A step was left with this result, such as `yes`, `timed_out` or `passed`."""
        __tracebackhide__ = True
        left = [moment for moment in self._log(Happening.STEP) if moment.subject == step]
        if not any(moment.result == result and self._is(moment.at, at) for moment in left):
            found = [f"{moment.result} on {self._when(moment.at)} ({moment.because})" for moment in left]
            self._fail(f"The step {step!r} did not end as {result!r}{_said(at=at)}.", found)

    def assert_not_reached(self, step: str) -> None:
        """The contact has neither left this step nor stands at it."""
        __tracebackhide__ = True
        stands = any(ride.progress and ride.progress.step == step for ride in self._rides())
        if stands or any(moment.subject == step for moment in self._log(Happening.STEP)):
            self._fail(f"The contact came to the step {step!r}.", [])

    def assert_needs_attention(self, *, at: str | None = None, because: str = "") -> None:
        """A step failed for good (this one, with this in its reason), and the enrollment waits for a person."""
        __tracebackhide__ = True
        self.attention_expected = True
        parked = [ride.progress for ride in self._rides() if ride.state is JourneyState.NEEDS_ATTENTION]
        if any(one and at in {None, one.step} and because in (one.attention or "") for one in parked):
            return
        self._fail(f"The contact does not need attention{_said(step=at)}{f': {because}' if because else ''}.", [])

    def assert_attribute(self, name: str, value: object) -> None:
        """An attribute of the contact has this value now; None: it has none."""
        __tracebackhide__ = True
        found = self._simulation.world.record.attributes.get(name)
        if found != value:
            self._fail(f"The attribute {name!r} is {found!r}, not {value!r}.", [])

    def assert_task(
        self, step: str, *, title: str = "", owner: str | None = None, due: Said | None = None, state: str = "open"
    ) -> Task:
        """A step has made a task that is in this state now: `open`, `done` or `cancelled`.

        Args:
            step: Which step.
            title: What its title holds.
            owner: Whose it is.
            due: When it is due, as `at` elsewhere.
            state: Where it stands.

        Returns:
            The newest of those tasks: `title`, `details`, `owner`, `kind`, `due_at`, `outcome`.
        """
        __tracebackhide__ = True
        made = [task for task in self._simulation.world.tasks if task.step == step]
        fitting = [
            task
            for task in made
            if task.state == state
            and title in task.title
            and owner in {None, task.owner}
            and self._is(task.due_at, due)
        ]
        if not fitting:
            found = [f"{one.title!r} for {one.owner}, due {self._when(one.due_at)}, {one.state}" for one in made]
            asked = "".join([f" {title!r}" if title else "", f" for {owner}" if owner else ""])
            self._fail(f"The step {step!r} has made no {state} task{asked}{_said(due=due)}.", found)
        return fitting[-1]

    def assert_no_task(self, step: str | None = None) -> None:
        """No task was made, by this step or at all."""
        __tracebackhide__ = True
        made = [task for task in self._simulation.world.tasks if step in {None, task.step}]
        if made:
            self._fail(f"The step {made[0].step!r} has made a task.", [task.title for task in made])

    def assert_stage(self, stage: str) -> None:
        """The contact is in this lifecycle stage now."""
        __tracebackhide__ = True
        found = self._simulation.world.record.stage
        if found != stage:
            self._fail(f"The contact's stage is {found}, not {stage}.", [])

    def assert_in_list(self, key: str) -> None:
        """The contact is on this list now."""
        __tracebackhide__ = True
        self._assert_list(key, member=True)

    def assert_not_in_list(self, key: str) -> None:
        """The contact is not on this list now."""
        __tracebackhide__ = True
        self._assert_list(key, member=False)

    def assert_event(
        self, name: str, *, where: Mapping[str, Any] | None = None, at: Said | None = None, times: int = 0
    ) -> Event:
        """An event of this name has happened since the start, also one that followed: `journey.completed`.

        Args:
            name: Its name.
            where: Properties it had.
            at: When it occurred.
            times: How often, exactly; 0: once or more.

        Returns:
            The newest of those events, with its `properties`.
        """
        __tracebackhide__ = True
        found = self._events(name)
        asked = dict(where or {})
        fitting = [one for one in found if self._is(one.occurred_at, at) and asked.items() <= one.properties.items()]
        if not fitting or (times and len(fitting) != times):
            counted = f"has happened {len(fitting)} times, not {times} times" if fitting else "has not happened"
            there = [f"{one.name} on {self._when(one.occurred_at)}: {one.properties}" for one in found]
            self._fail(f"{name!r} {counted}{_said(at=at)}{f' with {asked}' if asked else ''}.", there)
        return fitting[-1]

    def assert_no_event(self, name: str) -> None:
        """No event of this name has happened since the start."""
        __tracebackhide__ = True
        if found := self._events(name):
            self._fail(f"{name!r} has happened.", [f"{name} on {self._when(one.occurred_at)}" for one in found])

    def _events(self, name: str) -> list[Event]:
        simulation = self._simulation
        events = simulation.world.record.events
        return [one for one in events if one.name == name and one.occurred_at >= simulation.start]

    def timeline(self) -> str:
        """Everything that has happened, one line each, in the contact's time."""
        return "\n".join(lines(self._simulation.world))

    def _assert_list(self, key: str, *, member: bool) -> None:
        __tracebackhide__ = True
        on = sorted(self._simulation.world.record.lists)
        if (key in on) != member:
            self._fail(f"The contact is {'not ' if member else ''}on the list {key!r}.", [f"lists: {', '.join(on)}"])

    def _rides(self) -> list[Ride]:
        return list(self._simulation.world.rides.values())

    def _log(self, *what: Happening) -> list[Moment]:
        return [moment for moment in self._simulation.world.log if moment.what in what]

    def _mails(self, template: str | None) -> list[Mail]:
        return [mail for mail in self._simulation.world.mails if template in {None, mail.template}]

    def _is(self, instant: datetime, said: Said | None) -> bool:
        simulation = self._simulation
        return said is None or When.read(said).fits(instant, simulation.world.zone, late=simulation.late)

    def _when(self, instant: datetime) -> str:
        return local_time(instant, self._simulation.world.zone)

    def _line(self, mail: Mail) -> str:
        return f"{mail.template!r} on {self._when(mail.at)} by step {mail.step!r}: {mail.subject}"

    def _about(self, template: str) -> list[str]:
        """What there was instead: the mails that were sent, and why this one was refused or has to wait."""
        world = self._simulation.world
        told = [f"sent: {self._line(mail)}" for mail in world.mails] or ["no mail was sent"]
        told += [
            f"refused: {one.template!r} on {self._when(one.at)}, {one.reason}: {one.because}"
            for one in world.refused
            if one.template == template
        ]
        told += [
            f"deferred: {one.subject!r} on {self._when(one.at)}: {one.because}"
            for one in self._log(Happening.DEFERRED)
            if one.subject == template
        ]
        return told

    def _fail(self, sentence: str, found: Sequence[str]) -> NoReturn:
        __tracebackhide__ = True
        world = self._simulation.world
        now = f"Now it is {self._when(self._simulation.now)}"
        stands = "; ".join(standing(world)) or "the contact is not in the journey"
        parts = [sentence, *([indented(found)] if found else []), f"{now}: {stands}.", "What happened:"]
        raise AssertionError("\n".join([*parts, indented(lines(world)[-40:])]))


def _said(**parts: Said | None) -> str:
    words = {"at": "at", "due": "due", "by": "by step", "step": "at", "until": "until"}
    return "".join(f" {words[name]} {said}" for name, said in parts.items() if said is not None)
