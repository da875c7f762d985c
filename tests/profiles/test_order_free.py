"""A profile is the same to the byte however its rows are cut, ordered, counted and merged."""

from __future__ import annotations

import decimal
import itertools
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.bins import BinSet, build_numeric_bins
from dagster_monitoring.profiles.encoding import from_bytes, to_bytes
from dagster_monitoring.profiles.engines.kernels import Kernel
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import from_table, to_table
from dagster_monitoring.schema import Columns
from tests.profiles.conftest import COLUMNS

KERNELS: tuple[Kernel, ...] = ("numpy", "compiled")
N = 60

numbers = st.one_of(
    st.none(),
    st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1.7e308, -1e140, 5e-324, 1e15, 2.0**70]),
    st.floats(),
    st.floats(-100, 100),
)
names = st.one_of(st.none(), st.sampled_from(["Oslo", "Rome", "Lima", "Bonn"]), st.text(max_size=3))
moments = st.one_of(st.none(), st.datetimes(datetime(2023, 1, 1), datetime(2025, 1, 1)))  # noqa: DTZ001 - the zone is the column's


@st.composite
def slices(draw: st.DrawFn) -> list[pa.RecordBatch]:
    """Rows of every kind in batches of varying types."""
    batches = []
    for _ in range(draw(st.integers(1, 4))):
        n = draw(st.integers(0, N))

        def some(values: st.SearchStrategy[object], n: int = n) -> list[object]:
            return draw(st.lists(values, min_size=n, max_size=n))

        size: pa.Array = pa.array(some(numbers), pa.float64())
        if draw(st.booleans()):
            whole = some(st.one_of(st.none(), st.integers(-(2**62), 2**62)))
            size = pa.array(whole, pa.int64())
        city: pa.Array = pa.array(some(names), pa.string())
        if draw(st.booleans()):
            city = city.dictionary_encode()
        zone = draw(st.sampled_from([None, "UTC", "America/New_York"]))
        batches.append(
            pa.record_batch(
                {
                    "id": pa.array(some(st.one_of(st.none(), st.text(max_size=2))), pa.string()),
                    "at": pa.array(some(moments), pa.timestamp("us", zone)),
                    "size": size,
                    "grade": pa.array(some(st.sampled_from(["wrong", None])), pa.string())
                    if draw(st.booleans())
                    else pa.array(some(numbers), pa.float64()),
                    "city": city,
                    "version": pa.array(some(names), pa.string()),
                }
            )
        )
    return batches


def _scan(
    baseline: Baseline, batches: Sequence[pa.RecordBatch], kernel: Kernel = "numpy"
) -> Profile:
    return scan(batches, bins=baseline.bins, columns=COLUMNS, kernel=kernel)


def _bytes(profile: Profile) -> bytes:
    return to_bytes(to_table(profile))


@settings(max_examples=25, deadline=None)
@given(rows=slices(), data=st.data())
def test_any_cut_order_and_kernel_give_the_same_bytes(
    baseline: Baseline, rows: list[pa.RecordBatch], data: st.DataObject
) -> None:
    whole = _bytes(_scan(baseline, rows))
    cut: list[pa.RecordBatch] = []
    for batch in rows:
        bounds = [0, *sorted(data.draw(st.lists(st.integers(0, batch.num_rows), max_size=4)))]
        cut += [batch.slice(a, b - a) for a, b in itertools.pairwise([*bounds, batch.num_rows])]
    mixed = data.draw(st.permutations(cut))
    assert _bytes(_scan(baseline, mixed)) == whole
    assert _bytes(_scan(baseline, rows, "compiled")) == whole
    assert _bytes(from_table(from_bytes(whole, where="here"))) == whole


@settings(max_examples=15, deadline=None)
@given(a=slices(), b=slices(), c=slices())
def test_merging_is_scanning_all_rows_to_the_byte(
    baseline: Baseline,
    a: list[pa.RecordBatch],
    b: list[pa.RecordBatch],
    c: list[pa.RecordBatch],
) -> None:
    # Duplicates are those within a slice: here the ids of each are its own.
    slices = [
        [batch.set_column(0, "id", _own_ids(k, i, batch.num_rows)) for i, batch in enumerate(own)]
        for k, own in enumerate((a, b, c))
    ]
    x, y, z = (_scan(baseline, own) for own in slices)
    whole = _bytes(_scan(baseline, [batch for own in slices for batch in own]))
    assert _bytes((x + y) + z) == _bytes(x + (y + z)) == _bytes(merge([z, y, x])) == whole
    assert _bytes(x + Profile()) == _bytes(Profile() + x) == _bytes(x)


def _own_ids(part: int, batch: int, n: int) -> pa.Array:
    return pa.array([f"{part}/{batch}/{i}" for i in range(n)], pa.string())


def _column(
    training: np.ndarray, rows: np.ndarray, kernel: Kernel = "numpy", batch: int = 1 << 17
) -> tuple[Profile, BinSet]:
    bins = BinSet(columns={"x": build_numeric_bins(training)})
    columns = Columns(id="id", timestamp="at", numeric=("x",))
    batches = [
        pa.record_batch({"x": rows[i : i + batch]}) for i in range(0, max(len(rows), 1), batch)
    ]
    return scan(batches, bins=bins, columns=columns, kernel=kernel), bins


@pytest.mark.parametrize("n", [1_000, 100_000])
def test_moments_are_those_of_numpy(n: int) -> None:
    generator = np.random.default_rng(3)
    training = generator.normal(7.0, 2.0, 20_000)
    rows = generator.normal(7.5, 2.5, n)
    profile, bins = _column(training, rows)
    histogram = profile.columns["x"].histogram(bins.numeric["x"])
    assert abs(histogram.mean - math.fsum(rows) / n) < 1e-12 * rows.std()
    assert abs(histogram.std - rows.std()) < 2e-12 * rows.std()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shift", [0.0, 0.37, 5.0])
