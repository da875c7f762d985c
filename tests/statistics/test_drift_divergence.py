"""What a bin adds to a divergence, full, empty or new: together they are the value."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.statistics.drift import Pair, drift_metric
from dagster_monitoring.statistics.drift._divergence import Divergence
from dagster_monitoring.statistics.drift._unseen import unseen
from dagster_monitoring.statistics.histogram import Histogram, numeric_histogram

NAMES = ["psi", "kl_divergence", "jensen_shannon_divergence", "hellinger", "chi_square"]


def pair_of(new: list[int], m: int) -> Pair:
    """A baseline of 1,000 rows, and a window that is like it but for rows of new names."""
    left = (m - sum(new)) // 4
    before = {"a": 500, "b": 250, "c": 250}
    now = {"a": 2 * left, "b": left, "c": left} | {f"new{i}": n for i, n in enumerate(new)}
    sides = (Histogram(counts=np.array([*x.values()]), categories=(*x,)) for x in (before, now))
    return Pair.of(*sides)


def squared(name: str, pair: Pair, scale: float) -> float:
    """The value as it is added up: a root's square, and a statistic times what it grows with."""
    value = drift_metric(name).compute(pair)
    assert isinstance(value, float)
    return value**2 if name == "hellinger" else value * scale if name == "chi_square" else value


def sampling_of(name: str) -> Divergence:
    module = importlib.import_module(f"dagster_monitoring.statistics.drift.{name}")
    found = module.SAMPLING
    assert isinstance(found, Divergence)
    return found


@pytest.mark.parametrize("now", [[100, 150, 50, 100], [399, 1, 0, 0], [0, 10, 0, 390]])
@pytest.mark.parametrize("name", NAMES)
def test_bins_add_up_to_the_value_against_a_baseline_of_very_many_rows(
    name: str, now: list[int]
) -> None:
    before, after = np.array([5, 3, 2, 6]) * 10**9, np.array(now)
    sides = (Histogram(counts=counts, categories=(*"abcd",)) for counts in (before, after))
    value = squared(name, Pair(*sides), 1 / before.sum() + 1 / 400)
    sampling, rows, expected = sampling_of(name), after.astype(float), before / 4e7
    full = rows > 0
    parts = [
        *sampling.cell(rows[full], expected[full]),
        *sampling.empty(expected[~full], np.full(int((~full).sum()), 400.0)),
    ]
    # Shares with floors of 1e-4 are scaled to add up to 1 by the metric alone.
    near = 3e-4 if name == "kl_divergence" else 1e-6
    assert math.isclose(sum(parts) / 400, value, rel_tol=near)


@pytest.mark.parametrize(
    ("new", "m"),
    [
        ([4], 400),
        ([10, 10], 400),
        ([60] * 4, 400),
        ([100] * 3, 400),
        ([1, 1, 1, 1], 40_000),
        ([6, 6], 40_000),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_what_they_add_is_the_value_of_a_window_like_the_baseline_but_for_them(
    name: str, new: list[int], m: int
) -> None:
    """Of 40,000 rows one is below the floor of 1e-4, and so adds nothing."""
    pair = pair_of(new, m)
    value, sampling = squared(name, pair, 1 / 1000 + 1 / m), sampling_of(name)
    rows, names, n, of = (np.array([x], dtype=float) for x in (sum(new), len(new), 1000, m))
    (added,) = (sampling.unseen(rows, names, n, of) + sampling.cell(of - rows, of)) / m
    # As above; to first order it makes no difference here.
    near = 1e-7 if name == "kl_divergence" else 0.0
    assert math.isclose(added, value, rel_tol=1e-9, abs_tol=near)


@pytest.mark.parametrize(("rarest", "is_rare"), [(118, True), (120, False), (122, False)])
@pytest.mark.parametrize("name", ["psi", "kl_divergence", "hellinger"])
def test_from_sixty_expected_rows_on_noise_is_chi_square(
    name: str, rarest: int, *, is_rare: bool
) -> None:
    """Two samples of 256 rows are as noisy as one of 128 against the truth."""
    numbers = numeric_histogram([0.0] * rarest + [1.0] * (256 - rarest), edges=[0.5])
    plain = sampling_of(name).curvature / 128 * stats.chi2(1).isf(0.05)
    told = drift_metric(name).null_quantile(Pair(numbers, numbers), alpha=0.05)
    assert isinstance(told, float)
    told = told**2 if name == "hellinger" else told
    assert math.isclose(told, plain, rel_tol=1e-12) is not is_rare
    assert math.isclose(told, plain, rel_tol=0.02)


@pytest.mark.parametrize(
    ("before", "m"), [([5000], 40), ([900, 40, 1, 1, 1], 600), ([1] * 100, 3), ([1] * 30, 400)]
)
@pytest.mark.parametrize("name", NAMES)
@np.errstate(all="ignore")
def test_noise_of_names_is_that_of_numbers_and_of_as_many_new_rows_as_chance_brings(
    name: str, before: list[int], m: int
) -> None:
    """Of three rows all may be of names that a hundred different ones lack."""
    counts, now = np.array(before), np.array([m, *[0] * (len(before) - 1)])
    edges = np.arange(len(before) - 1) + 0.5
    rows_of = (np.repeat(np.arange(len(before)), own) for own in (counts, now))
    numbers = Pair(*(numeric_histogram(rows, edges=edges) for rows in rows_of))
    categories = tuple(f"n{i}" for i in range(len(before)))
    names = Pair(*(Histogram(counts=own, categories=categories) for own in (counts, now)))
    lacked, sampling = unseen(names.alone, 0.05), sampling_of(name)
    assert lacked is not None
    of = np.array([float(m)])
    left = np.maximum(of - lacked.rows, 1e-4 * m)
    added = sampling.unseen(lacked.rows, lacked.names, names.alone.n, of) + sampling.cell(left, of)
    expected = sampling.null_quantile(numbers.alone, 0.05) + added / m
    assert sampling.null_quantile(names.alone, 0.05).item() == pytest.approx(expected.item())
    assert (lacked.rows.item() > 0) is (len(before) > 1)
