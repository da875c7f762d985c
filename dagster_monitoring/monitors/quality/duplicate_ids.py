"""Duplicate ids: share of rows whose id an earlier row of the slice had."""

from __future__ import annotations

from dagster_monitoring.monitors.quality._metric import (
    TABLE,
    QualityMetric,
    QualityValue,
    Subject,
    share_error,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    count = subject.slice.n_duplicate_ids
    share = count / subject.slice.rows
    return QualityValue(
        value=share,
        note=f"{count} rows repeat an id" if count else None,
        standard_error=share_error(share, subject.slice.rows),
    )


METRIC = QualityMetric(
    name="duplicate_ids",
    title="Share of rows that repeat an id",
    compute=_compute,
    kinds=TABLE,
    threshold=AbsoluteThreshold(warn=Limits(upper=0.0), error=Limits(upper=0.01), widen=False),
    unit="share",
    error_method="binomial (Agresti-Coull), as if each row repeated an id by itself",
)
