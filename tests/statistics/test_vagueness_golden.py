"""What bins leave open of integrals of distribution functions, bin by bin in plain arithmetic."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from dagster_monitoring.statistics.drift import Pair, drift_metric
from dagster_monitoring.statistics.histogram import numeric_histogram

Floats = npt.NDArray[np.float64]

WIDE = np.array([-3.0, 0.0, 0.5, 4.0])


class Bin(NamedTuple):
    """One side's rows of a bin: their share of all, and how scattered they may be."""

    share: float
    scatter: float


def bins_of(rows: Floats, edges: Floats) -> list[Bin]:
    found = []
    place = np.searchsorted(edges, rows, side="right")
    for i in range(len(edges) + 1):
        own = rows[place == i]
        low = max(edges[i - 1], rows.min()) if i else rows.min()
        high = min(edges[i], rows.max()) if i < len(edges) else rows.max()
        scatter = 0.0
        if len(own) > 1 and high > low:
            # Rows at both ends, as many at each as their mean asks for.
            at_high = (own.mean() - low) / (high - low)
            scatter = at_high * (high - own.mean()) + (1 - at_high) * (own.mean() - low)
        found.append(Bin(len(own) / len(rows), scatter))
    return found


def told(name: str, x: Floats, y: Floats, edges: Floats) -> tuple[float, float]:
    metric = drift_metric(name)
    pair = Pair(*(numeric_histogram(rows, edges=edges, centre=float(x[0])) for rows in (x, y)))
    value = metric.compute(pair)
    assert isinstance(value, float)
    assert metric.vagueness is not None
    return value, metric.vagueness(pair.alone).item()


def at_means(rows: Floats, edges: Floats) -> Floats:
    """Each row where its bin's mean is."""
    place = np.searchsorted(edges, rows, side="right")
    return np.array([rows[place == own].mean() for own in place.tolist()])


def farthest_root(root: float, less: float, more: float) -> float:
    down = root - math.sqrt(max(root**2 - less, 0.0))
    return max(down, math.sqrt(root**2 + more) - root)


def drawn(seed: int) -> tuple[Floats, Floats]:
    source = np.random.default_rng(seed)
    x = source.normal(1.0, 3.0, source.integers(4, 40))
    return x, source.normal(source.normal(1, 2), 2.0, source.integers(4, 40))


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("seed", range(25))
def test_of_the_energy_distance(seed: int, unit: float) -> None:
    x, y = (own * unit for own in drawn(seed))
    edges = WIDE * unit
    value, found = told("energy_distance", x, y, edges)
    expected = stats.energy_distance(at_means(x, edges), at_means(y, edges))
    assert value == pytest.approx(expected)
    pairs = list(zip(bins_of(x, edges), bins_of(y, edges), strict=True))
    own = sum(p.share**2 * p.scatter + q.share**2 * q.scatter for p, q in pairs)
    both = 2 * sum(p.share * q.share * (p.scatter + q.scatter) for p, q in pairs)
    most = farthest_root(value, own + both, both)
    assert found == pytest.approx(most, abs=1e-9 * math.sqrt(unit))


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("seed", range(25))
def test_of_the_wasserstein_distance(seed: int, unit: float) -> None:
    x, y = (own * unit for own in drawn(seed))
    edges = WIDE * unit
    value, found = told("wasserstein", x, y, edges)
    means = stats.wasserstein_distance(at_means(x, edges), at_means(y, edges))
    assert value == pytest.approx(means)
    expected, before, after = 0.0, 0.0, 0.0
    for p, q in zip(bins_of(x, edges), bins_of(y, edges), strict=True):
        # From all of the one's rows before any of the other's, to the other way round.
        if before + p.share > after and before < after + q.share:
            expected += p.share * p.scatter + q.share * q.scatter
        before, after = before + p.share, after + q.share
    assert found == pytest.approx(expected, abs=1e-9 * unit)
    _, scaled = told("wasserstein_scaled", x, y, edges)
    assert scaled == pytest.approx(expected / x.std(), abs=1e-9)


@pytest.mark.parametrize("width", [1e-3, 1e-5])
def test_in_narrow_bins_half_of_a_bin_is_all_that_is_reckoned_with(width: float) -> None:
    source = np.random.default_rng(1)
    edges = np.arange(-500, 501) * width
    x, y = source.uniform(-490, 0, 50) * width, source.uniform(-20, 490, 70) * width
    most = 2 * width / 2
    _, found = told("wasserstein", x, y, edges)
    assert found == pytest.approx(most)
    largest = sum(max(b.share for b in bins_of(own, edges)) for own in (x, y))
    value, found = told("energy_distance", x, y, edges)
    assert found == pytest.approx(farthest_root(value, 2 * largest * most, 2 * largest * most))


@pytest.mark.parametrize("seed", range(25))
def test_of_kolmogorov_smirnov_and_its_p_value(seed: int) -> None:
    x, y = drawn(seed)
    value, found = told("kolmogorov_smirnov", x, y, WIDE)
    largest, before, after = value, 0.0, 0.0
    for p, q in zip(bins_of(x, WIDE), bins_of(y, WIDE), strict=True):
        # All of the one's rows of the bin before any of the other's.
        largest = max(largest, before + p.share - after, after + q.share - before)
        before, after = before + p.share, after + q.share
    assert found == pytest.approx(largest - value, abs=1e-9)
    root = math.sqrt(1 / (1 / len(x) + 1 / len(y)))
    high, low = (stats.kstwobign.sf(d * (root + 0.12 + 0.11 / root)) for d in (value, largest))
    chance, apart = told("kolmogorov_smirnov_p_value", x, y, WIDE)
    assert (chance, apart) == pytest.approx((high, high - low), abs=1e-9)
