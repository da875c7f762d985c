"""What a store that holds many models costs to work with, on SQLite and on PostgreSQL.

Rows are made inside the database, by copying one model's. Then milliseconds of each task, the least
of some: by the clock, which others on the machine make longer, and of this process's CPU; and the
store's size. Asked: none takes a second.

    python benchmarks/store_load.py --models 200 --columns 100 --days 90 --metrics 10
    python benchmarks/store_load.py --url postgresql://user@host/empty_database
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from store_fill import FIRST, START, Size, day, declared, fill, key_of, moment

from dagster_monitoring import build_monitoring_defs
from dagster_monitoring.cli.incidents import _stores
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.incidents import advance_incidents
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.stores._tables import evaluations

REPEATS = 5


def main() -> None:
    """Fills a store, then prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--metrics", type=int, default=10, help="values of a column and day")
    parser.add_argument("--url", help="an empty PostgreSQL database; SQLite unless given")
    parser.add_argument("--folder", type=Path, help="keep the store here; one found is used again")
    given = parser.parse_args()
    size = Size(models=given.models, columns=given.columns, metrics=given.metrics, days=given.days)
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        bench = Bench(url=given.url or f"sqlite:///{folder}/store.sqlite", folder=folder, size=size)
        bench.fill()
        bench.report()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A store, and what is done in it."""

    url: str
    folder: Path
    size: Size

    def fill(self) -> None:
        """Makes the rows, unless they are there."""
        model = declared(self.url, self.folder, self.size)
        with open_backend(model) as backend:
            if backend.store.evaluations.latest_id(FIRST):
                return
        begun = time.perf_counter()
        fill(model, self.size)
        print(f"filled in {time.perf_counter() - begun:,.0f} s")

    def report(self) -> None:
        """Prints sizes, then what each task takes."""
        model = declared(self.url, self.folder, self.size)
        with open_backend(model) as backend:
            self._print_size(backend)
            for name, task in self._tasks(backend).items():
                clock, cpu = milliseconds(task)
                print(f"{name:48} {clock:9,.1f} ms {cpu:9,.1f} ms of CPU")

    def _print_size(self, backend: Backend) -> None:
        with backend.store._database.read() as connection:  # noqa: SLF001 - no call for users tells
            query = sa.select(sa.func.count()).select_from(evaluations)
            rows = connection.execute(query).scalar_one()
            size = size_of(connection, self.url)
        daily = self.size.models * self.size.columns * self.size.metrics
        print(f"{rows:,} evaluations, {size / 1e6:,.0f} MB, {size / rows:,.0f} bytes each")
        print(f"{daily:,} a day: {daily * size / rows * 365 / 1e9:,.1f} GB a year")

    def _tasks(self, backend: Backend) -> dict[str, Callable[[], object]]:
        store, size = backend.store.evaluations, self.size
        last = key_of(size.days - 1)
        worst = next(e for e in store.read(FIRST, since=last, until=last))
        # Days of an earlier run of this script may be there.
        latest = date.fromisoformat(store.last_partition(FIRST) or last)
        new_days = count((latest - START).days + 1)
        return {
            "history of a model, all days": lambda: store.read(FIRST),
            "history as a table has it, the last 1,000 rows": lambda: store.read(FIRST, last=1_001),
            "history of a monitor, all days": lambda: store.read(FIRST, monitor="drift_1"),
            "history of a column, all days": lambda: store.read(FIRST, column="column_050"),
            "history of a model, a day": lambda: store.read(FIRST, since=last, until=last),
            "a value's series of 28 days, for a chart": lambda: store.series(
                worst, since=key_of(max(size.days - 28, 0))
            ),
            "incidents of a model": lambda: backend.store.incidents.open_ones(FIRST),
            "incidents list, of all models": self._incidents_of_all(),
            "record of a day": lambda: store.record(day(next(new_days), size), complete=True),
            "the same day recorded again": lambda: store.record(
                day(size.days - 1, size), complete=True
            ),
            "incidents advanced after a new day": lambda: advance_incidents(
                backend, now=moment(size.days + 9), run_url=None
            ),
            "tick of the alert sensor": self._tick("alert_sensor"),
            "tick of the ground truth sensor": self._tick("ground_truth_sensor"),
        }

    def _incidents_of_all(self) -> Callable[[], object]:
        small = replace(self.size, columns=1)
        names = [f"model_{number:03}" for number in range(self.size.models)]
        models = [declared(self.url, self.folder, small, name=name) for name in names]

        return lambda: [list(store.open_ones(one.model)) for one, store in _stores(models)]

    def _tick(self, sensor: str) -> Callable[[], object]:
        model = declared(self.url, self.folder, self.size)
        definitions = build_monitoring_defs(model, clock=lambda: moment(self.size.days + 9))
        found = definitions.resolve_sensor_def(job_name(model, sensor))
        instance = dg.DagsterInstance.ephemeral()

        def tick() -> object:
            with dg.build_sensor_context(instance=instance, definitions=definitions) as context:
                return found.evaluate_tick(context)

        return tick


def milliseconds(task: Callable[[], object]) -> tuple[float, float]:
    """The least of some calls, by the clock and in CPU."""
    taken = []
    for _ in range(REPEATS):
        clock, cpu = time.perf_counter(), time.process_time()
        task()
        taken.append((time.perf_counter() - clock, time.process_time() - cpu))
    return min(c for c, _ in taken) * 1000, min(c for _, c in taken) * 1000


def size_of(connection: sa.Connection, url: str) -> int:
    """Bytes of the whole store, with its indexes."""
    if url.startswith("sqlite"):
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    query = "SELECT pg_database_size(current_database())"
    return int(connection.exec_driver_sql(query).scalar_one())


if __name__ == "__main__":
    main()
