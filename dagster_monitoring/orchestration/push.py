"""Labels handed over by the program that knows them, as soon as it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dagster_monitoring.errors import SchemaMismatchError, did_you_mean
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.clock import Clock, utc_now
from dagster_monitoring.sources import LABEL_FIELDS, PushGroundTruth
from dagster_monitoring.stores import Appended

if TYPE_CHECKING:
    import pandas as pd

# What the ledger notes as the delivery of labels that came this way.
DELIVERY = "pushed"
# The column of the prediction's moment, where labels are joined by it too.
_TIME = "prediction_time"


def report_labels(
    model: MonitoredModel,
    labels: Mapping[Any, Any] | pa.Table | pa.RecordBatch | pd.DataFrame,
    *,
    clock: Clock = utc_now,
) -> Appended:
    """Hands labels over; the ground truth sensor then asks for the days they touch.

    Handing the same labels over again changes nothing, so a caller that does not know whether the
    first time succeeded does it again. All are taken in, or none.

    Args:
        model: the declaration, with ``ground_truth`` of any type (``push`` when there is no other).
        labels: each prediction's id with its label; or a table with the columns ``prediction_id``
            and ``label`` and, where they are known, ``event_time``, ``available_at`` and
            ``revision``. Labels without ``available_at`` became available now. Where labels are
            joined by id and time, ``prediction_time`` too; by entity, ``prediction_id`` holds it.
        clock: gives now.

    Returns:
        How many were new, known already, corrections, of unknown predictions.

    Raises:
        SchemaMismatchError: a column is missing, unknown, or of a wrong type.
        DeclarationError: the model declares no ground truth.
        StoreError: the store can't be reached; then nothing was taken in.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> model = MonitoredModel(
        ...     model="flight_delay",
        ...     task={"type": "binary_classification", "label": "late", "prediction": "late_pred"},
        ...     columns={"id": "flight", "timestamp": "at", "numeric": ["temp"]},
        ...     partitions={"start": "2013-04-01"},
        ...     baseline={"type": "parquet", "path": "baseline.parquet"},
        ...     predictions={"type": "parquet", "path": "day={partition}/*.parquet"},
        ...     ground_truth={"type": "push", "expected_delay_days": 3},
        ...     storage={"path": folder},
        ... )
        >>> report_labels(model, {"UA-1545": 0, "DL-461": 1}).new
        2
        >>> report_labels(model, {"UA-1545": 0}).redelivered
        1
    """
    with open_backend(model) as backend:
        return take_pushed(backend, as_table(labels), now=clock())


def take_pushed(backend: Backend, labels: pa.Table, *, now: datetime) -> Appended:
    """Takes labels in as :func:`report_labels` does, with the store already open."""
    feed = backend.ground_truth
    is_timed = feed.time is not None
    known = (*LABEL_FIELDS, _TIME) if is_timed else LABEL_FIELDS
    unknown = [name for name in labels.column_names if name not in known]
    if unknown:
        near = did_you_mean(unknown[0], known)
        raise SchemaMismatchError(
            f"{backend.model.model}: pushed labels have the unknown column {unknown[0]!r}.{near} "
            f"Known are {', '.join(known)}"
        )
    # The names are the ledger's own here, whatever the feed's columns are called.
    plain = PushGroundTruth(
        join="id_and_time" if is_timed else "id", time=_TIME if is_timed else None
    )
    parts = [
        plain.normalise(
            batch,
            id_column="prediction_id",
            label_column="label",
            arrived_at=now,
            where=f"{backend.model.model}: pushed labels",
        )
        for batch in labels.combine_chunks().to_batches()
    ]
    table = pa.concat_tables(parts) if parts else _nothing()
    return backend.store.labels.append(backend.model.model, table, DELIVERY)


def as_table(labels: Mapping[Any, Any] | pa.Table | pa.RecordBatch | pd.DataFrame) -> pa.Table:
    """Labels as a table, in whichever form they are handed over.

    Raises:
        SchemaMismatchError: they are of another form, or one column holds values of unlike types.
    """
    try:
        if isinstance(labels, pa.Table):
            return labels
        if isinstance(labels, pa.RecordBatch):
            return pa.Table.from_batches([labels])
        if isinstance(labels, Mapping):
            ids = pa.array([str(key) for key in labels], pa.string())
            return pa.table({"prediction_id": ids, "label": pa.array(list(labels.values()))})
        return pa.Table.from_pandas(labels, preserve_index=False)
    except (pa.ArrowException, TypeError, AttributeError) as error:
        raise SchemaMismatchError(
            f"labels can't be read: {error}. Give a mapping of ids to labels, a PyArrow table or a "
            "pandas data frame with the columns prediction_id and label"
        ) from error


def _nothing() -> pa.Table:
    moment = pa.timestamp("us", tz="UTC")
    types = (pa.string(), pa.int64(), moment, moment, pa.int64())
    return pa.table({n: pa.array([], t) for n, t in zip(LABEL_FIELDS, types, strict=True)})
