"""Missing columns: how many declared columns a file of the slice did not have."""

from __future__ import annotations

from dagster_monitoring.monitors.quality._metric import (
    TABLE,
    QualityMetric,
    QualityValue,
    Subject,
    named,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    names = list(subject.slice.missing_columns)
    return QualityValue(value=float(len(names)), note=f"missing: {named(names)}" if names else None)


METRIC = QualityMetric(
    name="missing_columns",
    title="Number of declared columns that are not there",
    compute=_compute,
    kinds=TABLE,
    threshold=AbsoluteThreshold(error=Limits(upper=0.0), widen=False),
    unit="count",
    error_method="exact: files have these columns or not",
)
