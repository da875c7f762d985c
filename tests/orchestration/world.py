"""A small world to monitor: generated slices and labels in files, a clock, a Dagster instance."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from dagster_monitoring.orchestration.naming import job_name
from dagster_monitoring.orchestration.running import run_job, run_range, run_setup
from dagster_monitoring.stores import Store, open_store

START = "2024-05-01"
ROWS = 150
MOMENT = pa.timestamp("us", tz="UTC")
MONITORS = [
    {"type": "data_quality"},
    {"type": "drift", "columns": "all", "metrics": ["psi", "jensen_shannon"], "segments": True},
    {
        "type": "drift",
        "name": "learned",
        "window": 1,
        "columns": ["temp"],
        "metrics": ["mean_shift"],
        "threshold": {
            "type": "learned",
            "slices": 5,
            "minimum_slices": 3,
            "error_alpha": 0.001,
        },
    },
    {"type": "performance", "metrics": ["accuracy", "roc_auc"], "minimum_labelled": 20},
    {"type": "label_coverage"},
]


def day_of(number: int) -> str:
    """The key of the ``number``-th day of production, from 0."""
    return (date.fromisoformat(START) + timedelta(days=number)).isoformat()


def fields_of(name: str, **changes: object) -> dict[str, object]:
    """A declaration of the world's model."""
    return {
        "model": name,
        "task": {
            "type": "binary_classification",
            "label": "late",
            "prediction": "late_pred",
            "score": "late_proba",
        },
        "columns": {
            "id": "id",
            "timestamp": "at",
            "numeric": ["temp", "size"],
            "categorical": ["city", "kind"],
        },
        "partitions": {"start": START},
        "baseline": {"type": "parquet", "path": "baseline.parquet"},
        "predictions": {"type": "parquet", "path": "slices/day={partition}/*.parquet"},
        "ground_truth": {"type": "parquet", "path": "labels/*.parquet", "expected_delay_days": 1},
        "segments": ["city"],
        "monitors": MONITORS,
        "storage": {"path": "monitoring"},
        **changes,
    }


@dataclass
class Clock:
    """The world's time."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """A model's declaration, its files, its Dagster instance and its time."""

    folder: Path
    instance: dg.DagsterInstance
    model: MonitoredModel
    clock: Clock = field(default_factory=lambda: Clock(datetime(2024, 5, 13, 7, tzinfo=UTC)))
    changes: dict[str, object] = field(default_factory=dict)

    @contextmanager
    def copy(self, folder: Path, *, on_disk: bool = False) -> Iterator[World]:
        """The same files and store in another folder, under a Dagster that knows no run."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        with new_world(folder, self.model.model, on_disk=on_disk, **self.changes) as world:
            world.clock.now = self.clock.now
            yield world

    def __post_init__(self) -> None:
        self.definitions = build_monitoring_defs(self.model, clock=self.clock)
        self.cursors: dict[str, str | None] = {}

    def declare(self, **changes: object) -> World:
        """The same world with another declaration."""
        name = str(changes.pop("model", self.model.model))
        model = MonitoredModel.read(fields_of(name, **changes)).rooted(self.folder)
        return World(self.folder, self.instance, model, self.clock, changes)

    def setup(self) -> None:
        run_setup(self.definitions, self.model, instance=self.instance)

    def range(self, first: int, last: int, *, purpose: str = "daily") -> None:
        """Judge days as one range run."""
        for _ in run_range(
            self.definitions,
            self.model,
            first=day_of(first),
            last=day_of(last),
            instance=self.instance,
            slices_per_run=99,
            purpose=purpose,
        ):
            pass

    def day(self, number: int, *, purpose: str = "daily") -> dg.ExecuteInProcessResult:
        """Judge one day."""
        return self.job(purpose, partition_key=day_of(number))

    def job(self, purpose: str, **options: Any) -> dg.ExecuteInProcessResult:
        return run_job(
            self.definitions, job_name(self.model, purpose), instance=self.instance, **options
        )

    def run(self, purpose: str, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """What a sensor asked for."""
        return self.job(
            purpose,
            partition_key=request.partition_key,
            tags=request.tags,
            run_config=request.run_config,
        )

    def tick(
        self, sensor: str, cursor: str | None = None, log: list[str] | None = None
    ) -> dg.SensorResult:
        """One tick of a sensor; ``log`` gets what it warns of."""
        definition = self.definitions.resolve_sensor_def(job_name(self.model, sensor))
        with dg.build_sensor_context(
            instance=self.instance, cursor=cursor, definitions=self.definitions
        ) as context:
            if log is not None:
                handler = _Kept(log)
                context.log.addHandler(handler)
            return definition.evaluate_tick(context)

    @contextmanager
    def store(self) -> Iterator[Store]:
        with open_store(self.model.storage.database_url) as store:
            yield store

    @contextmanager
    def backend(self) -> Iterator[Backend]:
        with open_backend(self.model) as backend:
            yield backend

    def evaluations(self, monitor: str | None = None, **options: Any) -> list[Evaluation]:
        with self.store() as store:
            return store.evaluations.read(self.model.model, monitor=monitor, **options)

    def of_day(self, number: int, monitor: str | None = None) -> list[Evaluation]:
        return self.evaluations(monitor, since=day_of(number), until=day_of(number))

    def cell(self, number: int, monitor: str, metric: str, column: str | None = None) -> Evaluation:
        """One evaluation of all rows."""
        (found,) = [
            e
            for e in self.of_day(number, monitor)
            if (e.metric, e.column, e.segment) == (metric, column, None)
        ]
        return found

    def checks(self, asset: str, check: str) -> list[Any]:
        """A check's records in Dagster, the last recorded first."""
        key = dg.AssetCheckKey(dg.AssetKey([self.model.model, asset]), check)
        return list(self.instance.event_log_storage.get_asset_check_execution_history(key, 200))

    def serve(self, number: int, table: pa.Table | None = None, *, file: str = "part-0") -> Path:
        """Writes a slice, or replaces it."""
        path = self.folder / "slices" / f"day={day_of(number)}" / f"{file}.parquet"
        return write(rows(number) if table is None else table, path)

    def label(self, name: str, table: pa.Table) -> Path:
        return write(table, self.folder / "labels" / f"{name}.parquet")


