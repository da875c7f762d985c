"""P-value of the Kolmogorov-Smirnov statistic."""

from __future__ import annotations

import numpy as np

from dagster_monitoring.statistics.drift import kolmogorov_smirnov
from dagster_monitoring.statistics.drift._metric import NUMERIC, DriftMetric
from dagster_monitoring.statistics.drift._pair import Pairs
from dagster_monitoring.statistics.histogram import Floats


def compute(pairs: Pairs) -> Floats:
    """How likely so large a K-S statistic is when nothing has drifted.

    Low values tell of drift. With many rows it is low for a drift that does not matter: take
    :mod:`.kolmogorov_smirnov` to judge its size. Kolmogorov's distribution with Stephens'
    correction: for continuous values within 0.02 of ``scipy.stats.ks_2samp`` from 300 rows a side
    on, and with 20 rows a side within 0.1, of p-values below 0.1 within 0.03. Too high (on the
    safe side) where values repeat.

    Returns:
        From 0 to 1; 1 for equal distributions.

    Example:
        >>> from dagster_monitoring.statistics.drift import Pair
        >>> from dagster_monitoring.statistics.histogram import numeric_histogram
        >>> before = numeric_histogram([1.0, 2.5, 3.5, 4.0], edges=[2.0, 3.0])
        >>> pair = Pair(before, numeric_histogram([3.0, 3.5, 4.0, 5.0], edges=[2.0, 3.0]))
        >>> round(METRIC.compute(pair), 2)
        0.53
    """
    return kolmogorov_smirnov.p_value(pairs, pairs.once(kolmogorov_smirnov.compute))


def noise(pairs: Pairs, alpha: float) -> Floats:
    """None: how many rows there are is in the value."""
    del alpha
    return np.zeros(len(pairs.n))


def error(pairs: Pairs, value: Floats) -> Floats:
    """Half of what the p-value moves by as the statistic moves by its error either way."""
    del value
    statistic = pairs.once(kolmogorov_smirnov.compute)
    aside = kolmogorov_smirnov.error(pairs, statistic)
    low = kolmogorov_smirnov.p_value(pairs, statistic + aside)
    return (kolmogorov_smirnov.p_value(pairs, np.maximum(statistic - aside, 0.0)) - low) / 2


def vagueness(pairs: Pairs) -> Floats:
    """How much lower it is when the statistic is as large as the bins allow."""
    largest = pairs.once(kolmogorov_smirnov.compute) + pairs.once(kolmogorov_smirnov.vagueness)
    return pairs.once(compute) - kolmogorov_smirnov.p_value(pairs, largest)


METRIC = DriftMetric(
    name="kolmogorov_smirnov_p_value",
    title="P-value of Kolmogorov-Smirnov",
    formula=compute,
    noise=noise,
    error=error,
    kinds=NUMERIC,
    bins="profile",
    bounds=(0.0, 1.0),
    symmetric=True,
    unit="probability",
    scale="probit",
    minimum_n=10,
    degenerate="no value when a side is empty; 1 when all rows share one bin",
    source="Stephens (1970), Use of the Kolmogorov-Smirnov statistics without extensive tables",
    sampling="it allows for the number of rows itself; its error from the statistic's",
    higher_is_worse=False,
    vagueness=vagueness,
    tolerance=0.05,
    conventional_limits=(0.01, 0.001),
    limits_source="a tenth of Fisher's 5 and 1 % (1925), since it is asked every day",
)
