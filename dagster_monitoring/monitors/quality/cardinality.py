"""Cardinality: how many different categories a slice has, against the baseline's number."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.monitors.quality._metric import (
    CATEGORICAL,
    QualityMetric,
    QualityValue,
    Subject,
)
from dagster_monitoring.monitors.threshold import Limits, RelativeThreshold
from dagster_monitoring.profiles.column import CategoricalColumn
from dagster_monitoring.statistics.undefined import Undefined


def _compute(subject: Subject) -> QualityValue | Undefined:
    column, before = subject.column, subject.before
    if not isinstance(column, CategoricalColumn) or not column.n:
        return Undefined("all values are missing")
    usual = float(before.distinct) if isinstance(before, CategoricalColumn) else None
    return QualityValue(
        value=float(column.distinct), reference=usual, standard_error=_standard_error(column)
    )


def _standard_error(column: CategoricalColumn) -> float:
    """Of the number of names that so many rows show, from the names seen once and twice.

    The variance is the number that twice the rows would show less the number that these do, as
    of Poisson counts; rare names are taken to be equally frequent, at which rate those seen
    twice tell. Where names beyond a thousand are estimated, so is this, and that error joins.

    Source: Good, Toulmin (1956), Biometrika 43, 45-63; Chao (1984), Scandinavian Journal of
    Statistics 11, 265-270.
    """
    names = column.unseen
    kept = np.fromiter(names.counts.values(), dtype=np.int64, count=len(names.counts))
    # Of unseen names those kept are a sample by hash; it stands for all.
    scale = names.distinct / len(kept) if len(kept) else 1.0
    once, twice = (
        float(np.count_nonzero(column.counts == k) + scale * np.count_nonzero(kept == k))
        for k in (1, 2)
    )
    if not once:
        variance = 0.0
    elif not twice:
        variance = once
    else:
        rate = 2 * twice / once
        variance = once * -math.expm1(-rate) / rate
    if scale > 1:
        variance += (names.distinct / math.sqrt(len(kept))) ** 2
    return math.sqrt(variance)


METRIC = QualityMetric(
    name="cardinality",
    title="Number of different categories",
    compute=_compute,
    kinds=CATEGORICAL,
    threshold=RelativeThreshold(mode="ratio", warn=Limits(upper=0.5), error=Limits(upper=4.0)),
    unit="count",
    error_method="from the names seen once and twice (Good-Toulmin, Chao)",
)
