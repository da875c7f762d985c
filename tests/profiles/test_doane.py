from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles.baseline_serialization import bins_from_table, bins_to_table
from dagster_monitoring.profiles.bins import LARGEST, SEGMENT_BINS, BinSet, build_numeric_bins
from dagster_monitoring.profiles.doane import doane_count, doane_edges
from dagster_monitoring.profiles.fitting import fit

RNG = np.random.default_rng(7)
SHAPES = {
    "normal": RNG.normal(5.0, 2.0, 4_000),
    "skewed": RNG.lognormal(0.0, 1.5, 4_000),
    "integers": RNG.poisson(3.0, 4_000).astype(float),
    "constant": np.full(50, 4.0),
    "two values": np.array([0.1, 0.3] * 40),
    "with faults": np.append(RNG.normal(size=500), [np.nan, np.inf, -np.inf]),
}

FEW_WHOLE = np.minimum(RNG.poisson(3.0, 4_000), 9)


@pytest.mark.parametrize("values", SHAPES.values(), ids=SHAPES)
def test_the_bins_and_what_lies_outside_of_them_are_numpys_histogram(values):
    finite = values[np.isfinite(values)]
    bins = build_numeric_bins(values, doane=doane_count(finite))
    edges = np.histogram_bin_edges(finite, bins="doane")
    low, high = edges[0], edges[-1]
    # Other rows, some of them on the edges and right beside the outer two.
    beside = [np.nextafter(low, -np.inf), np.nextafter(high, np.inf), low - 9.0, high + 9.0]
    rows = np.concatenate([finite[:200] * 1.1, finite[:200], edges, beside])
    own = doane_edges(bins.minimum, bins.maximum, bins.doane)
    assert np.isin(own, bins.edges).all()
    counts = np.bincount(np.searchsorted(own, rows, side="right"), minlength=len(own) + 1)
    assert counts[1:-1].tolist() == np.histogram(rows, edges)[0].tolist()
    assert counts[0] == (rows < low).sum()
    assert counts[-1] == (rows > high).sum()


def test_no_order_of_the_rows_shows_in_the_number_of_bins():
    values = SHAPES["skewed"]
    shuffled = np.random.default_rng(1).permutation(values)
    assert doane_count(shuffled) == doane_count(values)


def test_a_range_that_floats_cannot_divide_has_one_bin():
    values = np.array([1.0, np.nextafter(1.0, 2.0)] * 5_000)
    assert doane_count(values) == 1
    bins = build_numeric_bins(values, doane=1)
    assert np.isin(doane_edges(bins.minimum, bins.maximum, 1), bins.edges).all()


def test_nobody_asked_and_nothing_to_ask_for_leave_no_number():
    assert build_numeric_bins(SHAPES["normal"]).doane is None
    assert fitted([np.nan] * 3).doane is None


def test_segments_keep_the_edges():
    bins = build_numeric_bins(SHAPES["skewed"], doane=doane_count(SHAPES["skewed"]))
    own = doane_edges(bins.minimum, bins.maximum, bins.doane)
    assert np.isin(own, bins.segment_edges).all()
    assert len(bins.segment_edges) < SEGMENT_BINS


def test_a_baseline_keeps_the_number():
    bins = build_numeric_bins(SHAPES["normal"], doane=9)
    kept = bins_from_table(bins_to_table(BinSet(columns={"size": bins}))).numeric["size"]
    assert kept.doane == bins.doane
    assert kept.key == bins.key


def test_the_rule_joins_other_bins_that_monitors_ask_for():
    bins = fitted(SHAPES["normal"], [30, "doane"])
    assert bins.doane == len(np.histogram_bin_edges(SHAPES["normal"], bins="doane")) - 1
    thirty = np.linspace(bins.minimum, bins.maximum, 31)[1:-1]
    assert np.isin(thirty, bins.edges).all()
    assert fitted(SHAPES["normal"], [30]).doane is None


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.int64(), pa.float32()])
def test_whole_numbers_have_the_bins_that_numpy_makes_of_their_type(kind):
    array = pa.array(FEW_WHOLE).cast(kind)
    expected = len(np.histogram_bin_edges(array.to_numpy(), bins="doane")) - 1
    assert fitted(array).doane == expected
    assert (expected == 9) == pa.types.is_integer(kind)


def test_whole_numbers_with_gaps_are_floats_to_pandas_and_to_the_rule():
    array = pa.array(FEW_WHOLE, mask=np.arange(len(FEW_WHOLE)) == 7)
    expected = np.histogram_bin_edges(array.to_pandas().dropna(), bins="doane")
    assert fitted(array).doane == len(expected) - 1


def test_whole_numbers_that_floats_do_not_hold_are_floats():
    values = pa.array([2**63 - 1, -(2**63), 5, 6] * 50)
    assert fitted(values).doane == doane_count(np.array(values.to_pylist(), dtype=np.float64))
    one = np.array([2.0**64, *range(50)])
    assert doane_count(one, whole=True) == doane_count(one)


def test_the_largest_numbers_that_are_counted_take_part_in_the_rule():
    values = np.array([*np.linspace(0.0, 1.0, 50), LARGEST, 2 * LARGEST])
    expected = np.histogram_bin_edges(values[:-1], bins="doane")
    assert fitted(pa.array(values)).doane == len(expected) - 1


def fitted(values, equal_width=("doane",)):
    batch = pa.record_batch({"size": values})
    made = fit(lambda _: [batch], numeric=["size"], categorical=[], equal_width=equal_width)
    return made.columns["size"]
