"""What people read about a running journey: timer summaries, the details page of the Temporal UI, `explain`.

Text only, from plan and state; plain words, no personal data. Times are in the contact's zone once a receipt told
it, and in UTC until then, and say which.
"""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from journeys.describe import describe_node
from journeys.outcomes import JourneyState
from journeys.plan import Plan, Role
from journeys.steps.registry import Node
from workflows.inbox import standing
from workflows.limits import LONGEST_SUMMARY
from workflows.messages import Explanation, JourneyRun
from workflows.state import EnrollmentState

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TITLES = {
    JourneyState.RUNNING: "At work",
    JourneyState.WAITING: "Waiting",
    JourneyState.PAUSED: "Paused",
    JourneyState.NEEDS_ATTENTION: "Needs attention",
    JourneyState.COMPLETED: "Completed",
    JourneyState.GOAL_MET: "Goal met",
    JourneyState.EXITED: "Exited",
}


def cut(text: str, size: int = LONGEST_SUMMARY) -> str:
    """The text in at most `size` bytes of UTF-8, never ending within a character."""
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[: size - 3].decode(errors="ignore") + "…"


def instant(when: datetime, zone: str, *, now: datetime) -> str:
    """`Mon 23 Nov 09:00 Europe/Berlin`; with the year where it is not the present one, in UTC where no such zone is."""
    known = _known_zone(zone)
    local = when.astimezone(known)
    year = f" {local.year}" if local.year != now.year else ""
    clock = f"{local.hour:02}:{local.minute:02}"  # written for every page: a fifth of what `strftime` takes
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}{year} {clock} {known}"


def _known_zone(zone: str) -> tzinfo:
    """The zone by name. A name nobody knows must not keep a journey from going on."""
    try:
        return UTC if zone == "UTC" else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def wait_summary(words: str, due: datetime, zone: str, *, now: datetime) -> str:
    """Summary of a timer: what is waited for, until when."""
    return cut(f"{words}, until {instant(due, zone, now=now)}")


def headline(plan: Plan) -> str:
    """Static summary of the workflow: the journey's name and version."""
    return f"{cut(plan.name, LONGEST_SUMMARY - 20)} · v{plan.version}"


def introduction(plan: Plan, run: JourneyRun) -> str:
    """Static details of the workflow, Markdown: journey, version, owner, and what it started with."""
    started = f"Started by event `{run.entry_event}`" if run.entry_event else "Started through the API"
    return f"Journey **{plan.journey}** v{plan.version}\n\nOwner: {plan.owner}\n\n{started}"


def current(plan: Plan, state: EnrollmentState, *, now: datetime) -> str:
    """Current details of the workflow, Markdown: where, since when, until when, why, what next, criteria."""
    parts = [f"### {_TITLES[standing(state)]}"]
    if state.at is not None:
        parts.append(f"**Step** `{state.at}` since {instant(state.since, state.zone, now=now)}")
        parts.append(f"**Doing** {describe_node(plan.nodes[state.at])}")
    if state.attention:
        parts.append(f"**Failed** {state.attention.reason}")
        parts.append("**Now** `retry`, `skip` or exit")
    if state.paused_at:
        parts.append(f"**Paused** {instant(state.paused_at, state.zone, now=now)} by {state.pause_reason}")
    if state.due_at:
        parts.append(f"**Until** {instant(state.due_at, state.zone, now=now)}")
    if state.due_at and state.resolution and state.resolution.because and not state.rescheduled:
        parts.append(f"**Because** {state.resolution.because}")
    if state.held_back:
        parts.append(f"**Held back** {state.held_back.because}")
    if state.why:
        parts.append(f"**Why** {state.why}")
    if state.at is not None:
        parts += [f"**Then** {words}" for words in what_next(plan, plan.nodes[state.at])]
    return "\n\n".join([*parts, *_criteria_table(plan, state, now)])


def _criteria_table(plan: Plan, state: EnrollmentState, now: datetime) -> list[str]:
    if not plan.criteria:
        return []
    rows = ["| criterion | met |", "|---|---|"]
    for name, criterion in plan.criteria.items():
        met = state.met.get(name)
        answer = f"{instant(met.at, state.zone, now=now)}, event `{met.event_id}`" if met else "no"
        rows.append(f"| {_purpose(criterion.role, criterion.step)} {criterion.event} | {answer} |")
    return ["\n".join(rows)]


def _purpose(role: Role, step: str | None) -> str:
    return f"step `{step}`" if role is Role.STEP else role.value


def what_next(plan: Plan, node: Node) -> list[str]:
    """What may come after a node, in plain words."""
    return [f"{way.when}: {_words(plan, way.to)}" if way.when else _words(plan, way.to) for way in node.ways()]


def _words(plan: Plan, step: str | None) -> str:
    return describe_node(plan.nodes[step]) if step else "the journey is complete"


def explain(plan: Plan, state: EnrollmentState) -> Explanation:
    """The answer of the query `explain` and of every update."""
    node = plan.nodes[state.at] if state.at else None
    return Explanation(
        state=standing(state),
        step=state.at,
        doing=describe_node(node) if node else "nothing: the enrollment has ended",
        since=state.since,
        until=state.due_at,
        attention=state.attention.reason if state.attention else None,
        held_back=state.held_back.because if state.held_back else "",
        next=what_next(plan, node) if node else [],
        met=state.met,
        results=state.results,
    )
