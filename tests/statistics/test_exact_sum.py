from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.statistics.exact_sum import ExactSum

numbers = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40)


@given(numbers)
def test_is_the_sum_of_fractions(values: list[float]) -> None:
    exact = sum(map(Fraction, values), Fraction(0))
    assert Fraction(ExactSum.of(values).units, 1 << 1074) == exact


@given(numbers)
def test_rounds_once(values: list[float]) -> None:
    try:
        expected = math.fsum(values)
    except OverflowError:
        return  # fsum gives up on intermediate sums that are too large
    assert float(ExactSum.of(values)) == expected


@given(numbers, st.randoms(use_true_random=False), st.integers(0, 40))
def test_order_and_split_leave_no_trace(values: list[float], random, at: int) -> None:
    shuffled = random.sample(values, len(values))
    assert ExactSum.of(shuffled[:at]) + ExactSum.of(shuffled[at:]) == ExactSum.of(values)


@given(numbers)
def test_text_keeps_every_bit(values: list[float]) -> None:
    total = ExactSum.of(values)
    assert ExactSum.parse(str(total)) == total


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0p0"), (5e-324, "1p0"), (-3.0, "-3p1074"), (6.0, "3p1075"), (0.15625, "5p1069")],
)
def test_text_is_an_odd_mantissa_and_its_shift(value: float, text: str) -> None:
    assert str(ExactSum.of([value])) == text
    assert float(ExactSum.parse(text)) == value


@pytest.mark.parametrize("text", ["", "5", "p3", "1p", "1p2p3", "1p-1", "xp1"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|negative shift"):
        ExactSum.parse(text)


@pytest.mark.parametrize("power", [0, 1, 25, 26, 27, 51, 52, 53, 54, 1074, 2097])
def test_powers_of_two_are_one_bit(power: int) -> None:
    """From the smallest subnormal number over the smallest normal one, at 52, to the largest."""
    value = math.ldexp(1.0, power - 1074)
    assert ExactSum.of([value]).units == 1 << power
    assert ExactSum.of([-value]).units == -(1 << power)


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(0, 9)), max_size=12))
def test_numbers_that_come_many_times_are_added_as_often(pairs: list[tuple[float, int]]) -> None:
    one_by_one = [value for value, times in pairs for _ in range(times)]
    values, times = [value for value, _ in pairs], [times for _, times in pairs]
    assert ExactSum.weighted(values, times) == ExactSum.of(one_by_one)


def test_each_digit_of_a_count_counts() -> None:
    values, times = [0.1, 3.0, 7.0], [5, 2**40 + 3, 0]
    exact = Fraction(0.1) * 5 + 3 * (2**40 + 3)
    assert Fraction(ExactSum.weighted(values, times).units, 1 << 1074) == exact
    assert ExactSum.weighted([], []) == ExactSum()


def test_whole_numbers_are_summed_as_the_floats_they_are() -> None:
    assert ExactSum.of([1, 2, 2**40]) == ExactSum.of([1.0, 2.0, 2.0**40])
    assert ExactSum.of([True, False, True]) == ExactSum.of([2.0])


def test_subtracting_undoes_adding() -> None:
    left, right = ExactSum.of([1e300, 5e-324]), ExactSum.of([0.1])
    assert left + right - right == left


def test_nothing_sums_to_zero() -> None:
    assert float(ExactSum.of([])) == 0.0
    assert str(ExactSum()) == "0p0"


def test_too_large_a_sum_is_infinite() -> None:
    largest = np.finfo(np.float64).max
    assert float(ExactSum.of([largest, largest])) == math.inf
    assert float(ExactSum.of([-largest, -largest])) == -math.inf


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_refuses_what_is_not_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        ExactSum.of([1.0, value])


@given(st.lists(st.tuples(st.floats(-1e300, 1e300), st.integers(0, 9))))
def test_a_number_that_comes_several_times_is_added_as_often(rows: list[tuple[float, int]]) -> None:
    values, times = [value for value, _ in rows], [count for _, count in rows]
    assert ExactSum.weighted(values, times) == ExactSum.of(np.repeat(values, times))
