"""Every drift metric of the catalogue on raw rows, by SciPy and NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial.distance import jensenshannon

Floats = npt.NDArray[np.float64]

FLOOR, C = 1e-4, 1.8
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class RawPair:
    """Two columns of numbers, NaN where one is missing."""

    reference: Floats
    current: Floats

    @cached_property
    def x(self) -> Floats:
        """The reference's numbers."""
        return self.reference[~np.isnan(self.reference)]

    @cached_property
    def y(self) -> Floats:
        """The current numbers."""
        return self.current[~np.isnan(self.current)]

    @cached_property
    def spread(self) -> float:
        """The reference's standard deviation."""
        return float(self.x.std())

    @cached_property
    def table(self) -> Floats:
        """Rows by decile of the reference, both sides."""
        edges = np.unique(np.quantile(self.x, np.arange(1, 10) / 10))
        rows = [np.searchsorted(edges, side, side="right") for side in (self.x, self.y)]
        counts = [np.bincount(places, minlength=len(edges) + 1) for places in rows]
        return np.array(counts, dtype=np.float64)

    @property
    def shares(self) -> tuple[Floats, Floats]:
        """Shares by decile."""
        return self.table[0] / len(self.x), self.table[1] / len(self.y)

    @property
    def floored(self) -> tuple[Floats, Floats]:
        """Shares by decile, at least one row in ten thousand."""
        p, q = self.shares
        return np.maximum(p, FLOOR), np.maximum(q, FLOOR)

    @cached_property
    def contingency(self) -> tuple[float, float]:
        """Chi-square and its p-value, over deciles that either side has a row in."""
        used = self.table[:, self.table.sum(axis=0) > 0]
        result = stats.chi2_contingency(used, correction=False)
        return float(result.statistic), float(result.pvalue)

    @cached_property
    def kolmogorov(self) -> tuple[float, float]:
        """Kolmogorov-Smirnov's statistic and its asymptotic p-value."""
        result = stats.ks_2samp(self.x, self.y, method="asymp")
        return float(result.statistic), float(result.pvalue)

    @cached_property
    def moved(self) -> float:
        """Wasserstein's distance."""
        return float(stats.wasserstein_distance(self.x, self.y))


def _psi(pair: RawPair) -> float:
    p, q = pair.floored
    return float(np.sum((q - p) * np.log(q / p)))


def _kl(pair: RawPair) -> float:
    p, q = pair.floored
    return float(stats.entropy(q, p))


def _hellinger(pair: RawPair) -> float:
    p, q = pair.shares
    return float(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2))


def _farthest(pair: RawPair) -> float:
    p, q = pair.shares
    return float(np.max(np.abs(p - q)))


def _robust(pair: RawPair) -> float:
    n, m = len(pair.x), len(pair.y)
    return max(0.0, _farthest(pair) - C * math.sqrt((n + m) / (n * m)))


def _missing(pair: RawPair) -> float:
    before, after = np.isnan(pair.reference).mean(), np.isnan(pair.current).mean()
    return float(abs(after - before))


def _quantile_shift(pair: RawPair, shares: tuple[float, ...]) -> float:
    sides = [np.quantile(side, shares, method="inverted_cdf") for side in (pair.x, pair.y)]
    return float(np.max(np.abs(sides[1] - sides[0]))) / pair.spread


EXACT: Mapping[str, Callable[[RawPair], float]] = {
    "chi_square": lambda pair: pair.contingency[0],
    "chi_square_p_value": lambda pair: pair.contingency[1],
    "cramers_v": lambda pair: (pair.contingency[0] / float(pair.table.sum())) ** 0.5,
    "energy_distance": lambda pair: float(stats.energy_distance(pair.x, pair.y)),
    "hellinger": _hellinger,
    "jensen_shannon": lambda pair: float(jensenshannon(*pair.shares, base=2)),
    "jensen_shannon_divergence": lambda pair: float(jensenshannon(*pair.shares, base=2)) ** 2,
    "kl_divergence": _kl,
    "kolmogorov_smirnov": lambda pair: pair.kolmogorov[0],
    "kolmogorov_smirnov_p_value": lambda pair: pair.kolmogorov[1],
    "l_infinity": _farthest,
    "l_infinity_robust": _robust,
    "mean_shift": lambda pair: abs(float(pair.y.mean() - pair.x.mean())) / pair.spread,
    "median_shift": lambda pair: _quantile_shift(pair, (0.5,)),
    "missing_share": _missing,
    "psi": _psi,
    "quantile_shift": lambda pair: _quantile_shift(pair, QUANTILES),
    "spread_shift": lambda pair: abs(float(np.log(pair.y.std() / pair.spread))),
    "total_variation": lambda pair: float(np.abs(pair.shares[0] - pair.shares[1]).sum() / 2),
    "wasserstein": lambda pair: pair.moved,
    "wasserstein_scaled": lambda pair: pair.moved / pair.spread,
}
"""Name in the catalogue to the number on raw rows."""
