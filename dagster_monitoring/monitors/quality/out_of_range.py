"""Out of range: share of rows below the baseline's minimum or above its maximum.

By default it never says more than WARN: a season that training did not see is out of range too.
"""

from __future__ import annotations

import numpy as np

from dagster_monitoring.monitors.quality._metric import (
    NUMERIC,
    QualityMetric,
    QualityValue,
    Subject,
    share_error,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.profiles.bins import NumericBins
from dagster_monitoring.profiles.column import NumericColumn
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    column, bins = subject.column, subject.bins
    if not isinstance(bins, NumericBins) or bins.minimum is None or bins.maximum is None:
        return Undefined("the baseline has no finite value of this column")
    if not isinstance(column, NumericColumn) or not column.n:
        return Undefined("the slice has no finite value of this column")
    histogram = column.histogram(bins)
    ends = np.array([bins.minimum, np.nextafter(bins.maximum, np.inf)])
    if histogram.edges is None or not np.isin(ends, histogram.edges).all():
        return Undefined("the baseline's range is not kept for segments of this column")
    below, _, above = histogram.regroup(ends).counts.tolist()
    parts = [f"{below} below {bins.minimum:.6g}"] if below else []
    parts += [f"{above} above {bins.maximum:.6g}"] if above else []
    share = (below + above) / column.n
    return QualityValue(
        value=share, note=", ".join(parts) or None, standard_error=share_error(share, column.n)
    )


METRIC = QualityMetric(
    name="out_of_range",
    title="Share of values outside the baseline's range",
    compute=_compute,
    kinds=NUMERIC,
    threshold=AbsoluteThreshold(warn=Limits(upper=0.05), widen=False),
    unit="share",
    error_method="binomial (Agresti-Coull); the baseline's range is taken as it is",
)
