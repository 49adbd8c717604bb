"""What the demo prints: tables of what happened, lives as timelines, addresses to look at."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from cli.demo.life import Life
from cli.stack.record import Addresses
from crm.models.contact import Contact
from crm.models.enrollment import Enrollment
from crm.models.event import Event
from crm.scoring import ScoringRepository
from kit.database import Sessions
from messaging.models import MessageRecord

_ZONE = ZoneInfo("Europe/Berlin")


async def show_tables(sessions: Sessions, console: Console) -> None:
    """Contacts, events, enrollments by journey and step, messages by template and state."""
    async with sessions() as session:
        contacts = (await session.execute(select(func.count()).select_from(Contact))).scalar_one()
        events = (
            await session.execute(select(Event.name, func.count()).group_by(Event.name).order_by(Event.name))
        ).all()
        where = (Enrollment.journey_key, Enrollment.state, Enrollment.step)
        enrollments = (await session.execute(select(*where, func.count()).group_by(*where).order_by(*where))).all()
        kind = (MessageRecord.template_key, MessageRecord.state, MessageRecord.locale)
        messages = (await session.execute(select(*kind, func.count()).group_by(*kind).order_by(*kind))).all()
    table = Table("what", "of which kind", "how many", title="\nWhat there is now", title_justify="left")
    table.columns[2].justify = "right"
    table.add_row("contacts", "", str(contacts), end_section=True)
    _section(table, "events", [(name, number) for name, number in events])
    _section(
        table, "enrollments", [(f"{key}: {state} at {step or 'the end'}", n) for key, state, step, n in enrollments]
    )
    _section(
        table, "mails", [(f"{key} ({locale}): {state.replace('_', ' ')}", n) for key, state, locale, n in messages]
    )
    console.print(table)


def _section(table: Table, what: str, rows: list[tuple[str, int]]) -> None:
    for number, (kind, count) in enumerate(rows):
        table.add_row("" if number else what, kind, str(count), end_section=number == len(rows) - 1)


async def show_crossing(sessions: Sessions, console: Console) -> None:
    """One contact whose points crossed the threshold that starts a journey, with the reasons that add up to them."""
    crossing = select(Event).where(Event.name == "score.crossed", Event.properties["threshold"].astext == "loyal")
    async with sessions() as session:
        event = (await session.scalars(crossing.order_by(Event.sequence).limit(1))).first()
        if event is None:
            return
        explanation = (await ScoringRepository(session).explain(event.contact_id))[0]
    console.print(
        f"\n   [bold]One contact crossed a threshold[/]: {explanation.points} points under '{explanation.model_key}' "
        f"v{explanation.model_version}; {event.properties['points']} points reached '{event.properties['threshold']}', "
        "which started the journey loyal-customer.",
        soft_wrap=True,
    )
    reasons = Counter((entry.rule_key, entry.points) for entry in explanation.entries)
    told = [f"{times} x {rule} ({points:+} each)" for (rule, points), times in reasons.items()]
    console.print(f"   Its reasons: {', '.join(told)}; together {explanation.points}.", soft_wrap=True)


def show_life(console: Console, life: Life) -> None:
    """One contact's way through a journey, in the contact's own time."""
    story = life.story
    console.print(f"\n   [bold]{story.journey}[/]: {story.contact} {story.about}", soft_wrap=True)
    console.print(f"   {_when(life.entered_at)}  enters the journey")
    for moment in life.moments:
        console.print(
            f"   {_when(moment.at)}  {moment.step} [cyan]→ {moment.result}[/]", highlight=False, soft_wrap=True
        )
    console.print(f"   {_when(life.ended_at)}  leaves: {life.outcome}")


def _when(instant: datetime) -> str:
    return instant.astimezone(_ZONE).strftime("%a %d %b %H:%M")


def show_addresses(console: Console, addresses: Addresses, key: str) -> None:
    """Where to look."""
    table = Table(box=None, padding=(0, 2), title="\nLook at it", title_justify="left", show_header=False)
    table.add_row("API and its documentation", addresses.api_docs)
    table.add_row("Mail inbox", addresses.inbox)
    table.add_row("Temporal UI", addresses.temporal_ui)
    table.add_row("API key", key)
    console.print(table)
