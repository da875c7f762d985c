"""A day materialised by Dagster beside the same computation in plain Python.

    python benchmarks/dagster_day.py
    python benchmarks/dagster_day.py --rows 2000 --rounds 1    # a smaller one

One day of 1,000,000 rows x 20 columns by three segment columns: profile, drift, data quality,
their checks, and what is kept of them. Plain Python calls the same functions, and keeps the same.
Runs are executed in this process: what starting a process costs is in neither.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "contestants"))
sys.path.insert(0, str(Path(__file__).parents[1]))
import dagster as dg
from contestant import cpu_seconds
from report import at_most, machine_lines, table_lines
from rows import write_rows
from shape import CATEGORICAL, DAY, ID, NUMERIC, TIMESTAMP

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from dagster_monitoring.orchestration.judging import Judging
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.orchestration.running import run_job, run_setup
from dagster_monitoring.orchestration.slices import profile_slice

SEGMENTS = ("three", "five", "eight")
NOW = datetime(2024, 7, 1, tzinfo=UTC)


def main() -> None:
    """Run the bench and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the day")
    parser.add_argument("--rounds", type=int, default=3, help="days; medians are printed")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "dagster"
        home.mkdir()
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        os.environ["DAGSTER_HOME"] = str(home)
        with dg.DagsterInstance.get() as instance:
            found = _measure(Path(folder), instance, options.rows, options.rounds)
    plain, empty, whole = (statistics.median(seconds) for seconds in found)
    row = [f"{options.rows:,} rows x 20 columns, 3 segment columns"]
    row += [f"{seconds:.2f}" for seconds in (plain, empty, whole)]
    ratio = whole / (plain + empty)
    heads = ["CPU seconds", "plain Python", "an empty Dagster run", "the Dagster run", "ratio"]
    print("\n".join(table_lines(heads, [[*row, f"{ratio:.2f}"]])))
    print("\n- the run to plain Python and an empty run: " + at_most(ratio, 1.5, " x"))
    print("\n" + "\n".join(machine_lines(("dagster", "numpy", "pyarrow"))))


def _measure(
    folder: Path, instance: dg.DagsterInstance, rows: int, rounds: int
) -> tuple[list[float], list[float], list[float]]:
    training, day = write_rows(folder, rows=rows, compression="zstd")
    first = date.fromisoformat(DAY)
    days = [(first + timedelta(days=i)).isoformat() for i in range(rounds + 1)]
    for name in days:
        where = folder / f"day={name}"
        where.mkdir()
        os.link(day, where / "part.parquet")
    alone, orchestrated = (_model(folder, name, training) for name in ("alone", "orchestrated"))
    definitions = build_monitoring_defs(orchestrated, clock=lambda: NOW)
    run_setup(definitions, orchestrated, instance=instance)
    own = build_monitoring_defs(alone, clock=lambda: NOW)
    run_setup(own, alone, instance=instance)
    seconds: tuple[list[float], list[float], list[float]] = ([], [], [])
    daily = job_name(orchestrated, "daily")
    for name in days:

        def whole(partition: str = name) -> None:
            run_job(definitions, daily, instance=instance, partition_key=partition)

        def plain(partition: str = name) -> None:
            _plainly(alone, partition)

        runs: tuple[Callable[[], None], ...] = (plain, lambda: _emptily(instance), whole)
        for place, run in zip(seconds, runs, strict=True):
            place.append(_cost(run))
    # The first of each also imports what it needs.
    return seconds[0][1:], seconds[1][1:], seconds[2][1:]


def _model(folder: Path, name: str, training: Path) -> MonitoredModel:
    return MonitoredModel.read(
        {
            "model": name,
            "task": {"type": "regression", "label": "label", "prediction": NUMERIC[-1]},
            "columns": {
                "id": ID,
                "timestamp": TIMESTAMP,
                "numeric": list(NUMERIC[:-1]),
                "categorical": list(CATEGORICAL),
            },
            "partitions": {"start": DAY, "timezone": "UTC"},
            "baseline": {"type": "parquet", "path": str(training)},
            "predictions": {"type": "parquet", "path": "day={partition}/*.parquet"},
            "segments": list(SEGMENTS),
        },
        where="bench: ",
    ).rooted(folder)


def _plainly(model: MonitoredModel, partition: str) -> None:
    """What the assets compute and keep, without Dagster."""
    with open_backend(model) as backend:
        baseline = backend.baseline_in_force(partition)
        profile = profile_slice(backend, partition, baseline)
        backend.storage.write(model.model, baseline.version, partition, profile)
        declarations = Declarations(backend=backend, now=NOW)
        for asset in ("drift", "data_quality"):
            Judging(backend, asset, declarations, run_id=None, now=NOW).judge(partition)


def _emptily(instance: dg.DagsterInstance) -> None:
    @dg.op
    def nothing() -> None:
        """Does nothing."""

    @dg.job
    def empty() -> None:
        nothing()

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    assert empty.execute_in_process(instance=instance, run_config=quiet).success


def _cost(run: Callable[[], None]) -> float:
    before = cpu_seconds()
    run()
    return cpu_seconds() - before


if __name__ == "__main__":
    main()
