"""A send in a simulation: the same letter, the same gate, the same receipt. Only that nothing leaves."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from cli.simulation import vouchers
from cli.simulation.steps_met import met_by_steps
from cli.simulation.world import Happening, Mail, Moment, NoMail, Pretended, World
from journeys.outcomes import SendStatus
from journeys.values import MessageChannel
from journeys.window import Window
from kit.errors import Invalid
from messaging.attention import treated
from messaging.frequency import Frequency, Place
from messaging.gathered import filled_latest, newest
from messaging.models import MessageClass, Template
from messaging.person import facts_of_contact
from messaging.personalisation import recipient_of
from messaging.rendering import Content, render
from messaging.rules import GateFacts, judge
from messaging.verdicts import Deferred, Refused
from workflows.ports import SendMessage, SendReceipt


def post(world: World, request: SendMessage) -> SendReceipt:
    """Write the letter, ask the gate, keep the mail. The same message asked for again is the same receipt.

    Raises:
        NotFound: there is no such template.
        Invalid: the template cannot be filled in for this contact, or the window never opens.
    """
    key = (request.enrollment_id, request.step, request.iteration, request.channel)
    if key not in world.receipts:
        receipt = _post(world, request)
        if receipt.status is SendStatus.DEFERRED:
            return receipt
        world.receipts[key] = receipt
    return world.receipts[key]


def _post(world: World, request: SendMessage) -> SendReceipt:
    template = world.mailroom.template(request.template, world.record.contact.locale)
    voucher = vouchers.choose(world, request)
    content = _written(world, template, request, voucher)
    message_class = MessageClass(template.message_class)
    facts = _gate_facts(world, request, message_class)
    verdict = judge(facts)
    _keep_place(world, facts.frequency, verdict)
    match verdict or (voucher if isinstance(voucher, Refused) else None):
        case Deferred(until, zone, because, waits_for):
            world.tell(Moment(request.now, Happening.DEFERRED, request.template, because=because, until=until))
            return SendReceipt(status=SendStatus.DEFERRED, because=because, until=until, zone=zone, waits_for=waits_for)
        case Refused(reason, because):
            world.refused.append(NoMail(request.now, request.template, request.step, reason.value, because))
            return SendReceipt(
                status=SendStatus.REFUSED, message_id=uuid4(), refusal=reason, because=because, zone=facts.zone.key
            )
    if isinstance(content, Invalid):
        raise content
    if isinstance(voucher, Pretended):
        vouchers.issue(world, request, voucher)
    world.mails.append(_mail(request, template, content, message_class))
    world.tell(Moment(request.now, Happening.MAIL, request.template, content.subject))
    return SendReceipt(status=SendStatus.SENT, message_id=uuid4(), zone=facts.zone.key)


def _written(
    world: World, template: Template, request: SendMessage, voucher: Pretended | Refused | None
) -> Content | Invalid:
    """The letter, or why it cannot be written: that matters only where the gate lets it leave."""
    properties = world.rides[request.enrollment_id].enrollment.entry_properties
    to = recipient_of(world.record.contact, properties, world.journey.name, settings=world.settings)
    about = {"voucher": vouchers.variables(world, voucher)} if isinstance(voucher, Pretended) else {}
    try:
        to = to.with_variables({**about, **_gathered(world, request)})
        return render(template, to.variables)
    except Invalid as error:
        return error


def _gathered(world: World, request: SendMessage) -> dict[str, Any]:
    """What was learned on the way: `messaging.gathered` on the pretended record."""
    met = met_by_steps(world, request.enrollment_id)
    entry = world.rides[request.enrollment_id].enrollment.entry_properties
    latest = {}
    for name, criterion in filled_latest(request.latest, met).items():
        events = [event.properties for event in world.record.events if event.name == criterion.event]
        if (found := newest(criterion, events, entry)) is not None:
            latest[name] = found
    return {"steps": met, "latest": latest}


def _gate_facts(world: World, request: SendMessage, message_class: MessageClass) -> GateFacts:
    return GateFacts(
        **facts_of_contact(world.record.contact, world.settings),
        message_class=message_class,
        channel=MessageChannel(request.channel),
        now=request.now,
        wall_now=request.now,
        window=Window.model_validate(request.window) if request.window else None,
        enrollment_ended=not world.rides[request.enrollment_id].running,
        suppressed=world.record.suppressed,
        consents=world.record.consents(),
        expires_at=request.expires_at,
        held_out=world.record.held_out,
        in_control_group=world.record.in_control_group,
        frequency=_frequency(world, request, message_class),
        at_closed=request.closed,
    )


def _frequency(world: World, request: SendMessage, message_class: MessageClass) -> Frequency:
    """How often this contact was written to by this journey, the only one there is here."""
    frequency = treated(message_class, request.priority, request.cap, request.repeat, settings=world.settings)
    return replace(
        frequency,
        message=f"{request.enrollment_id}:{request.step}:{request.iteration}:{request.channel}",
        sent=tuple(mail.at for mail in world.mails if mail.message_class is MessageClass.MARKETING),
        sent_before=max((mail.at for mail in world.mails if mail.template == request.template), default=None),
        line=tuple(place for place in world.line.values() if _at_its_step(world, place)),
    )


def _at_its_step(world: World, place: Place) -> bool:
    enrollment_id, step, *_ = place.message.split(":")
    ride = world.rides[UUID(enrollment_id)]
    return ride.running and ride.progress is not None and ride.progress.step == step


def _keep_place(world: World, frequency: Frequency, verdict: Refused | Deferred | None) -> None:
    """The line as the verdict leaves it."""
    own = world.line.pop(frequency.message, None)
    if isinstance(verdict, Deferred):
        place = verdict.place or (replace(own, until=verdict.until) if own else None)
        if place is not None:
            world.line[place.message] = place


def _mail(request: SendMessage, template: Template, content: Content, message_class: MessageClass) -> Mail:
    at: datetime = request.now
    written = (content.subject, content.text, content.html)
    return Mail(at, request.template, request.step, template.locale, *written, message_class)
