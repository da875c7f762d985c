"""Which word on each label wins, as known at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dagster_monitoring.stores._label_rows import WORD_SCHEMA
from dagster_monitoring.stores._tables import labels, predictions
from dagster_monitoring.stores._text import restored_array
from dagster_monitoring.stores._values import decode

RESOLVED_FIELDS = ("prediction_id", "label", "event_time", "available_at", "revision")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = pa.timestamp("us", tz="UTC")


def resolution(
    model_id: int, ledger_id: int, partition: str, as_of: datetime | None
) -> sa.Select[Any]:
    """One row a labelled prediction: the winning word on it, in the form of a word.

    What was said again became available when it was said first.
    """
    before = sa.func.lag(labels.c.label).over(
        partition_by=[labels.c.prediction_id, labels.c.revision],
        order_by=[labels.c.available_at, labels.c.append_id],
    )
    columns = [labels.c[name] for name in WORD_SCHEMA.names]
    known = sa.select(*columns, before.label("before")).where(
        labels.c.model_id == ledger_id, labels.c.prediction_id.in_(_ids(model_id, partition))
    )
    if as_of is not None:
        known = known.where(labels.c.available_at <= microseconds(as_of))
    said = known.subquery()
    rank = sa.func.row_number().over(
        partition_by=said.c.prediction_id,
        order_by=[said.c.revision.desc(), said.c.available_at.desc(), said.c.append_id.desc()],
    )
    words = (
        sa.select(*(said.c[name] for name in WORD_SCHEMA.names), rank.label("rank"))
        .where(sa.or_(said.c.before.is_(None), said.c.before != said.c.label))
        .subquery()
    )
    return (
        sa.select(*(words.c[name] for name in WORD_SCHEMA.names))
        .where(words.c.rank == 1, words.c.label != "")
        .order_by(words.c.prediction_id)
    )


def arrivals(model_id: int, ledger_id: int, partition: str, after: datetime) -> sa.Select[Any]:
    """The first moment after another at which a prediction gets a label."""
    return sa.select(sa.func.min(labels.c.available_at)).where(
        labels.c.model_id == ledger_id,
        labels.c.prediction_id.in_(_ids(model_id, partition)),
        labels.c.available_at > microseconds(after),
        labels.c.available_at <= LAST_MOMENT,
    )


def resolved_table(words: pa.Table) -> pa.Table:
    """Winning words as labels; none give a label column of type null."""
    columns = {name: words[name].combine_chunks() for name in RESOLVED_FIELDS}
    return pa.table(
        {
            "prediction_id": restored_array(columns["prediction_id"]),
            "label": decode(restored_array(columns["label"])),
            "event_time": columns["event_time"].cast(_UTC),
            "available_at": columns["available_at"].cast(_UTC),
            "revision": columns["revision"],
        }
    )


def microseconds(moment: datetime) -> int:
    """A moment as the ledger keeps it."""
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def moment_of(value: int) -> datetime:
    """A moment from what the ledger keeps."""
    return _EPOCH + timedelta(microseconds=value)


LAST_MOMENT = microseconds(datetime.max.replace(tzinfo=UTC))
"""The last moment that Python can tell."""


def _ids(model_id: int, partition: str) -> sa.Select[Any]:
    return sa.select(predictions.c.prediction_id).where(
        predictions.c.model_id == model_id, predictions.c.partition == partition
    )
