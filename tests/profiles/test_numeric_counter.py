"""A counter's integers, held to whole numbers of Python that nothing rounds or overflows."""

from __future__ import annotations

from fractions import Fraction
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.bins import LARGEST, SQUARE_BITS, NumericBins, build_numeric_bins
from dagster_monitoring.profiles.engines import compiled, local
from dagster_monitoring.profiles.engines.cubes import Cube, SegmentRows
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.loops import PIECE
from dagster_monitoring.profiles.engines.numeric import NumericCounter
from dagster_monitoring.profiles.fixed_sums import FixedSums
from dagster_monitoring.profiles.reading import Numbers

Floats = npt.NDArray[np.float64]

KERNELS = [pytest.param(local, id="numpy"), pytest.param(compiled, id="compiled")]
SIZES = (2, 3)
BINS = build_numeric_bins(np.random.default_rng(1).normal(5.0, 2.0, 5_000))
FAR = 2.0 ** (BINS.exponent + 46)


def _units(x: float, bins: NumericBins) -> tuple[int, Fraction, Fraction]:
    """The tier of a value, its offset and its square as they are to be counted."""
    offset, level = x - bins.centre, 0
    while abs(offset) >= 2.0 ** (bins.exponent + 46 + 10 * level):
        level += 1
    exponent = bins.exponent + 10 * level
    units = round(offset * 2.0**-exponent)
    square = round(float(units) * float(units) * 2.0**-SQUARE_BITS)
    return level, units * Fraction(2) ** exponent, square * Fraction(2) ** (2 * exponent + 37)


def _exact(sums: FixedSums) -> list[Fraction]:
    return [Fraction(sums.exact(i).units, 1 << 1074) for i in range(sums.units.size)]


def _counted(
    loops: ModuleType, values: Floats, places: list[npt.NDArray[np.intp]], *, most: int, times: int
) -> NumericCounter:
    counter = NumericCounter(BINS, Cube.within(SIZES, most=most), Workspace(PIECE))
    for _ in range(times):
        counter.add(Numbers(pa.array(values)), SegmentRows(places, SIZES), loops)
    return counter


def _rows(scale: float, n: int) -> tuple[Floats, list[npt.NDArray[np.intp]]]:
    generator = np.random.default_rng(2)
    values = 5.0 + scale * generator.standard_normal(n)
    return values, [generator.integers(0, size, n) for size in SIZES]


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("scale", [1e-9, 2.0, 3e2, 1e4, 1e8, 1e30])
@pytest.mark.parametrize("most", [0, 6])
def test_sums_are_those_of_whole_numbers(loops: ModuleType, scale: float, most: int) -> None:
    values, places = _rows(scale, 400)
    counter = _counted(loops, values, places, most=most, times=3)
    column, blocks = counter.column(), counter.blocks()
    found = [_units(x, BINS) for x in values.tolist()]
    bins = np.searchsorted(BINS.edges, values, side="right")
    assert column.counts.tolist() == (3 * np.bincount(bins, minlength=len(BINS.edges) + 1)).tolist()
    sums = [Fraction(0)] * (len(BINS.edges) + 1)
    for place, (_, offset, _) in zip(bins.tolist(), found, strict=True):
        sums[place] += 3 * offset
    assert (column.minimum, column.maximum) == (values.min(), values.max())
    assert _exact(column.sums) == sums
    assert _exact(column.sum_squares) == [3 * sum(square for _, _, square in found)]
    coarse = np.searchsorted(BINS.segment_edges, values, side="right")
    for block, place, size in zip(blocks, places, SIZES, strict=True):
        width = len(BINS.segment_edges) + 1
        by_bin, by_segment = [Fraction(0)] * (size * width), [Fraction(0)] * size
        counts = np.zeros((size, width), dtype=np.int64)
        np.add.at(counts, (place, coarse), 3)
        for segment, own, (_, offset, square) in zip(
            place.tolist(), coarse.tolist(), found, strict=True
        ):
            by_bin[segment * width + own] += 3 * offset
            by_segment[segment] += 3 * square
        assert block.counts.tolist() == counts.tolist()
        assert _exact(block.sums) == by_bin
        assert _exact(block.sum_squares) == by_segment
        assert not block.faults.any()


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("values", [[-0.0], [0.0, -0.0], [-0.0, 0.0]])
def test_an_end_of_0_has_no_sign(loops: ModuleType, values: list[float]) -> None:
    """Which zero comes first is a matter of order."""
    places = [np.zeros(len(values), dtype=np.intp)] * len(SIZES)
    column = _counted(loops, np.array(values), places, most=6, times=2).column()
    assert [str(column.minimum), str(column.maximum)] == ["0.0", "0.0"]


