"""Building baselines, and putting them in force together with their model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dagster_monitoring.errors import MonitoringError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.clock import Clock
from dagster_monitoring.profiles.baseline import Baseline, build_baseline
from dagster_monitoring.profiles.projecting import RowNeeds
from dagster_monitoring.sources import Request
from dagster_monitoring.stores import BaselineInForce

Read = Callable[[Sequence[str]], Iterable[pa.RecordBatch]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A baseline, from which partition on it judges, and whether that is new."""

    baseline: Baseline
    valid_from: str
    is_new: bool


def build_declared(backend: Backend) -> Baseline:
    """The baseline of the declared rows, kept in storage.

    Raises:
        BaselineError: no rows, or too few.
        DataError: they can't be read.
    """
    model = backend.model

    def read(columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        return model.baseline.batches(Request(columns=tuple(columns)))

    return _build(backend, read, model_version=declared_version(model))


def build_from_table(backend: Backend, table: pa.Table, *, model_version: str) -> Baseline:
    """The baseline of rows in memory, kept in storage but not in force."""

    def read(columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        present = [name for name in columns if name in table.column_names]
        batches: list[pa.RecordBatch] = table.select(present).to_batches()
        return batches

    return _build(backend, read, model_version=model_version)


def put_in_force(backend: Backend, baseline: Baseline, *, clock: Clock) -> InForce:
    """Let a baseline judge the partitions that were not judged yet; the past keeps its own.

    One that judged before and was replaced comes back in force; the one in force stays as it is.
    The day decides, not the version that scored a slice: a champion is taken to be deployed before
    the next day that is judged.
    """
    store, model = backend.store, backend.model
    known = store.baselines.list(model.model)
    if known and known[-1].version == baseline.version:
        return InForce(baseline=baseline, valid_from=known[-1].valid_from, is_new=False)
    # Without ground truth no label is looked at, and evaluations alone tell what was judged.
    evaluated = store.evaluations.last_partition(model.model)
    judged = max([*backend.judged_days()[-1:], *([evaluated] if evaluated else [])], default=None)
    first = model.partitions.first
    valid_from = model.partitions.shift(judged, 1) if known and judged else first
    is_new = store.baselines.put_in_force(
        BaselineInForce(
            model=model.model,
            version=baseline.version,
            model_version=baseline.model_version or "",
            valid_from=valid_from,
            created_at=clock(),
        )
    )
    return InForce(baseline=baseline, valid_from=valid_from, is_new=is_new)


def declared_version(model: MonitoredModel) -> str:
    """The model version that the baseline's first row names; ``declared`` when none does."""
    column = model.columns.model_version
    if column is None:
        return "declared"
    try:
        for batch in model.baseline.batches(Request(columns=(column,))):
            for value in batch.column(column).drop_null()[:1].to_pylist():
                return str(value)
    except (KeyError, MonitoringError):
        return "declared"
    return "declared"


def _build(backend: Backend, read: Read, *, model_version: str) -> Baseline:
    model = backend.model
    monitors = model.active_monitors
    asked = [m.equal_width_bins() for m in monitors]
    baseline = build_baseline(
        read,
        columns=model.columns,
        task=model.task,
        segments=model.segments,
        equal_width=sorted({bins for bins in asked if bins}, key=str),
        rows=RowNeeds.of(
            projected=[m.projected_columns(model.columns) for m in monitors],
            sampled=[m.sampled_columns(model.columns) for m in monitors],
            losses=any(m.needs_losses() for m in monitors),
        ),
        model_version=model_version,
    )
    backend.storage.write_baseline(model.model, baseline)
    return baseline
