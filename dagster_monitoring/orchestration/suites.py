"""A model's default quality set as an expectation suite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.monitors.default_suite import write_default_suite
from dagster_monitoring.orchestration.backend import open_backend
from dagster_monitoring.orchestration.baselines import declared_version
from dagster_monitoring.profiles.baseline import Baseline, build_baseline
from dagster_monitoring.sources import Request


def default_suite(model: MonitoredModel) -> str:
    """The suite's JSON, from the newest baseline in force, or else from the declared rows.

    Raises:
        BaselineError: no rows, or too few.
        DataError: they can't be read.
        StoreError: the store can't be reached.
    """
    with open_backend(model) as backend:
        versions = backend.store.baselines.list(model.model)
        baseline = backend.baseline(versions[-1].version) if versions else _declared(model)
    return write_default_suite(baseline, model.columns)


def _declared(model: MonitoredModel) -> Baseline:
    """The declared rows' baseline, kept nowhere."""

    def read(columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        return model.baseline.batches(Request(columns=tuple(columns)))

    return build_baseline(
        read,
        columns=model.columns,
        task=model.task,
        segments=model.segments,
        model_version=declared_version(model),
    )
