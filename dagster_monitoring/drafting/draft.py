"""A first declaration, told from a baseline's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dagster_monitoring.calendars import time_zones
from dagster_monitoring.drafting.choices import Choices, Note
from dagster_monitoring.drafting.facts import RowsFacts
from dagster_monitoring.drafting.features import infer_features
from dagster_monitoring.drafting.keys import infer_id, infer_model_version, infer_timestamp
from dagster_monitoring.drafting.task import infer_task
from dagster_monitoring.errors import BaselineError, SchemaMismatchError
from dagster_monitoring.profiles.baseline import MINIMUM_ROWS
from dagster_monitoring.schema import Columns, Partitions, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a declaration says of a model's rows, and what a person should look at.

    Attributes:
        task: what is predicted.
        columns: every column by its role.
        partitions: from the day after the baseline's last.
        last: the baseline's last moment.
        segments: columns that would make segments.
        left_out: columns without a role, and why.
        notes: choices that might be wrong, by field.
    """

    task: Task
    columns: Columns
    partitions: Partitions
    last: datetime
    segments: tuple[str, ...]
    left_out: Mapping[str, str]
    notes: tuple[Note, ...]


def draft(facts: RowsFacts, choices: Choices | None = None) -> Draft:
    """The roles of all columns, the task, and the first day of production; pure.

    Args:
        facts: what :func:`gather_facts` gave for the baseline.
        choices: what is known better than told from the data.

    Raises:
        BaselineError: fewer than ten rows.
        SchemaMismatchError: a role that must be there can't be told; says which option names it.
        DeclarationError: an unknown time zone.
    """
    choices = choices or Choices()
    if facts.rows < MINIMUM_ROWS:
        raise BaselineError(
            f"the baseline has {facts.rows} rows, and at least {MINIMUM_ROWS} are needed"
        )
    id_column, id_notes = infer_id(facts, choices)
    timestamp, time_notes = infer_timestamp(facts, choices)
    keys = (id_column, timestamp)
    version = infer_model_version(facts, taken=keys)
    taken = {*keys, *([version] if version else [])}
    task = infer_task(facts, choices, taken=taken)
    features = infer_features(facts, taken={*taken, *task.used, *task.left_out})
    partitions, last, zone_notes = _partitions(facts, timestamp, choices)
    return Draft(
        task=task.task,
        columns=Columns(
            id=id_column,
            timestamp=timestamp,
            numeric=features.numeric,
            categorical=features.categorical,
            model_version=version,
        ),
        partitions=partitions,
        last=last,
        segments=features.segments(facts),
        left_out={**task.left_out, **features.left_out},
        notes=(*id_notes, *time_notes, *task.notes, *features.notes, *zone_notes),
    )


def _partitions(
    facts: RowsFacts, timestamp: str, choices: Choices
) -> tuple[Partitions, datetime, list[Note]]:
    column = facts.columns[timestamp]
    if column.last is None:
        raise SchemaMismatchError(
            f"no row has a value in the timestamp {timestamp}. Name another with --timestamp"
        )
    notes = []
    zone = choices.timezone or column.zone or "UTC"
    if choices.timezone is None and zone not in time_zones():
        notes.append(Note("partitions.timezone", f"{zone} is no zone by name; UTC instead"))
        zone = "UTC"
    if choices.timezone is None and zone == "UTC":
        notes.append(
            Note("partitions.timezone", "days of UTC; --timezone names the zone whose days count")
        )
    last = column.last.astimezone(UTC)
    zoned = Partitions(start=date.min, timezone=zone)
    start = date.fromisoformat(zoned.key_of(last)) + timedelta(days=1)
    return Partitions(start=start, timezone=zone), last, notes
