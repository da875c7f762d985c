"""A pair on coarser bins, what it remembers, and what a metric makes of its own declaration."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dagster_monitoring.statistics.drift import Pair, drift_metric, side_by_side
from dagster_monitoring.statistics.histogram import categorical_histogram, numeric_histogram
from dagster_monitoring.statistics.undefined import Undefined

FINE = [1.0, 2.0, 3.0, 4.0]
NAMES = Pair.of(categorical_histogram("ab"), categorical_histogram("ac"))


def numbers(before, after, edges=FINE):
    edges = np.array(edges)
    return Pair(numeric_histogram(before, edges=edges), numeric_histogram(after, edges=edges))


def test_both_sides_are_regrouped():
    pair = numbers([0.5, 1.5, 2.5, 2.5, 3.5, 9.0], [0.0, 0.0, 1.0, 4.0])
    coarse = pair.regroup(np.array([2.0, 4.0]))
    assert coarse.reference.counts.tolist() == [2, 3, 1]
    assert coarse.reference.sums.tolist() == [2.0, 8.5, 9.0]
    assert coarse.current.counts.tolist() == [3, 0, 1]
    assert coarse.current.edges.tolist() == [2.0, 4.0]


def test_on_its_own_edges_a_pair_stays_what_it_is():
    pair = numbers([0.5, 1.5], [2.5])
    assert pair.regroup(pair.reference.edges) is pair


def test_a_baseline_is_regrouped_once_for_all_windows():
    pair, wanted = numbers([0.5, 1.5], [2.5]), np.array([2.0])
    later = Pair(pair.reference, numeric_histogram([7.0], edges=pair.reference.edges))
    first, second = pair.regroup(wanted), later.regroup(wanted)
    assert first.reference is second.reference
    assert second.current.counts.tolist() == [0, 1]
    assert pair.regroup(np.array([3.0])).current.counts.tolist() == [1, 0]


def test_a_pair_of_names_has_no_edges():
    with pytest.raises(ValueError, match="categorical"):
        NAMES.regroup(np.array([1.0]))


def test_pairs_side_by_side_compute_once():
    pairs = [numbers([0.5, 1.5, 5.0], after) for after in ([0.5], [1.5, 2.5])]
    asked = []

    def numbered(bins):
        asked.append(bins)
        return np.array([10.0, 11.0])

    side_by_side(pairs)
    assert [pair.of_bins(numbered) for pair in pairs] == [10.0, 11.0]
    assert len(asked) == 1


def test_what_is_asked_of_a_pair_is_computed_once():
    asked = []
    compute = asked.append
    assert NAMES.once(compute) is None
    assert NAMES.once(compute) is None
    assert asked == [NAMES]


SPREAD_OF_4 = ([-4.0, 4.0], [0.0, 1.0])
CONSTANT = ([1.5, 1.5], [0.0, 1.0])


@pytest.mark.parametrize(
    ("unit", "sides", "limit"),
    [
        ("column unit", SPREAD_OF_4, 1.0),
        ("root of the column unit", SPREAD_OF_4, 0.5),
        ("standard deviations", SPREAD_OF_4, 0.25),
        ("column unit", CONSTANT, 0.25),
        ("root of the column unit", CONSTANT, 0.25),
    ],
)
def test_vagueness_is_told_beyond_a_quarter_of_the_unit(unit, sides, limit):
    beyond = math.nextafter(limit, 2.0)
    for off, told in [(limit, 0.0), (beyond, beyond), (math.inf, math.inf)]:
        metric = replace(
            drift_metric("wasserstein"),
            unit=unit,
            tolerance=0.25,
            vagueness=lambda _, off=off: off,
        )
        assert metric.told_vagueness(numbers(*sides)) == told


def test_vagueness_is_asked_for_once_a_pair_and_never_of_an_empty_side():
    asked = []

    def vagueness(pair):
        asked.append(pair)
        return 9.0

    metric = replace(drift_metric("kolmogorov_smirnov"), vagueness=vagueness)
    pair = numbers([0.5, 1.5], [2.5])
    assert (metric.told_vagueness(pair), metric.told_vagueness(pair)) == (9.0, 9.0)
    assert metric.told_vagueness(numbers([0.5, 1.5], [])) == 0.0
    assert asked == [pair]
    assert replace(metric, vagueness=None).told_vagueness(pair) == 0.0


def test_noise_is_cut_at_the_upper_bound_and_keeps_its_reason():
    metric = replace(drift_metric("psi"), bounds=(0.0, 0.5), noise=lambda _, alpha: alpha * 4)
    assert metric.null_quantile(NAMES, alpha=0.0625) == 0.25
    assert metric.null_quantile(NAMES, alpha=0.25) == 0.5
    why = Undefined("no idea")
    assert replace(metric, noise=lambda *_: why).null_quantile(NAMES, alpha=0.1) is why
    with pytest.raises(ValueError, match="alpha"):
        metric.null_quantile(NAMES, alpha=1.0)


def test_the_error_is_that_of_the_given_value_and_pair():
    metric = replace(drift_metric("psi"), error=lambda pair, value: value * pair.n)
    assert metric.standard_error(NAMES, 0.25) == 0.5


def test_the_metric_that_refuses_names_is_named():
    metric = drift_metric("wasserstein")
    for refused in (
        metric.told_vagueness,
        lambda pair: metric.null_quantile(pair, alpha=0.1),
        lambda pair: metric.standard_error(pair, 0.0),
    ):
        with pytest.raises(ValueError, match=r"^wasserstein is defined"):
            refused(NAMES)


def test_noise_is_told_from_the_baseline_without_the_windows_own_names():
    before = categorical_histogram("aab")
    pair = Pair.of(before, categorical_histogram("bcd"))
    assert pair.sampled is before
    assert pair.expected.tolist() == [2 / 3, 1 / 3]
    assert pair.reference.counts.tolist() == [2, 1, 0, 0]


@pytest.mark.parametrize("side", ["window", "baseline"])
def test_the_side_without_values_is_named(side):
    empty, some = numeric_histogram([np.nan] * 4, edges=FINE), numeric_histogram([1.0], edges=FINE)
    pair = Pair(some, empty) if side == "window" else Pair(empty, some)
    found = pair.why_empty(rows=False)
    assert found.reason.startswith(f"the {side} has")
    assert found.reason.endswith("(missing: 4)")
    assert pair.why_empty(rows=True) is None
