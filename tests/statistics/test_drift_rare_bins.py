"""Noise and errors where bins expect few rows, one bin at a time with SciPy's Poisson counts."""

from __future__ import annotations

import importlib
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from dagster_monitoring.statistics.drift import Pair, Pairs, drift_metric
from dagster_monitoring.statistics.drift._divergence import Divergence
from dagster_monitoring.statistics.drift._sampling import mixed_quantile
from dagster_monitoring.statistics.histogram import Histogram

Floats = npt.NDArray[np.float64]

NAMES = ["psi", "kl_divergence", "jensen_shannon_divergence", "hellinger", "chi_square"]
ALPHA = 0.05
FEW, MANY = 1e-4, 60.0
"""With fewer or more expected rows a bin adds as one of so many: the fewer, the more seldom."""

CASES = {
    "an empty bin now and then": ([5000] * 10, [6, 4, 9, 5, 0, 7, 12, 1, 8, 8]),
    "hardly ever an empty bin": ([7000, 9000, 30_000], [9, 40, 51]),
    "many empty bins": ([40] + [1] * 12, [25, 1, 0, 2, 0, 0, 1, 0, 0, 3, 0, 0, 0]),
    "as many in the mean as are mixed": ([400, *[7] * 12], [390, 2, 0, *[1] * 10]),
    "bins without a row of the baseline": ([0, 300, 12, 0, 288], [1, 140, 0, 0, 160]),
    "a bin of a row in millions": ([1, 3_000_000, 4_000_000], [0, 30, 45]),
    "just one bin below sixty": ([56_000, 70_000, 400_000], [60, 68, 400]),
    "a bin that is hardly ever filled": ([50_000, 49_990, 10], [48, 52, 0]),
    "many of them": ([30_000, 20_000, *[1] * 30], [60, 40, *[0] * 30]),
    "two rare bins": ([3, 2], [1, 3]),
    "one bin": ([20], [9]),
    "far off": ([300, 200, 10], [2, 40, 70]),
}
NOT_RARE = ([4000, 9000], [900, 2500])


def pair_of(before: list[int], after: list[int]) -> Pair:
    """Of numbers, each in a bin of its own."""
    edges = np.arange(len(before) - 1) + 0.5
    places = np.arange(len(before))
    return Pair(
        *(
            Histogram(
                counts=np.array(counts),
                sums=np.array(counts) * 1.0 * places,
                sum_squares=float(counts @ places**2),
                edges=edges,
                minimum=float(places[counts > 0].min()),
                maximum=float(places[counts > 0].max()),
            )
            for counts in (np.array(before), np.array(after))
        )
    )


def sampling_of(name: str) -> Divergence:
    module = importlib.import_module(f"dagster_monitoring.statistics.drift.{name}")
    found = module.SAMPLING
    assert isinstance(found, Divergence)
    return found


class Moments(NamedTuple):
    """Mean and variance of a sum over bins."""

    mean: float
    variance: float


