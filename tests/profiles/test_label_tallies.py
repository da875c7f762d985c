"""What labels were by when they came: exact squares, many names, and names that are one."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from dagster_monitoring.profiles.delays import LabelTally, tally_by_age
from dagster_monitoring.profiles.names import MAX_NAMES, short
from dagster_monitoring.profiles.predictions import Classes, Values

CELLS = np.array([0, 1, 8, 9, 80, 80])


def test_squares_are_those_of_fractions() -> None:
    """Of numbers with as many bits as a float has, whose squares have twice as many."""
    values = np.random.default_rng(1).normal(1e5, 7.0, 6)
    found = tally_by_age(CELLS, Values(values))
    groups = {0: values[:1], 1: values[1:3], 2: values[3:4], 10: values[4:]}
    assert [*found] == [*groups]
    for cell, own in groups.items():
        squares = sum((Fraction(x) ** 2 for x in own.tolist()), Fraction(0))
        assert Fraction(found[cell].squares.units, 1 << 1074) == squares
        assert Fraction(found[cell].total.units, 1 << 1074) == sum(map(Fraction, own.tolist()))
        assert found[cell].n == len(own)


@pytest.mark.parametrize(("value", "n"), [(1e150, 1), (-1e150, 1), (1.0001e150, 0), (np.inf, 0)])
def test_a_number_with_a_square_is_counted(value: float, n: int) -> None:
    found = tally_by_age(np.array([3, 20]), Values(np.array([value, 2.0])))
    assert found.get(1, LabelTally()).n == n
    assert float(found[3].squares) == 4.0


def test_many_names_at_many_ages_are_counted_by_age() -> None:
    source = np.random.default_rng(2)
    names = [f"n{i}" for i in range(40_000)]
    cells, places = source.integers(0, 674, 3_000), source.integers(0, 40_000, 3_000)
    found = tally_by_age(cells, Classes(names, places))
    expected: dict[int, Counter[str]] = {}
    for cell, place in zip(cells.tolist(), places.tolist(), strict=True):
        expected.setdefault((cell + 7) // 8, Counter())[names[place]] += 1
    assert sorted(found) == sorted(expected)
    for cell, own in expected.items():
        assert len(own) < MAX_NAMES
        assert found[cell].classes.counts == dict(sorted(own.items()))


def test_names_that_are_cut_to_one_are_counted_together() -> None:
    """A name's cut form ends in its hash; a name may be spelled like that from the start."""
    long = "x" * 500
    found = tally_by_age(np.array([1, 1, 1]), Classes([long, short(long)], np.array([0, 1, 1])))
    assert found[1].classes.counts == {short(long): 3}
    nothing = tally_by_age(np.array([1, 2]), Classes([], np.array([-1, -1])))
    assert nothing == {}
