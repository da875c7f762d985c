"""Which word on each label wins, as known at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dagster_monitoring.stores._tables import labels, predictions
from dagster_monitoring.stores._text import restored_array
from dagster_monitoring.stores._values import decode

RESOLVED_FIELDS = ("prediction_id", "label", "event_time", "available_at", "revision")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = pa.timestamp("us", tz="UTC")


def resolution(
    model_id: sa.ScalarSelect[int], partition: str, as_of: datetime | None
) -> sa.Select[tuple[object, ...]]:
    """One row a labelled prediction: the winning word on it."""
    rank = sa.func.row_number().over(
        partition_by=labels.c.prediction_id,
        order_by=[
            labels.c.revision.desc(),
            labels.c.available_at.desc(),
            labels.c.append_id.desc(),
        ],
    )
    ids = sa.select(predictions.c.prediction_id).where(
        predictions.c.model_id == model_id, predictions.c.partition == partition
    )
    ranked = sa.select(*(labels.c[name] for name in RESOLVED_FIELDS), rank.label("rank")).where(
        labels.c.model_id == model_id, labels.c.prediction_id.in_(ids)
    )
    if as_of is not None:
        ranked = ranked.where(labels.c.available_at <= microseconds(as_of))
    words = ranked.subquery()
    return (
        sa.select(*(words.c[name] for name in RESOLVED_FIELDS))
        .where(words.c.rank == 1, words.c.label != "")
        .order_by(words.c.prediction_id)
    )


def resolved_table(rows: Sequence[sa.Row[Any]]) -> pa.Table:
    """The rows of :func:`resolution` as an Arrow table; none give a label column of type null."""
    columns = dict(zip(RESOLVED_FIELDS, zip(*rows, strict=True), strict=True)) if rows else {}
    texts, numbers = pa.string(), pa.int64()
    return pa.table(
        {
            "prediction_id": restored_array(pa.array(columns.get("prediction_id", ()), texts)),
            "label": decode(restored_array(pa.array(columns.get("label", ()), texts))),
            "event_time": pa.array(columns.get("event_time", ()), numbers).cast(_UTC),
            "available_at": pa.array(columns.get("available_at", ()), numbers).cast(_UTC),
            "revision": pa.array(columns.get("revision", ()), numbers),
        }
    )


def microseconds(moment: datetime) -> int:
    """A moment as the ledger keeps it."""
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def next_arrival(model_id: sa.ScalarSelect[int], partition: str, after: datetime) -> sa.Select[Any]:
    """The first moment after another at which a prediction gets a label."""
    ids = sa.select(predictions.c.prediction_id).where(
        predictions.c.model_id == model_id, predictions.c.partition == partition
    )
    return sa.select(sa.func.min(labels.c.available_at)).where(
        labels.c.model_id == model_id,
        labels.c.prediction_id.in_(ids),
        labels.c.available_at > microseconds(after),
        labels.c.available_at <= microseconds(datetime.max.replace(tzinfo=UTC)),
    )


def moment_of(value: int) -> datetime:
    """A moment from what the ledger keeps."""
    return _EPOCH + timedelta(microseconds=value)
