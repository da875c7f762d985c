"""Segment columns counted together give the same as each counted alone."""

from __future__ import annotations

import numpy as np
import pytest

from dagster_monitoring.profiles.engines.cubes import Cube, SegmentRows

SIZES = (4, 6, 9)


def _rows(n: int = 500) -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    return [generator.integers(0, size, n) for size in SIZES]


@pytest.mark.parametrize(
    ("most", "groups"),
    [
        (0, ((0,), (1,), (2,))),
        (23, ((0,), (1,), (2,))),
        (24, ((0, 1), (2,))),
        (215, ((0, 1), (2,))),
        (216, ((0, 1, 2),)),
    ],
)
def test_a_group_has_as_many_columns_as_its_cells_allow(
    most: int, groups: tuple[tuple[int, ...], ...]
) -> None:
    assert Cube.within(SIZES, most=most).groups == groups


def test_small_columns_come_together_first_and_in_their_order() -> None:
    assert Cube.within((9, 4, 6), most=24).groups == ((1, 2), (0,))
    assert Cube.within((9, 9, 2), most=18).groups == ((0, 2), (1,))
    assert Cube.within((6, 4), most=24).groups == ((0, 1),)


def test_no_segment_columns_have_no_cells() -> None:
    cube = Cube.within((), most=10)
    assert (cube.groups, cube.cells, cube.starts) == ((), 0, ())
    cells = SegmentRows([], []).cells(cube)
    assert cells.shape == (0, 0)
    assert np.bincount(cells.ravel()).tolist() == []


def test_cells_are_as_narrow_as_the_first_column() -> None:
    places = _rows()
    mixed = SegmentRows([places[0].astype(np.int32), *places[1:]], SIZES)
    for most in (0, 24, 216):
        cube = Cube.within(SIZES, most=most)
        assert mixed.cells(cube).dtype == np.int32
        assert (mixed.cells(cube) == SegmentRows(places, SIZES).cells(cube)).all()


@pytest.mark.parametrize("most", [0, 24, 54, 216])
def test_counts_by_cell_add_up_to_counts_by_segment(most: int) -> None:
    cube, places = Cube.within(SIZES, most=most), _rows()
    rows = SegmentRows(places, SIZES)
    table = np.zeros((cube.cells, 2), dtype=np.int64)
    for cells in rows.cells(cube):
        np.add.at(table, (cells, np.arange(len(cells)) % 2), 1)
    found = cube.by_column(table)
    assert len(found) == len(SIZES)
    for own, place, size in zip(found, places, SIZES, strict=True):
        expected = np.zeros((size, 2), dtype=np.int64)
        np.add.at(expected, (place, np.arange(len(place)) % 2), 1)
        assert own.tolist() == expected.tolist()


def test_each_group_has_cells_of_its_own() -> None:
    cube, rows = Cube.within(SIZES, most=24), SegmentRows(_rows(), SIZES)
    first, second = rows.cells(cube)
    assert (cube.cells, cube.starts) == (33, (0, 24))
    assert (first.min(), first.max(), second.min(), second.max()) == (0, 23, 24, 32)


def test_firsts_are_kept_by_cube_and_width() -> None:
    cube, other = Cube.within(SIZES, most=24), Cube.within(SIZES, most=0)
    rows = SegmentRows(_rows(), SIZES)
    for width in (3, 7):
        for one in (cube, other):
            assert (rows.firsts(one, width) == rows.cells(one) * width).all()
    assert rows.cells(cube) is rows.cells(cube)
    assert rows.firsts(cube, 3) is rows.firsts(cube, 3)


def test_some_rows_keep_their_cells() -> None:
    cube, rows, some = Cube.within(SIZES, most=24), SegmentRows(_rows(), SIZES), [7, 3, 3]
    taken = rows.take(np.array(some), cube)
    assert taken.cells(cube).tolist() == rows.cells(cube)[:, some].tolist()
    assert taken.sizes == rows.sizes == SIZES
