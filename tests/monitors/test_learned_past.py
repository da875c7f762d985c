"""What a learned threshold takes from its past, against NumPy and SciPy on the values kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.threshold import Evidence, Levels, Share
from dagster_monitoring.statistics.false_alarms import level_for

PASTS, SLICES, NEEDED = 60, 28, 7


def limits(kept: Sequence[float], alpha: float, sides: int) -> tuple[float, float]:
    """Of one more value after those; without a lower one where there is one side."""
    n = len(kept)
    width = stats.t.isf(alpha, n - 1) * np.std(kept, ddof=1) * math.sqrt(1 + 1 / n)
    return (np.mean(kept) - width if sides == 2 else -math.inf), np.mean(kept) + width


def kept_of(past: Sequence[float], alpha: float, needed: int, sides: int) -> list[float]:
    """Values from the oldest on, without those beyond the limits of the ones before."""
    kept: list[float] = []
    for value in past:
        if len(kept) >= needed:
            lower, upper = limits(kept, alpha, sides)
            if not lower <= value <= upper:
                continue
        kept.append(value)
    return kept


def pasts(seed: int, n: int) -> list[list[float]]:
    """About -4, so that an outlier may be as far from 0 as the mean is; some far out."""
    drawn = np.random.default_rng(seed).standard_t(2, size=(PASTS, n)) * 1.5 - 4
    return [past.tolist() for past in drawn]


def check(
    threshold: LearnedThreshold, evidence: Evidence, left_out: float, error: float | None
) -> int:
    """Compare the limits of ERROR, or else WARN's; gives how many values were left out."""
    sides = 2 if evidence.worse == "both" else 1
    needed = max(math.ceil(NEEDED / evidence.window), 3)
    found = threshold.levels(evidence)
    assert isinstance(found, Levels)
    kept = kept_of(evidence.past, left_out, needed, sides)
    level, pair = (threshold.warn_alpha, found.warn) if error is None else (error, found.error)
    assert level is not None
    assert pair is not None
    if error is None:
        level /= max(evidence.tests, 1) * sides
    lower, upper = limits(kept, level, sides)
    assert pair[1] == pytest.approx(upper)
    assert (-math.inf if pair[0] is None else pair[0]) == pytest.approx(lower)
    return len(evidence.past) - len(kept)


@pytest.mark.parametrize("worse", ["upper", "both"])
@pytest.mark.parametrize("tests", [0, 1, 4])
@pytest.mark.parametrize(
    ("warn", "error", "level"),
    [(0.05, 0.003, 0.003), (None, 0.02, 0.02), (0.02, None, 0.02), (0.01, "budget", 0.001)],
)
def test_without_a_share_what_is_left_out_is_beyond_the_declared_level(
    worse, tests, warn, error, level
):
    """Without a budget that of ERROR is 0.001."""
    threshold = LearnedThreshold(warn_alpha=warn, error_alpha=error)
    each = level / (max(tests, 1) * (2 if worse == "both" else 1))
    left_out = sum(
        check(
            threshold,
            Evidence(past=past, worse=worse, tests=tests),
            each,
            None if error is None else each,
        )
        for past in pasts(1, SLICES)
    )
    assert left_out > 5


@pytest.mark.parametrize("worse", ["upper", "both"])
@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize(("in_a_row", "tests"), [(1, 1), (1, 12), (3, 4)])
@pytest.mark.parametrize("pages", [1e-5, 1e-3, 0.05])
def test_with_a_share_it_is_beyond_a_tenth_of_its_level_and_1_in_1000(
    worse, window, in_a_row, tests, pages
):
    sides = 2 if worse == "both" else 1
    share = Share(pages=pages, in_a_row=in_a_row)
    threshold = LearnedThreshold(warn_alpha=None)
    for past in pasts(2, SLICES // window):
        evidence = Evidence(past=past, worse=worse, window=window, tests=tests, share=share)
        each = tests * sides
        page = level_for(pages, n=len(past), window=window, in_a_row=in_a_row, tests=each)
        left_out = min(0.001 / each, page / 10)
        kept = kept_of(past, left_out, max(math.ceil(NEEDED / window), 3), sides)
        error = level_for(pages, n=len(kept), window=window, in_a_row=in_a_row, tests=each)
        check(threshold, evidence, left_out, error)


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("beyond", [False, True])
def test_the_level_of_what_is_left_out_is_that_of_as_many_values_and_such_windows(window, beyond):
    """One value lies within a millionth of the limit, on either side."""
    calm = np.random.default_rng(3).normal(size=math.ceil(NEEDED / window)).tolist()
    share = Share(pages=1e-4, in_a_row=1)
    left_out = level_for(1e-4, n=len(calm) + 1, window=window) / 10
    _, upper = limits(calm, left_out, 1)
    past = [*calm, upper * (1 + (1e-6 if beyond else -1e-6))]
    evidence = Evidence(past=past, worse="upper", window=window, share=share)
    error = level_for(1e-4, n=len(calm) + (not beyond), window=window)
    found = check(LearnedThreshold(warn_alpha=None), evidence, left_out, error)
    assert found == beyond
