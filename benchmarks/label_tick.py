"""What a tick of the ground truth sensor costs, by how much history lies behind it.

A model has judged a year of days; 10, 1,000 and 100,000 deliveries, one label each, were taken in
before. Then a tick with nothing new, and one with one new delivery, are measured: CPU seconds of
this process, the median of some ticks. Asked: the cost does not grow with the history.

    python benchmarks/label_tick.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_monitoring import MonitoredModel, build_monitoring_defs, open_store
from dagster_monitoring.stores import DeliveryState

NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)
DAYS = 365
KINDS = {
    "files in folders of a day": "labels/{arrived:%Y-%m-%d}/*.parquet",
    "files in one folder": "labels/*.parquet",
    "pushed": None,
}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[10, 1_000, 100_000])
    parser.add_argument("--ticks", type=int, default=5)
    options = parser.parse_args()
    print(f"{'feed':28}{'events':>10}{'idle tick, ms':>16}{'tick with news, ms':>20}")
    for name, path in KINDS.items():
        first: float | None = None
        for events in options.events:
            with tempfile.TemporaryDirectory() as folder:
                idle, news = measured(Path(folder), path, events, options.ticks)
            first = first or idle
            ratio = f"  {idle / first:.1f} times the first" if events != options.events[0] else ""
            print(f"{name:28}{events:>10,}{idle * 1e3:>16.0f}{news * 1e3:>20.0f}{ratio}")


def measured(folder: Path, path: str | None, events: int, ticks: int) -> tuple[float, float]:
    """CPU seconds of an idle tick and of one with a new delivery, medians."""
    model = declared(folder, path)
    fill(model, folder, path, events)
    sensor = build_monitoring_defs(model, clock=lambda: NOW).resolve_sensor_def(
        "ticks_ground_truth_sensor"
    )
    with dg.DagsterInstance.ephemeral() as instance:

        def tick() -> None:
            with dg.build_sensor_context(instance=instance) as context:
                sensor.evaluate_tick(context)

        tick()
        tick()
        idle = statistics.median(cpu(tick) for _ in range(ticks))
        found = []
        for number in range(ticks):
            deliver(folder, path, model, f"new-{number}", events + number)
            found.append(cpu(tick))
    return idle, statistics.median(found)


def declared(folder: Path, path: str | None) -> MonitoredModel:
    """A model that takes labels in one of the ways."""
    kind = {"type": "push"} if path is None else {"type": "parquet", "path": path}
    return MonitoredModel.read(
        {
            "model": "ticks",
            "task": {"type": "regression", "label": "y", "prediction": "y_pred"},
            "columns": {"id": "id", "timestamp": "at", "numeric": ["a"]},
            "partitions": {"start": "2024-01-01"},
            "baseline": {"type": "parquet", "path": "baseline.parquet"},
            "predictions": {"type": "parquet", "path": "day={partition}/*.parquet"},
            "ground_truth": kind,
            "storage": {"path": "monitoring"},
        }
    ).rooted(folder)


def fill(model: MonitoredModel, folder: Path, path: str | None, events: int) -> None:
    """The history: predictions of a year, and deliveries that were all taken in."""
    with open_store(model.storage.database_url) as store:
        for day in range(DAYS):
            ids = [f"p{number}" for number in range(day, events, DAYS)]
            store.labels.register_predictions("ticks", day_of(day), ids)
        for start in range(0, events, 50_000):
            numbers = range(start, min(start + 50_000, events))
            store.labels.append("ticks", labels(numbers), "history")
        if path is None:
            return
        for number in range(events):
            deliver(folder, path, model, f"old-{number}", number)
        assert model.ground_truth is not None
        with store.transaction():
            for taken in model.ground_truth.deliveries():
                state = DeliveryState(uri=taken.uri, fingerprint=taken.fingerprint)
                store.deliveries.note("ticks", state, now=NOW)
            # As if the last of them had been taken in a day ago.
            mark = datetime.now(UTC) - timedelta(days=1)
            store.cursors.set("ticks/labels-arrived", mark.isoformat())


def deliver(folder: Path, path: str | None, model: MonitoredModel, name: str, number: int) -> Path:
    """One delivery of one label."""
    if path is None:
        with open_store(model.storage.database_url) as store:
            store.labels.append("ticks", labels(range(number, number + 1)), "pushed")
        return folder
    is_new = name.startswith("new")
    arrived = datetime.now(UTC) - timedelta(days=0 if is_new else 2 + number % DAYS)
    parts = path.replace("{arrived:%Y-%m-%d}", f"{arrived:%Y-%m-%d}")
    file = folder / parts.replace("*", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    if is_new:
        given = labels(range(number, number + 1))
        table = pa.table({"id": given["prediction_id"], "y": given["label"]})
        pq.write_table(table, file)
    else:
        file.write_bytes(b"taken in")
        os.utime(file, (arrived.timestamp(), arrived.timestamp()))
    return file


def labels(numbers: range) -> pa.Table:
    """Labels as the ledger takes them."""
    size = len(numbers)
    moment = pa.array([NOW] * size, pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "prediction_id": [f"p{number}" for number in numbers],
            "label": [float(number) for number in numbers],
            "event_time": moment,
            "available_at": moment,
            "revision": pa.array([1] * size, pa.int64()),
        }
    )


def day_of(number: int) -> str:
    """The key of a day of the year."""
    return f"{datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number):%Y-%m-%d}"


def cpu(action: Callable[[], None]) -> float:
    """CPU seconds that something takes in this process."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
