"""Outside the partition: share of rows whose timestamp belongs to another slice."""

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
    count = subject.slice.n_outside_partition
    share = count / subject.slice.rows
    return QualityValue(
        value=share,
        note=f"{count} rows" if count else None,
        standard_error=share_error(share, subject.slice.rows),
    )


METRIC = QualityMetric(
    name="outside_partition",
    title="Share of rows with a timestamp of another slice",
    compute=_compute,
    kinds=TABLE,
    threshold=AbsoluteThreshold(warn=Limits(upper=0.0), error=Limits(upper=0.05), widen=False),
    unit="share",
    error_method="binomial (Agresti-Coull)",
)
