"""What a store that holds many models costs to work with: a page of history, alerts, a day, a tick.

Rows are made inside the database, by copying one model's; then seconds by the clock of each task,
the median of some, and the store's size. Asked: each stays below a second.

    python benchmarks/store_load.py --models 200 --columns 100 --days 90
    python benchmarks/store_load.py --url postgresql://user@host/empty_database
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from dagster_monitoring import MonitoredModel, open_store
from dagster_monitoring.evaluation import Evaluation, Status
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.incidents import advance_incidents, has_news
from dagster_monitoring.stores import Store
from dagster_monitoring.stores._tables import evaluations, verdicts

START = date(2024, 1, 1)
FIRST = "model_000"
REPEATS = 5


def main() -> None:
    """Fills a store, then prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--url", help="an empty PostgreSQL database; SQLite unless given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{folder}/store.sqlite"
        with open_store(url) as store:
            fill(store, models=given.models, columns=given.columns, days=given.days)
            report(store, url, Path(folder), columns=given.columns, days=given.days)


def fill(store: Store, *, models: int, columns: int, days: int) -> None:
    """One model's evaluations, copied to the others by the database itself."""
    for number in range(days):
        store.evaluations.record(day(number, columns))
    for number in range(1, models):
        copy(store, f"model_{number:03}")
    with store._database.write() as connection:  # noqa: SLF001 - no call for users makes this
        connection.exec_driver_sql("ANALYZE")


def day(number: int, columns: int) -> list[Evaluation]:
    """A day's evaluations of one drift monitor."""
    start = datetime.combine(START + timedelta(days=number), datetime.min.time(), UTC)
    first = Evaluation(
        model=FIRST,
        monitor="drift",
        monitor_kind="drift",
        metric="psi",
        column=None,
        segment=None,
        baseline_kind="training",
        baseline_version="b-20231231-0a1b2c3d",
        partition=start.date().isoformat(),
        window_start=start,
        window_end=start + timedelta(days=1),
        value=0.1,
        lower=None,
        upper=0.25,
        status=Status.HEALTHY,
        severity=None,
        reason=None,
        n=100_000,
        n_labelled=None,
        model_version="v1",
        evaluated_at=start + timedelta(days=1, hours=6),
        run_id="b7c3c1f2-4c43-4e9b-8a55-6a0c2f0b2d11",
    )
    return [replace(first, column=f"column_{i:03}") for i in range(columns)]


def copy(store: Store, model: str) -> None:
    """The first model's rows under another name, with keys of their own."""
    for table in (evaluations, verdicts):
        chosen = {c.name: c for c in table.columns if c.name != "id"}
        values: list[sa.ColumnElement[object]] = []
        for name, column in chosen.items():
            if name == "model":
                values.append(sa.literal(model))
            elif name == "key":
                # Long enough to differ, as long as the real ones.
                values.append(sa.literal(model) + sa.func.substr(column, 10))
            else:
                values.append(column)
        rows = sa.select(*values).where(table.c.model == FIRST)
        with store._database.write() as connection:  # noqa: SLF001 - as above
            connection.execute(sa.insert(table).from_select([*chosen], rows))


def report(store: Store, url: str, folder: Path, *, columns: int, days: int) -> None:
    """Measures the tasks of a day beside all that is there."""
    with store._database.read() as connection:  # noqa: SLF001 - as above
        count = connection.execute(sa.select(sa.func.count()).select_from(evaluations)).scalar_one()
        size = size_of(connection, url)
    print(f"{count:,} evaluations, {size / 1e6:,.0f} MB, {size / count:,.0f} bytes each")
    model = MonitoredModel.read(declaration(url, columns)).rooted(folder)
    last = (START + timedelta(days=days - 1)).isoformat()
    now = datetime.combine(START + timedelta(days=days + 1), datetime.min.time(), UTC)
    new_days = iter(range(days, days + REPEATS))
    with open_backend(model) as backend:
        tasks: dict[str, Callable[[], object]] = {
            "history of a model, all days": lambda: store.evaluations.read(FIRST),
            "history of a model, a day": lambda: store.evaluations.read(FIRST, since=last),
            "record of a day": lambda: store.evaluations.record(
                day(next(new_days), columns), complete=True
            ),
            "incidents advanced": lambda: advance_incidents(backend, now=now, run_url=None),
            "alert sensor looks for news": lambda: has_news(
                backend, store.evaluations.latest_id(FIRST), now=now
            ),
        }
        for name, task in tasks.items():
            print(f"{name:32} {median_seconds(task) * 1000:9,.1f} ms")


def declaration(url: str, columns: int) -> dict[str, object]:
    """The first model, as a user would declare it."""
    return {
        "model": FIRST,
        "task": {"type": "regression", "label": "y", "prediction": "y_pred"},
        "columns": {
            "id": "id",
            "timestamp": "at",
            "numeric": [f"column_{i:03}" for i in range(columns)],
        },
        "partitions": {"start": START.isoformat()},
        "baseline": {"type": "parquet", "path": "baseline.parquet"},
        "predictions": {"type": "parquet", "path": "day={partition}/*.parquet"},
        "monitors": [{"type": "drift", "metrics": ["psi"]}],
        "storage": {"path": "monitoring", "database": url},
    }


def median_seconds(task: Callable[[], object]) -> float:
    """Of some calls."""
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        task()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def size_of(connection: sa.Connection, url: str) -> int:
    """Bytes of the whole store, with its indexes."""
    if url.startswith("sqlite"):
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    query = "SELECT pg_database_size(current_database())"
    return int(connection.exec_driver_sql(query).scalar_one())


if __name__ == "__main__":
    main()
