"""Row volume: the slice's rows over what the slices before it had on average.

Until there are seven slices before it, the baseline's rows a day stand in for them.
"""

from __future__ import annotations

import math

from dagster_monitoring.monitors.quality._metric import (
    TABLE,
    QualityMetric,
    QualityValue,
    Subject,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    if not subject.usual_rows:
        return Undefined("it is not known how many rows a slice has as a rule")
    return QualityValue(
        value=subject.slice.rows / subject.usual_rows,
        note=f"{subject.slice.rows} rows, usually about {subject.usual_rows:.0f}",
        # A row more, so that a slice without rows is not known to the row.
        standard_error=math.sqrt(subject.slice.rows + 1) / subject.usual_rows,
    )


METRIC = QualityMetric(
    name="row_volume",
    title="Rows against the usual number of rows",
    compute=_compute,
    kinds=TABLE,
    threshold=AbsoluteThreshold(
        warn=Limits(lower=0.5, upper=2.0), error=Limits(lower=0.1, upper=10.0), widen=False
    ),
    unit="ratio",
    error_method="Poisson, a row added; the usual number is taken as it is",
    on_empty=True,
    worse="both",
)
