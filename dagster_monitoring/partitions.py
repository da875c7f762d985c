"""The slices of production: hours, days or weeks of a time zone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import MAXYEAR, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from pydantic import Field, field_validator, model_validator

from dagster_monitoring.calendars import Calendar, Days, Weeks, hours_of, known_zone
from dagster_monitoring.declaration import Declaration
from dagster_monitoring.errors import DeclarationError

Every = Literal["hour", "day", "week"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

MOST_SLICES = 9_600
"""The longest window, rolling baseline and look-back: 400 days of hours."""

ByLength = Mapping[str, Mapping[Every, int]]
"""Defaults that count slices, by field and by the length of a slice."""

WEEKDAYS: tuple[Weekday, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_HOURS_A_DAY, _DAYS_A_WEEK = 24, 7


class Partitions(Declaration):
    """Slices of production: hours, days or weeks of a time zone, from ``start`` on.

    Keys are those of Dagster's hourly, daily and weekly partitions, and sort as texts in the
    order of time. A day is from local midnight to local midnight, so 23 or 25 hours long where
    clocks change. An hour is always 60 minutes long: of two of the same name the second has its
    offset in its key. A week is seven days, and bears the name of its first.

    Example:
        >>> days = Partitions(start="2013-04-01", timezone="America/New_York")
        >>> [str(t) for t in days.bounds("2013-11-03")]
        ['2013-11-03 04:00:00+00:00', '2013-11-04 05:00:00+00:00']
        >>> days.shift("2013-04-01", 2)
        '2013-04-03'
        >>> hours = Partitions(start="2013-04-01", timezone="America/New_York", every="hour")
        >>> hours.between("2013-11-03-01:00", "2013-11-03-02:00")
        ['2013-11-03-01:00', '2013-11-03-01:00-0500', '2013-11-03-02:00']
        >>> Partitions(start="2013-04-01", every="week").distance("2013-04-01", "2013-05-06")
        5
    """

    start: date = Field(
        description="The first day of production. Of weeks, the first that begins on this day or "
        "later. It may be moved either way."
    )
    end: date | None = Field(None, description="The last day, when production is over.")
    timezone: str = Field("UTC", description="IANA name, for instance America/New_York.")
    every: Every = Field(
        "day",
        description="How long a slice is: hour, day or week. Windows, rolling baselines and "
        "learned limits count slices. A model keeps it for good.",
    )
    week_start: Weekday = Field(
        "monday", description="The first day of a week, where slices are weeks."
    )

    _zone = field_validator("timezone")(known_zone)

    @model_validator(mode="after")
    def _in_order(self) -> Partitions:
        _calendar(self.every, self.week_start, self.timezone, self.start)
        if self.end is not None and self.end < self.start:
            raise ValueError(f"end ({self.end}) lies before start ({self.start})")
        if self.week_start != "monday" and self.every != "week":
            raise ValueError(f"week_start is for every: week, and slices are {self.every}s")
        last = self._last
        if last is not None and last < self._first:
            raise ValueError(
                f"no whole {self.every} lies from start ({self.start}) to end ({self.end})"
            )
        return self

    @field_validator("end")
    @classmethod
    def _on_the_calendar(cls, end: date | None) -> date | None:
        if end is not None and end.year == MAXYEAR:
            raise ValueError(f"{end} is no end: leave it out while production goes on")
        return end

    @property
    def first(self) -> str:
        """The key of the first slice of production."""
        return self._calendar.key(self._first)

    @property
    def last(self) -> str | None:
        """The key of the last slice of production; ``None`` as long as it goes on."""
        return None if self._last is None else self._calendar.key(self._last)

    def require(self, partition: str) -> None:
        """Refuse a key of no slice of production.

        Raises:
            DeclarationError: it is not written as a key, or lies outside ``start`` and ``end``.
        """
        number = self._number(partition)
        if self._last is not None and number > self._last:
            raise DeclarationError(
                f"partition {partition} lies after the last one, {self.last} (field partitions.end)"
            )
        if number < self._first:
            raise DeclarationError(
                f"partition {partition} lies before the first one, {self.first} "
                f"(field partitions.start)"
            )

    def holds(self, partition: str) -> bool:
        """Whether a text is the key of a slice of production, as it is declared now."""
        try:
            self.require(partition)
        except DeclarationError:
            return False
        return True

    def bounds(self, partition: str) -> tuple[datetime, datetime]:
        """Start (included) and end (excluded) of a slice, in UTC; raises as :meth:`require`."""
        self.require(partition)
        number = self._number(partition)
        return self._calendar.start(number), self._calendar.start(number + 1)

    def key_of(self, moment: datetime) -> str:
        """The slice that a moment (with a time zone) falls into, before ``start`` too."""
        return self._calendar.key(self._calendar.number_at(moment))

    def shift(self, partition: str, slices: int) -> str:
        """The key so many slices later (or earlier, when negative); it may lie before ``start``.

        Raises:
            DeclarationError: the text is no key.
        """
        return self._calendar.key(self._number(partition) + slices)

    def distance(self, first: str, last: str) -> int:
        """How many slices after ``first`` another one is: 1 for the next, negative for earlier.

        Raises:
            DeclarationError: a text is no key.
        """
        return self._number(last) - self._number(first)

    def between(self, first: str, last: str) -> list[str]:
        """Keys from ``first`` to ``last``, both included, that lie in production; in order."""
        low, high = max(self._number(first), self._first), self._number(last)
        if self._last is not None:
            high = min(high, self._last)
        return [self._calendar.key(number) for number in range(low, high + 1)]

    def first_of(self, text: str) -> str:
        """A key as it is, and of a day the first hour in it, or the week that it lies in.

        Raises:
            DeclarationError: the text is neither.
        """
        return self._named(text, last=False)

    def last_of(self, text: str) -> str:
        """As :meth:`first_of`, with the last hour of a day."""
        return self._named(text, last=True)

    def slices_of(self, days: float) -> int:
        """How many slices make up so many days, rounded up and at least 1.

        Example:
            >>> [Partitions(start="2024-01-01", every=e).slices_of(14) for e in ("hour", "week")]
            [336, 2]
        """
        if self.every == "hour":
            return max(math.ceil(days * _HOURS_A_DAY), 1)
        return max(math.ceil(days if self.every == "day" else days / _DAYS_A_WEEK), 1)

    @property
    def _calendar(self) -> Calendar:
        return _calendar(self.every, self.week_start, self.timezone, self.start)

    @property
    def _first(self) -> int:
        return _first(self._calendar, self.start)

    @property
    def _last(self) -> int | None:
        return None if self.end is None else _last(self._calendar, self.end)

    def _number(self, partition: str) -> int:
        try:
            return self._calendar.number(partition)
        except ValueError:
            raise DeclarationError(
                f"partition {partition!r} is not {self._calendar.form}"
            ) from None

    def _named(self, text: str, *, last: bool) -> str:
        try:
            day = date.fromordinal(Days(self.timezone).number(text))
        except ValueError:
            return self.shift(text, 0)
        begins = self._calendar.midnight(day + timedelta(days=1) if last else day)
        within = begins - timedelta(microseconds=1) if last else begins
        return self.key_of(within)


@lru_cache(maxsize=256)
def _calendar(every: Every, week_start: Weekday, timezone: str, start: date) -> Calendar:
    if every == "hour":
        return hours_of(timezone, start)
    return Days(timezone) if every == "day" else Weeks(timezone, WEEKDAYS.index(week_start))


@lru_cache(maxsize=256)
def _first(calendar: Calendar, start: date) -> int:
    return calendar.first_from(start)


@lru_cache(maxsize=256)
def _last(calendar: Calendar, end: date) -> int:
    return calendar.last_until(end)
