"""Share of missing values: nulls and NaN among all rows of a column."""

from __future__ import annotations

from dagster_monitoring.monitors.quality._metric import (
    BOTH_KINDS,
    QualityMetric,
    QualityValue,
    Subject,
    share_error,
    share_noise,
)
from dagster_monitoring.monitors.threshold import Limits, RelativeThreshold
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    if subject.column is None or not subject.column.rows:
        return Undefined("there are no rows of this column")
    rows = subject.column.rows
    before = subject.before
    usual = before.n_missing / before.rows if before is not None and before.rows else 0.0
    share = subject.column.n_missing / rows
    return QualityValue(
        value=share,
        reference=usual,
        noise=share_noise(usual, rows),
        standard_error=share_error(share, rows),
    )


METRIC = QualityMetric(
    name="missing_share",
    title="Share of missing values",
    compute=_compute,
    kinds=BOTH_KINDS,
    threshold=RelativeThreshold(warn=Limits(upper=0.1), error=Limits(upper=0.5)),
    unit="share",
    error_method="binomial (Agresti-Coull)",
    judges_faults=True,
)
