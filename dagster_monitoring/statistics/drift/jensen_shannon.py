"""Jensen-Shannon distance."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift import jensen_shannon_divergence as divergence
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """The square root of the Jensen-Shannon divergence in base 2: the distance, a metric.

    The divergence is ``(KL(p, a) + KL(q, a)) / 2`` with ``a = (p + q) / 2``, of shares that are
    not floored, as ``scipy.spatial.distance.jensenshannon(p, q, base=2)``. It depends on the
    bins: the baseline's deciles, unless the monitor asks for equal-width edges.

    Returns:
        From 0 to 1 (no bin in common).

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> round(METRIC.compute(pair), 4)
        0.2209
    """
    return np.sqrt(pairs.once(divergence.compute))


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The root of the divergence's."""
    return np.sqrt(pairs.once(divergence.SAMPLING.null_quantile, alpha))


def error(pairs: Pairs, value: Floats) -> Floats:
    """From the divergence's, by the delta method."""
    return divergence.SAMPLING.root_error(pairs, value * value)


METRIC = DriftMetric(
    name="jensen_shannon",
    title="Jensen-Shannon distance",
    formula=compute,
    noise=noise,
    error=error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="",
    scale="two_thirds",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Lin (1991); Endres, Schindelin (2003), A new metric for probability distributions",
    sampling="the root of jensen_shannon_divergence's; delta method",
    conventional_limits=(0.13, 0.21),
    limits_source="what PSI's are in its unit: for small shifts PSI is 8 ln 2 JS^2",
)