class Expected:
    """What is to be expected of one pair, some of whose bins are rare."""

    def __init__(self, sampling: Divergence, before: list[int], after: list[int]) -> None:
        self.sampling, self.before, self.after = sampling, np.array(before), np.array(after)
        self.n, self.m = int(self.before.sum()), int(self.after.sum())
        self.rows = 1 / (1 / self.n + 1 / self.m)
        shares = self.before[self.before > 0] / self.n
        self.cells: list[float] = (shares * self.rows).tolist()

    def one(self, x: float, y: float) -> float:
        if x == 0:
            return self.sampling.empty(np.array([y]), np.array([float(self.m)])).item()
        return self.sampling.cell(np.array([float(x)]), np.array([y])).item()

    def moments(self, first: int, least: float = 0.0) -> Moments:
        """Of what bins add of at least so many rows, given how many rows all have together."""
        mean = variance = product = 0.0
        cells = [cell for cell in self.cells if cell >= least]
        for cell in cells:
            y = max(min(cell, MANY), FEW)
            x = np.arange(1, 300)
            chance, part = stats.poisson.pmf(x, y), np.array([self.one(own, y) for own in x])
            own = np.array([chance @ part, chance @ part**2, chance @ (part * (x - y))])
            own *= min(cell / FEW, 1.0)
            if first == 0:
                none, empty = math.exp(-cell), self.one(0, cell)
                own += none * np.array([empty, empty**2, -min(cell, MANY) * empty])
            mean += own[0]
            variance += own[1] - own[0] ** 2
            product += own[2]
        left, unit = 1 - 1 / len(cells), self.rows
        variance = max(variance - product**2 / self.rows, 0.0)
        return Moments(mean * left / unit, variance * left / unit**2)

    def quantile(self) -> float:
        """Of all bins, or of those likely to have a row where the others hardly ever have one."""
        return max(self.of_cells(least) for least in (0.0, ALPHA))

    def of_cells(self, least: float) -> float:
        cells = np.array([cell for cell in self.cells if cell >= least])
        none = np.exp(-cells)
        if len(cells) > 1 and ALPHA / 20 <= none.sum() < 3:
            added = none @ [self.one(0, cell) for cell in cells]
            filled = self.moments(1, least)
            return mixed_quantile(
                np.array([filled.mean]),
                np.array([filled.variance]),
                jump=np.array([added / none.sum() / self.rows]),
                jumps=np.array([none.sum()]),
                alpha=ALPHA,
            ).item()
        mean, variance = self.moments(0, least)
        if variance == 0:
            return mean
        freedom = max(round(2 * mean**2 / variance, 2), 0.01)
        return float(stats.chi2(freedom, scale=mean / freedom).isf(ALPHA))

    def variance(self, slopes: tuple[Floats, Floats]) -> float:
        """By the delta method, and for each bin that may be empty the step that this makes."""
        found, half = 0.0, len(self.before) / 2
        smoothed = [(x + 0.5) / (x.sum() + half) for x in (self.before, self.after)]
        for rows, shares, slope in zip((self.n, self.m), smoothed, slopes, strict=True):
            found += (shares @ slope**2 - (shares @ slope) ** 2) / rows
        for p, q in zip(*smoothed, strict=True):
            rows = self.m * (p + q) / 2
            none, y = math.exp(-rows), self.m * p
            jump = self.one(0, y) - self.one(max(rows, 1.0), y)
            found += none * (1 - none) * jump**2 / self.m**2
        return max(found - self.moments(1).variance, self.moments(0).variance)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_noise_is_that_of_poisson_counts_of_a_given_total(name: str, case: str) -> None:
    sampling, own = sampling_of(name), Expected(sampling_of(name), *CASES[case])
    with np.errstate(all="ignore"):
        told = sampling.null_quantile(pair_of(*CASES[case]).alone, ALPHA).item()
    assert told == pytest.approx(own.quantile(), rel=2e-3 if "now and" in case else 2e-4)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_errors_allow_for_bins_that_may_be_empty_next_time(name: str, case: str) -> None:
    sampling, pairs = sampling_of(name), pair_of(*CASES[case]).alone
    own = Expected(sampling, *CASES[case])
    with np.errstate(all="ignore"):
        told = sampling.standard_error(pairs, np.ones(1)).item()
        roots = [sampling.root_error(pairs, np.array([x])).item() for x in (0.0, 1e-3, 4.0)]
    expected = math.sqrt(own.variance(sampling.slopes(pairs.bins)))
    assert told == pytest.approx(expected, rel=1e-3, abs=1e-12)
    least = own.moments(0).mean
    for x, root in zip((0.0, 1e-3, 4.0), roots, strict=True):
        by_delta = expected / (2 * math.sqrt(max(x, least))) if max(x, least) else 0.0
        assert root == pytest.approx(by_delta, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_side_by_side_each_pair_has_the_noise_and_error_of_its_own(name: str) -> None:
    sampling = sampling_of(name)
    pairs = [pair_of(*sides) for sides in (NOT_RARE, *CASES.values(), NOT_RARE)]
    ones = [pair_of([20], [9]), pair_of([500], [900])]
    for some in (pairs, ones):
        together = Pairs.of(some)
        with np.errstate(all="ignore"):
            noise = [sampling.null_quantile(pair.alone, ALPHA).item() for pair in some]
            errors = [sampling.standard_error(pair.alone, np.ones(1)).item() for pair in some]
            assert sampling.null_quantile(together, ALPHA) == pytest.approx(noise, rel=1e-9)
            told = sampling.standard_error(together, np.ones(len(some)))
        assert told == pytest.approx(errors, rel=1e-9)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("rare", [[1], [10], [1] * 5, [1] * 30])
@pytest.mark.parametrize("name", ["chi_square", "cramers_v", "psi", "hellinger"])
def test_names_that_hardly_ever_come_leave_the_others_their_noise(
    name: str, rare: list[int], alpha: float
) -> None:
    """A row of one of them would be a large step, which nearly no window has."""
    few, without = [40, 60, *[0] * len(rare)], [40, 60]
    metric = drift_metric(name)
    told, plain = (
        metric.null_quantile(pair_of(before, after), alpha=alpha)
        for before, after in (([500_000, 400_000, *rare], few), ([500_000, 400_000], without))
    )
    assert isinstance(told, float)
    assert isinstance(plain, float)
    assert told > 0.99 * plain > 0
