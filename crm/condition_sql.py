"""Conditions as SQL: the same tree that is judged in memory for one contact, asked of a set in one statement.

A kind is one function here and one line in `_KINDS`. Each brings what it looks at as one row per contact, joined to
`contacts`, so that a set of any size is read once. An undecidable part anywhere makes the whole undecidable, as
`judge` raises wherever it stands; whoever asks for a set leaves those contacts out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    DateTime,
    FromClause,
    Interval,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import InstrumentedAttribute, aliased

from crm.comparison_sql import compared, compared_all
from crm.consent import NEWEST_FIRST, ConsentState
from crm.facts import MOST_EVENTS
from crm.models.consent import Consent
from crm.models.contact import Contact
from crm.models.contact_list import ListMember
from crm.models.event import Event
from crm.models.score import Score
from crm.models.segment import SegmentMember
from journeys.conditions.event import TICK, EventPattern
from journeys.conditions.registry import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    ConsentCondition,
    EventCondition,
    ListCondition,
    NoneCondition,
    Not,
    ScoreCondition,
    SegmentCondition,
    StageCondition,
    condition_kind,
)
from journeys.segments import demand_askable
from journeys.stages import Stage
from journeys.traits import FIELDS


@dataclass(frozen=True)
class Asked:
    """A condition asked of a set at one instant, as parts of a statement. Nothing of it is NULL but `due_at`."""

    source: FromClause
    """`contacts`, and what is known of each beside it."""
    holds: ColumnElement[bool]
    undecidable: ColumnElement[bool]
    """Where `judge` would raise; what `holds` says there means nothing."""
    due_at: ColumnElement[datetime]
    """When time alone may change what it says, or a tick (a millisecond) before; NULL where it cannot."""
    among: ColumnElement[bool]
    """Whether a contact is one of those asked about."""

    @property
    def is_member(self) -> ColumnElement[bool]:
        """Whether it holds for sure."""
        return and_(self.holds, not_(self.undecidable))

    def members(self) -> Select[tuple[UUID]]:
        """The contacts it holds for."""
        return select(Contact.id).select_from(self.source).where(self.among, self.is_member)


def asked(condition: Condition, now: datetime, *, among: Sequence[UUID] | None = None) -> Asked:
    """The condition asked of all contacts, or of those `among`, at `now` (aware).

    Both are parameters of the statement, `now` and `contact_ids`: once made, it can be asked again with others.

    It says of each contact what `judge` says on the facts that `crm.facts.load_facts` reads at the same instant.

    Raises:
        kit.errors.Invalid: it asks for what only an enrollment has: `entry`, `result`, `step`, `$entry`, `$step`.
    """
    demand_askable(condition)
    at = bindparam("now", now, type_=DateTime(timezone=True))
    contact_ids = bindparam("contact_ids", list(among), type_=ARRAY(Uuid)) if among is not None else None
    making = _Making(at, contact_ids, sorted(condition.needs().events))
    holds = _ask(condition, making)
    return Asked(
        source=making.source,
        holds=holds,
        undecidable=or_(false(), *making.undecidable),
        due_at=func.least(*making.moments, type_=making.moments[0].type) if making.moments else literal(None),
        among=making.concerns(Contact.id),
    )


@dataclass
class _Making:
    """A statement in the making: what was joined so far, and what the parts leave to the whole."""

    now: BindParameter[datetime]
    contact_ids: BindParameter[Any] | None
    names: Sequence[str]
    source: FromClause = field(default_factory=lambda: Contact.__table__)
    undecidable: list[ColumnElement[bool]] = field(default_factory=list)
    moments: list[ColumnElement[datetime]] = field(default_factory=list)
    _machines: CTE | None = None

    def concerns(self, column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
        """Whether a row is of a contact that is asked about."""
        if self.contact_ids is None:
            return true()
        return column == any_(self.contact_ids)

    @property
    def is_named(self) -> Any:
        """The names of the events that are asked for."""
        return any_(literal(list(self.names), ARRAY(Text)))

    def join(self, facts: Any, on: ColumnElement[bool]) -> None:
        """Have what is known of a contact beside it: one row at most."""
        self.source = self.source.outerjoin(facts, on)

    def machines(self) -> CTE:
        """The contacts with more events than a condition looks at, each with the oldest that counts."""
        if self._machines is None:
            self._machines = _machines(self)
        return self._machines


def _machines(making: _Making) -> CTE:
    heard = and_(Event.name == making.is_named, Event.occurred_at <= making.now, making.concerns(Event.contact_id))
    many = select(Event.contact_id).where(heard).group_by(Event.contact_id).having(func.count() > MOST_EVENTS)
    machine = many.subquery()
    other = aliased(Event)
    oldest = (
        select(other.occurred_at, other.sequence)
        .where(other.contact_id == machine.c.contact_id, other.name == making.is_named, other.occurred_at <= making.now)
        .order_by(other.occurred_at.desc(), other.sequence.desc())
        .offset(MOST_EVENTS - 1)
        .limit(1)
        .lateral()
    )
    return select(machine.c.contact_id, oldest.c.occurred_at, oldest.c.sequence).join(oldest, true()).cte("machines")


def _ask(condition: Condition, making: _Making) -> ColumnElement[bool]:
    kind = condition_kind(condition)
    assert kind is not None  # every condition has one
    return _KINDS[kind](condition, making)


def _all(condition: All, making: _Making) -> ColumnElement[bool]:
    return and_(true(), *(_ask(one, making) for one in condition.all))


def _any(condition: AnyOf, making: _Making) -> ColumnElement[bool]:
    return or_(false(), *(_ask(one, making) for one in condition.any))


def _not(condition: Not, making: _Making) -> ColumnElement[bool]:
    return not_(_ask(condition.not_, making))


def _attribute(condition: AttributeCondition, making: _Making) -> ColumnElement[bool]:
    root, document = condition.attribute.partition(".")[0], Contact.attributes.expression
    if root in FIELDS:
        typed = func.jsonb_strip_nulls(func.jsonb_build_object(root, getattr(Contact, root)))
        document = document.op("||", return_type=JSONB())(typed)
    found = compared(document, condition.attribute, condition.is_)
    making.undecidable.append(found.undecidable)
    return found.holds


def _event(condition: EventCondition, making: _Making) -> ColumnElement[bool]:
    times = _times(condition, making)
    most = true() if condition.at_most is None else times <= condition.at_most
    return and_(times >= condition.at_least, most)


def _none(condition: NoneCondition, making: _Making) -> ColumnElement[bool]:
    return _times(condition.none, making) == 0


def _times(pattern: EventPattern, making: _Making) -> ColumnElement[int]:
    """How many events fit. `since` means nothing here: without an enrollment everything counts."""
    event = _events(pattern, making)
    by_now = event.c.occurred_at <= making.now
    query = select(
        event.c.contact_id,
        func.count().filter(by_now, event.c.fits).label("times"),
        func.bool_or(and_(by_now, event.c.undecidable)).label("undecidable"),
        func.min(event.c.occurred_at).filter(by_now, or_(event.c.fits, event.c.undecidable)).label("first"),
        func.min(event.c.occurred_at).filter(not_(by_now)).label("next"),
    )
    found = query.group_by(event.c.contact_id).subquery()
    making.join(found, found.c.contact_id == Contact.id)
    making.undecidable.append(func.coalesce(found.c.undecidable, false()))
    making.moments.append(found.c.next)
    if pattern.within is not None:
        making.moments.append(found.c.first + literal(pattern.within + TICK, Interval))
    return func.coalesce(found.c.times, 0)


def _events(pattern: EventPattern, making: _Making) -> Subquery:
    """The events looked at, those that have yet to occur included, and what the pattern says of each."""
    fits, undecidable = compared_all(Event.properties.expression, pattern.where)
    machines = making.machines()
    counts = or_(
        machines.c.contact_id.is_(None),
        tuple_(Event.occurred_at, Event.sequence) >= tuple_(machines.c.occurred_at, machines.c.sequence),
    )
    query = (
        select(Event.contact_id, Event.occurred_at, fits.label("fits"), undecidable.label("undecidable"))
        .outerjoin(machines, machines.c.contact_id == Event.contact_id)
        .where(Event.name == pattern.event, making.concerns(Event.contact_id), counts)
    )
    if pattern.within is not None:
        query = query.where(Event.occurred_at >= making.now - literal(pattern.within, Interval))
    return query.subquery()


def _consent(condition: ConsentCondition, making: _Making) -> ColumnElement[bool]:
    newest = (
        select(Consent.contact_id, Consent.state)
        .distinct(Consent.contact_id)
        .where(
            Consent.purpose == condition.consent.purpose.value,
            Consent.channel == condition.consent.channel.value,
            making.concerns(Consent.contact_id),
        )
        .order_by(Consent.contact_id, *NEWEST_FIRST)
        .subquery()
    )
    making.join(newest, newest.c.contact_id == Contact.id)
    return func.coalesce(newest.c.state == ConsentState.GRANTED.value, false())


def _in_list(condition: ListCondition, making: _Making) -> ColumnElement[bool]:
    member = aliased(ListMember)
    making.join(member, and_(member.list_key == condition.in_list, member.contact_id == Contact.id))
    return member.contact_id.is_not(None)


def _segment(condition: SegmentCondition, making: _Making) -> ColumnElement[bool]:
    member = aliased(SegmentMember)
    making.join(member, and_(member.segment_key == condition.segment, member.contact_id == Contact.id))
    return member.contact_id.is_not(None)


def _score(condition: ScoreCondition, making: _Making) -> ColumnElement[bool]:
    score, question = aliased(Score), condition.score
    making.join(score, and_(score.model_key == question.model, score.contact_id == Contact.id))
    points = func.coalesce(score.points, 0)
    least = true() if question.at_least is None else points >= question.at_least
    return and_(least, true() if question.at_most is None else points <= question.at_most)


def _stage(condition: StageCondition, _: _Making) -> ColumnElement[bool]:
    return Contact.stage.in_([stage.value for stage in Stage if condition.stage.fits(stage)])


_KINDS: Mapping[str, Callable[[Any, _Making], ColumnElement[bool]]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "attribute": _attribute,
    "event": _event,
    "none": _none,
    "consent": _consent,
    "in_list": _in_list,
    "segment": _segment,
    "score": _score,
    "stage": _stage,
}
"""By kind. What is not here is of an enrollment, and `demand_askable` refuses it: no set has one."""
