"""Sums of whole numbers a cell, against Python's own."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.profiles.fixed_sums import FixedSums, add_rests, scaled_rest
from dagster_monitoring.statistics.exact_sum import ExactSum

EDGE = 2**61
"""Units lie from minus this up to this, which is not among them."""

edges = st.sampled_from([0, 1, EDGE, 2 * EDGE, 3 * EDGE, 2**31, 2**62 + 2**61])
near = st.builds(
    lambda edge, sign, off: sign * edge + off, edges, st.sampled_from([1, -1]), st.integers(-2, 2)
)
whole = st.one_of(st.integers(-(2**70), 2**70), near)
cells = st.lists(whole, min_size=3, max_size=3)
exponents = st.sampled_from([-80, -1, 0, 7])


def exact(sums: FixedSums) -> list[Fraction]:
    """What every cell stands for, by the definition of units and rest."""
    unit = Fraction(2) ** sums.exponent
    rest = {i: Fraction(value.units, 2**1074) for i, value in sums.rest.items()}
    return [unit * own + rest.get(i, 0) for i, own in enumerate(sums.units.ravel().tolist())]


def check(sums: FixedSums) -> None:
    """What holds of all of them."""
    units = sums.units.ravel().tolist()
    assert all(-EDGE <= own < EDGE for own in units)
    assert all(abs(own) <= sums.reach for own in units)
    assert all(value.units for value in sums.rest.values())
    assert [*sums.rest] == sorted(sums.rest)


def in_file(sums: FixedSums) -> FixedSums:
    """The same sums as they are when read from a file."""
    return FixedSums.of_units(sums.units, exponent=sums.exponent, rest=sums.rest)


@given(cells, exponents)
def test_whole_numbers_of_any_size_are_kept(values: list[int], exponent: int) -> None:
    sums = FixedSums.of(values, exponent=exponent)
    check(sums)
    assert sums.units.dtype == np.int64
    assert exact(sums) == [value * Fraction(2) ** exponent for value in values]


@given(st.lists(st.integers(-(2**61), 2**61), min_size=3, max_size=3), cells, exponents)
def test_halves_are_put_together(high: list[int], low: list[int], exponent: int) -> None:
    own = [value % 2**33 - 2**32 for value in low]
    sums = FixedSums.of_halves(np.array(high), np.array(own), exponent=exponent)
    check(sums)
    wanted = [h * 2**31 + v for h, v in zip(high, own, strict=True)]
    assert exact(sums) == [value * Fraction(2) ** exponent for value in wanted]


@given(st.lists(st.tuples(cells, st.booleans()), min_size=1, max_size=6), exponents)
def test_sums_are_those_of_python_whatever_is_known_of_their_size(
    parts: list[tuple[list[int], bool]], exponent: int
) -> None:
    made = [(FixedSums.of(values, exponent=exponent), known) for values, known in parts]
    found = reduce(add, [in_file(sums) if known else sums for sums, known in made])
    check(found)
    totals = [sum(column) for column in zip(*(values for values, _ in parts), strict=True)]
    assert exact(found) == [total * Fraction(2) ** exponent for total in totals]
    assert [found.exact(i) for i in range(3)] == [
        ExactSum(total << (exponent + 1074)) for total in totals
    ]


@given(cells, cells, cells)
def test_every_grouping_gives_the_same_parts(a: list[int], b: list[int], c: list[int]) -> None:
    one, two, three = (in_file(FixedSums.of(own, exponent=-3)) for own in (a, b, c))
    left, right = (one + two) + three, one + (three + two)
    assert left.units.tolist() == right.units.tolist()
    assert left.rest == right.rest


def test_how_far_units_reach_is_the_largest_either_way() -> None:
    for units, reach in (([5, -7], 7), ([9, -7], 9), ([3], 3), ([-3], 3), ([0], 0), ([], 0)):
        own = FixedSums.of_units(np.array(units, dtype=np.int64), exponent=0, rest={})
        assert own.reach == reach
    assert FixedSums.zeros(2, exponent=0).reach == 0


def test_no_cell_and_no_sum_are_whole_numbers_too() -> None:
    for none in (FixedSums.of([], exponent=0), FixedSums.zeros(0, exponent=0)):
        assert (none.units.dtype, none.units.shape) == (np.int64, (0,))


def test_what_reaches_nowhere_near_the_edge_is_not_looked_at_again() -> None:
    small = FixedSums.of_units(np.array([5, -7]), exponent=0, rest={})
    assert (small + small).reach == 14
    large = FixedSums.of_units(np.array([2**60, -(2**60)]), exponent=0, rest={})
    found = large + large
    assert found.units.tolist() == [-(2**61), -(2**61)]
    assert found.reach == EDGE
    assert found.rest == {0: ExactSum(2**62 << 1074)}


def test_a_row_and_a_table_keep_what_belongs_to_them() -> None:
    table = FixedSums.of([*range(6)], exponent=2)
    table = FixedSums.of_units(table.units.reshape(2, 3), exponent=2, rest={})
    table = table.plus(scaled_rest({0: 5, 2: 7, 3: 11, 5: 13}, 4))
    assert exact(table.row(0)) == [80, 4, 8 + 112]
    assert exact(table.row(1)) == [12 + 176, 16, 20 + 208]
    assert table.row(0).rest == scaled_rest({0: 5, 2: 7}, 4)
    assert table.row(1).rest == scaled_rest({0: 11, 2: 13}, 4)
    column = FixedSums.of([1, 2, 3], exponent=2).plus(scaled_rest({1: 1}, 4))
    assert exact(column.row(1)) == [8 + 16]
    assert exact(column.row(2)) == [12]
    assert column.table().units.shape == (1, 3)
    assert exact(column.table()) == exact(column)
    assert (table.row(1).reach, column.table().exponent) == (5, 2)


def test_numbers_are_rounded_once() -> None:
    sums = FixedSums.of([3, -(2**61) - 1, 2**70 + 1], exponent=-1)
    assert sums.floats().tolist() == [1.5, -float(2**60), float(2**69)]
    table = FixedSums.of_units(np.array([[1], [2]]), exponent=1, rest=scaled_rest({1: 1}, 60))
    assert table.floats().tolist() == [[2.0], [float(2**60 + 4)]]


def test_other_bins_or_units_do_not_add() -> None:
    one = FixedSums.zeros(2, exponent=0)
    for other in (FixedSums.zeros(3, exponent=0), FixedSums.zeros(2, exponent=1)):
        with pytest.raises(ValueError, match=r"\(2,\) of 2 \*\* 0 and \(\d,\) of 2 \*\* \d"):
            one + other


def test_what_cancels_is_left_out() -> None:
    one = scaled_rest({4: 1, 2: 3, 0: 0}, 3)
    assert [*one] == [4, 2]
    assert one[2] == ExactSum(24 << 1074)
    found = add_rests([one, scaled_rest({4: -1, 1: 2}, 3)])
    assert [*found.items()] == [(1, ExactSum(16 << 1074)), (2, ExactSum(24 << 1074))]
