"""Examples of journeys and enrollments for the OpenAPI document: one small journey, told everywhere the same."""

from typing import Any

from api.schemas.fields import EXAMPLE_INSTANT, Page
from api.schemas.journeys import (
    DraftView,
    FindingView,
    JourneyItem,
    JourneyView,
    StepCountsView,
    VersionItem,
    VersionView,
)
from journeys.model import GoalType
from journeys.stages import Stage

JOURNEY: dict[str, Any] = {
    "key": "welcome",
    "name": "Welcome",
    "owner": "crm",
    "entry": {"event": "contact.registered", "audience": {"consent": {"purpose": "marketing", "channel": "email"}}},
    "steps": [{"id": "hello", "send": {"template": "welcome"}}, {"wait": "2d"}],
}
JOURNEY_YAML = """\
key: welcome
name: Welcome
owner: crm
entry:
  event: contact.registered
  audience: {consent: {purpose: marketing, channel: email}}
steps:
  - id: hello
    send: {template: welcome}
  - wait: 2d
"""
_PLAN: dict[str, Any] = {
    "journey": "welcome",
    "version": 1,
    "name": "Welcome",
    "owner": "crm",
    "start": "hello",
    "nodes": {
        "hello": {"kind": "send", "id": "hello", "template": "welcome", "next": "wait-1"},
        "wait-1": {"kind": "wait", "id": "wait-1", "duration": "2d"},
    },
}
_DRAFT = VersionView(
    version=1, state="draft", definition=JOURNEY, plan=_PLAN, created_at=EXAMPLE_INSTANT, published_at=None
)
_LIVE = _DRAFT.model_copy(update={"state": "live", "published_at": EXAMPLE_INSTANT})
DRAFT = DraftView(
    key="welcome",
    draft=_DRAFT,
    findings=[
        FindingView(
            severity="warning", field="goal", what="The journey has no goal.", remedy="Say what it is for with `goal`."
        )
    ],
)
PUBLISHED: dict[str, Any] = {
    "live": _LIVE,
    "findings": [
        FindingView(
            severity="warning",
            field="journeys welcome, voucher-and-review",
            what="One contact can get 4 marketing messages within 7 days, more than 3: 'welcome' 2 (at the earliest "
            "days 0 to 2 after the entry: 'welcome', 'ask-for-profile'); 'voucher-and-review' 2 (at the earliest "
            "days 1 to 3 after the entry: 'voucher', 'send-1'). The gate lets 3 through: the others wait for their "
            "turn, and are refused as `frequency_cap` where that comes too late.",
            remedy="Put more time between them, let one journey exclude the other by its audience or `exit`, or raise "
            "the cap.",
        )
    ],
}
JOURNEYS = Page[JourneyItem](
    items=[
        JourneyItem(
            key="welcome",
            name="Welcome",
            owner="crm",
            goal_type=GoalType.SIZZLE,
            stages=[Stage.LEAD],
            live=1,
            draft=None,
        )
    ],
    next=None,
)
JOURNEY_READ = JourneyView(
    key="welcome",
    paused_at=None,
    live=_LIVE,
    trial=None,
    draft=None,
    versions=[VersionItem(version=1, state="live", share=None, inside=5)],
    counts={
        "hello": StepCountsView(arrivals=5, waiting=0, passed=4, refused=1, skipped=0, exited=0, failed=0, migrated=0),
        "wait-1": StepCountsView(arrivals=5, waiting=5, passed=0, refused=0, skipped=0, exited=0, failed=0, migrated=0),
    },
)
