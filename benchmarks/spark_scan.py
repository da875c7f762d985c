"""One day of twenty columns on Spark beside the local engine, by rows and by workers.

    python benchmarks/spark_scan.py                           # 1 and 3 million rows, 1 and 2 cores
    python benchmarks/spark_scan.py --rows 100000 300000 --cores 2 --rounds 1

Wall seconds, with id and time, in interleaved rounds, medians; profiles are compared byte by byte.
A line through the fewest and the most rows splits each engine's time into a fixed part and one a
row. From these follows above how many rows Spark is the faster, if time a row falls with cores.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "contestants"))
from own import baseline_of, model
from report import machine_lines, table_lines
from rows import key_columns, write_days
from shape import DAY, TIMESTAMP

from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engine import Engine, LocalEngine, ScanPlan, SparkEngine
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.sources import ParquetSource, Request
from dagster_monitoring.spark import SparkRows, close_sessions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MILLION = 1_000_000
FILE_ROWS = 250_000
WORKERS = (4, 16, 64)
START = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
BOUNDS = (START, START + timedelta(days=1))


@dataclass(frozen=True)
class Day:
    """The slice, as both engines ask for it."""

    source: ParquetSource

    @property
    def request(self) -> Request:
        """All its rows."""
        return Request(partition=DAY, bounds=BOUNDS, timestamp=TIMESTAMP)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """For the local engine."""
        return self.source.batches(self.request)

    def through_spark(self, session: SparkSession) -> SparkRows:
        """For Spark."""
        return self.source.through_spark(self.request, session)


@dataclass(frozen=True)
class Line:
    """Seconds of a scan: a fixed part, and one a row."""

    fixed: float
    per_row: float

    @classmethod
    def through(cls, seconds: dict[int, float]) -> Line:
        """Through the fewest and the most rows."""
        few, many = min(seconds), max(seconds)
        per_row = (seconds[many] - seconds[few]) / (many - few)
        return cls(seconds[few] - per_row * few, per_row)


def main() -> None:
    """Run the bench and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[MILLION, 3 * MILLION])
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2], help="of local[n]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, help="rows a batch, instead of the package's own")
    options = parser.parse_args()
    print("\n".join(machine_lines(("numpy", "pyarrow", "pyspark"))) + "\n")
    with tempfile.TemporaryDirectory() as name:
        plan = _plan(Path(name))
        days = {rows: _day(Path(name), rows) for rows in sorted(options.rows)}
        for cores in options.cores:
            _compare(days, plan, cores=cores, rounds=options.rounds, batch=options.batch)


def _compare(
    days: dict[int, Day], plan: ScanPlan, *, cores: int, rounds: int, batch: int | None
) -> None:
    own = {} if batch is None else {"spark.sql.execution.arrow.maxRecordsPerBatch": batch}
    engine = SparkEngine(master=f"local[{cores}]", config={"spark.driver.memory": "2g", **own})
    started = time.perf_counter()
    engine.open()
    session = time.perf_counter() - started
    first = _timed(engine, days[min(days)], plan)[0]
    local: dict[int, float] = {}
    spark: dict[int, float] = {}
    size = 0
    for rows, day in days.items():
        local[rows], spark[rows], size = _medians(day, plan, engine, rounds)
    close_sessions()
    heads = ["rows", "local s", f"local[{cores}] s", "local / Spark"]
    rows_shown = [
        [f"{n:,}", f"{local[n]:.2f}", f"{spark[n]:.2f}", f"{local[n] / spark[n]:.2f}"] for n in days
    ]
    print("\n".join(table_lines(heads, rows_shown)))
    print(
        f"session {session:.1f} s, first scan {first - spark[min(days)]:.1f} s more than the "
        f"later ones; the profile takes {size / 1e3:.0f} kB\n"
    )
    if len(days) > 1:
        start = session + first - spark[min(days)]
        _tell(Line.through(local), Line.through(spark), start=start, cores=cores)


def _medians(day: Day, plan: ScanPlan, spark: Engine, rounds: int) -> tuple[float, float, int]:
    """Seconds of the local engine and of Spark, and the profile's bytes."""
    took: tuple[list[float], list[float]] = ([], [])
    found = set()
    for _ in range(rounds):
        for spent, engine in zip(took, (LocalEngine(), spark), strict=True):
            seconds, profile = _timed(engine, day, plan)
            spent.append(seconds)
            found.add(profile)
    assert len(found) == 1, "the engines differ"
    return statistics.median(took[0]), statistics.median(took[1]), len(found.pop())


def _timed(engine: Engine, day: Day, plan: ScanPlan) -> tuple[float, bytes]:
    started = time.perf_counter()
    profile = engine.profile(day, plan)
    return time.perf_counter() - started, to_bytes(to_table(profile))


def _tell(local: Line, spark: Line, *, start: float, cores: int) -> None:
    print(f"local: {local.fixed:.2f} s + {local.per_row * 1e6:.2f} s a million rows")
    print(
        f"Spark: {spark.fixed:.2f} s + {spark.per_row * cores * 1e6:.2f} core seconds a million "
        f"rows, after a start of {start:.1f} s"
    )
    for at in sorted({cores, *WORKERS}):
        per_row = spark.per_row * cores / at
        texts = [_crossover(local, fixed, per_row) for fixed in (start + spark.fixed, spark.fixed)]
        print(f"{at} cores: faster {texts[0]}, and {texts[1]} in a session already open")
    print()


def _crossover(local: Line, fixed: float, per_row: float) -> str:
    if per_row >= local.per_row:
        return "never"
    rows = max(fixed - local.fixed, 0.0) / (local.per_row - per_row)
    return f"above {rows / MILLION:.1f} million rows"


def _plan(folder: Path) -> ScanPlan:
    write_days(folder / "trained", rows=10_000, different=0)
    columns, task = model()
    baseline = baseline_of(folder / "trained" / "training.parquet", columns, task)
    return ScanPlan(
        bins=baseline.bins, columns=columns, extra_numeric=(task.prediction,), bounds=BOUNDS
    )


def _day(folder: Path, rows: int) -> Day:
    """Files of at most ``FILE_ROWS``: the same values again and again, with ids of their own."""
    made = folder / f"rows-{rows}"
    write_days(made, rows=min(rows, FILE_ROWS), different=1)
    (made / "training.parquet").unlink()
    table = pq.read_table(made / "day-0.parquet")
    for number, first in enumerate(range(0, rows, FILE_ROWS)):
        part = table.slice(0, min(FILE_ROWS, rows - first))
        keys = key_columns(np.random.default_rng(number), len(part), start=START, days=1)
        for name, values in keys.items():
            part = part.set_column(part.schema.get_field_index(name), name, values)
        pq.write_table(part, made / f"day-{number}.parquet", compression="zstd")
    return Day(ParquetSource(path=f"{made}/*.parquet"))


if __name__ == "__main__":
    main()
