"""Kullback-Leibler divergence."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift._bins import FLOOR, Bins
from dagster_monitoring.statistics.drift._divergence import Divergence
from dagster_monitoring.statistics.drift._metric import BOTH_KINDS, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """``KL(q || p) = sum(q * ln(q / p))`` of the current shares ``q`` from the reference's ``p``.

    Smoothing: each share is floored at 1e-4 and both are then rescaled to sum to 1; without the
    rescaling floored shares could give less than 0. In nats. It depends on the bins, as all of
    its kind.

    Returns:
        From 0 upwards.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import categorical_histogram
        >>> pair = Pair.of(categorical_histogram("aabb"), categorical_histogram("abbb"))
        >>> round(METRIC.compute(pair), 4)
        0.1308
    """
    bins = pairs.bins
    p, q = (shares / bins.each(bins.sum(shares)) for shares in bins.floored)
    return np.maximum(bins.sum(q * np.log(q / p)), 0.0)


def _cell(x: Floats, y: Floats) -> Floats:
    return x * np.log(x / y) - x + y


def _empty(y: Floats, m: Floats) -> Floats:
    return _cell(np.minimum(FLOOR * m, y), y)


def _unseen(x: Floats, k: Floats, n: Floats, m: Floats) -> Floats:
    del n
    floor = FLOOR * m * k
    return np.where(x > floor, x * np.log(x / floor) - x + floor, 0.0)


def _slopes(bins: Bins) -> tuple[Floats, Floats]:
    p, q, log_ratio = bins.smoothed_ratio
    return -q / p, log_ratio


SAMPLING = Divergence(curvature=0.5, cell=_cell, empty=_empty, unseen=_unseen, slopes=_slopes)

METRIC = DriftMetric(
    name="kl_divergence",
    title="Kullback-Leibler divergence",
    formula=compute,
    noise=SAMPLING.null_quantile,
    error=SAMPLING.standard_error,
    kinds=BOTH_KINDS,
    bins="deciles",
    bounds=(0.0, float("inf")),
    symmetric=False,
    unit="nats",
    scale="cube_root",
    minimum_n=10,
    degenerate="no value when a side is empty; 0 when all rows share one bin",
    source="Kullback, Leibler (1951), On information and sufficiency",
    sampling="scaled chi-square, with Poisson moments for bins of fewer than 60 expected rows; "
    "delta method; rows of unseen names by Good (1953)",
    conventional_limits=(0.05, 0.125),
    limits_source="what PSI's are in its unit: for small shifts PSI is 2 KL",
)
