"""Whom a message is for, and when it may be sent: by severity, cause, owner and hour."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from dagster_monitoring.calendars import known_zone
from dagster_monitoring.declaration import Declaration
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents.incident import Cause, Incident, Transition

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_DAYS: tuple[Day, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_MIDNIGHT = "24:00"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
# The end of what a channel was told; else people look for what is over, or taken.
_TO_THE_END = frozenset({Transition.ACKNOWLEDGED, Transition.UPDATED, Transition.RESOLVED})
# What is done meanwhile is told with what comes after the sleep.
_PAGES_AGAIN = frozenset(
    {Transition.ESCALATED, Transition.REMINDED, Transition.REOPENED, Transition.UPDATED}
)


class Hours(Declaration):
    """Days and hours of a week, in a time zone. Hours that end before they begin go past midnight.

    Example:
        >>> from datetime import UTC, datetime
        >>> nights = Hours(hours="18:00-08:00")
        >>> nights.hold(datetime(2024, 5, 1, 7, 59, tzinfo=UTC))
        True
        >>> nights.hold(datetime(2024, 5, 1, 8, 0, tzinfo=UTC))
        False
    """

    days: tuple[Day, ...] = Field(
        _DAYS, description="Days of the week; hours past midnight count to the day they began on."
    )
    hours: str = Field(
        "00:00-24:00", description="From and to, such as 08:00-18:00 or 18:00-08:00."
    )
    timezone: str = Field("UTC", description="IANA name, for instance America/New_York.")

    _zone = field_validator("timezone")(known_zone)

    @field_validator("hours")
    @classmethod
    def _two_times(cls, given: str) -> str:
        if not re.fullmatch(rf"{_CLOCK}-({_CLOCK}|24:00)", given):
            raise ValueError(
                f"{given!r} are no hours: write 08:00-18:00, or 18:00-08:00 for nights"
            )
        begin, _, end = given.partition("-")
        if begin == end:
            raise ValueError(f"{given!r} is no time at all; leave hours out for the whole day")
        return given

    def hold(self, moment: datetime) -> bool:
        """Whether a moment, with a time zone, lies in them; their end does not."""
        return self.until(moment) is not None

    def until(self, moment: datetime) -> datetime | None:
        """When the hours that a moment lies in are over; ``None`` outside of them."""
        zone = ZoneInfo(self.timezone)
        today = moment.astimezone(zone).date()
        for day in (today, today - timedelta(days=1)):
            begin, end = self._bounds(day, zone)
            if _DAYS[day.weekday()] in self.days and begin <= moment < end:
                return end.astimezone(UTC)
        return None

    def _bounds(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        begin, _, end = self.hours.partition("-")
        last = day if begin < end != _MIDNIGHT else day + timedelta(days=1)
        # Compared in UTC: within one zone Python compares what clocks show.
        return (
            datetime.combine(day, time.fromisoformat(begin), zone).astimezone(UTC),
            datetime.combine(
                last, time.fromisoformat("00:00" if end == _MIDNIGHT else end), zone
            ).astimezone(UTC),
        )


class When(Declaration):
    """Which messages a channel gets; each field that is left out lets all through.

    Once a channel was told of an incident, it is also told who took it and that it is over,
    whatever the hour.

    Example:
        >>> When(causes=["model", "retraining"], severities=["ERROR"]).hours
    """

    severities: tuple[Severity, ...] | None = Field(None, description="ERROR, WARN.")
    causes: tuple[Cause, ...] | None = Field(
        None,
        description="pipeline, data and labels are for who makes the data; model and retraining "
        "for who makes the model; alerting for who runs this.",
    )
    monitors: tuple[str, ...] | None = Field(
        None, description="Names or types of monitors, of which one takes part."
    )
    owners: tuple[str, ...] | None = Field(
        None, description="Whose incident it is; of one that nobody took, the model's owners."
    )
    hours: Hours | None = Field(
        None,
        description="What happens outside of them this channel is not told, not even later: give "
        "the other hours to another channel.",
    )

    def fits(self, incident: Incident, *, owners: Collection[str], now: datetime) -> bool:
        """Whether an incident's messages are for this channel now.

        Args:
            incident: as it is.
            owners: the model's.
            now: the clock.
        """
        whose = {incident.owner} if incident.owner else set(owners)
        named = set(incident.monitors) | incident.kinds
        return (
            (self.severities is None or incident.severity in self.severities)
            and (self.causes is None or incident.cause in self.causes)
            and (self.monitors is None or not named.isdisjoint(self.monitors))
            and (self.owners is None or not whose.isdisjoint(self.owners))
            and (self.hours is None or self.hours.hold(now))
        )


class Digest(Declaration):
    """One message a day instead of one for each thing that happens.

    Example:
        >>> from datetime import UTC, datetime
        >>> Digest(at="09:30").last_due(datetime(2024, 5, 2, 9, tzinfo=UTC)).isoformat()
        '2024-05-01T09:30:00+00:00'
    """

    at: str = Field("08:00", pattern=rf"^{_CLOCK}$", description="Time of day.")
    timezone: str = Field("UTC", description="IANA name, for instance America/New_York.")

    _zone = field_validator("timezone")(known_zone)

    def last_due(self, now: datetime) -> datetime:
        """The last time that one was due, up to now."""
        zone = ZoneInfo(self.timezone)
        today = now.astimezone(zone).date()
        due = datetime.combine(today, time.fromisoformat(self.at), zone).astimezone(UTC)
        if due <= now:
            return due
        day = today - timedelta(days=1)
        return datetime.combine(day, time.fromisoformat(self.at), zone).astimezone(UTC)


def is_told(
    when: When,
    incident: Incident,
    transition: Transition,
    *,
    escalations_only: bool,
    knows: bool,
    owners: Collection[str],
    now: datetime,
) -> bool:
    """Whether a channel gets the message about what just happened to an incident.

    Args:
        when: the channel's.
        incident: after the transition.
        transition: what happened.
        escalations_only: whether it gets nothing else.
        knows: whether the channel was told of the incident before.
        owners: the model's.
        now: the clock.
    """
    if transition in _TO_THE_END:
        return knows
    if escalations_only and transition is not Transition.ESCALATED:
        return False
    return when.fits(incident, owners=owners, now=now)


def is_quiet(incident: Incident, transition: Transition, *, now: datetime) -> bool:
    """Whether nobody is told because the incident sleeps; its end is told all the same."""
    until = incident.snoozed_until
    return until is not None and now < until and transition in _PAGES_AGAIN


def held_until(
    downtime: Iterable[Hours], transition: Transition, *, now: datetime
) -> datetime | None:
    """When a message may be sent; ``None``: at once.

    Windows that overlap or follow on each other are one. An escalation waits for none: nobody
    answered for long.
    """
    if transition is Transition.ESCALATED:
        return None
    windows, moment = tuple(downtime), now
    # Windows of all hours have no end; a week is longer than any other.
    while moment < now + timedelta(days=7):
        ends = [end for window in windows if (end := window.until(moment)) is not None]
        if not ends:
            break
        moment = max(ends)
    return moment if moment > now else None
