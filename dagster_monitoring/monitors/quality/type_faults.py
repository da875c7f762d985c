"""Type faults: share of rows whose value is of a type that the column can't have."""

from __future__ import annotations

from dagster_monitoring.monitors.quality._metric import (
    BOTH_KINDS,
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
    share = subject.column.n_type_fault / subject.column.rows
    return QualityValue(value=share, standard_error=share_error(share, subject.column.rows))


METRIC = QualityMetric(
    name="type_faults",
    title="Share of values of a wrong type",
    compute=_compute,
    kinds=BOTH_KINDS,
    threshold=AbsoluteThreshold(error=Limits(upper=0.0), widen=False),
    unit="share",
    error_method="binomial (Agresti-Coull)",
    judges_faults=True,
)
