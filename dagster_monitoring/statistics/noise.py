"""How large a drift metric gets by sampling alone, when nothing has drifted.

No metric is 0 between two samples of one population: it shrinks with their sizes only. A fixed
threshold therefore has to widen for small slices, by the quantiles that are here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dagster_monitoring.statistics.limits import check_alpha

_WASSERSTEIN_EXCESS = 0.8
"""What the squared quantile of the integral of |Brownian bridge at the normal distribution
function| exceeds the squared normal one by: 0.95 to 0.7 for alpha of 0.2 to 0.005, simulated."""


@dataclass(frozen=True, slots=True)
class _Null:
    """Two samples of one population: their sizes, the bins they are compared on, the tail."""

    n_reference: int
    n_current: int
    cells: int
    alpha: float

    @property
    def scale(self) -> float:
        return 1 / self.n_reference + 1 / self.n_current

    def chi_square(self) -> float:
        from scipy.special import chdtri

        return float(chdtri(self.cells - 1, self.alpha)) if self.cells > 1 else 0.0

    def scaled_chi_square(self) -> float:
        return self.scale * self.chi_square()

    def normal(self, sides: int) -> float:
        from scipy.special import ndtri

        return -float(ndtri(self.alpha / sides))


def null_quantile(
    metric: str, *, n_reference: int, n_current: int, cells: int, alpha: float
) -> float:
    """What a drift metric exceeds with probability ``alpha`` when nothing has drifted.

    The divergences on bins are all a multiple of Pearson's statistic to second order, so that
    each follows a chi-square distribution with ``cells - 1`` degrees of freedom, scaled by
    ``1/n_reference + 1/n_current``: by 1 for PSI, 1/2 for KL, 1/8 for squared Hellinger, and
    1/(8 ln 2) for squared Jensen-Shannon. Total variation and L-infinity get an upper bound,
    K-S Kolmogorov's distribution (too wide where values repeat), the shift of the mean a normal
    one, and the scaled Wasserstein distance that of normal data (heavier tails are noisier).

    An approximation for about five expected rows a cell or more. With many rarer cells, where
    logarithms and roots of single rows matter, PSI, Hellinger and Jensen-Shannon exceed it more
    often: by 5 to 25 % in value for 100 names in 1,000 rows.

    Args:
        metric: a drift metric's name.
        n_reference: rows of the baseline.
        n_current: rows of the window.
        cells: bins that hold a row of the baseline. A bin that only the window has is evidence,
            not noise: counting it would let a flood of new names widen its own threshold.
        alpha: probability, strictly within 0..1.

    Returns:
        In the metric's unit; 0.0 for one whose noise is not known here (``wasserstein``, which
        is in the column's unit: take ``wasserstein_scaled``'s times the standard deviation).

    Raises:
        ValueError: ``alpha`` out of range, or a sample without rows.

    Example:
        >>> for rows in (200, 20_000):
        ...     size = dict(n_reference=77_911, n_current=rows, cells=10)
        ...     print(round(null_quantile("psi", **size, alpha=0.01), 4))
        0.1086
        0.0014

    Source: Yurdakul (2018), Statistical properties of the population stability index; Pardo
    (2006), Statistical Inference Based on Divergence Measures, ch. 3; Kolmogorov (1933).
    """
    check_alpha(alpha)
    if n_reference < 1 or n_current < 1:
        raise ValueError(f"both samples have rows, not {n_reference} and {n_current}")
    quantile = _QUANTILES.get(metric)
    return quantile(_Null(n_reference, n_current, cells, alpha)) if quantile else 0.0


def _total_variation(null: _Null) -> float:
    # By Cauchy and Schwarz, (sum |q - p|)^2 <= sum (q - p)^2 / p.
    return min(math.sqrt(null.scaled_chi_square()) / 2, 1.0)


def _l_infinity(null: _Null) -> float:
    # A share's variance is at most 1/4 of its scale; Bonferroni's bound over the cells.
    per_cell = _Null(null.n_reference, null.n_current, null.cells, null.alpha / max(null.cells, 1))
    return min(per_cell.normal(2) / 2 * math.sqrt(null.scale), _total_variation(null))


def _kolmogorov_smirnov(null: _Null) -> float:
    from scipy.special import kolmogi

    return min(float(kolmogi(null.alpha)) * math.sqrt(null.scale), 1.0)


def _wasserstein_scaled(null: _Null) -> float:
    return math.sqrt((null.normal(2) ** 2 + _WASSERSTEIN_EXCESS) * null.scale)


_QUANTILES: Mapping[str, Callable[[_Null], float]] = MappingProxyType(
    {
        "psi": _Null.scaled_chi_square,
        "kl_divergence": lambda null: null.scaled_chi_square() / 2,
        "jensen_shannon": lambda null: min(
            math.sqrt(null.scaled_chi_square() / (8 * math.log(2))), 1.0
        ),
        "hellinger": lambda null: min(math.sqrt(null.scaled_chi_square() / 8), 1.0),
        "chi_square": _Null.chi_square,
        "cramers_v": lambda null: min(
            math.sqrt(null.chi_square() / (null.n_reference + null.n_current)), 1.0
        ),
        "total_variation": _total_variation,
        "l_infinity": _l_infinity,
        "kolmogorov_smirnov": _kolmogorov_smirnov,
        "mean_shift": lambda null: null.normal(2) * math.sqrt(null.scale),
        "wasserstein_scaled": _wasserstein_scaled,
    }
)