class _Kept(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record.getMessage())


def rows(number: int, n: int = ROWS, *, seed: int = 0, prefix: str = "d") -> pa.Table:
    """A day's scored rows."""
    source = np.random.default_rng([seed, number + 1000])
    temp, size = source.normal(size=n), source.normal(size=n)
    score = 1 / (1 + np.exp(-(2 * temp + size)))
    start = datetime.fromisoformat(day_of(number)).replace(tzinfo=UTC)
    moments = [start + timedelta(seconds=int(86_400 * i / n)) for i in range(n)]
    return pa.table(
        {
            "id": [f"{prefix}{number}-{i}" for i in range(n)],
            "at": pa.array(moments, MOMENT),
            "temp": temp,
            "size": size,
            "city": source.choice(["Oslo", "Rome", "Lima"], size=n).tolist(),
            "kind": source.choice(["a", "b"], size=n).tolist(),
            "late_proba": score,
            "late_pred": (score > 0.5).astype(np.int64),
        }
    )


def truth(table: pa.Table, *, flipped: bool = False, seed: int = 0) -> np.ndarray[Any, Any]:
    """What became of rows; flipped: the relation to ``temp`` turned round."""
    sign = -2 if flipped else 2
    logit = sign * table["temp"].to_numpy() + table["size"].to_numpy()
    source = np.random.default_rng([seed, len(table)])
    return (source.random(len(table)) < 1 / (1 + np.exp(-logit))).astype(np.int64)


def labels(
    table: pa.Table,
    arrived: datetime,
    *,
    values: object = None,
    flipped: bool = False,
    revision: int = 1,
    only: Sequence[int] | None = None,
) -> pa.Table:
    """Labels of rows, all arriving at one moment."""
    found = truth(table, flipped=flipped) if values is None else values
    delivered = pa.table(
        {
            "id": table["id"],
            "late": found,
            "available_at": pa.array([arrived] * len(table), MOMENT),
            "revision": [revision] * len(table),
        }
    )
    return delivered if only is None else delivered.take(pa.array(only))


def morning(number: int) -> datetime:
    """Six in the morning after a day."""
    return datetime.fromisoformat(day_of(number)).replace(tzinfo=UTC) + timedelta(hours=30)


def write(table: pa.Table, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def baseline_rows(n: int = 300) -> pa.Table:
    """Known good rows before production, with their labels."""
    table = rows(-30, n, prefix="b")
    return table.append_column("late", pa.array(truth(table)))


@contextmanager
def new_world(
    folder: Path, name: str = "late", *, on_disk: bool = False, **changes: object
) -> Iterator[World]:
    """A world with its baseline written, and nothing served yet.

    Args:
        folder: its files; the monitoring's own are below it.
        name: the model's name.
        on_disk: whether Dagster keeps its records in files, as it does in service, or in memory.
        changes: fields of the declaration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write(baseline_rows(), folder / "baseline.parquet")
    model = MonitoredModel.read(fields_of(name, **changes)).rooted(folder)
    with warnings.catch_warnings():
        # Dagster's features that this package rests on, and its own use of deprecated parts.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        home = folder / "home"
        home.mkdir(exist_ok=True)
        opened = (
            dg.DagsterInstance.local_temp(str(home)) if on_disk else dg.DagsterInstance.ephemeral()
        )
        with opened as instance:
            yield World(folder, instance, model, changes=changes)


def triggered(evaluations: Sequence[Evaluation], severity: Severity | None = None) -> set[str]:
    """Monitor and metric of what is triggered."""
    return {
        f"{e.monitor}/{e.metric}"
        for e in evaluations
        if e.status is Status.TRIGGERED and severity in {None, e.severity}
    }
