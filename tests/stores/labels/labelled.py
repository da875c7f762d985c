"""Labels as tables, and what a store knows of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from dagster_monitoring.stores import Store

DAY = datetime(2024, 5, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
Row = tuple[str | None, object, int | None, float | None]


def table(*rows: Row) -> pa.Table:
    """Labels as (id, label, revision, days after DAY at which it became available)."""
    moments = [None if day is None else DAY + timedelta(days=day) for *_, day in rows]
    return pa.table(
        {
            "prediction_id": pa.array([row[0] for row in rows], pa.string()),
            "label": pa.array([row[1] for row in rows]),
            "event_time": pa.array([DAY] * len(rows), MOMENT),
            "available_at": pa.array(moments, MOMENT),
            "revision": pa.array([row[2] for row in rows], pa.int64()),
        }
    )


def known(
    store: Store, day: float | None = None, partition: str = "p", model: str = "m"
) -> dict[str, object]:
    """Each labelled prediction with its label, as known some days after DAY."""
    as_of = None if day is None else DAY + timedelta(days=day)
    found = store.labels.resolved(model, partition, as_of)
    return dict(zip(found["prediction_id"].to_pylist(), found["label"].to_pylist(), strict=True))
