"""Non-finite: share of rows that are plus or minus infinity; NaN counts as missing instead."""

from __future__ import annotations

from dagster_monitoring.monitors.quality._metric import (
    NUMERIC,
    QualityMetric,
    QualityValue,
    Subject,
    share_error,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    if subject.column is None or not subject.column.rows:
        return Undefined("there are no rows of this column")
    share = subject.column.n_nonfinite / subject.column.rows
    return QualityValue(value=share, standard_error=share_error(share, subject.column.rows))


METRIC = QualityMetric(
    name="non_finite",
    title="Share of infinite values",
    compute=_compute,
    kinds=NUMERIC,
    threshold=AbsoluteThreshold(error=Limits(upper=0.0), widen=False),
    unit="share",
    error_method="binomial (Agresti-Coull)",
    judges_faults=True,
)
