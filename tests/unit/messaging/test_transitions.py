import pytest

from kit.errors import Conflict
from messaging.models import MessageState
from messaging.transitions import TRANSITIONS, LedgerEvent, after

ILLEGAL = None

# Rows: the state; columns: claimed, gate_refused, accepted, not_sent, rejected, uncertain.
EXPECTED: dict[str | None, list[str | None]] = {
    None: ["handing_over", "refused", ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL],
    "handing_over": ["handing_over", "unknown", "handed_over", "failed", "refused", "unknown"],
    "handed_over": [ILLEGAL, ILLEGAL, "handed_over", "handed_over", "handed_over", "handed_over"],
    "refused": [ILLEGAL, ILLEGAL, "handed_over", ILLEGAL, ILLEGAL, ILLEGAL],
    "failed": ["handing_over", "refused", "handed_over", ILLEGAL, ILLEGAL, ILLEGAL],
    "unknown": ["handing_over", "unknown", "handed_over", "failed", "refused", "unknown"],
}

PAIRS = [
    (MessageState(state) if state else None, event, following)
    for state, row in EXPECTED.items()
    for event, following in zip(LedgerEvent, row, strict=True)
]


@pytest.mark.parametrize(("state", "event", "following"), PAIRS)
def test_every_state_answers_every_event(state: MessageState | None, event: LedgerEvent, following: str | None) -> None:
    if following is ILLEGAL:
        with pytest.raises(Conflict, match=event):
            after(state, event)
    else:
        assert after(state, event) == following


def test_the_pairs_are_all_there_are() -> None:
    assert {(state, event) for state, event, _ in PAIRS} == {
        (state, event) for state in [None, *MessageState] for event in LedgerEvent
    }
    assert TRANSITIONS.keys() <= {(state, event) for state, event, _ in PAIRS}


def test_what_is_out_stays_out() -> None:
    later = {LedgerEvent.ACCEPTED, LedgerEvent.NOT_SENT, LedgerEvent.REJECTED, LedgerEvent.UNCERTAIN}
    assert {after(MessageState.HANDED_OVER, event) for event in later} == {MessageState.HANDED_OVER}


@pytest.mark.parametrize("state", list(MessageState))
def test_an_acceptance_is_believed_whenever_it_comes(state: MessageState) -> None:
    assert after(state, LedgerEvent.ACCEPTED) is MessageState.HANDED_OVER
