"""Cardinality: how many different categories a slice has, against the baseline's number."""

from __future__ import annotations

from dagster_monitoring.monitors.quality._metric import (
    CATEGORICAL,
    QualityMetric,
    QualityValue,
    Subject,
)
from dagster_monitoring.monitors.threshold import Limits, RelativeThreshold
from dagster_monitoring.profiles.column import CategoricalColumn
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    column, before = subject.column, subject.before
    if not isinstance(column, CategoricalColumn) or not column.n:
        return Undefined("all values are missing")
    usual = float(before.distinct) if isinstance(before, CategoricalColumn) else None
    return QualityValue(value=float(column.distinct), reference=usual)


METRIC = QualityMetric(
    name="cardinality",
    title="Number of different categories",
    compute=_compute,
    kinds=CATEGORICAL,
    threshold=RelativeThreshold(mode="ratio", warn=Limits(upper=0.5), error=Limits(upper=4.0)),
    unit="count",
)
