"""A contact's best time of day, and what led to it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import Field

from api.schemas.fields import EXAMPLE_INSTANT, Output
from journeys.send_time import SendTime
from journeys.sittings import Reaction, Sitting
from journeys.window import write_time

_CLOCK = "HH:MM on the contact's wall"


class ReactionView(Output):
    """An opening or a click."""

    event_id: str
    name: str = Field(description="`mail.opened` or `mail.clicked`.")
    occurred_at: datetime

    @classmethod
    def of(cls, reaction: Reaction) -> "ReactionView":
        """The reaction as it is shown."""
        return cls(event_id=reaction.event_id, name=reaction.name, occurred_at=reaction.at)


class SittingView(Output):
    """Reactions of one go; it counts once, as of the first of them."""

    time: str = Field(description=f"When it began: {_CLOCK}, as the clocks ran on that day.")
    weight: float = Field(description="3 with a click, else 1; halved for every 60 days of its age.")
    led_here: bool = Field(description="Whether it speaks for the time that was found.")
    reactions: list[ReactionView] = Field(description="Oldest first.")


class SendTimeView(Output):
    """The time of day at which a journey would wait for the contact now, and why."""

    time: str = Field(description=f"{_CLOCK}.")
    next_at: datetime = Field(description="When the clock there next reads it.")
    time_zone: str
    because: str
    thin: bool = Field(description="Whether too little is known of the contact, so that it is `otherwise`.")
    hours: list[float] = Field(
        description="By hour of the contact's day, from 0 to 23, its part (0 to 1) of what all sittings weigh."
    )
    sittings: list[SittingView] = Field(description="All that counted, newest first.")

    @classmethod
    def of(cls, found: SendTime, next_at: datetime, zone: ZoneInfo, now: datetime, note: str | None) -> "SendTimeView":
        """What was found, to be waited for from `now` on; `note` is what was not as it should be with the zone."""
        return cls(
            time=write_time(found.time),
            next_at=next_at,
            time_zone=zone.key,
            because=f"{note} {found.because}" if note else found.because,
            thin=found.thin,
            hours=[round(part, 3) for part in found.hours],
            sittings=[_sitting(one, found, zone, now) for one in reversed(found.sittings)],
        )


def _sitting(sitting: Sitting, found: SendTime, zone: ZoneInfo, now: datetime) -> SittingView:
    return SittingView(
        time=write_time(sitting.began.astimezone(zone).time()),
        weight=round(sitting.weight(now), 3),
        led_here=sitting in found.leading,
        reactions=[ReactionView.of(reaction) for reaction in sitting.reactions],
    )


EXAMPLE = SendTimeView(
    time="18:40",
    next_at=EXAMPLE_INSTANT,
    time_zone="Europe/Berlin",
    because="18:40 is when this contact reacts most from 08:00 to 20:00: 7 of the 9 times it opened or clicked a mail "
    "in the last 180 days were between 17:45 and 19:40.",
    thin=False,
    hours=[0.0] * 9 + [0.2] + [0.0] * 8 + [0.8] + [0.0] * 5,
    sittings=[
        SittingView(
            time="18:42",
            weight=2.8,
            led_here=True,
            reactions=[ReactionView(event_id="click-4711", name="mail.clicked", occurred_at=EXAMPLE_INSTANT)],
        )
    ],
)
"""The example in the OpenAPI document."""
