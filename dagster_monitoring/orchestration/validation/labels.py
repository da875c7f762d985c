"""Whether the feed of labels can be read, and speaks of the predictions there are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.drafting.facts import gather_facts
from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.validation._finding import (
    Finding,
    fault,
    faults_of,
    ok,
    some,
    warning,
)
from dagster_monitoring.orchestration.validation.columns import labels_fit
from dagster_monitoring.orchestration.validation.rows import newest_partition, slice_ids
from dagster_monitoring.sources import Delivery, GroundTruth

# Labels and slices that are looked at; whoever has more has one that fits among these.
_MOST_LABELS = 200_000
_DAYS_BACK = 10


def check_ground_truth(model: MonitoredModel, partition: str | None) -> list[Finding]:
    """Readable, with its columns, and with ids that predictions have.

    Args:
        model: the declaration, with its paths made absolute.
        partition: the day whose predictions are looked at first; ``None`` for the newest.
    """
    feed = model.ground_truth
    if feed is None:
        text = "none is declared: performance and label coverage are not judged"
        return [warning("ground_truth", text, "declare field ground_truth when labels arrive")]
    findings: list[Finding] = []
    with faults_of(findings, "ground_truth"):
        deliveries = feed.deliveries()
        if not deliveries:
            text = "no labels have arrived"
            return [warning("ground_truth", text, "if there should be some, check its path")]
        labels = _read(model, feed, deliveries)
        if not labels.num_rows:
            text = f"{len(deliveries):,} deliveries hold no label"
            return [warning("ground_truth", text, "look at what writes them")]
        newest = deliveries[-1].uri
        shown = f"{len(deliveries):,} deliveries; {labels.num_rows:,} labels read, up to {newest}"
        findings.append(ok("ground_truth", shown))
        facts = gather_facts(labels.select(["label"]).to_batches())
        column = replace(facts.columns["label"], name=model.task.label)
        findings += labels_fit(model, column, "ground_truth")
        findings += _times(feed, labels)
        findings += _matches(model, feed, labels, partition)
    return findings


def _read(model: MonitoredModel, feed: GroundTruth, deliveries: list[Delivery]) -> pa.Table:
    """The newest labels, whole deliveries, up to a bound."""
    tables: list[pa.Table] = []
    for delivery in reversed(deliveries):
        batches = feed.read(delivery, id=model.label_id, label=model.task.label)
        tables += itertools.islice(batches, max(1, _MOST_LABELS // 50_000))
        if sum(table.num_rows for table in tables) >= _MOST_LABELS:
            break
    return pa.concat_tables(tables, promote_options="permissive")


def _times(feed: GroundTruth, labels: pa.Table) -> list[Finding]:
    unknown = labels["available_at"].null_count
    if unknown:
        text = f"{unknown:,} labels do not say when they became available ({feed.available_at})"
        remedy = "name the column in ground_truth.available_at"
        return [warning("ground_truth", text, remedy)]
    return []


def _matches(
    model: MonitoredModel, feed: GroundTruth, labels: pa.Table, partition: str | None
) -> list[Finding]:
    ids = labels["prediction_id"].unique()
    example = ""
    looked: list[str] = []
    for key in _days(model, feed, labels, partition):
        try:
            predicted = [*slice_ids(model, key)]
        except (MonitoringError, pa.ArrowException):
            continue
        looked.append(key)
        found = sum(pc.sum(pc.is_in(array, value_set=ids)).as_py() or 0 for array in predicted)
        if found:
            rows = sum(len(array) for array in predicted)
            text = f"{found:,} of the {rows:,} predictions of {key} have a label{_joined(feed)}"
            return [ok("ground_truth", text)]
        example = next((str(array[0]) for array in predicted if len(array)), example)
    if not looked:
        text = "no slice could be read to compare ids with"
        return [warning("ground_truth", text, "see predictions")]
    return [
        fault(
            "ground_truth",
            f"no id of the labels (such as {ids[0]}) is one of the predictions (such as "
            f"{example}) of {some(looked)}",
            _remedy(feed),
        )
    ]


def _joined(feed: GroundTruth) -> str:
    """How labels are joined, where it is not by the prediction's id."""
    if feed.join == "entity":
        return f", joined by {feed.entity}"
    return ", joined by id and time" if feed.join == "id_and_time" else ""


def _remedy(feed: GroundTruth) -> str:
    if feed.join == "entity":
        return "check ground_truth.entity and ground_truth.id"
    if feed.join == "id_and_time":
        return (
            "check columns.id and ground_truth.id, columns.timestamp and ground_truth.time: the "
            "moments (after the @, in microseconds since 1970) must be exactly the same"
        )
    return "check columns.id and ground_truth.id"


def _days(
    model: MonitoredModel, feed: GroundTruth, labels: pa.Table, partition: str | None
) -> Iterator[str]:
    """Days that these labels may be of: the one asked for, then as the labels' times tell."""
    seen: set[str] = set()
    for key in _candidates(model, feed, labels, partition):
        if key not in seen and key >= model.partitions.first:
            seen.add(key)
            yield key


def _candidates(
    model: MonitoredModel, feed: GroundTruth, labels: pa.Table, partition: str | None
) -> Iterator[str]:
    newest = partition or _newest(model)
    if newest is not None:
        yield newest
    delay = math.ceil(feed.expected_delay_days)
    for name, back in (("event_time", 1), ("available_at", delay + _DAYS_BACK)):
        span = pc.min_max(labels[name].combine_chunks()).as_py()
        moments = [m for m in (span["max"], span["min"]) if isinstance(m, datetime)]
        for moment, days in itertools.product(moments, range(back + 1)):
            yield model.partitions.key_of(moment - timedelta(days=days))


def _newest(model: MonitoredModel) -> str | None:
    try:
        return newest_partition(model)
    except (MonitoringError, pa.ArrowException):
        return None
