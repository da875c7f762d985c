"""New categories: share of rows whose category the baseline did not have.

Where the baseline itself had more names than its vocabulary keeps, the share that lay outside of
it then is taken off.
"""

from __future__ import annotations

import math

from dagster_monitoring.monitors.quality._metric import (
    CATEGORICAL,
    QualityMetric,
    QualityValue,
    Subject,
    named,
    share_error,
)
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.profiles.column import CategoricalColumn
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    column, before = subject.column, subject.before
    if not isinstance(column, CategoricalColumn) or not column.n:
        return Undefined("all values are missing")
    share, usual, usual_error = column.n_unseen / column.n, 0.0, 0.0
    if isinstance(before, CategoricalColumn) and before.n_unseen:
        usual = before.n_unseen / before.n
        usual_error = share_error(usual, before.n)
    names = sorted(column.unseen.counts, key=lambda name: (-column.unseen.counts[name], name))
    return QualityValue(
        value=max(share - usual, 0.0),
        note=f"new: {named(names)}" if names else None,
        standard_error=math.hypot(share_error(share, column.n), usual_error),
    )


METRIC = QualityMetric(
    name="new_categories",
    title="Share of rows with a category that the baseline did not have",
    compute=_compute,
    kinds=CATEGORICAL,
    threshold=AbsoluteThreshold(warn=Limits(upper=0.01), error=Limits(upper=0.2), widen=False),
    unit="share",
    error_method="binomial (Agresti-Coull), of both shares where the baseline's is taken off",
)
