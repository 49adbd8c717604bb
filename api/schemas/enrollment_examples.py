"""Examples of enrollments for the OpenAPI document."""

from datetime import timedelta

from api.schemas.enrollments import (
    CommandAnswer,
    DecisionView,
    EnrollmentAnswer,
    EnrollmentView,
    ExitAnswer,
    ExplanationView,
)
from api.schemas.fields import EXAMPLE_ID, EXAMPLE_INSTANT, Page
from intake.enrollment import EnrollmentRefusal
from journeys.outcomes import JourneyState, StepVerdict
from workflows.messages import Explanation

ENROLLMENT = EnrollmentView(
    id=EXAMPLE_ID,
    journey_key="welcome",
    version=1,
    contact_id=EXAMPLE_ID,
    entry_key="",
    state=JourneyState.WAITING,
    step="wait-1",
    since=EXAMPLE_INSTANT,
    due_at=EXAMPLE_INSTANT + timedelta(days=2),
    attention=None,
    outcome="",
    entry_event_id="customer-4711-registered",
    entered_at=EXAMPLE_INSTANT,
    ended_at=None,
)
DECISION = DecisionView(
    ordinal=1,
    step="hello",
    verdict=StepVerdict.PASSED,
    result="sent",
    because="sent by email",
    cause_event_id=None,
    caused_by="customer-4711-registered",
    entered_at=EXAMPLE_INSTANT,
    at=EXAMPLE_INSTANT,
    next_step="wait-1",
)
LIVE = Explanation(
    state=JourneyState.WAITING,
    step="wait-1",
    doing="wait 2 days",
    since=EXAMPLE_INSTANT,
    until=EXAMPLE_INSTANT + timedelta(days=2),
    attention=None,
    next=["the journey ends"],
    met={},
    results={"hello": "sent"},
)
REFUSED = EnrollmentAnswer(
    result="refused", reason=EnrollmentRefusal.ALREADY_ENTERED, because="a contact enters this journey only once"
)
PAGE = Page[EnrollmentView](items=[ENROLLMENT], next=None)
EXPLAINED = ExplanationView(
    enrollment=ENROLLMENT,
    live=LIVE,
    source="live",
    note="As the running journey says itself.",
    stuck=None,
    decisions=[DECISION],
)
PAUSED = CommandAnswer(
    action="pause", enrollment_id=EXAMPLE_ID, now=LIVE.model_copy(update={"state": JourneyState.PAUSED})
)
RESUME = {"timers": "shift", "reason": "The shop is back."}
RESCHEDULE = {"at": "2026-03-02T07:30:00Z", "reason": "The fair has been put off."}
EXIT = ExitAnswer(enrollment_id=EXAMPLE_ID, result="requested")
DECIDE = {"answer": "approved", "step": "discount", "reason": "A customer of ten years."}
