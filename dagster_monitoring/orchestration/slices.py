"""Reading a slice: its rows, its ids, its profile, its facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from dagster_monitoring.errors import DataError, SliceNotFoundError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.label_keys import key_columns, label_keys
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.engine import ScanPlan
from dagster_monitoring.profiles.predictions import joined_columns, output_columns
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.sources import Request
from dagster_monitoring.spark import SparkRows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def slice_request(model: MonitoredModel, partition: str, columns: Sequence[str] | None) -> Request:
    """What to ask the source of predictions for."""
    return Request(
        columns=None if columns is None else tuple(columns),
        partition=partition,
        bounds=model.partitions.bounds(partition),
        timestamp=model.columns.timestamp,
        timezone=model.partitions.timezone,
    )


def read_slice(
    model: MonitoredModel, partition: str, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    """A slice's rows in batches.

    Raises:
        DataError: no file or row, an unreadable file; the message names model and partition.
    """
    with _naming(model, partition):
        yield from model.predictions.batches(slice_request(model, partition, columns))


@contextmanager
def _naming(model: MonitoredModel, partition: str) -> Iterator[None]:
    """Errors of the data name the model and the partition."""
    try:
        yield
    except DataError as error:
        raise type(error)(f"{model.model}, partition {partition}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Slice:
    """A slice as engines ask for it."""

    model: MonitoredModel
    partition: str

    def batches(self) -> Iterator[pa.RecordBatch]:
        return read_slice(self.model, self.partition, None)

    def through_spark(self, session: SparkSession) -> SparkRows:
        request = slice_request(self.model, self.partition, None)
        with _naming(self.model, self.partition):
            return self.model.predictions.through_spark(request, session)


def read_ids(model: MonitoredModel, partition: str) -> pa.ChunkedArray:
    """What a slice's predictions are joined with their labels by, as text.

    Raises:
        DataError: the slice can't be read, or has no such column.
    """
    request = slice_request(model, partition, key_columns(model))
    with _naming(model, partition):
        chunks = [label_keys(model, batch) for batch in model.predictions.batches(request)]
    return pa.chunked_array(chunks, pa.string())


def register_slice(backend: Backend, partition: str) -> None:
    """Tell the ledger of labels which predictions a slice holds.

    Raises:
        DataError: as :func:`read_ids`.
    """
    ids = read_ids(backend.model, partition)
    backend.store.labels.register_predictions(backend.model.model, partition, ids)


def profile_slice(backend: Backend, partition: str, baseline: Baseline) -> Profile:
    """The profile of a slice on a baseline's bins.

    A slice that is not there, or can't be read, gives the profile of no rows with the reason as
    its fault: the day's monitors then say so, and the other days of a range go on.

    Raises:
        EngineError: the engine can't serve; the slice is not to blame.
    """
    model = backend.model
    numeric, categorical = output_columns(model.task)
    try:
        return model.engine.profile(
            _Slice(model, partition),
            ScanPlan(
                bins=baseline.bins,
                columns=model.columns,
                extra_numeric=numeric,
                extra_categorical=categorical,
                bounds=model.partitions.bounds(partition),
                known=(model.task.label, *joined_columns(model.task)),
            ),
        )
    except DataError as error:
        return replace(Profile(bins_key=baseline.bins.key), faults=(str(error),))


def describe_slice(model: MonitoredModel, partition: str) -> dict[str, int | str]:
    """What is known of a slice without reading it: files, bytes, rows, columns that differ."""
    try:
        facts = model.predictions.describe(slice_request(model, partition, None))
    except SliceNotFoundError as error:
        return {"rows": 0, "fault": str(error)}
    except DataError as error:
        return {"fault": str(error)}
    found: dict[str, int | str] = {"locations": ", ".join(facts.locations[:5])}
    if facts.rows is not None:
        found["rows"] = facts.rows
    if facts.size_bytes is not None:
        found["bytes"] = facts.size_bytes
    if facts.faults:
        found["faults"] = "; ".join(facts.faults)
    return found
