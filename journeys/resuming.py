"""What resuming does with the time that has passed during a pause: a closed choice, shared by every package above."""

from enum import StrEnum


class Resuming(StrEnum):
    """What becomes of waits and messages whose time went on during a pause."""

    CATCH_UP = "catch_up"
    """Waits end when they always would have; what is over by now is made up for at once."""
    SHIFT = "shift"
    """A wait for a length of time ends later by the length of the pause. A wait for a moment ends at that moment."""
    DROP_IF_LATE = "drop_if_late"
    """As `catch_up`, but messages whose time passed during the pause are left out, with the reason."""
