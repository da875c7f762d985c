"""When trouble becomes an incident, and when an incident is over."""

from __future__ import annotations

from pydantic import Field

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents.routing import Hours


class AlertPolicy(Declaration):
    """What opens, closes and repeats an incident.

    Example:
        >>> AlertPolicy().keep_firing_for
        3
    """

    severity: Severity = Field(
        Severity.ERROR, description="The least severity that opens an incident."
    )
    false_pages_per_month: float | None = Field(
        1.0,
        gt=0,
        allow_inf_nan=False,
        description="How many false pages a month the model may make when nothing happens. It sets "
        "the levels of learned limits, and how far chance moves declared ones; null: thresholds "
        "keep their own alpha.",
    )
    for_: int = Field(
        1,
        ge=1,
        le=366,
        alias="for",
        description="Partitions in trouble one after the other that open an incident; a monitor's "
        "own `for` goes before. A partition without a verdict neither counts nor breaks the row.",
    )
    keep_firing_for: int = Field(
        3,
        ge=1,
        le=366,
        description="Healthy partitions one after the other that close it again; a monitor's own "
        "goes before. One that still warns counts half, and the row begins anew where what was in "
        "ERROR is not within its limits beyond chance, so that nothing flaps.",
    )
    max_age_days: float | None = Field(
        14,
        ge=0,
        allow_inf_nan=False,
        description="Partitions that ended longer ago (a backfill) are recorded as historical, and "
        "nobody is told; null tells about all.",
    )
    escalate_after_hours: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="An ERROR that nobody acknowledged for so long is escalated; null: never.",
    )
    repeat_every_hours: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="How often people are reminded of an ERROR that lasts; null: never.",
    )
    downtime: tuple[Hours, ...] = Field(
        (),
        description='When nobody is told, such as {days: [sunday], hours: "02:00-06:00"}: messages '
        "wait until it is over. Escalations go at once.",
    )
    show_values_of: tuple[str, ...] = Field(
        (),
        description="Columns whose values messages may hold (segments, new categories, classes). "
        "Of all others a segment is told as `carrier=…`, for values may be personal.",
    )