@pytest.mark.parametrize("loops", KERNELS)
def test_the_ends_are_those_of_all_batches(loops: ModuleType) -> None:
    counter = NumericCounter(BINS, Cube.within((), most=6), Workspace(PIECE))
    for values, ends in (
        ([np.nan, None, np.inf], (None, None)),
        ([2.0, 9.0], (2.0, 9.0)),
        ([4.0, 5.0], (2.0, 9.0)),
        ([0.0, 3.0], (0.0, 9.0)),
        ([8.0, 12.0], (0.0, 12.0)),
        ([np.nan, None, np.inf], (0.0, 12.0)),
    ):
        counter.add(Numbers(pa.array(values)), SegmentRows([], ()), loops)
        assert (counter.column().minimum, counter.column().maximum) == ends


@pytest.mark.parametrize("loops", KERNELS)
def test_a_long_batch_of_huge_numbers_is_counted_whole(loops: ModuleType) -> None:
    bins = build_numeric_bins(1e138 * np.random.default_rng(1).standard_normal(500))
    values = np.linspace(-1e139, 1e139, PIECE + 3)
    places = [np.arange(PIECE + 3) % size for size in SIZES]
    counter = NumericCounter(bins, Cube.within(SIZES, most=6), Workspace(PIECE + 3))
    counter.add(Numbers(pa.array(values)), SegmentRows(places, SIZES), loops)
    expected = np.histogram(values, [-np.inf, *bins.edges, np.inf])[0]
    assert counter.column().counts.tolist() == expected.tolist()
    for block, place, size in zip(counter.blocks(), places, SIZES, strict=True):
        assert block.counts.sum(axis=1).tolist() == np.bincount(place, minlength=size).tolist()


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("times", [1, 40])
def test_a_number_on_an_edge_is_in_the_bin_above(loops: ModuleType, times: int) -> None:
    """A few are bisected, many looked up."""
    edges = np.concatenate([BINS.edges, BINS.segment_edges])
    places = [np.zeros(len(edges), dtype=np.intp)] * len(SIZES)
    counter = _counted(loops, edges, places, most=6, times=times)
    bins = np.searchsorted(BINS.edges, edges, side="right")
    expected = times * np.bincount(bins, minlength=len(BINS.edges) + 1)
    assert counter.column().counts.tolist() == expected.tolist()
    coarse = np.searchsorted(BINS.segment_edges, edges, side="right")
    for block in counter.blocks():
        assert block.counts[0].tolist() == (times * np.bincount(coarse)).tolist()
        assert not block.counts[1:].any()


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("mean", [5.0, -5.0])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_number_as_far_as_the_reach_is_counted_in_coarser_units(
    loops: ModuleType, mean: float, side: float
) -> None:
    bins = build_numeric_bins(np.random.default_rng(1).normal(mean, 2.0, 5_000))
    far = side * 2.0 ** (bins.exponent + 46)
    at, below = bins.centre + far, float(np.nextafter(bins.centre + far, 0.0))
    assert at - bins.centre == far
    assert abs(below - bins.centre) < abs(far)
    for x, n_coarse in ((at, 1), (below, 0)):
        counter = NumericCounter(bins, Cube.within((), most=6), Workspace(PIECE))
        counter.add(Numbers(pa.array([x])), SegmentRows([], ()), loops)
        assert len(counter.column().sums.rest) == n_coarse
        assert sum(_exact(counter.column().sums)) == _units(x, bins)[1]


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("size", [1e-130, 1e-9, 1e9, 1e130, 1e138])
def test_sums_are_in_units_of_the_baselines_size(loops: ModuleType, size: float) -> None:
    """Of the largest, what counts as infinite lies nearer than what is far."""
    bins = build_numeric_bins(size * np.random.default_rng(1).standard_normal(5_000))
    odd = [LARGEST, -LARGEST, 2 * LARGEST, -2 * LARGEST, np.inf, np.nan]
    values = [bins.centre, *(size * np.random.default_rng(2).standard_t(0.5, 50)).tolist(), *odd]
    own = [x for x in values if abs(x) <= LARGEST]
    for given in (values, own):
        counter = NumericCounter(bins, Cube.within((), most=6), Workspace(PIECE))
        counter.add(Numbers(pa.array(given)), SegmentRows([], ()), loops)
        column = counter.column()
        assert (column.minimum, column.maximum, column.n) == (-LARGEST, LARGEST, len(own))
        assert column.n_nan + column.n_nonfinite == len(given) - len(own)
        found = [_units(x, bins) for x in own]
        assert sum(_exact(column.sums)) == sum(offset for _, offset, _ in found)
        assert _exact(column.sum_squares) == [sum(square for _, _, square in found)]


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize(
    ("mean", "share"),
    [
        *((5.0, share) for share in (-(2.0**-2.1), 2.0**-3, 2.0**-2.1, 0.999, 2.0**9.9)),
        *((-1e6, share) for share in (2.0**-2.1, 0.999)),
    ],
)
def test_many_large_values_do_not_overflow(loops: ModuleType, mean: float, share: float) -> None:
    """20 pieces of 32,768 values that are each about ``2 ** 43`` to ``2 ** 46`` units away."""
    bins = build_numeric_bins(np.random.default_rng(1).normal(mean, 2.0, 5_000))
    x = bins.centre + share * 2.0 ** (bins.exponent + 46)
    places = [np.zeros(PIECE, dtype=np.intp), np.ones(PIECE, dtype=np.intp)]
    counter = NumericCounter(bins, Cube.within(SIZES, most=6), Workspace(PIECE))
    for _ in range(20):
        counter.add(Numbers(pa.array(np.full(PIECE, x))), SegmentRows(places, SIZES), loops)
    _, offset, square = _units(x, bins)
    total, width = 20 * PIECE, len(bins.segment_edges) + 1
    at, coarse = (-1, width - 1) if share > 0 else (0, 0)
    assert _exact(counter.column().sums)[at] == total * offset
    assert _exact(counter.column().sum_squares) == [total * square]
    first, second = counter.blocks()
    assert _exact(first.sums)[coarse] == total * offset
    assert _exact(second.sum_squares) == [0, total * square, 0]


