"""When each step would be due for a contact that entered a journey now: the walk of `journeys.foresight` on its facts.

Read once; the rules are those that decide when it happens: of conditions, of the contact's calendar, and of the gate.
Nothing is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.calendars import Asked as AskedMoment
from crm.calendars import Dates, look_up
from crm.consent import ConsentRepository
from crm.facts import load_facts
from crm.journeys import definition_of, plan_of
from crm.models.contact import Contact
from crm.models.journey import JourneyVersion
from journeys.conditions.base import Facts, Needs
from journeys.conditions.first import FirstHolding, first_holding
from journeys.conditions.registry import Condition
from journeys.experiments import held_out, in_control_group
from journeys.foresight import MOST_STEPS, Asked, Circumstances, Foreseen, Instant, Posted, foresee
from journeys.moments import Moment
from journeys.outcomes import SendStatus
from journeys.plan import Plan
from journeys.steps.send import SendNode
from journeys.values import MessageChannel
from journeys.walk import condition_roots
from kit.errors import Invalid
from kit.settings import Settings
from messaging.models import MessageClass
from messaging.person import facts_of_contact
from messaging.pins import TemplatePins
from messaging.rules import GateFacts, judge
from messaging.suppression import SuppressionList
from messaging.verdicts import Deferred


@dataclass(frozen=True)
class Foresight:
    """The steps the contact would come to, the zone their times are told in, and what was taken for granted."""

    steps: Sequence[Foreseen]
    zone: str
    assumptions: Sequence[str]


async def look_ahead_of(
    session: AsyncSession,
    version: JourneyVersion,
    contact: Contact,
    properties: Mapping[str, Any],
    now: datetime,
    *,
    settings: Settings,
) -> Foresight:
    """What lies ahead of a contact that enters this version at `now` (aware) with these properties of the entry."""
    settings = settings.in_zone(definition_of(version).time_zone)
    plan, conditions = plan_of(version), [condition for condition, _, _ in condition_roots(definition_of(version))]
    facts = await load_facts(session, contact.id, Needs.union(one.needs() for one in conditions), now, entry=properties)
    gate = await _gate(session, version, contact, now, settings)
    sight = _Sight(plan, contact, properties, now, facts, gate, await TemplatePins(session).classes(version), settings)
    steps = foresee(plan, Circumstances(contact.id, now, sight.judge, sight.look_up, sight.post))
    return Foresight(steps, gate.zone.key, list(_assumptions(steps, gate, conditions)))


@dataclass(frozen=True)
class _Sight:
    """The answers of one contact, in memory."""

    plan: Plan
    contact: Contact
    properties: Mapping[str, Any]
    entered_at: datetime
    facts: Facts
    gate: GateFacts
    classes: Mapping[str, MessageClass]
    settings: Settings

    def judge(self, conditions: Sequence[Condition], asked: Asked) -> FirstHolding:
        facts = replace(self.facts, now=asked.at, step_since=asked.since, results=asked.results)
        return first_holding(conditions, replace(facts, entered_at=self.entered_at))

    def look_up(self, moment: Moment, reached: datetime) -> Instant:
        dates = Dates(self.contact, self.properties, entered_at=self.entered_at)
        found = look_up(moment, AskedMoment(reached, reached, self.plan.window), dates, settings=self.settings)
        return Instant(found.at, found.because)

    def post(self, node: SendNode, at: datetime, last: datetime | None) -> Posted:
        """Ask the gate as the step does: at once, and again whenever it says to wait."""
        message_class = self.classes.get(node.template)
        if message_class is None:
            raise Invalid(f"There is no template {node.template!r}.", remedy="Publish it.")
        gate = replace(self.gate, message_class=message_class, channel=node.channel, expires_at=last)
        gate = replace(gate, at_closed=node.closed or self.plan.closed)
        waits: list[str] = []
        while isinstance(found := judge(replace(gate, now=at, wall_now=at)), Deferred) and found.until > at:
            at, waits = found.until, [*waits, found.because]
        if found is None:
            return Posted(at, SendStatus.SENT, " ".join(waits))
        return Posted(at, SendStatus.REFUSED, found.because)


async def _gate(
    session: AsyncSession, version: JourneyVersion, contact: Contact, now: datetime, settings: Settings
) -> GateFacts:
    """The gate's facts for a message of any step, as `messaging.gate` reads them for one of an enrollment."""
    suppressions, definition = SuppressionList(session, settings.digest_key), definition_of(version)
    return GateFacts(
        **facts_of_contact(contact, settings),
        message_class=MessageClass.MARKETING,
        channel=MessageChannel.EMAIL,
        now=now,
        wall_now=now,
        window=definition.window,
        enrollment_ended=False,
        suppressed=bool(contact.email)
        and await suppressions.reason(MessageChannel.EMAIL, contact.email or "") is not None,
        consents=await ConsentRepository(session).standing(contact.id),
        held_out=held_out(contact.id, version.journey_key, percent=definition.holdout or 0),
        in_control_group=in_control_group(contact.id, percent=settings.control_group_percent),
    )


def _assumptions(steps: Sequence[Foreseen], gate: GateFacts, conditions: Sequence[Condition]) -> Iterator[str]:
    """What was taken for granted, as far as it bears on these steps."""
    kinds = {one.node.kind for one in steps}
    yield "Nothing happens to the contact meanwhile: waits for an event or an answer run out, no goal or exit is met."
    if conditions and kinds & {"if", "branch", "repeat", "wait_for_first"}:
        yield "Conditions are judged on what is known of the contact now; what the steps before change is left out."
    if "split" in kinds:
        yield "No arm of an experiment has won by then."
    if "send" in kinds:
        yield "The frequency cap and the rule on repeated templates are not asked: messages may leave later, or not."
    if len(steps) == MOST_STEPS:
        yield f"Only the first {MOST_STEPS} steps are told."
    yield from filter(None, (gate.zone_note, gate.holiday_note if gate.window and gate.window.holidays else None))
