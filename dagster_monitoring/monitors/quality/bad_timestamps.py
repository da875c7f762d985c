"""Bad timestamps: share of rows whose timestamp is missing, unreadable, or has no time zone.

By default it never says more than WARN: a timestamp without a zone is read as UTC.
"""

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
    count = subject.slice.n_bad_timestamps
    share = count / subject.slice.rows
    return QualityValue(
        value=share,
        note=f"{count} rows" if count else None,
        standard_error=share_error(share, subject.slice.rows),
    )


METRIC = QualityMetric(
    name="bad_timestamps",
    title="Share of rows without a usable timestamp",
    compute=_compute,
    kinds=TABLE,
    threshold=AbsoluteThreshold(warn=Limits(upper=0.0), widen=False),
    unit="share",
    error_method="binomial (Agresti-Coull)",
)
