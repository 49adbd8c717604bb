"""The record of a pretended contact: what the tables of the CRM would hold of it, in memory, under the same rules."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.consent import ConsentState
from crm.contacts import changes_of
from crm.events import DERIVED
from crm.facts import attributes_of
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.score_sheets import SCORE_CROSSED, event_fact
from journeys.conditions.base import EventFact, Facts, Needs, earliest
from journeys.proofs.withdrawal import ConsentKey
from journeys.scoring import PointsModel, Score, crossed, fold, reached
from journeys.segments import Segment
from journeys.simulate import PretendedContact
from journeys.stages import Stage
from journeys.traits import TraitReport, sort_traits
from kit.errors import Invalid, NotFound


@dataclass(frozen=True)
class _Declaration:
    consent: ConsentKey
    state: ConsentState
    occurred_at: datetime
    number: int


@dataclass
class Record:
    """One contact: attributes, lists, consents, events and points. Instants are aware."""

    contact: Contact
    models: tuple[PointsModel, ...]
    suppressed: bool = False
    held_out: bool = False
    in_control_group: bool = False
    lists: set[str] = field(default_factory=set)
    segments: tuple[Segment, ...] = ()
    """Those that are judged, the ones that others ask for first."""
    members: set[str] = field(default_factory=set)
    """Keys of the segments the contact is in."""
    reached: dict[str, frozenset[str]] = field(default_factory=dict)
    """By points model, the thresholds its score has risen to and not fallen back from."""
    events: list[Event] = field(default_factory=list)
    _declarations: list[_Declaration] = field(default_factory=list)
    _scored: list[Event] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        pretended: PretendedContact,
        models: Iterable[PointsModel],
        *,
        segments: Iterable[Segment] = (),
        start: datetime,
    ) -> "Record":
        """The record as it is when the simulation begins.

        Raises:
            Invalid: an attribute has a value that no contact could have.
        """
        record = cls(
            Contact(id=pretended.id, stage=pretended.stage.value, attributes={}),
            tuple(models),
            suppressed=pretended.suppressed,
            held_out=pretended.holdout,
            in_control_group=pretended.control_group,
        )
        report = record.apply_traits(pretended.attributes)
        if report.rejected:
            raise Invalid("The pretended contact has attributes that cannot be used.", problems=report.rejected)
        record.lists |= set(pretended.lists)
        record.members |= set(pretended.segments)
        record.segments = tuple(one for one in segments if one.key not in pretended.segments)
        for consent in pretended.consents:
            record.declare((consent.purpose.value, consent.channel.value), ConsentState.GRANTED, at=start)
        for past in sorted(pretended.history, key=lambda past: past.ago, reverse=True):
            record.score(record.keep(past.event, past.properties, at=start - past.ago))
        record.judge_segments(start)
        return record

    @property
    def id(self) -> UUID:
        """The contact's id."""
        return self.contact.id

    @property
    def stage(self) -> Stage:
        """The contact's lifecycle stage."""
        return Stage(self.contact.stage)

    @property
    def attributes(self) -> dict[str, Any]:
        """What is known of the contact by attribute name."""
        return attributes_of(self.contact)

    def keep(
        self, name: str, properties: Mapping[str, Any], *, at: datetime, event_id: str = "", source: str = "api"
    ) -> Event:
        """Append an event to the contact's log."""
        number = len(self.events) + 1
        event = Event(
            sequence=number,
            event_id=event_id or f"event-{number}",
            contact_id=self.id,
            name=name,
            properties=dict(properties),
            occurred_at=at,
            received_at=at,
            source=source,
        )
        self.events.append(event)
        return event

    def knows(self, event_id: str) -> bool:
        """Whether there is an event of this id."""
        return any(event.event_id == event_id for event in self.events)

    def apply_traits(self, traits: Mapping[str, Any]) -> TraitReport:
        """Write the usable traits and report the others."""
        sorted_traits = sort_traits(traits)
        values, changed = changes_of(self.contact, sorted_traits)
        for name, value in values.items():
            setattr(self.contact, name, value)
        return TraitReport(changed, sorted_traits.rejected)

    def declare(self, consent: ConsentKey, state: ConsentState, *, at: datetime) -> None:
        """Append a declaration of consent."""
        self._declarations.append(_Declaration(consent, state, at, len(self._declarations)))

    def consents(self) -> frozenset[ConsentKey]:
        """Those for which the newest declaration, by occurrence, is a grant."""
        newest = {one.consent: one for one in sorted(self._declarations, key=lambda one: (one.occurred_at, one.number))}
        return frozenset(consent for consent, one in newest.items() if one.state is ConsentState.GRANTED)

    def change_list(self, key: str, *, member: bool) -> bool:
        """Make the contact a member, or no longer; whether that changed anything."""
        changed = (key in self.lists) != member
        (self.lists.add if member else self.lists.discard)(key)
        return changed

    def judge_segments(self, now: datetime) -> list[tuple[Segment, bool]]:
        """Judge every segment, and return those whose membership changes by it; of whom nobody can tell is outside."""
        changes = []
        for segment in self.segments:
            try:
                holds = segment.condition.judge(self.facts(segment.condition.needs(), now)).holds
            except Invalid:
                holds = False
            if holds != (segment.key in self.members):
                (self.members.add if holds else self.members.discard)(segment.key)
                changes.append((segment, holds))
        return changes

    def segments_change_at(self, now: datetime) -> datetime | None:
        """When time alone may change a membership; None where it cannot."""
        moments = []
        for segment in self.segments:
            with suppress(Invalid):
                moments.append(segment.condition.changes_at(self.facts(segment.condition.needs(), now)))
        return earliest(moments)

    def points(self, model: str) -> Score:
        """The contact's points.

        Raises:
            NotFound: there is no such model.
        """
        found = next((known for known in self.models if known.key == model), None)
        if found is None:
            raise NotFound(f"No points model {model} is live.", remedy="Publish it, or name one that is live.")
        return fold(found, self._facts_of(self._scored, found.events))

    def _rise(self, model: PointsModel, before: int, after: int) -> tuple[str, ...]:
        had = self.reached.get(model.key, frozenset())
        self.reached[model.key] = reached(after, model.thresholds, reached(before, model.thresholds, had))
        return crossed(before, after, model.thresholds, had)

    def score(self, event: Event) -> list[Event]:
        """Count an event under every model; the events of thresholds it made the contact rise to, kept already."""
        risen = []
        for model in self.models:
            if event.name in model.events:
                before = self.points(model.key).points
                after = fold(model, self._facts_of([*self._scored, event], model.events)).points
                risen += [(model.key, key, after) for key in self._rise(model, before, after)]
        self._scored.append(event)
        return [
            self.keep(
                SCORE_CROSSED,
                {"model": model, "threshold": threshold, "points": points},
                at=event.occurred_at,
                event_id=f"{SCORE_CROSSED}:{model}:{threshold}:{event.event_id}",
                source=DERIVED,
            )
            for model, threshold, points in risen
        ]

    def facts(
        self,
        needs: Needs,
        now: datetime,
        *,
        enrollment: Enrollment | None = None,
        entry: Mapping[str, Any] | None = None,
        results: Mapping[str, str] | None = None,
        step_since: datetime | None = None,
        steps: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Facts:
        """The facts as of `now`, as `crm.facts.load_facts` reads them from the tables."""
        known = [event for event in self.events if event.occurred_at <= now]
        return Facts(
            now=now,
            attributes=self.attributes,
            events=tuple(self._facts_of(known, needs.events)),
            lists=frozenset(self.lists),
            segments=frozenset(self.members),
            consents=self.consents(),
            scores={model.key: self.points(model.key).points for model in self.models},
            stage=self.stage,
            entry=(enrollment.entry_properties if enrollment is not None else entry) or {},
            results=results or {},
            enrollment=str(enrollment.id) if enrollment is not None else "",
            steps=steps or {},
            entry_event_id=(enrollment.entry_event_id or "") if enrollment is not None else "",
            entry_sequence=enrollment.entry_sequence if enrollment is not None else 0,
            entered_at=enrollment.entered_at if enrollment is not None else None,
            step_since=step_since,
        )

    def _facts_of(self, events: Iterable[Event], names: Collection[str]) -> list[EventFact]:
        return [event_fact(event) for event in events if event.name in names]
