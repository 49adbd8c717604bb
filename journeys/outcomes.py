"""The closed vocabularies of what can become of an enrollment, a step and a send; shared by every package above."""

from enum import StrEnum


class JourneyState(StrEnum):
    """What an enrollment does at this moment; the values of the search attribute and of `enrollments.state`."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs_attention"
    COMPLETED = "completed"
    GOAL_MET = "goal_met"
    EXITED = "exited"
    TERMINATED = "terminated"
    """Ended from outside, by somebody or something in Temporal: the journey itself had no say in it."""


ENDED = frozenset({JourneyState.COMPLETED, JourneyState.GOAL_MET, JourneyState.EXITED, JourneyState.TERMINATED})


class StepVerdict(StrEnum):
    """How a step was left. Every departure from a step writes one decision with one of these."""

    PASSED = "passed"
    REFUSED = "refused"
    SKIPPED = "skipped"
    EXITED = "exited"
    FAILED = "failed"
    MIGRATED = "migrated"
    """Left for a step of another version of the journey."""


class SendStatus(StrEnum):
    """What became of a send."""

    SENT = "sent"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"


class RefusalReason(StrEnum):
    """Why a message was not sent: the closed list, each explained in `docs/messaging.md`."""

    NO_ADDRESS = "no_address"
    INVALID_ADDRESS = "invalid_address"
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"
    ENROLLMENT_ENDED = "enrollment_ended"
    OVERDUE = "overdue"
    HOLDOUT = "holdout"
    CONTROL_GROUP = "control_group"
    SENT_BEFORE = "sent_before"
    FREQUENCY_CAP = "frequency_cap"
    WINDOW_CLOSED = "window_closed"
    QUIET_HOURS = "quiet_hours"
    REJECTED_BY_PROVIDER = "rejected_by_provider"
    SOLD_OUT = "sold_out"
    NO_VOUCHER = "no_voucher"
    NOT_A_TEST_USER = "not_a_test_user"
