"""The constants that docs/scale.md computes with, measured on this machine.

    python benchmarks/constants.py
    python benchmarks/constants.py --rows 2000 --records 500 --days 1    # smaller
    python benchmarks/constants.py --postgres postgresql://user@host/empty_database

One model of 20 columns with the default monitors, without and with three segment columns of 16
values together. CPU seconds of this process; sizes are of files, or as PostgreSQL tells them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "contestants"))
sys.path.insert(0, str(Path(__file__).parents[1]))
import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from report import machine_lines, table_lines
from rows import write_rows
from shape import CATEGORICAL, DAY, ID, NUMERIC, TIMESTAMP

from dagster_monitoring.evaluation import Evaluation, Status
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.orchestration.running import run_job, run_setup
from dagster_monitoring.profiles.baseline import Baseline, build_baseline
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engines.kernels import Kernel
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.stores import open_store

SEGMENTS = ("three", "five", "eight")
COLUMNS = len(NUMERIC) + len(CATEGORICAL)
NOW = datetime(2024, 7, 1, tzinfo=UTC)
Found = dict[str, float]

_LOADED = 5
_START = """
import time
import dagster
import dagster_monitoring.orchestration.definitions
print(time.process_time())
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=500_000, help="rows of the scanned day")
    parser.add_argument("--records", type=int, default=100_000, help="rows put into the store")
    parser.add_argument("--days", type=int, default=5, help="days that Dagster materialises")
    parser.add_argument("--postgres", help="an empty database, for its sizes too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write_rows(folder, rows=options.rows, compression="zstd")
        model = _model(folder, "measured", files[0], ())
        found = _scanned(model, files) | _of_dagster(folder, options.days)
        evaluation = _an_evaluation()
        found |= _stored(f"sqlite:///{folder / 'store.sqlite'}", evaluation, options.records)
        if options.postgres:
            found |= _stored(options.postgres, evaluation, options.records)
    print(
        "\n".join(table_lines(["constant", "value"], [[k, f"{v:,.4g}"] for k, v in found.items()]))
    )
    print("\n" + "\n".join(machine_lines(("dagster", "numpy", "pyarrow"))))


def _model(folder: Path, name: str, training: Path, segments: tuple[str, ...]) -> MonitoredModel:
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
            "segments": list(segments),
        },
        where="bench: ",
    ).rooted(folder)


def _scanned(model: MonitoredModel, files: tuple[Path, Path]) -> Found:
    """What scanning costs and profiles take."""
    training, day = files
    values = pq.read_metadata(training).num_rows * COLUMNS
    with _timed() as spent:
        plain = _baseline(model, training, ())
    found: Found = {"baseline, ns a value": spent[0] / values * 1e9}
    split = _baseline(model, training, SEGMENTS)
    for name, built in (("", plain), (", 3 segment columns", split)):
        kernels: tuple[Kernel, ...] = ("numpy", "compiled")
        for kernel in kernels:
            # The first one compiles, and fills caches.
            seconds = [_scan_seconds(model, built, day, kernel) for _ in range(3)][1:]
            rows = pq.read_metadata(day).num_rows
            found[f"scan{name}, {kernel}, ns a value"] = min(seconds) / rows / COLUMNS * 1e9
    whole, parted = (len(_profile_bytes(model, built, day)) for built in (plain, split))
    n_segments = sum(len(values) + 1 for values in split.bins.segments.values())
    found["profile, bytes a column"] = whole / COLUMNS
    found["profile, bytes a column and segment"] = (parted - whole) / COLUMNS / n_segments
    return found


def _baseline(model: MonitoredModel, training: Path, segments: tuple[str, ...]) -> Baseline:
    return build_baseline(
        lambda names: pq.ParquetFile(training).iter_batches(
            columns=[n for n in names if n in pq.read_schema(training).names]
        ),
        columns=model.columns,
        task=model.task,
        segments=segments,
        model_version="1",
    )


def _scan_seconds(model: MonitoredModel, built: Baseline, day: Path, kernel: Kernel) -> float:
    with _timed() as spent:
        batches = pq.ParquetFile(day).iter_batches(columns=[*NUMERIC, *CATEGORICAL])
        scan(batches, bins=built.bins, columns=model.columns, kernel=kernel)
    return spent[0]


def _profile_bytes(model: MonitoredModel, built: Baseline, day: Path) -> bytes:
    batches = pq.ParquetFile(day).iter_batches()
    return to_bytes(to_table(scan(batches, bins=built.bins, columns=model.columns)))


