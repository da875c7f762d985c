"""Either kernel's loops over codes and cells, against what they say, row by row."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.bins import build_numeric_bins
from dagster_monitoring.profiles.engines import compiled, local
from dagster_monitoring.profiles.engines.cubes import Cube, SegmentRows
from dagster_monitoring.profiles.engines.lookup import Workspace
from dagster_monitoring.profiles.engines.numeric import NumericCounter
from dagster_monitoring.profiles.reading import Numbers

KERNELS = [pytest.param(local, id="numpy"), pytest.param(compiled, id="compiled")]


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.int64(), pa.uint16()])
@pytest.mark.parametrize("start", [0, 3, 8, 11, 17])
def test_codes_become_places_and_nulls_the_last(
    loops: ModuleType, kind: pa.DataType, start: int
) -> None:
    given = [0, 2, None, 1, 2, 2, 0, None, None, 1, 0, 2, 2, None, 1, 1, 0, None]
    mapping = np.array([7, 4, 5, 9], dtype=np.int64)
    by_code = np.array([10, 20, 30, 40], dtype=np.int64)
    codes = pa.array(given, kind).slice(start)
    place = loops.place_codes(codes, mapping, by_code)
    own = given[start:]
    assert place.tolist() == [9 if code is None else int(mapping[code]) for code in own]
    expected = [before + own.count(i) for i, before in enumerate((10, 20, 30))]
    assert by_code.tolist() == [*expected, 40 + own.count(None)]


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize("size", [15, 16, 17, 400])
def test_few_codes_of_a_large_dictionary_are_counted_all_the_same(
    loops: ModuleType, size: int
) -> None:
    """NumPy counts them in another way where codes are an eighth of the dictionary or fewer."""
    mapping, by_code = np.arange(size)[::-1].astype(np.int64), np.ones(size, dtype=np.int64)
    place = loops.place_codes(pa.array([13, 13], pa.int32()), mapping, by_code)
    assert place.tolist() == [size - 14] * 2
    assert (by_code[13], by_code.sum()) == (3, size + 2)


@pytest.mark.parametrize("loops", KERNELS)
def test_no_codes_have_no_places(loops: ModuleType) -> None:
    by_code = np.zeros(2, dtype=np.int64)
    for codes in (pa.array([], pa.int32()), pa.nulls(3, pa.int32()).slice(3)):
        found = loops.place_codes(codes, np.array([0, 1], dtype=np.int64), by_code)
        assert (found.tolist(), by_code.tolist()) == ([], [0, 0])


@pytest.mark.parametrize("loops", KERNELS)
def test_memory_that_can_t_be_written_to_is_read(loops: ModuleType) -> None:
    """As that of a file which is mapped into memory."""
    values, codes = np.array([1.0, 2.0, np.nan]), np.array([1, 0, 1], dtype=np.int32)
    valid = pa.py_buffer(b"\x05")
    numbers, given = (
        pa.Array.from_buffers(kind, 3, [valid, pa.py_buffer(array.tobytes())])
        for kind, array in ((pa.float64(), values), (pa.int32(), codes))
    )
    by_code = np.zeros(3, dtype=np.int64)
    place = loops.place_codes(given, np.array([5, 6, 7], dtype=np.int64), by_code)
    assert (place.tolist(), by_code.tolist()) == ([6, 7, 6], [0, 2, 1])
    counter = NumericCounter(build_numeric_bins(values), Cube.within((), most=1), Workspace(3))
    counter.add(Numbers(numbers), SegmentRows([], ()), loops)
    column = counter.column()
    assert (column.n, column.n_null, column.n_nan, column.maximum) == (1, 1, 1, 1.0)


@pytest.mark.parametrize("loops", KERNELS)
def test_values_are_taken_by_place(loops: ModuleType) -> None:
    found = loops.take(np.array([3, 1, 2]), np.array([2, 0, 0, 1], dtype=np.int32))
    assert found.tolist() == [2, 3, 3, 1]


@pytest.mark.parametrize("loops", KERNELS)
@pytest.mark.parametrize(("sizes", "most"), [((), 6), ((2,), 6), ((2, 3), 6), ((2, 3, 4), 6)])
def test_rows_are_counted_by_cell_and_coarse_place(
    loops: ModuleType, sizes: tuple[int, ...], most: int
) -> None:
    source = np.random.default_rng(3)
    cube = Cube.within(sizes, most=most)
    places = [source.integers(0, size, 50) for size in sizes]
    own, coarse = source.integers(0, 5, 50), np.array([0, 0, 2, 1, 2])
    table = np.full((cube.cells, 3), 100, dtype=np.int64)
    for _ in range(2):
        loops.count_cells(own.astype(np.int32), coarse, SegmentRows(places, sizes), cube, table)
    for size, place, found in zip(sizes, places, cube.by_column(table - 100), strict=True):
        expected = np.zeros((size, 3), dtype=np.int64)
        np.add.at(expected, (place, coarse[own]), 2)
        assert found.tolist() == expected.tolist()
