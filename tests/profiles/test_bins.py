from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles.bins import (
    SEGMENT_BINS,
    BinSet,
    CategoricalBins,
    NumericBins,
    build_numeric_bins,
    equal_width_edges,
)
from dagster_monitoring.profiles.sample import SamplePlan

numbers = st.lists(
    st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1.0, 7.5]), min_size=1, max_size=300
)


@settings(max_examples=60, deadline=None)
@given(values=numbers, max_bins=st.integers(2, 64))
def test_no_bin_holds_more_than_its_share_beside_its_left_edge(
    values: list[float], max_bins: int
) -> None:
    bins = build_numeric_bins(values, max_bins=max_bins)
    given = np.array(values)
    place = np.searchsorted(bins.edges, given, side="right")
    inside = given != np.append(-np.inf, bins.edges)[place]
    counts = np.bincount(place[inside], minlength=len(bins.edges) + 1)
    assert counts.max() <= len(values) / max_bins


@settings(max_examples=60, deadline=None)
@given(values=numbers, max_bins=st.integers(2, 64))
def test_a_value_more_frequent_than_a_bin_has_its_own(values: list[float], max_bins: int) -> None:
    bins = build_numeric_bins(values, max_bins=max_bins)
    for value, count in zip(*np.unique(values, return_counts=True), strict=True):
        if count >= len(values) / max_bins:
            assert value in bins.edges
            assert np.nextafter(value, np.inf) in bins.edges


@settings(max_examples=60, deadline=None)
@given(values=numbers, extra=st.lists(st.floats(-1e9, 1e9), max_size=20))
def test_deciles_and_wanted_edges_are_edges_exactly(
    values: list[float], extra: list[float]
) -> None:
    bins = build_numeric_bins(values, max_bins=8, extra_edges=extra)
    deciles = np.unique(np.quantile(values, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]))
    assert bins.deciles == pytest.approx(deciles, rel=1e-12, abs=1e-300)
    assert np.isin(bins.deciles, bins.edges).all()
    assert np.isin(extra, bins.edges).all()
    assert (np.diff(bins.edges) > 0).all()
    assert np.isin(bins.segment_edges, bins.edges).all()
    assert len(bins.segment_edges) < SEGMENT_BINS


def test_a_kolmogorov_smirnov_distance_is_within_the_promise() -> None:
    from scipy import stats

    generator = np.random.default_rng(5)
    training = generator.lognormal(size=30_000)
    bins = build_numeric_bins(training)
    for shift in (0.0, 0.01, 0.3):
        day = generator.lognormal(size=700) + shift
        f, g = (
            np.cumsum(np.bincount(np.searchsorted(bins.edges, x, "right"), minlength=9_999))
            / len(x)
            for x in (training, day)
        )
        exact = stats.ks_2samp(training, day, method="asymp").statistic
        assert np.abs(f - g).max() == pytest.approx(exact, abs=1 / 2048)


def test_few_distinct_values_have_a_bin_each() -> None:
    bins = build_numeric_bins([3.0, 1.0, 3.0, 2.0])
    assert bins.exact
    place = np.searchsorted(bins.edges, [1.0, 1.5, 2.0, 2.5, 3.0], side="right")
    assert len(set(place.tolist())) == 5


def test_a_constant_column_has_a_bin_for_its_constant() -> None:
    bins = build_numeric_bins([4.0] * 50, extra_edges=equal_width_edges(4.0, 4.0, 30))
    assert bins.edges.tolist() == [4.0, np.nextafter(4.0, 5.0)]
    assert bins.deciles.tolist() == [4.0]
    assert bins.std == 0.0
    assert bins.centre == 4.0


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, -np.inf, np.nan]])
def test_without_a_finite_value_there_is_one_bin_and_no_range(values: list[float]) -> None:
    bins = build_numeric_bins(values)
    assert bins.edges.tolist() == bins.segment_edges.tolist() == bins.deciles.tolist() == []
    assert (bins.centre, bins.exact) == (0.0, True)
    wanted = [float(edge) for edge in range(70)]
    asked = build_numeric_bins(values, extra_edges=[*wanted, np.inf])
    assert asked.edges.tolist() == wanted
    assert asked.segment_edges.tolist() == wanted[: SEGMENT_BINS - 1]
    assert bins.minimum is None
    assert bins.maximum is None
    assert bins.std is None


def test_infinities_and_numbers_too_large_to_square_shape_no_bin() -> None:
    plain = build_numeric_bins([1.0, 2.0, 3.0])
    spoilt = build_numeric_bins([1.0, np.inf, 2.0, -1.7e308, np.nan, 3.0])
    assert plain.key == spoilt.key


def test_bins_within_the_range_are_narrow() -> None:
    values = np.concatenate((np.random.default_rng(0).normal(size=5_000), [400.0]))
    bins = build_numeric_bins(values)
    inside = bins.edges[(bins.edges >= bins.minimum) & (bins.edges <= bins.maximum)]
    assert np.diff(inside).max() <= (values.max() - values.min()) / 256 * (1 + 1e-9)


def test_a_key_tells_bins_apart() -> None:
    first = BinSet(columns={"a": build_numeric_bins([1.0, 2.0])}, segments={"c": ("x",)})
    same = BinSet(columns={"a": build_numeric_bins([2.0, 1.0])}, segments={"c": ("x",)})
    assert first.key == same.key
    for other in (
        BinSet(columns={"a": build_numeric_bins([1.0, 2.5])}, segments={"c": ("x",)}),
        BinSet(columns={"b": build_numeric_bins([1.0, 2.0])}, segments={"c": ("x",)}),
        BinSet(columns={"a": build_numeric_bins([1.0, 2.0])}, segments={"c": ("y",)}),
    ):
        assert other.key != first.key


def test_names_that_run_together_have_different_keys() -> None:
    assert (
        CategoricalBins(vocabulary=("ab", "c")).key != CategoricalBins(vocabulary=("a", "bc")).key
    )


def test_bins_keep_the_key_that_stored_profiles_name_them_by() -> None:
    """Another way of hashing would make all that is stored useless."""
    numbers = NumericBins(
        edges=np.array([1.0, 2.0, 2.5]),
        segment_edges=np.array([1.0, 2.0]),
        deciles=np.array([2.0]),
        centre=2.0,
        minimum=1.0,
        maximum=5.0,
        std=1.5,
        exact=True,
        exponent=-35,
        doane=None,
    )
    names = CategoricalBins(vocabulary=("Oslo", "naïve", "\ud800"))
    assert numbers.key == "2fb7411391db5bd0300345e195d6b701"
    assert names.key == "f37954a5f17140cefa511fcc274ca7d4"
    sample = SamplePlan(columns=("size", "\ud800"), size=9)
    both = BinSet(columns={"size": numbers, "city": names}, sample=sample)
    assert both.key == "d0907f4bcf6e700bcbcda085edb82b39"
