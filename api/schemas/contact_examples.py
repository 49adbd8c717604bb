"""Examples of contacts for the OpenAPI document."""

from api.schemas.contacts import (
    ConsentAnswer,
    ConsentsView,
    ConsentView,
    ContactDetail,
    ContactView,
    ContactWritten,
    LiftAnswer,
    NameView,
    ScoreEntryView,
    ScoresView,
    ScoreView,
    StageAnswer,
    StageChangeView,
    StandingView,
    SuppressionAnswer,
)
from api.schemas.enrollment_examples import PAGE as ENROLLMENTS
from api.schemas.fields import EXAMPLE_ID, EXAMPLE_INSTANT, Page
from api.schemas.tracking import EventItem
from crm.models.contact import IdentityKind
from journeys.stages import Stage, StageMove

__all__ = ["ENROLLMENTS"]

REQUEST = {
    "user_id": "customer-4711",
    "traits": {"email": "ada@example.com", "first_name": "Ada", "time_zone": "Europe/Berlin", "plan": "pro"},
}
CONSENT_REQUEST = {"purpose": "marketing", "state": "granted", "source": "checkout", "wording": "Yes, send me news."}
SUPPRESSION_REQUEST = {"address": "ada@example.com", "reason": "complaint"}

CONTACT = ContactView(
    id=EXAMPLE_ID,
    email="ada@example.com",
    first_name="Ada",
    last_name=None,
    phone=None,
    locale="de",
    time_zone="Europe/Berlin",
    country="DE",
    region=None,
    stage=Stage.LEAD,
    attributes={"plan": "pro"},
    created_at=EXAMPLE_INSTANT,
    updated_at=EXAMPLE_INSTANT,
)
DETAIL = ContactDetail(
    **CONTACT.model_dump(),
    names=[
        NameView(kind=IdentityKind.EMAIL, value="ada@example.com"),
        NameView(kind=IdentityKind.USER_ID, value="customer-4711"),
    ],
)
WRITTEN = ContactWritten(created=False, changed=["first_name", "plan"], contact=CONTACT)
CONTACTS = Page[ContactView](items=[CONTACT], next=None)
EVENTS = Page[EventItem](
    items=[
        EventItem(
            event_id="order-4711-placed",
            name="order.placed",
            properties={"order_id": "A-1"},
            occurred_at=EXAMPLE_INSTANT,
            received_at=EXAMPLE_INSTANT,
            source="segment",
        )
    ],
    next=None,
)
SCORES = ScoresView(
    items=[
        ScoreView(
            model_key="interest",
            model_version=1,
            points=20,
            entries=[
                ScoreEntryView(rule_key="ordered", event_id="order-4711-placed", points=20, occurred_at=EXAMPLE_INSTANT)
            ],
        )
    ]
)
_STANDING = [StandingView(purpose="marketing", channel="email")]
CONSENTS = ConsentsView(
    standing=_STANDING,
    history=[
        ConsentView(
            purpose="marketing",
            channel="email",
            state="granted",
            source="checkout",
            wording="Yes, send me news.",
            evidence={},
            occurred_at=EXAMPLE_INSTANT,
            recorded_at=EXAMPLE_INSTANT,
        )
    ],
)
CONSENT_ANSWER = ConsentAnswer(changed=True, standing=_STANDING)
SUPPRESSED = SuppressionAnswer(added=True)
STAGE_REQUEST = {"to": "lead", "reason": "Rejected by sales: no budget this year."}
STAGE_ANSWER = StageAnswer(result=StageMove.CHANGED, stage=Stage.LEAD, before=Stage.SQL)
STAGES = Page[StageChangeView](
    items=[
        StageChangeView(
            from_stage=Stage.VISITOR,
            to_stage=Stage.LEAD,
            reason="",
            actor="journey:webinar",
            event_id=f"stage.changed:{EXAMPLE_ID}:promote:1",
            enrollment_id=EXAMPLE_ID,
            cause_event_id="form-4711",
            at=EXAMPLE_INSTANT,
        )
    ],
    next=None,
)
LIFTED = LiftAnswer(removed=True)
LIFT_REQUEST = {"address": "ada@example.com", "reason": "The mailbox works again."}
