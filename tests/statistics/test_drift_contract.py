"""What every drift metric owes, whichever it is: the catalogue is read, not listed."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.drift import Pair, Pairs, drift_metric, drift_metrics
from dagster_monitoring.statistics.histogram import (
    categorical_histogram,
    numeric_histogram,
)
from dagster_monitoring.statistics.undefined import Undefined

EDGES = [-2.0, 0.0, 0.5, 3.0]
NUMBERS = st.lists(st.integers(-40, 60).map(lambda i: i / 8), min_size=1, max_size=40)
NAMES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=40)
EVERY = [
    pytest.param(metric, kind, id=f"{name}-{kind}")
    for name, metric in drift_metrics().items()
    for kind in sorted(metric.kinds)
]
EVERY_NUMERIC = [
    pytest.param(metric, id=name)
    for name, metric in drift_metrics().items()
    if "numeric" in metric.kinds
]
NEED_A_SPREAD = {
    "mean_shift",
    "median_shift",
    "quantile_shift",
    "spread_shift",
    "wasserstein_scaled",
}
ONE_WITHOUT_DRIFT = {name for name, metric in drift_metrics().items() if not metric.higher_is_worse}
quick = settings(max_examples=8, deadline=None)


def rows_of(kind):
    return NUMBERS if kind == "numeric" else NAMES


def histogram(kind, rows, centre=0.25):
    if kind == "numeric":
        return numeric_histogram(rows, edges=EDGES, centre=centre)
    return categorical_histogram(rows)


def computed(metric, reference, current):
    return metric.compute(Pair.of(reference, current))


def number(metric, reference, current):
    value = computed(metric, reference, current)
    if isinstance(value, Undefined):
        # The one reason for which rows on both sides are not enough.
        assert metric.name in NEED_A_SPREAD
        assert reference.std == 0 or current.std == 0
        reject()
    return value


def grows_with_an_outlier(metric):
    """Whether one more row far out on the side of a drift can only add to it.

    Not so for a p-value, whose degrees of freedom grow by the outlier's bin, for a spread that was
    narrower, and for a quantile, which may stand still.
    """
    return metric.name not in {"chi_square_p_value", "kolmogorov_smirnov_p_value", "spread_shift"}


def calm(metric):
    """What the metric gives when nothing has drifted."""
    return 1.0 if metric.name in ONE_WITHOUT_DRIFT else 0.0


@pytest.mark.parametrize(("metric", "kind"), EVERY)
@quick
@given(data=st.data())
def test_it_is_zero_at_identity(metric, kind, data):
    same = histogram(kind, data.draw(rows_of(kind)))
    assert number(metric, same, same) == pytest.approx(calm(metric), abs=1e-12)


@pytest.mark.parametrize(("metric", "kind"), EVERY)
@quick
@given(data=st.data())
def test_it_is_zero_when_only_the_number_of_rows_differs(metric, kind, data):
    rows = data.draw(rows_of(kind))
    value = number(metric, histogram(kind, rows), histogram(kind, rows * 7))
    assert value == pytest.approx(calm(metric), abs=1e-12)


@pytest.mark.parametrize(("metric", "kind"), EVERY)
@quick
@given(data=st.data())
def test_it_is_a_finite_float_within_its_bounds(metric, kind, data):
    before, after = data.draw(rows_of(kind)), data.draw(rows_of(kind))
    value = number(metric, histogram(kind, before), histogram(kind, after))
    low, high = metric.bounds
    assert type(value) is float
    assert math.isfinite(value)
    assert low <= value <= high


@pytest.mark.parametrize(("metric", "kind"), [p for p in EVERY if p.values[0].symmetric])
@quick
@given(data=st.data())
def test_it_is_symmetric_where_it_says_so(metric, kind, data):
    before, after = (histogram(kind, data.draw(rows_of(kind))) for _ in range(2))
    there = number(metric, before, after)
    back = computed(metric, after, before)
    assume(not isinstance(back, Undefined))
    assert there == pytest.approx(back, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("metric", "kind"), [p for p in EVERY if not p.values[0].symmetric])
def test_it_is_not_symmetric_where_it_says_so(metric, kind):
    rows = ([0.0, 0.2, 1.0, 5.0, 5.0], [-9.0, 0.2, 4.0]) if kind == "numeric" else ("aab", "abbbc")
    before, after = (histogram(kind, list(part)) for part in rows)
    assert abs(computed(metric, before, after) - computed(metric, after, before)) > 1e-3


@pytest.mark.parametrize(("metric", "kind"), [p for p in EVERY if not p.values[0].of_missing])
@quick
@given(data=st.data())
def test_missing_and_infinite_values_change_nothing(metric, kind, data):
    before, after = (histogram(kind, data.draw(rows_of(kind))) for _ in range(2))
    noisy = replace(after, n_missing=50, n_nonfinite=3)
    assert number(metric, before, noisy) == computed(metric, before, after)


@pytest.mark.parametrize(("metric", "kind"), EVERY)
@pytest.mark.parametrize("empty_side", ["baseline", "window", "both"])
def test_an_empty_side_is_undefined_and_named(metric, kind, empty_side):
    rows = histogram(kind, [1.0, 2.0] if kind == "numeric" else ["a", "b"])
    missing = 0 if metric.of_missing else 4
    empty = replace(histogram(kind, []), n_missing=missing)
    reference, current = (
        (empty, empty)
        if empty_side == "both"
        else (empty, rows)
        if empty_side == "baseline"
        else (rows, empty)
    )
    value = computed(metric, reference, current)
    assert isinstance(value, Undefined)
    assert ("baseline" if empty_side == "both" else empty_side) in value.reason
    assert f"missing: {missing}" in value.reason
    assert metric.null_quantile(Pair.of(reference, current), alpha=0.1) == value
    assert metric.standard_error(Pair.of(reference, current), 0.0) == value


@pytest.mark.parametrize("metric", EVERY_NUMERIC)
@quick
@given(before=NUMBERS, after=NUMBERS, centres=st.tuples(*[st.integers(-8, 8)] * 2))
def test_the_centre_of_the_sums_does_not_matter(metric, before, after, centres):
    moved = (
        numeric_histogram(rows, edges=EDGES, centre=centre)
        for rows, centre in zip((before, after), centres, strict=True)
    )
    plain = (numeric_histogram(rows, edges=EDGES) for rows in (before, after))
    assert number(metric, *moved) == pytest.approx(number(metric, *plain), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("metric", [p for p in EVERY_NUMERIC if grows_with_an_outlier(p.values[0])])
@quick
@given(
    before=st.lists(st.integers(1, 30), min_size=5, max_size=5),
    tilt=st.lists(st.integers(0, 4), min_size=4, max_size=4),
)
def test_a_far_outlier_in_the_direction_of_a_drift_never_lowers_it(metric, before, tilt):
    """Where the ratio of shares rises with the value, one more row at the top adds drift.

    L-infinity is the exception by definition: if another bin's share has changed most, one row
    in ``n`` takes at most ``1/n`` of it.
    """
    places = [-3.0, -1.0, 0.25, 1.0, 4.0]
    weights = np.cumsum([1, *tilt])
    after = [x for x, n, w in zip(places, before, weights, strict=True) for _ in range(n * int(w))]
    reference = histogram("numeric", np.repeat(places, before))
    drifted = number(metric, reference, histogram("numeric", after))
    with_outlier = number(metric, reference, histogram("numeric", [*after, 1e9]))
    allowed = {"l_infinity": 1 / len(after), "l_infinity_robust": 1 / len(after)}
    assert with_outlier >= drifted - allowed.get(metric.name, 1e-9)


@pytest.mark.parametrize(
    "metric",
    [
        p
        for p in EVERY_NUMERIC
        # A shift alone leaves no value missing, changes no spread, and has the p-value 0.
        if p.values[0].name != "spread_shift" and p.values[0].higher_is_worse
        if not p.values[0].of_missing
    ],
)
def test_one_outlier_among_thousands_does_not_hide_a_drift(metric):
    """Bins that move with the data turn a PSI of 1.01 into 0.00007 here."""
    generator = np.random.default_rng(5)
    before, after = generator.normal(0, 1, 5000), generator.normal(1, 1, 5000)
    edges = np.quantile(before, np.arange(1, 10) / 10)
    reference = numeric_histogram(before, edges=edges)
    drift = number(metric, reference, numeric_histogram(after, edges=edges))
    spoilt = number(metric, reference, numeric_histogram([*after, 1e6], edges=edges))
    assert drift > 0.1
    assert spoilt > 0.99 * drift


def test_histograms_on_other_edges_are_refused():
    one = numeric_histogram([1.0, 2.0], edges=[1.5])
    with pytest.raises(ValueError, match="align"):
        Pair(one, numeric_histogram([1.0, 2.0], edges=[1.6]))


@pytest.mark.parametrize(
    "metric",
    [pytest.param(m, id=n) for n, m in drift_metrics().items() if "categorical" not in m.kinds],
)
def test_a_numeric_metric_refuses_names(metric):
    names = categorical_histogram("abc")
    with pytest.raises(ValueError, match="numeric columns only"):
        metric.compute(Pair(names, names))


@pytest.mark.parametrize(("metric", "kind"), EVERY)
def test_its_declaration_is_complete(metric, kind):
    assert kind in {"numeric", "categorical"}
    assert metric.title
    assert metric.source
    assert metric.sampling
    assert metric.degenerate
    assert bool(metric.conventional_limits) == bool(metric.limits_source)
    assert metric.minimum_n > 0
    assert metric.bounds[0] < metric.bounds[1]
    assert (metric.bins == "categories") == ("numeric" not in metric.kinds)
    assert drift_metric(metric.name) is metric


@pytest.mark.parametrize(("metric", "kind"), EVERY)
@quick
@given(data=st.data())
def test_parts_of_a_profile_add_up_to_the_same_value(metric, kind, data):
    """Counts split over slices and added are the counts of all rows."""
    before, first, second = (data.draw(rows_of(kind)) for _ in range(3))
    reference, whole = histogram(kind, before), histogram(kind, first + second)
    parts = Pair.of(histogram(kind, first), histogram(kind, second))
    one, two = parts.reference, parts.current
    merged = replace(
        one,
        counts=one.counts + two.counts,
        sums=None if one.sums is None or two.sums is None else one.sums + two.sums,
        sum_squares=one.sum_squares + two.sum_squares,
        minimum=whole.minimum,
        maximum=whole.maximum,
    )
    value = number(metric, reference, whole)
    assert computed(metric, reference, merged) == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("metric", "kind"), EVERY)
@quick
@given(data=st.data())
def test_its_sampling_error_is_a_finite_float(metric, kind, data):
    before, after = data.draw(rows_of(kind)), data.draw(rows_of(kind))
    pair = Pair.of(histogram(kind, before), histogram(kind, after))
    value = number(metric, pair.reference, pair.current)
    for found in (metric.null_quantile(pair, alpha=0.05), metric.standard_error(pair, value)):
        assert type(found) is float
        assert 0 <= found < math.inf


GROW_IN_A_MIXTURE = sorted(
    set(drift_metrics())
    - {"median_shift", "quantile_shift", "spread_shift", "l_infinity_robust", "missing_share"}
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in GROW_IN_A_MIXTURE for kind in sorted(drift_metric(name).kinds)],
)
def test_more_of_another_population_never_means_less_drift(name, kind):
    """A current side of ``1 - w`` parts of the reference and ``w`` of another one."""
    metric = drift_metric(name)
    here, there = (
        ([-3.0, 0.25, 0.25, 1.0], [0.25, 1.0, 4.0, 4.0]) if kind == "numeric" else ("abbc", "bddc")
    )
    reference = histogram(kind, list(here) * 20)
    values = [
        computed(metric, reference, histogram(kind, list(here) * (20 - w) + list(there) * w))
        for w in range(0, 21, 4)
    ]
    assert values == sorted(values, reverse=not metric.higher_is_worse)
    assert values[0] != values[-1]


def test_each_file_is_an_entry_under_its_own_name():
    assert all(name == metric.name for name, metric in drift_metrics().items())
    assert list(drift_metrics()) == sorted(drift_metrics())


def test_an_unknown_metric_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="'kolmogorov_smirnov'"):
        drift_metric("kolmogorov")


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        drift_metrics()["mine"] = drift_metric("psi")


def test_a_constant_baseline_has_no_scale_but_still_a_psi():
    constant = numeric_histogram([0.1] * 9, edges=[0.1], centre=0.3)
    shifted = numeric_histogram([0.0] * 5, edges=[0.1], centre=0.3)
    for name in ("mean_shift", "wasserstein_scaled"):
        value = drift_metric(name).compute(Pair(constant, shifted))
        assert isinstance(value, Undefined)
        assert "constant" in value.reason
    assert drift_metric("psi").compute(Pair(constant, shifted)) > 1
    assert drift_metric("wasserstein").compute(Pair(constant, shifted)) == pytest.approx(0.1)


@pytest.mark.parametrize("metric", EVERY_NUMERIC)
def test_values_that_overflow_give_a_reason_and_no_infinity(metric):
    before = numeric_histogram([-1.7e308, 1.0, 2.0], edges=EDGES)
    after = numeric_histogram([1.7e308, 1.0, 1.0], edges=EDGES)
    value = metric.compute(Pair(before, after))
    assert isinstance(value, Undefined) or math.isfinite(value)
    if metric.unit == "standard deviations":
        assert "too large" in value.reason


@pytest.mark.parametrize(("metric", "kind"), EVERY)
@quick
@given(data=st.data())
def test_pairs_side_by_side_tell_what_each_tells_alone(metric, kind, data):
    sides = st.tuples(rows_of(kind), st.sampled_from([1, 30]), rows_of(kind))
    drawn = data.draw(st.lists(sides, min_size=2, max_size=4))
    given_ = [(histogram(kind, a * times), histogram(kind, b)) for a, times, b in drawn]
    empty, huge = Pair.of(histogram(kind, []), given_[0][1]), Pair.of(*overflowing(kind))
    pairs = [empty, *(Pair.of(*own) for own in given_), huge]
    together = metric.measure(Pairs.of(pairs), alpha=0.05)
    for place, own in enumerate(given_, start=1):
        alone = metric.measure(Pair.of(*own).alone, alpha=0.05)
        for told in ("values", "noise", "errors", "vagueness"):
            mine, ours = getattr(alone, told)[0], getattr(together, told)[place]
            assert ours == (mine if isinstance(mine, Undefined) else close_to(mine))


def close_to(number):
    return pytest.approx(number, rel=1e-9, abs=1e-9)


def overflowing(kind):
    """Rows whose sums and squares are too large for a float; of names just some."""
    if kind == "categorical":
        return histogram(kind, "abc"), histogram(kind, "cde")
    return histogram(kind, [-1.7e308, 1.0, 2.0]), histogram(kind, [1.7e308, 1.0, 1.0])


@pytest.mark.parametrize(("metric", "kind"), EVERY)
@quick
@given(data=st.data())
def test_what_is_told_together_is_what_each_is_asked_for(metric, kind, data):
    pair = Pair.of(
        histogram(kind, data.draw(rows_of(kind))),
        histogram(kind, ["a"] if kind == "categorical" else [1.0, 2.0]),
    )
    told, value = metric.measure(pair.alone, alpha=0.05), metric.compute(pair)
    assert told.values == [value]
    assert told.noise == [metric.null_quantile(pair, alpha=0.05)]
    if not isinstance(value, Undefined):
        assert told.errors == [metric.standard_error(pair, value)]
    assert told.vagueness == [metric.told_vagueness(pair)]
