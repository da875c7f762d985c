"""Extra columns: how many columns the slice has that neither are declared nor in the baseline."""

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
    names = sorted(set(subject.slice.extra_columns) - set(subject.baseline.extra_columns))
    return QualityValue(value=float(len(names)), note=f"new: {named(names)}" if names else None)


METRIC = QualityMetric(
    name="extra_columns",
    title="Number of columns that nobody declared",
    compute=_compute,
    kinds=TABLE,
    threshold=AbsoluteThreshold(warn=Limits(upper=0.0), widen=False),
    unit="count",
    error_method="exact: files have these columns or not",
)
