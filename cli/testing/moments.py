"""Moments as tests name them: `Mon 09:00`, `09:00`, `2026-06-08 09:00`, `Mon 09:00 Europe/Berlin`."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class When:
    """What a test says of a moment: any of weekday, date and time of day, in a zone (None: the contact's)."""

    weekday: int | None = None
    day: date | None = None
    clock: time | None = None
    exactly: bool = False
    zone: ZoneInfo | None = None

    @classmethod
    def read(cls, said: "str | datetime") -> "When":
        """What is said, in parts separated by spaces.

        Raises:
            ValueError: a part is none of these; says which, and what can be written.
        """
        if isinstance(said, datetime):
            return cls._of_datetime(said)
        found = cls()
        for part in said.replace("T", " ").split() if said[:1].isdigit() else said.split():
            found = found._with(part, said)
        return found

    @classmethod
    def _of_datetime(cls, said: datetime) -> "When":
        zone = said.tzinfo if isinstance(said.tzinfo, ZoneInfo) else None
        if said.tzinfo is not None and zone is None:
            zone = ZoneInfo("UTC")
            said = said.astimezone(zone)
        return cls(day=said.date(), clock=said.time(), exactly=bool(said.second), zone=zone)

    def _with(self, part: str, said: str) -> "When":
        values = dict(vars(self))
        if part[:3].lower() in _DAYS and part.isalpha():
            values["weekday"] = _DAYS.index(part[:3].lower())
        elif ":" in part:
            values |= {"clock": time.fromisoformat(part), "exactly": part.count(":") > 1}
        elif part.count("-") == 2 and part[:4].isdigit():  # noqa: PLR2004 -- year-month-day
            values["day"] = date.fromisoformat(part)
        elif part in available_timezones():
            values["zone"] = ZoneInfo(part)
        else:
            raise ValueError(
                f"{said!r} is no moment: {part!r} is neither a weekday (Mon), nor a date (2026-06-08), "
                "nor a time of day (09:00), nor a time zone (Europe/Berlin)."
            )
        return When(**values)

    def fits(self, instant: datetime, zone: ZoneInfo, *, late: timedelta) -> bool:
        """Whether an aware instant is this moment; `late` is how far real time may have pushed it."""
        zone = self.zone or zone
        days = {instant.astimezone(zone).date(), (instant - late).astimezone(zone).date()}
        return any(self._fits_on(day, instant, zone, late) for day in days)

    def _fits_on(self, day: date, instant: datetime, zone: ZoneInfo, late: timedelta) -> bool:
        if self.weekday not in {None, day.weekday()} or self.day not in {None, day}:
            return False
        if self.clock is None:
            return True
        begin = datetime.combine(day, self.clock, tzinfo=zone)
        return timedelta(0) <= instant - begin < (_SECOND if self.exactly else _MINUTE) + late

    def after(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """The first such moment at or after an aware instant, without a time of day at midnight.

        Raises:
            ValueError: it has passed, and does not come again.
        """
        zone = self.zone or zone
        first = instant.astimezone(zone).date()
        for number in range(8) if self.day is None else (0,):
            day = self.day or first + timedelta(days=number)
            moment = datetime.combine(day, self.clock or time(0), tzinfo=zone)
            if self.weekday in {None, day.weekday()} and moment >= instant:
                return moment
        raise ValueError("That moment has passed already.")
