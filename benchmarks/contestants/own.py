"""What the scripts of this package share: the bench's model, its baseline, a scanned day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shape import CATEGORICAL, ID, NUMERIC, TIMESTAMP

if TYPE_CHECKING:
    import pyarrow as pa

    from dagster_monitoring.monitors.drift import DriftMonitor
    from dagster_monitoring.profiles.baseline import Baseline
    from dagster_monitoring.schema import Columns, Regression


def import_all() -> None:
    """Everything that would otherwise be imported at first use."""
    import scipy.special  # noqa: F401 - for its import
    import view  # noqa: F401 - for its import

    import dagster_monitoring.profiles.baseline
    import dagster_monitoring.sources  # noqa: F401 - for its import
    from dagster_monitoring.monitors.quality import quality_metrics
    from dagster_monitoring.statistics.drift import drift_metrics

    drift_metrics()
    quality_metrics()


def model(
    numeric: Sequence[str] = NUMERIC, categorical: Sequence[str] = CATEGORICAL
) -> tuple[Columns, Regression]:
    """The columns by role; the last numeric one is the prediction."""
    from dagster_monitoring.schema import Columns, Regression

    columns = Columns(
        id=ID,
        timestamp=TIMESTAMP,
        numeric=tuple(numeric[:-1]),
        categorical=tuple(categorical),
        model_version=None,
    )
    return columns, Regression(label="label", prediction=numeric[-1])


def baseline_of(
    training: Path, columns: Columns, task: Regression, *, segments: Sequence[str] = ()
) -> Baseline:
    """The baseline of a file of training rows."""
    from dagster_monitoring.profiles.baseline import build_baseline
    from dagster_monitoring.sources import ParquetSource, Request

    source = ParquetSource(path=str(training))
    return build_baseline(
        lambda names: source.batches(Request(columns=tuple(names))),
        columns=columns,
        task=task,
        model_version="1",
        segments=segments,
    )


def batches(path: Path, names: Iterable[str]) -> Iterable[pa.RecordBatch]:
    """The columns of a file, in batches, as the product reads them."""
    from dagster_monitoring.sources import ParquetSource, Request

    return ParquetSource(path=str(path)).batches(Request(columns=tuple(names)))


def every_drift_metric(*, rolling: int | None = None) -> DriftMonitor:
    """A monitor of one slice with the whole catalogue, against training or the slices before."""
    from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
    from dagster_monitoring.statistics.drift import drift_metrics

    against = "training" if rolling is None else Rolling(rolling=rolling)
    return DriftMonitor(columns="all", metrics=tuple(drift_metrics()), window=1, baseline=against)
