"""Examples of steering many at once for the OpenAPI document."""

from typing import Any

from api.schemas.fields import EXAMPLE_INSTANT, Page
from api.schemas.steering import FoundView, SteeringView, StoppedView
from crm.models.steering import Steer
from journeys.resuming import Resuming

PAUSED = SteeringView(
    id=3,
    action=Steer.PAUSE,
    step=None,
    due_before=None,
    where=None,
    limit=None,
    parked=False,
    attention=None,
    timers=None,
    by="key:0199f5c1",
    reason="The shop is down.",
    ordered=100,
    carried=96,
    refused=0,
    gone=1,
    waiting=3,
    done=False,
    last_refusal=None,
    beyond_recall=None,
    created_at=EXAMPLE_INSTANT,
)
RESUMED = PAUSED.model_copy(update={"action": Steer.RESUME, "timers": Resuming.SHIFT, "reason": "The shop is back."})
ENDED = PAUSED.model_copy(update={"action": Steer.STOP, "beyond_recall": 2, "reason": "A wrong price."})
STOPPED = StoppedView(key="welcome", versions=[4], inside=1240, steering=ENDED)
FOUND = FoundView(count=None, steering=PAUSED.model_copy(update={"action": Steer.RELEASE, "step": "pause"}))
ORDERS = Page[SteeringView](items=[PAUSED], next=None)

REASON: dict[str, Any] = {"usual": {"value": {"reason": "The shop is down."}}}
RESUMING: dict[str, Any] = {"usual": {"value": {"timers": "shift", "reason": "The shop is back."}}}
STOPPING: dict[str, Any] = {"usual": {"value": {"inside": "stop", "reason": "A wrong price."}}}
CHOOSING: dict[str, Any] = {
    "look": {"summary": "Count them first", "value": {"plan": True}},
    "failed": {
        "summary": "Those who failed for a reason",
        "value": {"attention": "has no variable", "reason": "The template is mended."},
    },
    "some": {
        "summary": "Those due this month",
        "value": {"due_before": "2026-04-01T00:00:00Z", "reason": "The campaign is over."},
    },
    "whom": {
        "summary": "Those in a segment",
        "value": {"where": {"segment": "good-customers"}, "reason": "They have been called."},
    },
}
