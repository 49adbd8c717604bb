"""What a journey asks of the world: abstract activities with one frozen request and one frozen result each.

Implemented in `activities`; faked by subclasses in tests. Requests carry opaque ids, the workflow's time and
`progress`, the bookkeeping that rides along: it is written in the same transaction as the action itself.
An override needs the same `@activity.defn(name=…)` (a test compares registrations with these ports).
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from temporalio import activity

from journeys.conditions.first import FirstHolding
from journeys.former_names import FormerName
from journeys.frequency import AtCap, Priority, Repeat
from journeys.outcomes import JourneyState, RefusalReason, SendStatus
from journeys.stages import Stage
from journeys.values import Scalar
from journeys.vouchers import MessageVoucher
from journeys.window import WhenClosed
from workflows.state import Decision


class Progress(BaseModel, frozen=True):
    """Where the enrollment stands at `now`, and the decisions since the last report. Idempotent by ordinal."""

    enrollment_id: UUID
    state: JourneyState
    step: str | None
    since: datetime
    due_at: datetime | None = None
    attention: str | None = None
    outcome: str = ""
    """Why it ended; empty while it runs."""
    decisions: list[Decision] = []


class ActionRequest(BaseModel, frozen=True):
    """What every action carries. `now` is the workflow's time (aware UTC): the only clock an activity decides by."""

    enrollment_id: UUID
    contact_id: UUID
    step: str
    iteration: int
    now: datetime
    progress: Progress
    former: dict[str, list[FormerName]] = Field(default={}, exclude_if=lambda names: not names)
    """What earlier steps were called when they left something behind, where they have been renamed since."""
    time_zone: str | None = Field(default=None, exclude_if=lambda zone: zone is None)
    """IANA zone that the journey names for contacts without one; None: the installation's."""


class SendMessage(ActionRequest, frozen=True):
    """Send a template over a channel, once for (enrollment, step, iteration, channel). `window` is JSON.

    After `expires_at` (aware) the message is of no use any more. With `voucher` it is about that voucher: a new one is
    issued once for (enrollment, step, iteration), where the message leaves.
    """

    template: str
    channel: str
    window: dict[str, Any] | None = None
    expires_at: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    priority: Priority = Field(default=Priority.NORMAL, exclude_if=lambda priority: priority is Priority.NORMAL)
    cap: AtCap = Field(default=AtCap.DEFER, exclude_if=lambda cap: cap is AtCap.DEFER)
    """What becomes of it at the frequency cap."""
    closed: WhenClosed = Field(default=WhenClosed.DEFER, exclude_if=lambda closed: closed is WhenClosed.DEFER)
    """What becomes of it while the window is closed, and in the contact's quiet hours."""
    repeat: Repeat | None = Field(default=None, exclude_if=lambda repeat: repeat is None)
    """When the template may go to the contact again; None: as the settings say."""
    voucher: MessageVoucher | None = Field(default=None, exclude_if=lambda voucher: voucher is None)
    latest: dict[str, Any] = Field(default={}, exclude_if=lambda latest: not latest)
    """By the name the template knows it under, the event (JSON of a criterion) whose newest occurrence is looked up."""


class SendReceipt(BaseModel, frozen=True):
    """What became of it. `until` (aware) where deferred: the workflow waits till then and asks again."""

    status: SendStatus
    message_id: UUID | None = None
    refusal: RefusalReason | None = None
    because: str = ""
    until: datetime | None = None
    zone: str = "UTC"
    """IANA zone the contact lives in, for readable summaries."""
    waits_for: str = Field(default="", exclude_if=lambda words: not words)
    """Where deferred: what is waited for, in words that fit behind "wait for"."""
    exact: bool = Field(default=False, exclude_if=lambda exact: not exact)
    """Where deferred: ask again at `until` itself, though it may be only a second away."""


class JudgeCondition(ActionRequest, frozen=True):
    """Judge a condition (its JSON) on the contact's facts as of `now`."""

    condition: dict[str, Any]
    entered_at: datetime
    results: dict[str, str] = {}


class Judgement(BaseModel, frozen=True):
    """Whether it holds, and because of what (no personal data)."""

    holds: bool
    because: str
    cause_event_id: str | None = None


class JudgeConditions(ActionRequest, frozen=True):
    """Judge conditions (their JSON) on the contact's facts as of `now`, in their order, up to the first that holds."""

    conditions: list[dict[str, Any]]
    entered_at: datetime
    results: dict[str, str] = {}
    step_since: datetime | None = Field(default=None, exclude_if=lambda at: at is None)
    """When the step began, where that is not when it was reached (aware)."""


class SetAttributes(ActionRequest, frozen=True):
    """Write attributes; null removes one; `$entry.x` stands for a property of the entry event."""

    attributes: dict[str, Scalar]


class ChangeList(ActionRequest, frozen=True):
    """Make the contact a member of a list, or no longer."""

    list_key: str
    member: bool


class ChangeStage(ActionRequest, frozen=True):
    """Move the contact to a lifecycle stage; a step back only with `recycle`."""

    to: Stage
    recycle: bool = False
    reason: str = ""


