"""Noise, errors and vagueness of shifts of quantiles, on the raw rows by NumPy and SciPy."""

import math

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.statistics.drift import Pair, drift_metric
from dagster_monitoring.statistics.histogram import numeric_histogram

SHARES = {"median_shift": (0.5,), "quantile_shift": (0.05, 0.25, 0.5, 0.75, 0.95)}
VALUES = np.array([-64.0, -27.0, -9.0, -2.0, 0.0, 1.0, 1.5, 5.0, 7.0, 16.0, 17.0, 40.0])
EDGES = (VALUES[1:] + VALUES[:-1]) / 2


def drawn(seed, n, m):
    source = np.random.default_rng(seed)
    shares = source.dirichlet(np.full(12, 2.0))
    return source.choice(VALUES, n, p=shares), source.choice(VALUES, m, p=shares[::-1])


SIDES = [drawn(seed, n, m) for seed in range(8) for n, m in ((2000, 90), (40, 700), (30, 1))]


def pair_of(before, after, edges=EDGES, centre=2.5):
    return Pair(*(numeric_histogram(x, edges=edges, centre=centre) for x in (before, after)))


def quantile(rows, shares):
    return np.quantile(rows, shares, method="inverted_cdf")


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.004])
@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("name", SHARES)
def test_noise_is_the_farthest_quantile_of_a_rank_that_is_beta(name, sides, alpha):
    before, after = sides
    shares = np.array(SHARES[name])
    rows = max(round(1 / (1 / len(before) + 1 / len(after))), 1)
    ranks = np.ceil(shares * rows)
    # Of several quantiles one in either tail may be the farthest.
    beyond = alpha if len(shares) == 1 else alpha / 2
    low, high = stats.beta(ranks, rows - ranks + 1).interval(1 - beyond)
    here = quantile(before, shares)
    farthest = max(*(quantile(before, high) - here), *(here - quantile(before, low)))
    told = drift_metric(name).null_quantile(pair_of(before, after), alpha=alpha)
    assert told == pytest.approx(farthest / before.std())


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("name", SHARES)
def test_the_error_is_woodruffs_for_the_quantile_that_moved_farthest(name, sides):
    before, after = sides
    shares = np.array(SHARES[name])
    moved = np.abs(quantile(after, shares) - quantile(before, shares))
    share, error = shares[moved.argmax()], 0.0
    for rows in sides:
        one = math.sqrt(share * (1 - share) / len(rows))
        low, high = quantile(rows, np.clip([share - one, share + one], 0, 1))
        error = math.hypot(error, (high - low) / 2 / before.std())
    metric = drift_metric(name)
    value = metric.compute(pair_of(*sides))
    assert value == pytest.approx(moved.max() / before.std())
    # Below the mean of the noise it has the deviation of noise alone.
    drifted = max(1 - 2 / math.pi * (error / value) ** 2, 0.0) if value else 0.0
    folded = error * math.sqrt((1 - drifted) * (1 - 2 / math.pi) + drifted)
    assert metric.standard_error(pair_of(*sides), value) == pytest.approx(folded)


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("name", SHARES)
def test_quantiles_are_vague_by_the_farther_end_of_their_bins(name, sides):
    """A bin's rows lie between its edges, and between the smallest and the largest of all."""
    edges, metric = np.array([-20.0, -1.0, 3.0, 16.5]), drift_metric(name)
    farthest = np.zeros(len(SHARES[name]))
    for rows in sides:
        bins = np.searchsorted(edges, quantile(rows, SHARES[name]), side="right")
        for place, own in enumerate(bins.tolist()):
            inside = rows[np.searchsorted(edges, rows, side="right") == own]
            low, high = ([-math.inf, *edges][own], [*edges, math.inf][own])
            ends = np.array([max(low, rows.min()), min(high, rows.max())])
            if len(inside) > 1:
                farthest[place] += np.abs(ends - inside.mean()).max()
    expected = farthest.max() / sides[0].std()
    told = metric.told_vagueness(pair_of(*sides, edges=edges))
    assert told == pytest.approx(expected if expected > metric.tolerance else 0.0)


@pytest.mark.parametrize("name", SHARES)
def test_against_a_constant_there_is_no_shift_and_nothing_vague_of_it(name):
    pair = pair_of(np.full(20, 3.0), np.array([1.0, 2.0, 9.0, 12.0]), edges=[4.0])
    assert drift_metric(name).told_vagueness(pair) == 0.0
