"""Sums of whole numbers beyond what 64 bits hold, whatever the numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles.bins import BinSet, build_numeric_bins
from dagster_monitoring.profiles.column import NumericColumn
from dagster_monitoring.profiles.engines.kernels import Kernel
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.schema import Columns

ROLES = Columns(id="id", timestamp="at", numeric=("x",))
LOWEST, HIGHEST = -(2**63), 2**63 - 1
DOUBLINGS = 20
TRAINING = np.linspace(float(LOWEST), float(HIGHEST), 500)
BINS = BinSet(columns={"x": build_numeric_bins(TRAINING)})
whole = st.one_of(st.sampled_from([LOWEST, HIGHEST, 0]), st.integers(LOWEST, HIGHEST))


@pytest.mark.parametrize("kernel", ["numpy", "compiled"])
@settings(max_examples=25, deadline=None)
@example(values=[HIGHEST] * 9)
@example(values=[LOWEST] * 9)
@given(values=st.lists(whole, min_size=1, max_size=30))
def test_a_million_times_the_rows_have_a_million_times_the_sum(
    kernel: Kernel, values: list[int]
) -> None:
    batch = pa.record_batch({"x": pa.array(values, pa.int64())})
    profile = scan([batch], bins=BINS, columns=ROLES, kernel=kernel)
    column = profile.columns["x"]
    assert isinstance(column, NumericColumn)
    once = [column.sums.exact(i).units for i in range(len(column.counts))]
    mean = column.histogram(BINS.numeric["x"]).mean
    for _ in range(DOUBLINGS):
        profile = profile + profile
    column = profile.columns["x"]
    assert isinstance(column, NumericColumn)
    assert column.n == len(values) << DOUBLINGS
    many = [column.sums.exact(i).units for i in range(len(column.counts))]
    assert many == [units << DOUBLINGS for units in once]
    exact = Fraction(sum(values), len(values))
    for found in (mean, column.histogram(BINS.numeric["x"]).mean):
        assert math.isfinite(found)
        # Each number is rounded to a float first: by a share of 2 ** -53 of itself.
        assert abs(Fraction(found) - exact) <= Fraction(2**63, 2**35)
