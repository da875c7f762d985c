"""One day of twenty columns on Spark beside the local engine, by rows and by workers.

    python benchmarks/spark_scan.py                           # 1 and 3 million rows
    python benchmarks/spark_scan.py --rows 100000 300000 --cores 2 --rounds 1

CPU seconds of this process and of all below it (JVM, Pythons), with id and time, in interleaved
rounds, medians; Linux only. Spark runs twice: as the reader of the files, and with workers that
read them in Python. Profiles are compared byte by byte. A line through the fewest and the most rows
splits each engine's time into a fixed part and one a row. From these follows above how many rows
Spark is the faster: the part a row falls with cores, the fixed one does not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
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

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.fixed:.2f} s + {self.per_row * MILLION:.2f} s a million rows"


def main() -> None:
    """Run the bench and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[MILLION, 3 * MILLION])
    parser.add_argument("--cores", type=int, nargs="+", default=[2], help="of local[n]")
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
    spark = SparkEngine(master=f"local[{cores}]", config={"spark.driver.memory": "2g", **own})
    engines: dict[str, Engine] = {
        "local": LocalEngine(),
        "Spark": spark,
        "workers": spark.model_copy(update={"files_read_by": "workers"}),
    }
    before = _cpu_seconds()
    spark.open()
    session = _cpu_seconds() - before
    first = {name: _timed(engine, days[min(days)], plan)[0] for name, engine in engines.items()}
    spent = {rows: _medians(day, plan, engines, rounds) for rows, day in days.items()}
    close_sessions()
    heads = ["rows", *(f"{name}, CPU s" for name in engines), "Spark / workers"]
    shown = [
        [f"{n:,}", *(f"{s:.2f}" for s in took.values()), f"{took['Spark'] / took['workers']:.2f}"]
        for n, took in spent.items()
    ]
    print(f"local[{cores}]; a session takes {session:.1f} CPU seconds\n")
    print("\n".join(table_lines(heads, shown)) + "\n")
    if len(days) < 2:  # noqa: PLR2004 - a line has two points
        return
    lines = {name: Line.through({n: took[name] for n, took in spent.items()}) for name in engines}
    print(f"local: {lines['local'].text}\n")
    for name in ("Spark", "workers"):
        extra = first[name] - spent[min(days)][name]
        _tell(lines["local"], name, lines[name], start=session + max(extra, 0.0))


def _medians(day: Day, plan: ScanPlan, engines: dict[str, Engine], rounds: int) -> dict[str, float]:
    """CPU seconds of each engine."""
    took: dict[str, list[float]] = {name: [] for name in engines}
    found = set()
    for _ in range(rounds):
        for name, engine in engines.items():
            seconds, profile = _timed(engine, day, plan)
            took[name].append(seconds)
            found.add(profile)
    assert len(found) == 1, "the engines differ"
    return {name: statistics.median(seconds) for name, seconds in took.items()}


def _timed(engine: Engine, day: Day, plan: ScanPlan) -> tuple[float, bytes]:
    before = _cpu_seconds()
    profile = engine.profile(day, plan)
    return _cpu_seconds() - before, to_bytes(to_table(profile))


_SEEN: dict[int, float] = {}
"""CPU seconds of each process when it was last seen: an idle Python of Spark's is ended unsaid."""


def _cpu_seconds() -> float:
    """Of this process and of all that it, and they, started."""
    found = dict(filter(None, map(_process, Path("/proc").glob("[0-9]*"))))
    below = {os.getpid()}
    while more := {pid for pid, (parent, _) in found.items() if parent in below} - below:
        below |= more
    _SEEN.update({pid: found[pid][1] for pid in below})
    return sum(_SEEN.values())


def _process(folder: Path) -> tuple[int, tuple[int, float]] | None:
    """Its id, its parent's and its CPU seconds; none if it ended just now."""
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    seconds = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    return int(folder.name), (int(fields[1]), seconds)


def _tell(local: Line, name: str, spark: Line, *, start: float) -> None:
    print(f"{name}: {spark.text}, after a start of {start:.1f} s")
    for cores in WORKERS:
        per_row = spark.per_row / cores
        texts = [_crossover(local, fixed, per_row) for fixed in (start + spark.fixed, spark.fixed)]
        print(f"{cores} cores: faster {texts[0]}, and {texts[1]} in a session already open")
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
