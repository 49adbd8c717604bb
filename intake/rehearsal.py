"""What would happen if a contact came to the door of a journey now, check by check. Nothing is stored.

The judgements are those of `intake.admission`, so the answer cannot promise something else than what happens. All are
told, not only the first that refuses. Conditions on events and scores do not see the event: it is not in the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crm.facts import load_facts
from crm.models.event import Event
from crm.models.journey import VersionState
from intake.admission import Admission, Door, Entry
from intake.reentry import EnrollmentRefusal, NotEnrolled, entry_key_of, reentry_refusal
from journeys.conditions.all_of import All
from journeys.conditions.any_of import AnyOf
from journeys.conditions.base import Facts, instant
from journeys.conditions.comparison import describe_asked, matches
from journeys.conditions.negation import Not
from journeys.conditions.outside import outside
from journeys.conditions.registry import Condition
from journeys.describe import describe_condition
from journeys.experiments import held_out
from journeys.model import PerProperty
from kit.errors import Invalid

EVENT_ID = "dry-run"
WOULD_ENTER, REFUSED, NO_ENTRY = "would_enter", "refused", "no_entry"


@dataclass(frozen=True)
class Check:
    """One judgement at the door. `depth` is that of a condition inside others; None: it cannot be judged."""

    name: str
    holds: bool | None
    because: str
    depth: int = 0


@dataclass(frozen=True)
class Visitor:
    """Who comes, with which event and properties; without an event it is an entry over the API."""

    contact_id: UUID
    event: str | None
    properties: dict[str, Any]
    entry_key: str | None = None


@dataclass(frozen=True)
class Rehearsal:
    """What would happen: `would_enter`, `refused` with the first reason, or `no_entry`: the event opens nothing."""

    version: int
    outcome: str
    reason: EnrollmentRefusal | None
    because: str
    checks: list[Check]
    holdout: bool = False
    """It would enter and be held out for comparison."""
    retry_until: datetime | None = None
    """Until when (aware) the refused entry would be judged again as the contact changes; None: it would be final."""


async def rehearse(
    session: AsyncSession, door: Door, visitor: Visitor, now: datetime, *, digest_key: SecretStr | None = None
) -> Rehearsal:
    """Ask every question of the door, in its order. `now` is aware; nothing is written.

    `digest_key` is that of the suppression list, which is not asked without it.
    """
    return await _Questions(session, door, visitor, now, digest_key).answer()


class _Questions:
    def __init__(
        self, session: AsyncSession, door: Door, visitor: Visitor, now: datetime, digest_key: SecretStr | None
    ) -> None:
        self._session = session
        self._door = door
        self._visitor = visitor
        self._now = now
        self._event = _transient(visitor, now) if visitor.event is not None else None
        entry = Entry(self._event, visitor.properties, visitor.entry_key)
        self._admission = Admission(session, door, visitor.contact_id, entry=entry, now=now, digest_key=digest_key)
        self._checks: list[Check] = []
        self._refusal: NotEnrolled | None = None

    async def answer(self) -> Rehearsal:
        opened = self._opens()
        await self._again()
        if self._door.version.state != VersionState.DRAFT:  # a draft is asked as if it were live
            self._ask("open", await self._admission.closed(), "the version takes new contacts")
        self._ask("goal_before", await self._admission.goal_met_before(), "the goal was not met before")
        await self._audience()
        if self._door.definition.exit_when is not None:
            self._ask(
                "exit", await self._admission.exit_met_before(self._visitor.entry_key or ""), "nothing to leave by"
            )
        self._ask(
            "address", await self._admission.suppressed(), "there is more to it than writing to a suppressed address"
        )
        if self._door.definition.entry.at_most is not None:
            self._ask("places", await self._admission.full(), "there is a place left")
        refusal, version = self._refusal, self._door.version
        if not opened:
            return Rehearsal(version.version, NO_ENTRY, None, "the event is not one to enter by", self._checks)
        if refusal is not None:
            return self._refused(refusal)
        percent = self._door.definition.holdout or 0
        held = held_out(self._visitor.contact_id, version.journey_key, percent=percent)
        return Rehearsal(version.version, WOULD_ENTER, None, "nothing speaks against it", self._checks, held)

    def _refused(self, refusal: NotEnrolled) -> Rehearsal:
        until, version = self._admission.retry_until(refusal), self._door.version.version
        again = f"; judged again as the contact changes, until {instant(until)}" if until is not None else ""
        because = f"{refusal.because}{again}"
        return Rehearsal(version, REFUSED, refusal.reason, because, self._checks, retry_until=until)

    def _ask(self, name: str, refusal: NotEnrolled | None, otherwise: str) -> None:
        """Note an answer; the first refusal is the one that counts."""
        self._checks.append(Check(name, refusal is None, refusal.because if refusal else otherwise))
        self._refusal = self._refusal or refusal

    def _note(self, name: str, because: str, *, holds: bool = True) -> None:
        self._checks.append(Check(name, holds, because))

    def _opens(self) -> bool:
        """Whether the event is one that contacts enter by, property by property."""
        if self._event is None:
            self._note("event", "asked for over the API, without an event")
            return True
        entry = self._door.definition.entry
        criterion = entry.criterion
        if criterion is None or self._event.name != criterion.event:
            told = f"contacts enter by {entry.trigger or 'the API only'}"
            self._note("event", f"{told}, {self._unlike(entry.trigger)}", holds=False)
            return False
        self._note("event", f"contacts enter by {criterion.event}")
        for name, asked in criterion.where.items():
            self._checks.append(self._property(name, asked))
        return all(check.holds is not False for check in self._checks)

    def _unlike(self, trigger: str | None) -> str:
        """Why the event that comes is not the one to enter by."""
        assert self._event is not None
        if self._event.name != trigger:
            return f"not by {self._event.name}"
        return "which follows by itself and is not sent; ask without an event"

    def _property(self, name: str, asked: Any) -> Check:
        words = f"{name} {describe_asked(asked)}"
        try:
            holds: bool | None = matches({name: asked}, self._visitor.properties, {})
        except Invalid as error:
            self._refusal = self._refusal or NotEnrolled(EnrollmentRefusal.UNDECIDABLE, str(error))
            return Check("event", None, f"{words}: {error}", 1)
        return Check("event", holds, words, 1)

    async def _again(self) -> None:
        again = self._door.definition.entry.again
        key = entry_key_of(again, self._visitor.properties, self._visitor.entry_key)
        if isinstance(key, NotEnrolled):
            self._ask("again", key, "")
            return
        previous = await self._admission.previous(key if isinstance(again, PerProperty) else None)
        if previous is not None and previous.ended_at is None:
            inside = NotEnrolled(EnrollmentRefusal.ALREADY_RUNNING, f"the contact is inside: enrollment {previous.id}")
            self._ask("inside", inside, "")
            return
        self._ask("inside", None, "the contact is not inside")
        refusal = reentry_refusal(again, previous, self._now) if previous is not None else None
        self._ask("again", refusal, "may enter again" if previous is not None else "was never inside")

    async def _audience(self) -> None:
        audience = self._door.definition.entry.audience
        otherwise = "the audience holds" if audience is not None else "everybody may enter"
        self._ask("audience", await self._admission.outside_audience(), otherwise)
        if audience is not None:
            facts = await load_facts(
                self._session,
                self._visitor.contact_id,
                audience.needs(),
                self._now,
                entry=self._visitor.properties,
            )
            self._checks += _conditions(outside(audience), facts, 1)


def _conditions(condition: Condition, facts: Facts, depth: int) -> Iterator[Check]:
    """A condition and those inside it, each with its own verdict."""
    words = describe_condition(condition)
    try:
        verdict = condition.judge(facts)
        yield Check("audience", verdict.holds, f"{words}: {verdict.because}", depth)
    except Invalid as error:
        yield Check("audience", None, f"{words}: {error}", depth)
    for inner in _inside(condition):
        yield from _conditions(inner, facts, depth + 1)


def _inside(condition: Condition) -> tuple[Condition, ...]:
    match condition:
        case All():
            return tuple(condition.all)
        case AnyOf():
            return tuple(condition.any)
        case Not():
            return (condition.not_,)
        case _:
            return ()


def _transient(visitor: Visitor, now: datetime) -> Event:
    """The event as if it had been accepted now; it belongs to no session."""
    return Event(
        event_id=EVENT_ID,
        contact_id=visitor.contact_id,
        name=visitor.event,
        occurred_at=now,
        properties=visitor.properties,
        source="api",
    )
