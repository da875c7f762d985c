"""Hellinger distance."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._bins import Bins
from dagster_monitoring.statistics.drift._divergence import Divergence
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """``sqrt(sum((sqrt(p) - sqrt(q)) ** 2) / 2)``, of shares that are not floored.

    Returns:
        From 0 to 1 (no bin in common).

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> round(METRIC.compute(pair), 4)
        0.1846
    """
    bins = pairs.bins
    roots = np.sqrt(bins.p) - np.sqrt(bins.q)
    return np.sqrt(np.minimum(bins.sum(roots * roots) / 2, 1.0))


def noise(pairs: Pairs, alpha: float) -> Floats:
    """The root of the squared distance's."""
    return np.sqrt(SAMPLING.null_quantile(pairs, alpha))


def error(pairs: Pairs, value: Floats) -> Floats:
    """From the squared distance's, by the delta method."""
    return SAMPLING.root_error(pairs, value * value)


def _cell(x: Floats, y: Floats) -> Floats:
    apart: Floats = np.sqrt(x) - np.sqrt(y)
    return apart * apart / 2


def _empty(y: Floats, m: Floats) -> Floats:
    del m
    return y / 2


def _unseen(x: Floats, k: Floats, n: Floats, m: Floats) -> Floats:
    del k, n, m
    return x / 2


def _slopes(bins: Bins) -> tuple[Floats, Floats]:
    p, q = bins.smoothed
    ratio = np.sqrt(q / p)
    return -ratio / 2, -0.5 / ratio


SAMPLING = Divergence(curvature=1 / 8, cell=_cell, empty=_empty, unseen=_unseen, slopes=_slopes)

METRIC = DriftMetric(
    name="hellinger",
    title="Hellinger distance",
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
    source="Hellinger (1909); Pardo (2006), Statistical Inference Based on Divergence Measures",
    sampling="of the square: scaled chi-square, with Poisson moments for bins of fewer than 60 "
    "expected rows; delta method; rows of unseen names by Good (1953)",
    conventional_limits=(0.11, 0.18),
    limits_source="what PSI's are in its unit: for small shifts PSI is 8 H^2",
)
