"""Hours, days and weeks of a time zone, numbered without a gap and named as Dagster names them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import groupby, pairwise
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from dagster_monitoring.errors import did_you_mean

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_HOUR = re.compile(r"(\d{4}-\d{2}-\d{2})-(\d{2}:\d{2})([+-]\d{4})?", re.ASCII)

_HOUR_SECONDS = 3600
_WEEK_DAYS = 7
_LAST_KNOWN_YEAR = 2037
"""Zones' rules are looked at up to this year; from then on they repeat."""

_REMEMBERED = 1 << 15


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones: to list them takes the reading of 600 files."""
    return frozenset(available_timezones())


def known_zone(name: str) -> str:
    """A time zone's name, if there is such a one.

    Raises:
        ValueError: there is none; the nearest is named.

    Example:
        >>> known_zone("Europe/Berlin")
        'Europe/Berlin'
    """
    if name not in time_zones():
        raise ValueError(f"no time zone is called {name!r}.{did_you_mean(name, time_zones())}")
    return name


class Calendar(ABC):
    """Stretches of time that follow each other without a gap, each with a number and a key.

    Keys are Dagster's, and sort as texts in the order of time.
    """

    form: ClassVar[str]

    @abstractmethod
    def key(self, number: int) -> str:
        """The key of the stretch with this number."""

    @abstractmethod
    def number(self, key: str) -> int:
        """The number of the stretch with this key.

        Raises:
            ValueError: no stretch has this key.
        """

    @abstractmethod
    def number_at(self, moment: datetime) -> int:
        """The number of the stretch that a moment, with a time zone, lies in."""

    @abstractmethod
    def start(self, number: int) -> datetime:
        """When the stretch begins, in UTC; it ends when the next one begins."""

    def first_from(self, day: date) -> int:
        """The number of the first stretch that begins on a day or later."""
        number = self.number_at(self.midnight(day))
        return number if self.start(number) >= self.midnight(day) else number + 1

    def last_until(self, day: date) -> int:
        """The number of the last stretch that is over when a day is."""
        return self.number_at(self.midnight(day + timedelta(days=1))) - 1

    @abstractmethod
    def midnight(self, day: date) -> datetime:
        """When a day of the zone begins, in UTC."""


@dataclass(frozen=True, slots=True)
class Days(Calendar):
    """Days of a zone, from local midnight to local midnight.

    Where clocks skip midnight, a day begins with the first moment after the gap; where they show
    it twice, with the first of the two.

    Example:
        >>> days = Days("America/New_York")
        >>> number = days.number("2013-11-03")
        >>> days.key(number + 1), str(days.start(number + 1) - days.start(number))
        ('2013-11-04', '1 day, 1:00:00')
    """

    zone: str
    form = "a day: write it as YYYY-MM-DD"

    def key(self, number: int) -> str:
        """See :meth:`Calendar.key`; numbers are those of ``date.toordinal``."""
        return date.fromordinal(number).isoformat()

    def number(self, key: str) -> int:
        """See :meth:`Calendar.number`."""
        # Python reads more forms of ISO 8601, which keys are not compared in.
        if not _DAY.fullmatch(key):
            raise ValueError(key)
        return date.fromisoformat(key).toordinal()

    def number_at(self, moment: datetime) -> int:
        """See :meth:`Calendar.number_at`."""
        return moment.astimezone(ZoneInfo(self.zone)).toordinal()

    def start(self, number: int) -> datetime:
        """See :meth:`Calendar.start`."""
        return self.midnight(date.fromordinal(number))

    def midnight(self, day: date) -> datetime:
        """See :meth:`Calendar.midnight`."""
        return _midnight(self.zone, day)


@dataclass(frozen=True, slots=True)
class Weeks(Calendar):
    """Weeks of a zone that begin on the same weekday (0 is Monday); a key is the first day's.

    Example:
        >>> weeks = Weeks("America/New_York", 0)
        >>> number = weeks.number("2013-10-28")
        >>> weeks.key(number + 1), str(weeks.start(number + 1) - weeks.start(number))
        ('2013-11-04', '7 days, 1:00:00')
    """

    zone: str
    weekday: int
    form = "a week: write its first day as YYYY-MM-DD"

    def key(self, number: int) -> str:
        """See :meth:`Calendar.key`."""
        return self._day(number).isoformat()

    def number(self, key: str) -> int:
        """See :meth:`Calendar.number`."""
        if not _DAY.fullmatch(key):
            raise ValueError(key)
        day = date.fromisoformat(key)
        if day.weekday() != self.weekday:
            raise ValueError(key)
        return self._of(day)

    def number_at(self, moment: datetime) -> int:
        """See :meth:`Calendar.number_at`."""
        return self._of(moment.astimezone(ZoneInfo(self.zone)).date())

    def start(self, number: int) -> datetime:
        """See :meth:`Calendar.start`."""
        return self.midnight(self._day(number))

    def midnight(self, day: date) -> datetime:
        """See :meth:`Calendar.midnight`."""
        return _midnight(self.zone, day)

    def _of(self, day: date) -> int:
        # The first ordinal, 1, is a Monday.
        return (day.toordinal() - 1 - self.weekday) // _WEEK_DAYS

    def _day(self, number: int) -> date:
        return date.fromordinal(number * _WEEK_DAYS + 1 + self.weekday)


@dataclass(frozen=True, slots=True)
class Hours(Calendar):
    """Hours of a zone, all of them 60 minutes long.

    Where clocks go back, the hour that comes twice has its offset in the second key; where they
    go forward, there is no key of the hour that is left out. ``minutes`` is how far the zone's
    hours begin before those of UTC, 30 in Kolkata.

    Example:
        >>> hours = Hours("America/New_York", 0)
        >>> number = hours.number("2013-11-03-01:00")
        >>> [hours.key(number + i) for i in range(3)]
        ['2013-11-03-01:00', '2013-11-03-01:00-0500', '2013-11-03-02:00']
    """

    zone: str
    minutes: int
    form = "an hour: write it as YYYY-MM-DD-HH:00"

    def key(self, number: int) -> str:
        """See :meth:`Calendar.key`."""
        return _hour_key(self.zone, self._seconds(number))

    def number(self, key: str) -> int:
        """See :meth:`Calendar.number`."""
        number, beyond = divmod(_hour_seconds(self.zone, key) + self.minutes * 60, _HOUR_SECONDS)
        if beyond:
            raise ValueError(key)
        return number

    def number_at(self, moment: datetime) -> int:
        """See :meth:`Calendar.number_at`."""
        return int((moment.timestamp() + self.minutes * 60) // _HOUR_SECONDS)

    def start(self, number: int) -> datetime:
        """See :meth:`Calendar.start`."""
        return datetime.fromtimestamp(self._seconds(number), UTC)

    def midnight(self, day: date) -> datetime:
        """See :meth:`Calendar.midnight`."""
        return _midnight(self.zone, day)

    def _seconds(self, number: int) -> int:
        return number * _HOUR_SECONDS - self.minutes * 60


@lru_cache(maxsize=256)
def hours_of(zone: str, since: date) -> Hours:
    """The hours of a zone, from a day on.

    Raises:
        ValueError: the zone's clocks are set by a part of an hour, or back by more than one, on
            that day or later. Then hours have no names that Dagster itself reads back, or none
            that sort in the order of time.

    Example:
        >>> from datetime import date
        >>> hours_of("Asia/Kolkata", date(2024, 1, 1))
        Hours(zone='Asia/Kolkata', minutes=30)
    """
    offsets = _offsets(zone, since)
    for before, after in pairwise(offsets):
        if (after - before) % timedelta(hours=1) or before - after > timedelta(hours=1):
            raise ValueError(
                f"hours can't be told apart in {zone}, whose clocks are set by a part of an hour "
                "or back by more than one; use timezone: UTC, or every: day"
            )
    return Hours(zone, offsets[0] % timedelta(hours=1) // timedelta(minutes=1))


def _offsets(zone: str, since: date) -> list[timedelta]:
    """The zone's offsets from UTC, one after the other as they change."""
    place, last = ZoneInfo(zone), max(date(_LAST_KNOWN_YEAR, 12, 31), since)
    noons = map(date.fromordinal, range(since.toordinal(), last.toordinal() + 1))
    moments = [datetime.combine(since, time()), *(datetime.combine(d, time(12)) for d in noons)]
    offsets = [place.utcoffset(moment) or timedelta() for moment in moments]
    return [offset for offset, _ in groupby(offsets)]


@lru_cache(maxsize=_REMEMBERED)
def _hour_key(zone: str, seconds: int) -> str:
    local = datetime.fromtimestamp(seconds, ZoneInfo(zone))
    key = f"{local.date().isoformat()}-{local:%H:%M}"
    return f"{key}{local:%z}" if local.fold else key


@lru_cache(maxsize=_REMEMBERED)
def _hour_seconds(zone: str, key: str) -> int:
    parts = _HOUR.fullmatch(key)
    if parts is None:
        raise ValueError(key)
    moment = datetime.fromisoformat(f"{parts[1]}T{parts[2]}{parts[3] or ''}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    seconds = int(moment.timestamp())
    # Hours that clocks leave out, and offsets where there is nothing to tell apart.
    if _hour_key(zone, seconds) != key:
        raise ValueError(key)
    return seconds


@lru_cache(maxsize=_REMEMBERED)
def _midnight(zone: str, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
