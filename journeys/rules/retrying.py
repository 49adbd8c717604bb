"""Rules about judging an audience again for a while after the entry event."""

from collections.abc import Iterator
from datetime import timedelta

from journeys.duration import describe_duration
from journeys.findings import Note, error
from journeys.model import Journey

LONGEST_RETRY = timedelta(days=1)
"""So long an audience is judged again at most: it is for a profile that is updated just after the event."""


def audience_judged_again(journey: Journey) -> Iterator[Note]:
    """`retry` is for an event that comes before the profile update it belongs to, and for nothing else."""
    entry, path = journey.entry, ("entry", "retry")
    if entry.retry is None:
        return
    if entry.audience is None:
        what = "There is no audience that could be judged again: everybody enters at once."
        yield error("retry-without-audience", path, what, "Say with `audience` who enters, or remove `retry`.")
    if entry.trigger is None or entry.broadcast is not None:
        way = "a broadcast asks everybody at its moment" if entry.broadcast else "contacts enter over the API only"
        what = f"Only an entry by an event of the contact is judged again, and {way}."
        yield error("retry-without-event", path, what, "Name the entry `event`, or remove `retry`.")
    if entry.retry > LONGEST_RETRY:
        what = f"An audience is judged again for {describe_duration(LONGEST_RETRY)} at most."
        yield error("retry-too-long", path, what, "Write some minutes, or enter by a `segment` with that condition.")