@pytest.mark.parametrize("loops", KERNELS)
def test_squares_of_a_segment_do_not_overflow_where_those_of_its_cells_do_not(
    loops: ModuleType,
) -> None:
    """Three cells of ``2 ** 62`` each."""
    x, cube = BINS.centre + FAR / 2**4, Cube.within(SIZES, most=6)
    places = [np.zeros(3 * PIECE, dtype=np.intp), np.repeat(np.arange(3), PIECE)]
    counter, rows = NumericCounter(BINS, cube, Workspace(PIECE)), SegmentRows(places, SIZES)
    for piece in np.split(np.arange(3 * PIECE), 3):
        counter.add(Numbers(pa.array(np.full(PIECE, x))), rows.take(piece, cube), loops)
    _, _, square = _units(x, BINS)
    first, second = counter.blocks()
    assert _exact(first.sum_squares) == [3 * PIECE * square, 0]
    assert _exact(second.sum_squares) == [PIECE * square] * 3


@pytest.mark.parametrize("loops", KERNELS)
def test_what_is_no_number_is_counted_by_its_kind(loops: ModuleType) -> None:
    odd = [None, None, np.nan, np.nan, np.nan, np.inf, 1e300, -np.inf]
    numbers = [5.0, 1e9, -1e200, 6.0, -1e30]
    places = [np.array([i % size for i in range(13)]) for size in SIZES]
    counter = NumericCounter(BINS, Cube.within(SIZES, most=6), Workspace(PIECE))
    counter.add(Numbers(pa.array([*odd, *numbers])), SegmentRows(places, SIZES), loops)
    counter.add_wrong(np.array([True, False] * 6 + [False]), SegmentRows(places, SIZES))
    column = counter.column()
    kinds = (column.n_null, column.n_nan, column.n_positive_infinite, column.n_negative_infinite)
    assert kinds == (2 + 6, 3, 2, 2)
    assert column.n_type_fault == 7
    assert {*map(type, (*kinds, column.n_type_fault))} == {int}
    assert (column.counts.sum(), column.minimum, column.maximum) == (4, -1e30, 1e9)
    faults = ["null", "null", "nan", "nan", "nan", "positive", "positive", "negative"]
    kind_of = {"null": 0, "nan": 1, "positive": 2, "negative": 3}
    for block, size in zip(counter.blocks(), SIZES, strict=True):
        expected = np.zeros((size, 5), dtype=np.int64)
        for i, name in enumerate(faults):
            expected[i % size, kind_of[name]] += 1
        expected[10 % size, 3] += 1
        for i in range(13):
            expected[i % size, 0 if i % 2 == 0 and i < 12 else 4] += 1
        assert block.faults.dtype == np.int64
        assert block.faults.tolist() == expected.tolist()