def _of_dagster(folder: Path, days: int) -> Found:
    """What a daily run of a small slice leaves in Dagster's instance on SQLite."""
    home = folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    os.environ["DAGSTER_HOME"] = str(home)
    (folder / "small").mkdir()
    training, day = write_rows(folder / "small", rows=2_000, compression="zstd")
    first = date.fromisoformat(DAY)
    keys = [(first + timedelta(days=i)).isoformat() for i in range(days + 1)]
    for key in keys:
        where = folder / f"day={key}"
        where.mkdir()
        os.link(day, where / "part.parquet")
    model = _model(folder, "daily", training, ())
    with dg.DagsterInstance.get() as instance:
        definitions = build_monitoring_defs(model, clock=lambda: NOW)
        run_setup(definitions, model, instance=instance)
        job = job_name(model, "daily")
        run_job(definitions, job, instance=instance, partition_key=keys[0])
        before = _size(home)
        with _timed() as spent:
            for key in keys[1:]:
                run_job(definitions, job, instance=instance, partition_key=key)
        grown = _size(home) - before
        runs = instance.get_runs(limit=days)
        events = sum(len(instance.all_logs(run.run_id)) for run in runs)
    with _timed() as loading:
        graphs = [
            build_monitoring_defs(model, clock=lambda: NOW).resolve_asset_graph()
            for _ in range(_LOADED)
        ]
    assets = len(graphs[0].get_all_asset_keys())
    with open_backend(model) as backend:
        evaluations = len(backend.store.evaluations.read(model.model)) / len(keys)
    return {
        "Dagster, events a model and day": events / days,
        "Dagster, bytes an event (SQLite)": grown / events,
        "Dagster, CPU seconds a model and day": spent[0] / days,
        "Dagster, CPU seconds to start a run's process": _starting(),
        "Dagster, CPU milliseconds to load a model": loading[0] / _LOADED * 1e3,
        "Dagster, assets a model": assets,
        "evaluations a model and day": evaluations,
    }


def _starting() -> float:
    """Importing what a run imports, in a process of its own."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", _START], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def _stored(url: str, evaluation: Evaluation, records: int) -> Found:
    """Bytes and seconds of evaluations, predictions and labels in the store."""
    where = "PostgreSQL" if url.startswith("postgres") else "SQLite"
    ids = [str(uuid.UUID(int=i * 7_919_000_000_000_000_007)) for i in range(records)]
    found: Found = {}
    with open_store(url) as store:

        def evaluate() -> None:
            for start in range(0, records, 1_000):
                store.evaluations.record(
                    [
                        replace(evaluation, column=f"column_{i % 50}", partition=f"day {i // 50}")
                        for i in range(start, min(start + 1_000, records))
                    ]
                )

        def register() -> None:
            store.labels.register_predictions("bench", DAY, pa.array(ids))

        def deliver() -> None:
            store.labels.append("bench", _labels(ids), "delivery")

        for name, put in (("evaluation", evaluate), ("prediction", register), ("label", deliver)):
            before = _database_size(url)
            began = time.perf_counter()
            put()
            seconds = time.perf_counter() - began
            found[f"{name}, bytes ({where})"] = (_database_size(url) - before) / records
            found[f"{name}, microseconds ({where})"] = seconds / records * 1e6
    return found


def _labels(ids: list[str]) -> pa.Table:
    moments = pa.array([NOW] * len(ids), pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "prediction_id": ids,
            "label": [float(i % 7) for i in range(len(ids))],
            "event_time": moments,
            "available_at": moments,
            "revision": pa.array([1] * len(ids)),
        }
    )


def _an_evaluation() -> Evaluation:
    return Evaluation(
        model="bench",
        monitor="drift",
        monitor_kind="drift",
        metric="psi",
        column=None,
        segment=None,
        baseline_kind="training",
        baseline_version="b-20240101-12345678",
        partition=DAY,
        window_start=NOW,
        window_end=NOW,
        value=0.123,
        lower=None,
        upper=0.2,
        status=Status.HEALTHY,
        severity=None,
        reason=None,
        n=1_000_000,
        n_labelled=None,
        model_version="1",
        evaluated_at=NOW,
        run_id=str(uuid.UUID(int=1)),
        standard_error=0.001,
    )


def _database_size(url: str) -> int:
    if not url.startswith("postgres"):
        file = Path(url.removeprefix("sqlite:///"))
        return sum(each.stat().st_size for each in file.parent.glob(file.name + "*"))
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg2"))
    with engine.connect() as connection:
        size = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
    engine.dispose()
    return int(size)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def _timed() -> Iterator[list[float]]:
    """CPU seconds of this process, once its block has ended."""
    spent = [0.0]
    before = time.process_time()
    yield spent
    spent[0] = time.process_time() - before


if __name__ == "__main__":
    main()