class CreateTask(ActionRequest, frozen=True):
    """Make a task for a person. The texts are as the author wrote them; `due` and `window` are JSON."""

    kind: str
    title: str
    details: str = ""
    owner: str
    due: Any
    window: dict[str, Any] | None = None
    at_end: str = "keep"


class GivePoints(ActionRequest, frozen=True):
    """Give points under `model`; negative ones take away."""

    model: str
    points: int
    reason: str


class RecomputeScore(ActionRequest, frozen=True):
    """Compute the score of `model` again from the stored events."""

    model: str


class StartJourney(ActionRequest, frozen=True):
    """Have the contact enter another journey; `$entry.x` stands for a property of this enrollment's entry."""

    journey: str
    entry_key: Scalar = None
    properties: dict[str, Scalar] = {}


class ChooseArm(ActionRequest, frozen=True):
    """Which arm the contact goes that was drawn into `drawn`: a winner, where the experiment has one among `arms`.

    There is one where, of the first `after` contacts of each arm, one arm met the goal more often with `confidence`.
    """

    journey: str
    experiment: str
    drawn: str
    arms: list[str]
    after: int
    confidence: float


class ChosenArm(BaseModel, frozen=True):
    """The arm, one of those asked about; and why, where it is not the one drawn."""

    arm: str
    because: str = ""


class ActionResult(BaseModel, frozen=True):
    """What an action did, in a word for the step's result and a sentence for people."""

    result: str
    because: str = ""


class ResolveInstant(ActionRequest, frozen=True):
    """Look up which instant a moment (its JSON, as `moment` of the node) is for the contact.

    `reached_at` (aware) is when the step was reached; `moved_by` the event that moved the date last; `window` is JSON.
    """

    moment: Any
    reached_at: datetime
    moved_by: str | None = None
    window: dict[str, Any] | None = None


class ResolvedInstant(BaseModel, frozen=True):
    """The instant (aware UTC), None where there is no usable date; and a sentence on what was not as it should be."""

    at: datetime | None
    zone: str = "UTC"
    """IANA zone the contact lives in."""
    because: str = ""


class EnrollmentPort(ABC):
    """The projection of where enrollments stand."""

    @activity.defn(name="record_progress")
    @abstractmethod
    async def record_progress(self, request: Progress) -> None:
        """Write state, step and decisions. Writing the same twice changes nothing."""


class MessagingPort(ABC):
    """Messages to the contact."""

    @activity.defn(name="send_message")
    @abstractmethod
    async def send_message(self, request: SendMessage) -> SendReceipt:
        """Gate, claim, hand over, record. Raises a retryable failure only where nothing can have been sent."""


class ContactPort(ABC):
    """The contact's record."""

    @activity.defn(name="judge_condition")
    @abstractmethod
    async def judge_condition(self, request: JudgeCondition) -> Judgement:
        """Judge a condition. A condition that cannot be judged is a non-retryable failure."""

    @activity.defn(name="judge_conditions")
    @abstractmethod
    async def judge_conditions(self, request: JudgeConditions) -> FirstHolding:
        """Find the first condition that holds. One before it that cannot be judged is a non-retryable failure."""

    @activity.defn(name="set_attributes")
    @abstractmethod
    async def set_attributes(self, request: SetAttributes) -> ActionResult:
        """Write attributes; emits `contact.updated` where one changed."""

    @activity.defn(name="change_list")
    @abstractmethod
    async def change_list(self, request: ChangeList) -> ActionResult:
        """Join or leave a list; emits `list.joined` or `list.left` where membership changed."""

    @activity.defn(name="change_stage")
    @abstractmethod
    async def change_stage(self, request: ChangeStage) -> ActionResult:
        """Move it as `changed`, `unchanged` or `kept`; emits `stage.changed` where it changed."""

    @activity.defn(name="give_points")
    @abstractmethod
    async def give_points(self, request: GivePoints) -> ActionResult:
        """Give them once; emits `score.given`, and `score.crossed` where a threshold is risen to."""

    @activity.defn(name="recompute_score")
    @abstractmethod
    async def recompute_score(self, request: RecomputeScore) -> ActionResult:
        """Recompute; emits `score.crossed` where a threshold is crossed upwards for the first time."""


class TaskPort(ABC):
    """What people are to do."""

    @activity.defn(name="create_task")
    @abstractmethod
    async def create_task(self, request: CreateTask) -> ActionResult:
        """Make a task once, as `created`; `held_out` for a contact of the holdout. Emits `task.created`."""


class CalendarPort(ABC):
    """The contact's calendar: time zone, holidays, and dates of the contact and of its entry."""

    @activity.defn(name="resolve_instant")
    @abstractmethod
    async def resolve_instant(self, request: ResolveInstant) -> ResolvedInstant:
        """Look up an instant. Where it lies ahead, the progress is written as waiting until then."""


class JourneyPort(ABC):
    """What concerns journeys as a whole, not the one contact: other journeys, and experiments."""

    @activity.defn(name="start_journey")
    @abstractmethod
    async def start_journey(self, request: StartJourney) -> ActionResult:
        """Have the contact enter, as `started`, `already_running` or `refused`. Asked again, it answers the same."""

    @activity.defn(name="choose_arm")
    @abstractmethod
    async def choose_arm(self, request: ChooseArm) -> ChosenArm:
        """The winner of an experiment, or else the arm drawn."""