@pytest.mark.parametrize("spread", [0.0, 1e-6, 0.1, 1.0])
def test_mean_and_variance_are_within_the_stated_bounds(
    shift: float, spread: float, kernel: Kernel
) -> None:
    """As :data:`SQUARE_BITS` says, also where all rows are nearly the same."""
    generator = np.random.default_rng(5)
    training = generator.normal(7.0, 2.0, 20_000)
    rows = 7.0 + 2.0 * (shift + spread * generator.normal(size=3_000))
    profile, bins = _column(training, rows, kernel)
    own = bins.numeric["x"]
    usual = float(np.sqrt(np.mean((training - own.centre) ** 2)))
    exact = [Fraction(value) for value in rows.tolist()]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / len(exact)
    away = float(np.sqrt(np.mean((rows - own.centre) ** 2)))
    histogram = profile.columns["x"].histogram(own)
    rounding = 1e-15 * (abs(float(mean)) + away**2)
    assert abs(histogram.mean - mean) <= 2.0**-36 * usual + rounding
    found = Fraction(histogram.std) ** 2
    assert abs(found - variance) <= 2.0**-34 * usual * (away + usual) + rounding
    if spread == 1.0:
        assert abs(histogram.std - float(variance) ** 0.5) < 1e-9 * usual


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e9, 1e100, 1e-9])
@pytest.mark.parametrize("kernel", KERNELS)
def test_sums_of_heavy_tails_and_other_units_are_near_the_exact_ones(
    scale: float, kernel: Kernel
) -> None:
    """Each value is within half a unit, or beyond 1,024 usual distances within 2 ** -37 of it."""
    generator = np.random.default_rng(4)
    training = generator.standard_t(1.5, 20_000)
    rows = generator.standard_t(1.2, 50_000) * scale
    profile, bins = _column(training, rows, kernel)
    own = bins.numeric["x"]
    column = profile.columns["x"]
    offsets = [Fraction(value) for value in (rows - own.centre).tolist()]
    size = sum(map(abs, offsets))
    total = sum(Fraction(value) for value in column.sums.floats().tolist())
    half = Fraction(2) ** (own.exponent - 1)
    assert abs(total - sum(offsets)) <= half * len(rows) + size * Fraction(2) ** -37
    squares = sum(offset**2 for offset in offsets)
    found = Fraction(float(column.sum_squares.floats()[0]))
    slack = Fraction(2) ** (own.squares_exponent - 1) * len(rows) + 2 * half * size
    assert abs(found - squares) <= slack + squares * Fraction(2) ** -35


@pytest.mark.parametrize(("bits", "n"), [(46, 200_000), (44, 600_000)])
@pytest.mark.parametrize("kernel", KERNELS)
def test_sums_do_not_overflow(kernel: Kernel, bits: int, n: int) -> None:
    """All values in one bin, as far away as one pass or the unit reaches, beyond 64 bits."""
    training = np.concatenate((np.zeros(999), [1.0]))
    reach = 2.0 ** (build_numeric_bins(training).exponent + bits)
    value = math.nextafter(reach, 0.0)
    profile, bins = _column(training, np.full(n, value), kernel)
    column = profile.columns["x"]
    units = n * 2**bits
    for _ in range(20):
        profile, units = profile + profile, 2 * units
    column = profile.columns["x"]
    assert units > 2**63
    assert column.sums.exact(len(column.counts) - 1) == column.sums.exact(
        int(np.argmax(column.counts))
    )
    exact = sum(column.sums.exact(i).units for i in range(len(column.counts)))
    assert exact == units << (bins.numeric["x"].exponent + 1074)
    assert abs(column.sums.units).max() <= 2**61


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1]] * 5),
        pa.array([{"a": 1}] * 5),
        pa.array([[("k", 1)]] * 5, pa.map_(pa.string(), pa.int64())),
        pa.array([b"1"] * 5),
        pa.array([1] * 5, pa.duration("s")),
        pa.array([1] * 5, pa.time64("us")),
        pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * 5),
    ],
    ids=lambda array: str(array.type),
)
def test_types_that_can_t_be_counted_are_named_everywhere(
    baseline: Baseline, values: pa.Array
) -> None:
    rows = pa.record_batch({"id": values, "size": values, "city": values, "version": values})
    profile = _scan(baseline, [rows])
    assert profile.type_faults["size"] == profile.type_faults["city"] == str(values.type)
    assert profile.columns["size"].n_type_fault == profile.columns["city"].n_type_fault == 5


@pytest.mark.parametrize(
    "values",
    [
        pa.array([decimal.Decimal("1.5")] * 5, pa.decimal128(5, 2)),
        pa.array([decimal.Decimal("1.5")] * 5, pa.decimal256(60, 2)),
        pa.array(np.full(5, 1.5, np.float16)),
        pa.array([2**64 - 1] * 5, pa.uint64()),
        pa.array([1.5] * 5).dictionary_encode(),
        pa.RunEndEncodedArray.from_arrays(pa.array([5], pa.int32()), pa.array([1.5])),
    ],
    ids=lambda array: str(array.type),
)
def test_numbers_of_rarer_types_are_numbers(baseline: Baseline, values: pa.Array) -> None:
    profile = _scan(baseline, [pa.record_batch({"size": values})])
    expected = float(2**64 - 1) if pa.types.is_uint64(values.type) else 1.5
    column = profile.columns["size"]
    assert (column.n, column.minimum, column.maximum) == (5, expected, expected)
