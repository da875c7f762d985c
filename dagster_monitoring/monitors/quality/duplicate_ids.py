"""Duplicate ids: share of rows whose id an earlier row of the slice had."""

from __future__ import annotations

from dagster_monitoring.monitors.quality._metric import (
    TABLE,
    QualityMetric,
    QualityValue,
    Subject,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    count = subject.slice.n_duplicate_ids
    return QualityValue(
        value=count / subject.slice.rows, note=f"{count} rows repeat an id" if count else None
    )


METRIC = QualityMetric(
    name="duplicate_ids",
    title="Share of rows that repeat an id",
    compute=_compute,
    kinds=TABLE,
    threshold=AbsoluteThreshold(warn=Limits(upper=0.0), error=Limits(upper=0.01), widen=False),
    unit="share",
)
