"""Rows that other libraries measured, as slices of a model: one file a day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.monitors import Measurement, Monitor, Once
from dagster_monitoring.monitors.drift import DriftMonitor, EqualWidth
from dagster_monitoring.monitors.multivariate_drift import MultivariateDriftMonitor
from dagster_monitoring.profiles.baseline import Baseline, build_baseline
from dagster_monitoring.profiles.delays import Arrivals
from dagster_monitoring.profiles.performance import scan_performance
from dagster_monitoring.profiles.performance_profile import merge_performance
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.projecting import RowNeeds
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.window import PerformanceWindow, Window
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    Partitions,
    Regression,
    Task,
)

FOLDER = Path(__file__).parent
START = datetime(2024, 1, 1, tzinfo=UTC)
OWN = {"id", "timestamp"}


@dataclass(frozen=True, kw_only=True)
class Peers:
    """A model whose slices are files, in the order of their days, and what others say of them."""

    folder: str
    task: Task
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    baseline_file: str
    slices: tuple[str, ...]
    monitors: tuple[Monitor, ...] = ()
    tables: dict[str, pa.Table] = field(default_factory=dict)

    @cached_property
    def figures(self) -> dict[str, Any]:
        return json.loads((FOLDER / self.folder / "peers.json").read_text())

    @property
    def columns(self) -> Columns:
        return Columns(
            id="id", timestamp="timestamp", numeric=self.numeric, categorical=self.categorical
        )

    def table(self, name: str) -> pa.Table:
        if name not in self.tables:
            rows = pq.read_table(FOLDER / self.folder / f"{name}.parquet")
            day = self.slices.index(name) if name in self.slices else -1
            noon = pa.array([START + timedelta(days=day, hours=12)] * rows.num_rows)
            ids = pa.array([f"{name}-{i}" for i in range(rows.num_rows)])
            self.tables[name] = rows.append_column("id", ids).append_column("timestamp", noon)
        return self.tables[name]

    @cached_property
    def baseline(self) -> Baseline:
        rows, monitors = self.table(self.baseline_file), self.monitors
        return build_baseline(
            lambda names: rows.select(list(names)).to_batches(),
            columns=self.columns,
            task=self.task,
            model_version="1",
            equal_width=[bins for m in monitors if (bins := m.equal_width_bins())],
            rows=RowNeeds.of(
                projected=[m.projected_columns(self.columns) for m in monitors],
                sampled=[m.sampled_columns(self.columns) for m in monitors],
            ),
        )

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        return {
            name: scan(
                self.table(name).to_batches(),
                bins=self.baseline.bins,
                columns=self.columns,
                known=(self.task.label,),
            )
            for name in self.slices
        }

    def measured(self, monitor: Monitor, name: str) -> dict[tuple[str, str | None], Measurement]:
        """What a monitor of the one slice says, by metric and column."""
        found = monitor.measure(OneSlice(self, name))
        assert len({(m.metric, m.column) for m in found}) == len(found)
        return {(m.metric, m.column): m for m in found}


@dataclass(frozen=True)
class OneSlice:
    """What a monitor sees on the day of a slice."""

    peers: Peers
    name: str
    model: str = "peers"
    segments: tuple[str, ...] = ()
    labels_due: datetime | None = START
    now: datetime = START + timedelta(days=400)

    @property
    def task(self) -> Task:
        return self.peers.task

    @property
    def columns(self) -> Columns:
        return self.peers.columns

    @property
    def baseline(self) -> Baseline:
        return self.peers.baseline

    @property
    def once(self) -> Once:
        return Once()

    @property
    def partitions(self) -> Partitions:
        return Partitions(start=START.date())

    @property
    def partition(self) -> str:
        day = START + timedelta(days=self.peers.slices.index(self.name))
        return day.date().isoformat()

    def window(self, length: int) -> Window:
        assert length == 1
        return Window(
            profile=self.peers.profiles[self.name], partitions=(self.partition,), missing=()
        )

    def rolling(self, length: int, *, before: int) -> Window:
        raise AssertionError(f"nothing here is rolling: {length} slices before {before}")

    def performance(self, length: int) -> PerformanceWindow:
        assert length == 1
        profile = scan_performance(
            self.peers.table(self.name).to_batches(),
            labels=None,
            columns=self.columns,
            task=self.task,
        )
        merged = merge_performance([profile], task=self.task)
        return PerformanceWindow(profile=merged, partitions=(self.partition,), missing=())

    def arrivals(self, length: int, *, before: int) -> Arrivals:
        raise NotImplementedError

    def slice_batches(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        rows = self.peers.table(self.name)
        yield from (rows if columns is None else rows.select(list(columns))).to_batches()

    def at(self, partition: str) -> OneSlice:
        day = datetime.fromisoformat(partition).replace(tzinfo=UTC)
        return replace(self, name=self.peers.slices[(day - START).days])


@pytest.fixture(scope="session")
def car_loan() -> Peers:
    return Peers(
        folder="car_loan",
        task=BinaryClassification(label="repaid", prediction="y_pred", score="y_pred_proba"),
        numeric=("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure"),
        categorical=("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment"),
        baseline_file="baseline",
        slices=("chunk_0", "chunk_9", "day"),
        monitors=(
            DriftMonitor(bins="doane"),
            DriftMonitor(bins=EqualWidth(equal_width=10)),
            MultivariateDriftMonitor(),
        ),
    )


@pytest.fixture(scope="session")
def car_price() -> Peers:
    return Peers(
        folder="car_price",
        task=Regression(label="y_true", prediction="y_pred"),
        baseline_file="reference_chunk_9",
        slices=("chunk_9", "reference_chunk_9"),
    )


@pytest.fixture(scope="session")
def prompt_injection() -> Peers:
    return Peers(
        folder="prompt_injection",
        task=BinaryClassification(label="is_injection", prediction="pred", score="proba"),
        numeric=("n_chars", "n_words", "non_ascii_share", "digit_share"),
        baseline_file="baseline",
        slices=("quiet", "wave"),
    )


@pytest.fixture(scope="session")
def flights() -> Peers:
    return Peers(
        folder="flights",
        task=BinaryClassification(label="delayed15", prediction="delay15_pred"),
        numeric=("plane_age", "temp"),
        categorical=("carrier", "dest"),
        baseline_file="baseline",
        slices=("day",),
        monitors=(DriftMonitor(bins="doane"),),
    )
