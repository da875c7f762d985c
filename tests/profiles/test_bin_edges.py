"""Where bins of numbers end, and their unit, by plain Python written from the definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dagster_monitoring.profiles.bins import (
    LARGEST,
    SEGMENT_BINS,
    UNIT_BITS,
    _group,
    _segment_edges,
    _split_wide,
    build_numeric_bins,
)

RNG = np.random.default_rng(3)
SHAPES = {
    "normal": RNG.normal(50.0, 7.0, 999),
    "small": RNG.normal(0.3, 1e-5, 1_000),
    "far ends": np.concatenate((RNG.normal(100.0, 30.0, 4_990), [-1e9] * 3, [1e12] * 4)),
    "three at each end of many": np.concatenate((RNG.uniform(size=3_000), [-50.0] * 3, [70.0] * 4)),
    "hardly any but one": np.array([5.0] * 5_000 + [90.5]),
    "away by a power of two": np.array([4.0, 8.0, 4.0, 8.0, 8.0, 4.0, 6.0, 2.0, 10.0]),
    "constant": np.array([7.0] * 3),
    "constant power of two": np.array([-8.0] * 3),
    "zero": np.array([0.0] * 5),
    "tiny": np.array([0.0, 1e-200, 2e-200]),
    "huge": np.array([-LARGEST, 0.0, LARGEST]),
}


def usual_distance(values: list[float]) -> float:
    ordered, n = sorted(values), len(values)
    centre, cut = ordered[n // 2], n // 1000
    low, high = ordered[cut], ordered[n - 1 - cut]
    away = [min(max(value, low), high) - centre for value in ordered]
    rms = math.hypot(*away) / math.sqrt(n)
    return rms or max(abs(value - centre) for value in ordered) or abs(centre) or 1.0


@pytest.mark.parametrize("values", SHAPES.values(), ids=SHAPES)
def test_the_unit_is_of_how_far_values_usually_are_from_the_centre(values: np.ndarray) -> None:
    bins = build_numeric_bins(values)
    power = min(max(math.ceil(math.log2(usual_distance(values.tolist()))), -400), 465)
    assert bins.exponent == power - UNIT_BITS
    assert bins.centre == sorted(values.tolist())[len(values) // 2]


def test_a_distance_that_is_a_power_of_two_is_not_rounded_up() -> None:
    for values in ([0.0, 4.0, 8.0, 4.0], [-4.0, 4.0, 0.0, 0.0], [1.0, 1.0, 1.0, 5.0]):
        bins = build_numeric_bins(values)
        away = math.hypot(*(value - bins.centre for value in values)) / 2
        assert 2.0 ** (bins.exponent + UNIT_BITS) / 2 < away <= 2.0 ** (bins.exponent + UNIT_BITS)
    assert build_numeric_bins([-4.0, 4.0, 4.0, -4.0]).exponent == 3 - UNIT_BITS
    assert build_numeric_bins([1.0, 1.0, 1.0, 5.0]).exponent == 1 - UNIT_BITS


@pytest.mark.parametrize("name", ["normal", "small", "far ends", "away by a power of two"])
def test_edges_beyond_the_range_are_standard_deviations_away(name: str) -> None:
    values = SHAPES[name]
    bins = build_numeric_bins(values)
    mean = math.fsum(values) / len(values)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    low, high = min(values), max(values)
    assert (bins.minimum, bins.maximum) == (low, high)
    assert bins.std == pytest.approx(std, rel=1e-9)
    steps = np.array([1, 2, 4, 8, 16, 32]) * std
    assert bins.edges[bins.edges < low] == pytest.approx((low - steps)[::-1], rel=1e-9)
    above = bins.edges[bins.edges > np.nextafter(high, np.inf)]
    assert above == pytest.approx(high + steps, rel=1e-9)


def test_a_constant_does_not_vary_though_its_mean_is_rounded() -> None:
    assert np.std([0.1] * 3) > 0
    bins = build_numeric_bins([0.1] * 3)
    assert bins.std == 0.0
    assert bins.edges.tolist() == [0.1, np.nextafter(0.1, 1)]


@pytest.mark.parametrize("most", [1.0, 4.0, 4.5, 20.0])
def test_bins_are_filled_from_the_left(most: float) -> None:
    distinct = np.sort(RNG.normal(size=60))
    for highest in (2, 6):
        counts = RNG.integers(1, highest, 60)
        starts, filled = [], math.inf
        for value, count in zip(distinct.tolist(), counts.tolist(), strict=True):
            if filled + count > most:
                starts.append(value)
                filled = 0
            filled += count
        alone = [*distinct[counts >= most].tolist()]
        ends = [math.nextafter(value, math.inf) for value in (*alone, float(distinct[-1]))]
        assert _group(distinct, counts, most).tolist() == sorted({*starts, *alone, *ends})


def test_wide_bins_are_divided_into_as_few_as_may_be() -> None:
    edges = [0.0, 1.0, 3.5, 256.0]
    expected = [1 + 2.5 * i / 3 for i in (1, 2)] + [3.5 + 252.5 * i / 253 for i in range(1, 253)]
    assert _split_wide(np.array(edges)) == pytest.approx(expected)
    assert _split_wide(np.array(edges) / 1024) == pytest.approx(np.array(expected) / 1024)
    assert _split_wide(np.arange(257.0)).tolist() == []
    assert _split_wide(np.array([3.0])).tolist() == []


def test_segments_have_all_edges_if_they_may_and_else_even_ones() -> None:
    few = np.arange(float(SEGMENT_BINS - 1))
    assert _segment_edges(few, few[:2], few[:1]).tolist() == few.tolist()
    many = np.arange(1_000.0)
    found = _segment_edges(many, many, np.zeros(0))
    assert (len(found), found[0], found[-1]) == (SEGMENT_BINS - 1, 0.0, 999.0)
    assert set(np.diff(found).tolist()) == {16.0, 17.0}
    assert _segment_edges(many, many, many).tolist() == few.tolist()
    assert set(many[5:9]) <= set(_segment_edges(many, many, many[5:9]))


def test_every_value_has_a_bin_of_its_own_up_to_half_as_many_as_bins() -> None:
    values = [1.0, *[2.0] * 998, 3.0]
    bins = build_numeric_bins(values, max_bins=6)
    assert bins.exact
    for value in (1.0, 2.0, 3.0):
        assert {value, np.nextafter(value, np.inf)} <= set(bins.edges)
    assert not build_numeric_bins(values, max_bins=5).exact


def test_the_largest_numbers_are_values_and_edges() -> None:
    bins = build_numeric_bins([-LARGEST, 1.0, LARGEST, 2 * LARGEST])
    assert (bins.minimum, bins.maximum) == (-LARGEST, LARGEST)
    asked = build_numeric_bins([1.0, 2.0], extra_edges=[-LARGEST, LARGEST, 2 * LARGEST])
    assert (asked.edges[0], asked.edges[-1]) == (-LARGEST, LARGEST)
