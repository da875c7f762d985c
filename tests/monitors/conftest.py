"""A small world that monitors look at: real tables, scanned by the real kernel, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import SliceNotFoundError
from dagster_monitoring.monitors import Once
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.bins import (
    BinSet,
    CategoricalBins,
    NumericBins,
    build_numeric_bins,
    equal_width_edges,
)
from dagster_monitoring.profiles.delays import Arrivals
from dagster_monitoring.profiles.performance import scan_performance
from dagster_monitoring.profiles.performance_profile import (
    PerformanceProfile,
    merge_performance,
)
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.window import PerformanceWindow, Window
from dagster_monitoring.schema import BinaryClassification, Columns, Partitions, Task

FIRST_DAY = "2024-05-01"
ROWS = 400


@dataclass(frozen=True, kw_only=True)
class World:
    """A model, its baseline table and its slices by partition; by prediction id ``labels``, and
    when they ``arrived`` where that is not a day after the slice's end.
    """

    training: pa.Table
    slices: Mapping[str, pa.Table]
    labels: Mapping[str, int | float | str]
    task: Task
    columns: Columns
    partitions: Partitions
    segments: tuple[str, ...] = ()
    equal_width: Mapping[str, int] = field(default_factory=dict)
    delay: timedelta | None = timedelta(days=2)
    with_reference: bool = True
    arrived: Mapping[str, datetime] = field(default_factory=dict)

    def at(self, partition: str, *, now: datetime | None = None) -> MemoryView:
        end = self.partitions.bounds(partition)[1]
        return MemoryView(self, partition, now or end + timedelta(days=30))

    def having(self, partition: str, table: pa.Table | None) -> World:
        """The same world with another slice, or without it."""
        slices = {k: v for k, v in self.slices.items() if k != partition}
        return replace(self, slices=slices if table is None else {**slices, partition: table})

    @property
    def days(self) -> list[str]:
        return sorted(self.slices)

    @cached_property
    def score(self) -> tuple[str, ...]:
        is_scored = isinstance(self.task, BinaryClassification) and self.task.score
        return (self.task.score,) if is_scored else ()

    @cached_property
    def bins(self) -> BinSet:
        numeric_prediction = self.task.type == "regression"
        numeric = [*self.columns.numeric, *self.score]
        categorical = [*self.columns.categorical]
        (numeric if numeric_prediction else categorical).append(self.task.prediction)
        made: dict[str, NumericBins | CategoricalBins] = {
            name: self._numeric_bins(name) for name in numeric
        }
        for name in categorical:
            made[name] = CategoricalBins(vocabulary=self._names(name))
        return BinSet(columns=made, segments={name: self._names(name) for name in self.segments})

    def _numeric_bins(self, name: str) -> NumericBins:
        values = self.training[name].to_numpy()
        count = self.equal_width.get(name)
        extra = equal_width_edges(np.nanmin(values), np.nanmax(values), count) if count else ()
        return build_numeric_bins(values, extra_edges=tuple(extra))

    def _names(self, name: str) -> tuple[str, ...]:
        counted = self.training[name].cast(pa.string()).drop_null().value_counts().to_pylist()
        return tuple(
            c["values"] for c in sorted(counted, key=lambda c: (-c["counts"], c["values"]))
        )

    def profile(self, table: pa.Table, partition: str | None = None) -> Profile:
        is_regression = self.task.type == "regression"
        return scan(
            table.to_batches(),
            bins=self.bins,
            columns=self.columns,
            extra_numeric=(*self.score, *((self.task.prediction,) if is_regression else ())),
            extra_categorical=() if is_regression else (self.task.prediction,),
            bounds=self.partitions.bounds(partition) if partition else None,
        )

    def performance(self, table: pa.Table, partition: str | None = None) -> PerformanceProfile:
        ids = table[self.columns.id].to_pylist() if self.columns.id in table.schema.names else []
        known = [i for i in ids if i in self.labels]
        end = self.partitions.bounds(partition)[1] if partition else None
        usual = end + timedelta(days=1) if end else None
        labels = pa.table(
            {
                "prediction_id": pa.array(known, pa.string()),
                "label": [self.labels[i] for i in known],
                "available_at": pa.array(
                    [self.arrived.get(i, usual) for i in known], pa.timestamp("us", "UTC")
                ),
            }
        )
        return scan_performance(
            table.to_batches(),
            labels=labels,
            columns=self.columns,
            task=self.task,
            segments=self.bins.segments,
            end=end,
        )

    @cached_property
    def baseline(self) -> Baseline:
        profile = self.profile(self.training)
        return Baseline(
            version="b-test",
            model_version="1",
            bins=self.bins,
            profile=profile,
            reference=self.performance(self.training) if self.with_reference else None,
            created_at=datetime(2024, 5, 1, tzinfo=UTC),
        )

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        return {key: self.profile(table, key) for key, table in self.slices.items()}

    @cached_property
    def performances(self) -> dict[str, PerformanceProfile]:
        return {key: self.performance(table, key) for key, table in self.slices.items()}


@dataclass(frozen=True)
class MemoryView:
    world: World
    partition: str
    now: datetime

    @property
    def model(self) -> str:
        return "test_model"

    @property
    def task(self) -> Task:
        return self.world.task

    @property
    def columns(self) -> Columns:
        return self.world.columns

    @property
    def segments(self) -> tuple[str, ...]:
        return self.world.segments

    @property
    def partitions(self) -> Partitions:
        return self.world.partitions

    @property
    def left_out(self) -> frozenset[str]:
        return frozenset()

    @property
    def labels_due(self) -> datetime | None:
        end = self.partitions.bounds(self.partition)[1]
        return None if self.world.delay is None else end + self.world.delay

    @property
    def baseline(self) -> Baseline:
        return self.world.baseline

    @property
    def once(self) -> Once:
        return Once()

    def window(self, length: int) -> Window:
        return self._profiles(1 - length, 0)

    def rolling(self, length: int, *, before: int) -> Window:
        return self._profiles(1 - before - length, -before)

    def performance(self, length: int) -> PerformanceWindow:
        have, missing = self._keys(1 - length, 0)
        profiles = [self.world.performances[key] for key in have]
        return PerformanceWindow(
            profile=merge_performance(profiles, task=self.task), partitions=have, missing=missing
        )

    def arrivals(self, length: int, *, before: int) -> Arrivals:
        have, _ = self._keys(1 - before - length, -before)
        return sum((self.world.performances[key].arrivals for key in have), Arrivals())

    def slice_batches(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        if self.partition not in self.world.slices:
            raise SliceNotFoundError(f"there is no file for {self.partition}")
        table = self.world.slices[self.partition]
        yield from (table if columns is None else table.select(list(columns))).to_batches()

    def at(self, partition: str) -> MemoryView:
        return replace(self, partition=partition)

    def _profiles(self, first: int, last: int) -> Window:
        have, missing = self._keys(first, last)
        return Window(
            profile=merge(self.world.profiles[key] for key in have),
            partitions=have,
            missing=missing,
        )

    def _keys(self, first: int, last: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        days = self.partitions
        keys = days.between(days.shift(self.partition, first), days.shift(self.partition, last))
        have = tuple(key for key in keys if key in self.world.slices)
        return have, tuple(key for key in keys if key not in have)


def rows(seed: int, day: str, n: int = ROWS, *, shift: float = 0.0) -> pa.Table:
    """Scored rows of a day: a number, a number with gaps, two categories, class and score."""
    rng = np.random.default_rng(seed)
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    gaps = rng.random(n) < 0.1
    score = rng.beta(2, 5, n)
    return pa.table(
        {
            "id": [f"{day}-{seed}-{i}" for i in range(n)],
            "at": pa.array([noon] * n, pa.timestamp("us", tz="UTC")),
            "age": rng.normal(40.0 + shift, 10.0, n),
            "income": pa.array(rng.lognormal(3.0, 1.0, n), mask=gaps),
            "city": rng.choice(["Ash", "Birch", "Cedar"], n, p=[0.5, 0.3, 0.2]),
            "plan": rng.choice(["free", "paid"], n),
            "score": score,
            "predicted": (score > 0.4).astype(np.int64),
        }
    )


def labels_of(table: pa.Table, seed: int = 0) -> dict[str, int | float | str]:
    """Labels that follow the scores, so that the scores are calibrated."""
    rng = np.random.default_rng(seed)
    drawn = rng.random(table.num_rows) < table["score"].to_numpy()
    return dict(zip(table["id"].to_pylist(), drawn.astype(int).tolist(), strict=True))


def change(table: pa.Table, name: str, values: object) -> pa.Table:
    """The table with one column replaced."""
    return table.set_column(table.schema.names.index(name), name, pa.array(values))


@pytest.fixture(scope="session")
def world() -> World:
    """A calm model: 40 days of the same population as its training rows."""
    training = rows(1, "2024-04-15", 4000)
    days = Partitions(start=FIRST_DAY).between(FIRST_DAY, "2024-06-09")
    slices = {day: rows(100 + i, day) for i, day in enumerate(days)}
    labels = labels_of(training)
    for table in slices.values():
        labels |= labels_of(table)
    return World(
        training=training,
        slices=slices,
        labels=labels,
        task=BinaryClassification(label="y", prediction="predicted", score="score"),
        columns=Columns(
            id="id", timestamp="at", numeric=("age", "income"), categorical=("city", "plan")
        ),
        partitions=Partitions(start=FIRST_DAY),
        segments=("city",),
    )


@pytest.fixture(scope="session")
def shifted(world: World) -> World:
    """The calm world, but on 20 May everyone is 20 years older."""
    day = "2024-05-20"
    return world.having(day, rows(7, day, shift=20.0))
