"""L-infinity distance above what sampling explains."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift import l_infinity
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats

C = 1.8
"""The 99.7 % quantile of Kolmogorov's distribution, ``2 exp(-2 c^2) = 0.003``."""


def compute(pairs: Pairs) -> Floats:
    """``max(0, max |p - q| - c * sqrt((n + m) / (n * m)))`` with ``c = 1.8``.

    The form of Deequ and, after it, of Amazon SageMaker Model Monitor (``Robust``): what is left
    of the distance once the reach of sampling is taken off. ``c`` is theirs, from the two-sample
    Kolmogorov-Smirnov test: less than 0.3 % of two samples of one population have more than 0.
    On shares of bins, whose noise is less than that of a distribution function, fewer still.
    Deequ takes the distance of distribution functions for numeric columns:
    :mod:`.kolmogorov_smirnov` less the same amount.

    Returns:
        From 0 to 1.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> before, after = (categorical_histogram(x * 100) for x in ("aabb", "aaab"))
        >>> round(METRIC.compute(Pair.of(before, after)), 4)
        0.1227
    """
    return np.maximum(pairs.once(l_infinity.compute) - C * np.sqrt(pairs.scale), 0.0)


def noise(pairs: Pairs, alpha: float) -> Floats:
    """What the plain distance reaches beyond the amount taken off; as a rule nothing."""
    return np.maximum(pairs.once(l_infinity.noise, alpha) - C * np.sqrt(pairs.scale), 0.0)


def error(pairs: Pairs, value: Floats) -> Floats:
    """The plain distance's."""
    found = l_infinity.error(pairs, value + C * np.sqrt(pairs.scale))
    return np.where(value > 0, found, 0.0)


METRIC = DriftMetric(
    name="l_infinity_robust",
    title="L-infinity distance, robust to few rows",
    formula=compute,
    noise=noise,
    error=error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="share",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="awslabs/deequ, analyzers/Distance.scala; Amazon SageMaker Model Monitor, "
    "comparison_method Robust",
    sampling="l_infinity's, less the amount taken off; 0 where all is taken off",
    conventional_limits=(0.1, 0.2),
    limits_source="0.1 is the comparison_threshold that SageMaker suggests; twice that",
)
