"""Examples of publishing for the OpenAPI document: the small journey of the other examples gets a longer wait."""

from datetime import timedelta
from typing import Any

from api.schemas.examples import PUBLISHED as _PUBLISHED
from api.schemas.fields import EXAMPLE_INSTANT, Page
from api.schemas.journeys import VersionView
from api.schemas.publication import MovedTimerView, MoveView, OutlookView, PublishedView, StepOutlookView
from journeys.migration import Inside, Timers
from journeys.outlook import Fate, Shift

_DAY = timedelta(days=1)
_FINISH = {"summary": "Those inside finish", "value": {}}
_MIGRATE = {
    "summary": "Those inside migrate",
    "value": {"inside": "migrate", "mapping": {"reminder": "hello"}, "timers": "follow"},
}
PUBLISHING: dict[str, Any] = {
    "finish": _FINISH,
    "migrate": _MIGRATE,
    "trial": {"summary": "On trial with a share", "value": {"share": 5}},
}
TREATING: dict[str, Any] = {"finish": _FINISH, "migrate": _MIGRATE}
MOVING: dict[str, Any] = {"migrate": {"summary": "To the live version", "value": {"from": 1, "inside": "migrate"}}}

MOVE = MoveView(
    id=7,
    from_version=1,
    to_version=2,
    inside=Inside.MIGRATE,
    mapping={"reminder": "hello"},
    timers=Timers.FOLLOW,
    ordered=120,
    moved=80,
    refused=1,
    gone=3,
    waiting=36,
    done=False,
    last_refusal="The enrollment stands at step 'wait-2', which version 2 does not have, and no step was named for it "
    "to go on at.",
    created_at=EXAMPLE_INSTANT,
)
MOVES = Page[MoveView](items=[MOVE], next=None)
_LIVE = VersionView.model_validate(_PUBLISHED["live"]).model_copy(update={"version": 2})
PUBLISHED = PublishedView(key="welcome", live=_LIVE, trial=None, before=1, move=MOVE, findings=_PUBLISHED["findings"])
OUTLOOK = OutlookView(
    key="welcome",
    old=1,
    new=2,
    count=120,
    finish={Fate.FINISHES: 120},
    migrate={Fate.MOVES: 120, Fate.NO_TARGET: 0},
    stop={Fate.STOPS: 120},
    steps=[
        StepOutlookView(
            step="wait-1",
            doing="wait 2 days",
            count=120,
            target="wait-1",
            then_doing="wait 3 days",
            stays=True,
            timers={Shift.LATER: 120},
            moved=[
                MovedTimerView(
                    count=4, shift=Shift.LATER, before=EXAMPLE_INSTANT + 2 * _DAY, until=EXAMPLE_INSTANT + 3 * _DAY
                )
            ],
        )
    ],
    leaving_criteria=[],
    problems=[],
)
