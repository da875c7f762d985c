"""Jensen-Shannon divergence."""

from __future__ import annotations

import math

import numpy as np

from dagster_monitoring.statistics.drift._bins import Bins
from dagster_monitoring.statistics.drift._divergence import Divergence
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """``(KL(p, a) + KL(q, a)) / 2`` with ``a = (p + q) / 2``, in base 2.

    Of shares that are not floored: the square of
    ``scipy.spatial.distance.jensenshannon(p, q, base=2)``. In nats it is 0.693 times as large. It
    depends on the bins: the baseline's deciles, unless the monitor asks for equal-width edges.

    Returns:
        From 0 to 1 (no bin in common).

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> round(METRIC.compute(pair), 4)
        0.0488
    """
    bins = pairs.bins
    total = bins.p + bins.q
    # In the relative difference d the equal parts of p and q cancel exactly, so that a small
    # distance keeps its digits: with p / a written out, sqrt() would turn 1e-16 into 1e-8.
    d = bins.distances / np.maximum(total, np.finfo(np.float64).tiny)
    apart = d == 1
    d[apart] = 0.0
    terms = (1 + d) * np.log1p(d) + (1 - d) * np.log1p(-d)
    terms[apart] = 2 * math.log(2)
    return np.clip(bins.sum(total * terms) / (4 * math.log(2)), 0.0, 1.0)


def _cell(x: Floats, y: Floats) -> Floats:
    by_x, by_y = _halves(x, y)
    return x * by_x + y * by_y


def _empty(y: Floats, m: Floats) -> Floats:
    del m
    return y / 2


def _unseen(x: Floats, k: Floats, n: Floats, m: Floats) -> Floats:
    del k, n, m
    return x / 2


def _slopes(bins: Bins) -> tuple[Floats, Floats]:
    return _halves(*bins.smoothed)


def _halves(p: Floats, q: Floats) -> tuple[Floats, Floats]:
    middle = (p + q) / 2
    return np.log2(p / middle) / 2, np.log2(q / middle) / 2


SAMPLING = Divergence(
    curvature=1 / (8 * math.log(2)), cell=_cell, empty=_empty, unseen=_unseen, slopes=_slopes
)

METRIC = DriftMetric(
    name="jensen_shannon_divergence",
    title="Jensen-Shannon divergence, base 2",
    formula=compute,
    noise=SAMPLING.null_quantile,
    error=SAMPLING.standard_error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="bits",
    scale="cube_root",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Lin (1991), Divergence measures based on the Shannon entropy",
    sampling="scaled chi-square, with Poisson moments for bins of fewer than 60 expected rows; "
    "delta method; rows of unseen names by Good (1953)",
    conventional_limits=(0.017, 0.044),
    limits_source="the squares of the distance's, jensen_shannon",
)
