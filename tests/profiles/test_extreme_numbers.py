"""Numbers beyond what floats, sums and bins are made for, and baselines of hardly any rows."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.monitors._comparison import Comparison
from dagster_monitoring.monitors._together import measure
from dagster_monitoring.profiles.baseline import build_baseline
from dagster_monitoring.profiles.bins import (
    LARGEST,
    BinSet,
    NumericBins,
    build_numeric_bins,
    equal_width_edges,
)
from dagster_monitoring.profiles.column import NumericColumn
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engines.kernels import Kernel
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.schema import Columns
from dagster_monitoring.statistics.drift import drift_metrics
from tests.profiles.conftest import COLUMNS, TASK, make_rows, reader

KERNELS: tuple[Kernel, ...] = ("numpy", "compiled")
ROLES = Columns(id="id", timestamp="at", numeric=("x",))


def _bins(training: object, **options: int) -> BinSet:
    return BinSet(columns={"x": build_numeric_bins(training, **options)})


def _profile(bins: BinSet, *arrays: pa.Array, kernel: Kernel = "numpy") -> Profile:
    batches = [pa.record_batch({"x": array}) for array in arrays]
    return scan(batches, bins=bins, columns=ROLES, kernel=kernel)


def _column(bins: BinSet, *arrays: pa.Array, kernel: Kernel = "numpy") -> NumericColumn:
    column = _profile(bins, *arrays, kernel=kernel).columns["x"]
    assert isinstance(column, NumericColumn)
    return column


def _values_of_drift(bins: NumericBins, reference: NumericColumn, current: NumericColumn) -> None:
    """Each drift metric is a finite number, or says why it is none."""
    metrics = [metric for metric in drift_metrics().values() if "numeric" in metric.kinds]
    compared = Comparison(
        column="x",
        segment=None,
        bins=bins,
        reference=reference,
        current=current,
        choice="default",
        metrics=metrics,
    )
    [found] = measure([compared])
    assert {m.metric for m in found} == {metric.name for metric in metrics}
    for measured in found:
        if measured.value is None:
            assert measured.reason
        else:
            assert math.isfinite(measured.value), measured


decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=3, min_value=-(10**60), max_value=10**60
)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.one_of(st.none(), decimals), max_size=30))
def test_decimals_of_any_size_are_numbers(values: list[Decimal | None]) -> None:
    column = _column(_bins(np.arange(100.0)), pa.array(values, pa.decimal256(70, 3)))
    given_values = [float(value) for value in values if value is not None]
    assert (column.n, column.n_null) == (len(given_values), len(values) - len(given_values))
    assert (column.minimum is None) == (not given_values)
    if given_values:
        # Arrow's way from decimals to floats is not the nearest one to the last bit.
        assert column.minimum == pytest.approx(min(given_values), rel=1e-14)
        assert column.maximum == pytest.approx(max(given_values), rel=1e-14)


def test_decimals_beyond_float_are_infinite() -> None:
    kind = pa.decimal256(5, -100)
    huge = pa.array([Decimal(7), None, Decimal(-7)], pa.decimal256(5, 0)).view(kind)
    column = _column(_bins(np.arange(100.0)), huge, pa.array([1.0]))
    assert (column.n, column.n_null, column.n_nonfinite) == (3, 1, 0)
    beyond = pa.array([10**4, None, -(10**4)], pa.decimal256(5, 0)).view(pa.decimal256(5, -140))
    column = _column(_bins(np.arange(100.0)), beyond, pa.array([1.0]))
    assert (column.n_positive_infinite, column.n_negative_infinite, column.n) == (1, 1, 1)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.one_of(st.none(), st.integers(0, 2**64 - 1)), max_size=30))
def test_unsigned_integers_are_never_negative(values: list[int | None]) -> None:
    column = _column(_bins(np.arange(100.0)), pa.array(values, pa.uint64()))
    given_values = [float(value) for value in values if value is not None]
    assert (column.n, column.minimum) == (len(given_values), min(given_values, default=None))
    assert column.maximum == max(given_values, default=None)


@pytest.mark.parametrize("kernel", KERNELS)
def test_sums_of_integers_beyond_64_bits_are_right(kernel: Kernel) -> None:
    """The sum of 10,000 numbers near 2 ** 63 has 77 bits; each is rounded to a float first."""
    generator = np.random.default_rng(5)
    values = generator.integers(2**62, 2**63, 10_000)
    bins = _bins(values.astype(float))
    column = _column(bins, pa.array(values), kernel=kernel)
    own = bins.numeric["x"]
    exact = Fraction(sum(map(int, values.astype(float).tolist())), len(values))
    assert column.histogram(own).mean == pytest.approx(float(exact), rel=1e-12)
    assert column.histogram(own).std == pytest.approx(
        float(np.std(values / 2.0**32)) * 2.0**32, rel=1e-9
    )


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [1e130, 1e139, 1e141, 1e150, 1e300, 1.7e308])
def test_numbers_whose_squares_overflow_leave_everything_finite(
    kernel: Kernel, size: float
) -> None:
    bins = _bins(np.random.default_rng(6).normal(size=500))
    ordinary = np.random.default_rng(7).normal(size=300)
    reference = _column(bins, pa.array(ordinary))
    odd = pa.array([size, -size, size, *ordinary.tolist()])
    column = _column(bins, odd, kernel=kernel)
    beyond = 3 if size > LARGEST else 0
    assert (column.n, column.n_nonfinite) == (303 - beyond, beyond)
    assert np.isfinite(column.sums.floats()).all()
    assert np.isfinite(column.sum_squares.floats()).all()
    _values_of_drift(bins.numeric["x"], reference, column)
    assert to_bytes(to_table(_profile(bins, odd, kernel=kernel))) == to_bytes(
        to_table(_profile(bins, odd.slice(0, 100), odd.slice(100)))
    )


def test_a_baseline_of_huge_numbers_has_bins() -> None:
    values = [1e139, -1e139, 1e150, math.inf, math.nan, 5e-324, 0.0]
    bins = _bins(values)
    column = _column(bins, pa.array(values))
    assert (column.n, column.n_nonfinite, column.n_nan) == (4, 2, 1)
    _values_of_drift(bins.numeric["x"], column, column)


few_values = st.lists(
    st.one_of(
        st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e139, -1e139, 0.1, 0.1 + 2**-56, math.nan]),
        st.floats(),
    ),
    max_size=10,
)


@settings(max_examples=25, deadline=None)
@example(training=[1e139], later=[1.0000000000000003e140, -2e140], most=2, width=None)
@given(
    training=few_values,
    later=few_values,
    most=st.sampled_from([2, 3, 10, 2048]),
    width=st.sampled_from([None, 2, 30]),
)
def test_bins_from_hardly_any_values_count_every_value(
    training: list[float], later: list[float], most: int, width: int | None
) -> None:
    finite = [value for value in training if abs(value) <= LARGEST]
    extra = equal_width_edges(min(finite), max(finite), width) if width and finite else ()
    own = build_numeric_bins(training, max_bins=most, extra_edges=tuple(extra))
    _assert_sound(own, finite)
    bins = BinSet(columns={"x": own})
    before = _column(bins, pa.array(training, pa.float64()))
    array = pa.array(later, pa.float64())
    column = _column(bins, array)
    by_kernel = {to_bytes(to_table(_profile(bins, array, kernel=k))) for k in KERNELS}
    assert len(by_kernel) == 1
    expected = np.histogram(
        [value for value in later if abs(value) <= LARGEST], [-math.inf, *own.edges, math.inf]
    )[0]
    assert column.counts.tolist() == expected.tolist()
    assert before.n == len(finite)
    _values_of_drift(bins.numeric["x"], before, column)


def _assert_sound(own: NumericBins, finite: list[float]) -> None:
    assert np.isfinite(own.edges).all()
    assert (np.diff(own.edges) > 0).all()
    assert set(own.segment_edges) <= set(own.edges)
    assert set(own.deciles) <= set(own.edges)
    assert (own.minimum, own.maximum) == (min(finite, default=None), max(finite, default=None))
    assert math.isfinite(own.std) if finite else own.std is None


@pytest.mark.parametrize("value", [0.0, -3.5, 1e139, 5e-324, 0.1])
@pytest.mark.parametrize("n", [1, 3, 1_000])
def test_a_constant_baseline_tells_any_other_value(value: float, n: int) -> None:
    bins = _bins(np.full(n, value))
    beside = [math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)]
    counts = _column(bins, pa.array(beside)).counts
    assert counts[counts > 0].tolist() == [1, 1, 1]
    assert bins.numeric["x"].std == 0.0


@pytest.mark.parametrize("n", [0, 1, 3, 9])
def test_a_baseline_of_fewer_than_ten_rows_is_refused_with_the_remedy(n: int) -> None:
    with pytest.raises(BaselineError, match=f"has {n} rows, and at least 10 are needed. Look at"):
        build_baseline(reader(make_rows(n, seed=1)), columns=COLUMNS, task=TASK, model_version="v1")


def test_a_baseline_of_ten_rows_judges_slices() -> None:
    built = build_baseline(
        reader(make_rows(10, seed=1)),
        columns=COLUMNS,
        task=TASK,
        segments=["city"],
        equal_width=[30, "doane"],
        model_version="v1",
    )
    profile = scan([make_rows(500, seed=2)], bins=built.bins, columns=COLUMNS)
    assert all(column.rows == 500 for column in profile.columns.values())
    for name, own in built.bins.numeric.items():
        before, after = built.profile.columns[name], profile.columns[name]
        assert isinstance(before, NumericColumn)
        assert isinstance(after, NumericColumn)
        _values_of_drift(own, before, after)


ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "+05:30", "-11:00")


@settings(max_examples=30, deadline=None)
@given(
    moments=st.lists(
        st.datetimes(datetime(2024, 3, 9), datetime(2024, 3, 12)),  # noqa: DTZ001 - the zone is UTC
        min_size=1,
        max_size=20,
    ),
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=4),
    unit=st.sampled_from(["ms", "us", "ns"]),
)
def test_batches_of_several_time_zones_are_the_same_instants(
    moments: list[datetime], zones: list[str], unit: str
) -> None:
    """Over the change to summer time in New York; counted with Python's own zones."""
    instants = [moment.replace(microsecond=0, tzinfo=UTC) for moment in moments]
    bounds = (
        datetime(2024, 3, 10, tzinfo=ZoneInfo("America/New_York")),
        datetime(2024, 3, 11, tzinfo=timezone(timedelta(hours=-4))),
    )
    batches = [
        pa.record_batch({"at": pa.array(instants[i :: len(zones)], pa.timestamp(unit, zone))})
        for i, zone in enumerate(zones)
    ]
    profile = scan(batches, bins=BinSet(columns={}), columns=ROLES, bounds=bounds)
    outside = sum(not bounds[0] <= instant < bounds[1] for instant in instants)
    assert (profile.n_outside_partition, profile.n_bad_timestamps) == (outside, 0)
    assert (profile.first_timestamp, profile.last_timestamp) == (min(instants), max(instants))
