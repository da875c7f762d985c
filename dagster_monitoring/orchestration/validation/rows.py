"""Whether the baseline and a slice can be read, and hold what is declared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from dagster_monitoring.drafting.facts import RowsFacts, gather_facts
from dagster_monitoring.errors import DataError, DeclarationError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.label_keys import key_columns, label_keys
from dagster_monitoring.orchestration.validation._finding import (
    Finding,
    fault,
    faults_of,
    ok,
    warning,
)
from dagster_monitoring.orchestration.validation.columns import (
    enough_rows,
    labels_fit,
    missing_columns,
    rows_fit,
    timestamp_fits,
    wrong_types,
)
from dagster_monitoring.profiles.baseline import MINIMUM_ROWS
from dagster_monitoring.profiles.predictions import joined_columns
from dagster_monitoring.sources import (
    AssetSource,
    ParquetSource,
    Request,
    names_slices,
    slice_named,
)


def check_baseline(model: MonitoredModel) -> list[Finding]:
    """Readable, with the declared columns, types and labels, and enough rows."""
    findings: list[Finding] = []
    with faults_of(findings, "baseline"):
        schema = model.baseline.arrow_schema()
        findings += missing_columns(model, tuple(schema.names), "baseline")
        wanted = _declared(model, schema)
        facts = gather_facts(model.baseline.batches(Request(columns=wanted)))
        findings += enough_rows(facts.rows, MINIMUM_ROWS, "baseline")
        findings += _values(model, facts, schema, "baseline")
        findings += _baseline_labels(model, facts)
        findings += _constants(model, facts)
        findings += _ends_before_production(model, facts)
    return findings


def check_predictions(model: MonitoredModel, partition: str | None) -> list[Finding]:
    """The slice of a day, or the newest there is: readable, with all columns and right types.

    Args:
        model: the declaration, with its paths made absolute.
        partition: the day; ``None`` takes the newest.
    """
    findings: list[Finding] = []
    with faults_of(findings, "predictions"):
        key = partition or newest_partition(model)
        if key is None:
            remedy = "check that slices were written, and the path in field predictions"
            return [fault("predictions", "no slice was found", remedy)]
        request = _request(model, key)
        described = model.predictions.describe(request)
        findings += [
            warning("predictions", line, "write all files of a day with the same types")
            for line in described.faults
        ]
        findings += missing_columns(model, tuple(described.schema.names), "predictions")
        wanted = _declared(model, described.schema)
        request = _request(model, key, columns=wanted)
        facts = gather_facts(model.predictions.batches(request))
        findings += _slice_rows(facts, key)
        findings += _values(model, facts, described.schema, "predictions")
        findings += _in_its_day(model, facts, key)
    return findings


def newest_partition(model: MonitoredModel) -> str | None:
    """The key of the newest slice; ``None`` when there is none.

    By the file names where the path has ``{partition}``, else by the newest timestamp, for which
    that column is read.

    Raises:
        DataError: slices can't be listed or read.
    """
    source = model.predictions
    if isinstance(source, ParquetSource | AssetSource) and names_slices(source.path):
        return _newest_named(model, source.path, source.describe(Request()).locations[-1])
    name = model.columns.timestamp
    column = gather_facts(source.batches(Request(columns=(name,)))).columns.get(name)
    return None if column is None or column.last is None else model.partitions.key_of(column.last)


def _newest_named(model: MonitoredModel, path: str, newest: str) -> str:
    keys = model.partitions
    named = slice_named(path, newest)
    if isinstance(named, datetime):
        return keys.key_of(named.replace(tzinfo=ZoneInfo(keys.timezone)))
    try:
        return keys.shift(named or "", 0)
    except DeclarationError:
        raise DataError(
            f"the newest file, {newest}, names no {keys.every} in place of {{partition}} in "
            f"{path}. A slice's key is written as {keys.first}"
        ) from None


def slice_ids(model: MonitoredModel, partition: str) -> Iterator[pa.Array]:
    """What a slice's labels are joined by, batch by batch; raises ``DataError`` without it."""
    columns = dict.fromkeys((*key_columns(model), model.columns.timestamp))
    for batch in model.predictions.batches(_request(model, partition, columns=tuple(columns))):
        yield label_keys(model, batch)


def _request(
    model: MonitoredModel, partition: str, *, columns: tuple[str, ...] | None = None
) -> Request:
    return Request(
        columns=columns,
        partition=partition,
        bounds=model.partitions.bounds(partition),
        timestamp=model.columns.timestamp,
        timezone=model.partitions.timezone,
    )


def _declared(model: MonitoredModel, schema: pa.Schema) -> tuple[str, ...]:
    """Declared columns that are there; others may be large and are nobody's business."""
    task, columns = model.task, model.columns
    wanted = {columns.id, model.label_id, columns.timestamp, columns.model_version, task.label}
    wanted |= {*columns.features, *model.segments, *joined_columns(task)}
    return tuple(name for name in schema.names if name in wanted)


def _values(model: MonitoredModel, facts: RowsFacts, schema: pa.Schema, what: str) -> list[Finding]:
    return [
        *wrong_types(model, schema, what),
        *timestamp_fits(model, schema, what),
        *rows_fit(model, facts, what),
    ]


def _baseline_labels(model: MonitoredModel, facts: RowsFacts) -> list[Finding]:
    label = facts.columns.get(model.task.label)
    if label is None:
        text = f"no column {model.task.label!r}, the label: there is no reference performance"
        remedy = "add the labels, so that performance can be compared with the baseline's"
        return [warning("baseline", text, remedy)]
    return labels_fit(model, label, "baseline")


def _constants(model: MonitoredModel, facts: RowsFacts) -> list[Finding]:
    return [
        warning("baseline", f"{name} is constant", "any other value in a slice will be drift")
        for name in model.columns.features
        if name in facts.columns and facts.columns[name].n_distinct == 1
    ]


def _ends_before_production(model: MonitoredModel, facts: RowsFacts) -> list[Finding]:
    column = facts.columns.get(model.columns.timestamp)
    if column is None or column.last is None:
        return []
    last, start = model.partitions.key_of(column.last), model.partitions.first
    if last < start:
        return [ok("baseline", f"ends on {last}, before production starts on {start}")]
    text = f"goes to {last}, but production starts on {start}: slices are compared with themselves"
    return [warning("baseline", text, "set partitions.start, or cut the baseline")]


def _slice_rows(facts: RowsFacts, key: str) -> list[Finding]:
    if not facts.rows:
        return [warning("predictions", f"the slice of {key} has no rows", "look at what writes it")]
    return [ok("predictions", f"the slice of {key} has {facts.rows:,} rows")]


def _in_its_day(model: MonitoredModel, facts: RowsFacts, key: str) -> list[Finding]:
    column = facts.columns.get(model.columns.timestamp)
    if column is None or column.first is None or column.last is None:
        return []
    start, end = model.partitions.bounds(key)
    if start <= column.first and column.last < end:
        return [ok("predictions", f"its rows are of {_span(column.first, column.last)}")]
    place = f"that {model.partitions.every} of {model.partitions.timezone}"
    span = _span(column.first, column.last)
    text = f"rows of the slice of {key} lie outside {place}: they are of {span}"
    return [warning("predictions", text, "check partitions.timezone, and what writes the slices")]


def _span(first: datetime, last: datetime) -> str:
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
