"""Vanished categories: share of the baseline's rows whose category has not come lately.

A category counts when ten rows of it were to be expected and none came, which by chance happens
once in 22,000 (Poisson). It looks at several slices together, since some categories, such as days
of the week, do not belong in each one.
"""

from __future__ import annotations

import numpy as np

from dagster_monitoring.monitors.quality._metric import (
    CATEGORICAL,
    QualityMetric,
    QualityValue,
    Subject,
    named,
    share_error,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.profiles.bins import CategoricalBins
from dagster_monitoring.profiles.column import CategoricalColumn
from dagster_monitoring.statistics.undefined import Undefined

_EXPECTED_ROWS = 10.0


def _compute(subject: Subject) -> QualityValue | Undefined:
    column, before, bins = subject.column, subject.before, subject.bins
    if not isinstance(bins, CategoricalBins) or not isinstance(before, CategoricalColumn):
        return Undefined("the baseline has no categories of this column")
    if not isinstance(column, CategoricalColumn) or not column.n:
        return Undefined("all values are missing")
    shares = before.counts / max(before.n, 1)
    gone = np.flatnonzero((column.counts == 0) & (shares * column.n >= _EXPECTED_ROWS))
    names = [bins.vocabulary[i] for i in gone.tolist()]
    share = float(shares[gone].sum())
    return QualityValue(
        value=share,
        note=f"gone: {named(names)}" if names else None,
        standard_error=share_error(share, before.n),
    )


METRIC = QualityMetric(
    name="vanished_categories",
    title="Share of the baseline's rows whose category came no more",
    compute=_compute,
    kinds=CATEGORICAL,
    threshold=AbsoluteThreshold(warn=Limits(upper=0.01), error=Limits(upper=0.2), widen=False),
    unit="share",
    error_method="binomial (Agresti-Coull), of the baseline's share",
    recent=True,
)
