"""A pair on coarser bins, what it remembers, and what a metric makes of its own declaration."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dagster_monitoring.statistics.drift import Pair, Pairs, Side, drift_metric
from dagster_monitoring.statistics.histogram import categorical_histogram, numeric_histogram
from dagster_monitoring.statistics.undefined import Undefined

FINE = [1.0, 2.0, 3.0, 4.0]
NAMES = Pair.of(categorical_histogram("ab"), categorical_histogram("ac"))


def numbers(before, after, edges=FINE):
    edges = np.array(edges)
    return Pair(numeric_histogram(before, edges=edges), numeric_histogram(after, edges=edges))


def test_both_sides_are_regrouped():
    one = numbers([0.5, 1.5, 2.5, 2.5, 3.5, 9.0], [0.0, 0.0, 1.0, 4.0])
    other = numbers([7.0, 0.0], [0.25], edges=[0.5])
    coarse = Pairs.of([other, one]).regroup([other.reference.edges, np.array([2.0, 4.0])])
    assert coarse.before.counts.tolist() == [1, 1, 2, 3, 1]
    assert coarse.before.sums.tolist() == [0.0, 7.0, 2.0, 8.5, 9.0]
    assert coarse.after.counts.tolist() == [1, 0, 3, 0, 1]
    assert coarse.grid.high.tolist() == [0.5, np.inf, 2.0, 4.0, np.inf]
    assert coarse.grid.low.tolist() == [-np.inf, 0.5, -np.inf, 2.0, 4.0]
    assert coarse.sampled is coarse.before


@pytest.mark.parametrize("name", ["psi", "l_infinity", "total_variation"])
def test_on_coarser_bins_pairs_are_measured_as_if_they_had_no_others(name):
    sides, metric = ([0.5, 1.5, 2.5, 2.5, 3.5, 9.0], [0.0, 0.0, 1.0, 4.0]), drift_metric(name)
    coarse = numbers(*sides).alone.regroup([np.array([2.0, 4.0])])
    expected = metric.measure(numbers(*sides, edges=[2.0, 4.0]).alone, alpha=0.05)
    assert metric.measure(coarse, alpha=0.05) == expected


def test_a_baseline_is_regrouped_once_for_all_windows():
    pair, wanted = numbers([0.5, 1.5], [2.5]), np.array([2.0])
    later = Pair(pair.reference, numeric_histogram([7.0], edges=pair.reference.edges))
    baseline = Side.of([pair.reference])
    first, second = (Pairs.of([own], baseline).regroup([wanted]) for own in (pair, later))
    assert first.before is second.before
    assert second.after.counts.tolist() == [0, 1]
    other = Pairs.of([pair], baseline).regroup([np.array([3.0])])
    assert other.after.counts.tolist() == [1, 0]


def test_pairs_of_names_have_no_edges():
    with pytest.raises(ValueError, match="names"):
        NAMES.alone.regroup([np.array([1.0])])


def test_what_is_asked_of_pairs_is_computed_once_for_each_argument():
    asked, pairs = [], NAMES.alone

    def compute(own, factor):
        asked.append((own, factor))
        return own.n * factor

    assert [pairs.once(compute, factor).tolist() for factor in (2, 2, 5)] == [[4.0], [4.0], [10.0]]
    assert asked == [(pairs, 2), (pairs, 5)]


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
            vagueness=lambda _, off=off: np.array([off]),
        )
        assert metric.told_vagueness(numbers(*sides)) == told


def test_vagueness_is_asked_for_once_a_pair_and_never_of_an_empty_side():
    asked = []

    def vagueness(pairs):
        asked.append(pairs)
        return np.full(len(pairs.n), 9.0)

    metric = replace(drift_metric("kolmogorov_smirnov"), vagueness=vagueness)
    pair = numbers([0.5, 1.5], [2.5])
    assert (metric.told_vagueness(pair), metric.told_vagueness(pair)) == (9.0, 9.0)
    assert asked == [pair.alone]
    assert metric.told_vagueness(numbers([0.5, 1.5], [])) == 0.0
    assert replace(metric, vagueness=None).told_vagueness(pair) == 0.0


def test_noise_is_cut_at_the_upper_bound_and_keeps_its_reason():
    metric = replace(
        drift_metric("psi"), bounds=(0.0, 0.5), noise=lambda _, alpha: np.array([alpha * 4])
    )
    assert metric.null_quantile(NAMES, alpha=0.0625) == 0.25
    assert metric.null_quantile(NAMES, alpha=0.25) == 0.5
    why = Undefined("no idea")
    without = replace(metric, noise=lambda *_: np.array([np.nan]), undefined=lambda *_: why)
    assert without.null_quantile(NAMES, alpha=0.1) is why
    with pytest.raises(ValueError, match="alpha"):
        metric.null_quantile(NAMES, alpha=1.0)


def test_the_error_is_that_of_the_given_value_and_pair():
    metric = replace(drift_metric("psi"), error=lambda pairs, values: values * pairs.n)
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
    assert pair.alone.sampled.shares.tolist() == [2 / 3, 1 / 3]
    assert pair.reference.counts.tolist() == [2, 1, 0, 0]


NUMBERS = [
    numbers([0.5, 1.5, 2.5, 2.5, 9.0], [0.0, 1.0, 1.0, 4.0]),
    numbers([7.0, 0.0, 0.0], [0.25, 0.5], edges=[0.5]),
]
WITH_A_NEW_NAME = Pair.of(categorical_histogram("aaabb"), categorical_histogram("abbcc"))
OF_THE_SAME_NAMES = Pair.of(categorical_histogram("xxxyy"), categorical_histogram("xyyyyy"))


@pytest.mark.parametrize(
    "names",
    [[OF_THE_SAME_NAMES], [WITH_A_NEW_NAME], [OF_THE_SAME_NAMES, WITH_A_NEW_NAME, NAMES]],
)
@pytest.mark.parametrize("name", ["psi", "hellinger", "l_infinity", "missing_share"])
def test_numbers_and_names_side_by_side_are_measured_as_each_alone(name, names):
    metric, pairs = drift_metric(name), [*NUMBERS, *names]
    told = metric.measure(Pairs.of(NUMBERS).followed_by(Pairs.of(names)), alpha=0.05)
    values = [metric.compute(pair) for pair in pairs]
    assert told.values == pytest.approx(values)
    noise = [metric.null_quantile(pair, alpha=0.05) for pair in pairs]
    assert told.noise == pytest.approx(noise)
    errors = [metric.standard_error(*own) for own in zip(pairs, values, strict=True)]
    assert told.errors == pytest.approx(errors)
    assert told.vagueness == [0.0] * len(pairs)


def test_what_is_known_of_baselines_is_kept_from_window_to_window():
    numeric = Side.of([pair.reference for pair in NUMBERS])
    sides = [Side.of([pair.sampled]) for pair in (OF_THE_SAME_NAMES, WITH_A_NEW_NAME)]
    for pair, side in zip((OF_THE_SAME_NAMES, WITH_A_NEW_NAME), sides, strict=True):
        first, second = (
            Pairs.of(NUMBERS, numeric).followed_by(Pairs.of([pair], side)) for _ in range(2)
        )
        assert first.sampled is second.sampled
        assert (first.before is first.sampled) is (pair is OF_THE_SAME_NAMES)
        assert first.grid is None


@pytest.mark.parametrize("side", ["window", "baseline"])
def test_the_side_without_values_is_named(side):
    empty, some = numeric_histogram([np.nan] * 4, edges=FINE), numeric_histogram([1.0], edges=FINE)
    pair = Pair(some, empty) if side == "window" else Pair(empty, some)
    assert pair.alone.empty == {0}
    found = pair.alone.why_empty(0, rows=False)
    assert found.reason.startswith(f"the {side} has")
    assert found.reason.endswith("(missing: 4)")
    assert pair.alone.without_rows == set()


def test_of_rows_that_are_all_missing_the_side_without_a_row_is_named():
    missing, nothing = (numeric_histogram([np.nan] * n, edges=FINE) for n in (4, 0))
    metric = drift_metric("missing_share")
    for pair, side in [(Pair(missing, nothing), "window"), (Pair(nothing, missing), "baseline")]:
        found = metric.compute(pair)
        assert isinstance(found, Undefined)
        assert found.reason == f"the {side} has no values to compare (missing: 0)"


@pytest.mark.parametrize("name", ["mean_shift", "spread_shift", "wasserstein_scaled"])
def test_side_by_side_each_pair_has_the_reason_of_its_own(name):
    metric, huge = drift_metric(name), [-1.7e308, 1.0, 1.7e308]
    pairs = [numbers(*own) for own in (SPREAD_OF_4, CONSTANT, (huge, [1.0, 2.0]), ([1.0], []))]
    told = metric.measure(Pairs.of(pairs), alpha=0.05)
    assert told.values == [metric.compute(pair) for pair in pairs]
    assert [isinstance(own, Undefined) for own in told.values] == [False, True, True, True]
    assert len({own.reason for own in told.values[1:]}) == 3
