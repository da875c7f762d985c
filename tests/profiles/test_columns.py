"""Summaries of columns, whole and by segment: they add, and show what they hold."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dagster_monitoring.profiles.bins import CategoricalBins
from dagster_monitoring.profiles.column import (
    CategoricalColumn,
    NumericColumn,
    add_columns,
    empty_column,
)
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.segments import CategoricalBlock, SegmentTable, SegmentView
from tests.profiles.conftest import COLUMNS, make_rows

FAULTS = ("n_null", "n_nan", "n_positive_infinite", "n_negative_infinite", "n_type_fault")


def numeric(bins, **given):
    empty = NumericColumn.empty(bins)
    return NumericColumn(
        counts=empty.counts, sums=empty.sums, sum_squares=empty.sum_squares, **given
    )


def scanned(baseline, rows):
    return scan([rows], bins=baseline.bins, columns=COLUMNS)


@pytest.mark.parametrize("name", ["size", "city"])
def test_no_rows_are_the_identity_of_adding(baseline, name):
    bins = baseline.bins.columns[name]
    empty, own = empty_column(bins), baseline.profile.columns[name]
    assert (empty.n, empty.rows, empty.n_missing, empty.n_nonfinite) == (0, 0, 0, 0)
    for total in (empty + own, own + empty, add_columns(empty, own)):
        assert total.counts.tolist() == own.counts.tolist()
        assert total.rows == own.rows
    none = (empty + empty).histogram(bins)
    assert (none.n, none.counts.dtype) == (0, np.int64)


def test_no_numbers_have_sums_of_the_bins_own_units(baseline):
    bins = baseline.bins.numeric["size"]
    empty, own = NumericColumn.empty(bins), baseline.profile.columns["size"]
    for name in ("sums", "sum_squares"):
        nothing, some = getattr(empty, name), getattr(own, name)
        assert nothing.floats().tolist() == [0.0] * len(some.floats())
        assert (nothing + some).floats().tolist() == some.floats().tolist()
    assert (empty + empty).minimum is None
    assert (empty + empty).maximum is None


def test_faults_and_ends_of_numbers_add_up(baseline):
    bins = baseline.bins.numeric["size"]
    first = numeric(bins, **dict(zip(FAULTS, range(1, 6), strict=True)), minimum=2.0, maximum=3.0)
    second = numeric(bins, **dict(zip(FAULTS, (10, 20, 30, 40, 50), strict=True)), minimum=1.0)
    for total in (first + second, second + first):
        assert [getattr(total, name) for name in FAULTS] == [11, 22, 33, 44, 55]
        assert (total.minimum, total.maximum) == (1.0, 3.0)
        assert (total.n_missing, total.n_nonfinite, total.rows) == (33, 77, 165)
        histogram = total.histogram(bins)
        assert (histogram.n_missing, histogram.n_nonfinite) == (33, 77)
        assert (histogram.minimum, histogram.maximum) == (1.0, 3.0)


def test_a_segments_numbers_lie_on_fewer_edges(baseline, training):
    bins = baseline.bins.numeric["size"]
    assert len(bins.segment_edges) < len(bins.edges)
    rome = training.filter(pc.equal(training["city"], "Rome"))
    for rows, column, edges in (
        (rome, baseline.profile.segments["city=Rome"]["size"], bins.segment_edges),
        (training, baseline.profile.columns["size"], bins.edges),
    ):
        histogram = column.histogram(bins)
        assert histogram.edges.tolist() == edges.tolist()
        size = rows["size"].to_numpy(zero_copy_only=False)
        away = size[np.isfinite(size)] - histogram.centre
        assert histogram.centre == bins.centre
        assert histogram.sums.sum() == pytest.approx(away.sum())
        assert histogram.sum_squares == pytest.approx((away**2).sum())


def test_faults_of_categories_add_up():
    first = CategoricalColumn(
        counts=np.array([1, 0]), unseen=NameCounts.of({"x": 2}), n_null=3, n_type_fault=4
    )
    second = CategoricalColumn(
        counts=np.array([1, 1]), unseen=NameCounts.of({"y": 5}), n_null=30, n_type_fault=40
    )
    total = first + second
    assert (total.n_null, total.n_type_fault, total.n, total.rows) == (33, 44, 10, 87)
    assert (total.n_missing, total.n_unseen, total.distinct) == (33, 7, 4)
    histogram = total.histogram(CategoricalBins(vocabulary=("a", "b")))
    assert (histogram.categories, histogram.n_missing) == (("a", "b", "x", "y"), 33)
    assert histogram.counts.tolist() == [2, 1, 2, 5]


def test_a_segments_categories_are_the_most_frequent_names():
    vocabulary = tuple(f"name {i}" for i in range(300))
    bins = CategoricalBins(vocabulary=vocabulary)
    whole = CategoricalColumn.empty(300).histogram(bins)
    assert whole.categories == vocabulary
    segment = CategoricalBlock.empty(2, 255).column(1).histogram(bins)
    assert segment.categories == vocabulary[:255]


def test_names_beyond_those_kept_join_a_name_that_is_spelled_like_them():
    for counts, names, expected in (
        ({"<other>": 2, "x": 1}, ("a", "<other>", "x"), [4, 9, 1]),
        ({"x": 1}, ("a", "x", "<other>"), [4, 1, 9]),
    ):
        column = CategoricalColumn(counts=np.array([4]), unseen=NameCounts(counts=counts, total=10))
        histogram = column.histogram(CategoricalBins(vocabulary=("a",)))
        assert (histogram.categories, histogram.counts.tolist()) == (names, expected)


def test_columns_of_other_bins_or_kinds_do_not_add(baseline):
    size, city = (baseline.profile.columns[name] for name in ("size", "city"))
    for pair in ((size, city), (city, size)):
        with pytest.raises(ValueError, match="a numeric and a categorical"):
            add_columns(*pair)
    with pytest.raises(ValueError, match="different bins: 4 and 5 of them"):
        add_columns(city, CategoricalColumn.empty(5))
    with pytest.raises(ValueError, match="different bins"):
        add_columns(size, baseline.profile.columns["grade"])


def test_segments_columns_add_one_by_one_and_those_of_one_side_stay(baseline):
    rows = make_rows(200, seed=3)
    whole = scanned(baseline, rows)
    lacking = scanned(baseline, rows.drop_columns(["size"]))
    other = scanned(baseline, rows.drop_columns(["grade", "guess"]))
    for total in (whole + lacking, lacking + whole, lacking + other, other + lacking):
        assert sum(s["size"].rows for s in total.segments.values()) == 200
        assert sum(s["score"].rows for s in total.segments.values()) == 400
    both = (whole + whole).segments["city=Oslo"]
    one = whole.segments["city=Oslo"]
    assert {name: column.rows for name, column in both.items()} == {
        name: 2 * column.rows for name, column in one.items()
    }


def table(columns, values=("a", "<other>")):
    return SegmentTable(values=values, rows=np.array([1, 2]), columns=columns)


def test_segment_tables_of_other_values_or_kinds_do_not_add(baseline):
    numbers = scanned(baseline, make_rows(50, seed=3))
    block = CategoricalBlock.empty(2, 3)
    with pytest.raises(ValueError, match="different segments"):
        table({}) + table({}, values=("b", "<other>"))
    own = numbers.segment_tables["city"]
    odd = SegmentTable(values=own.values, rows=own.rows, columns={"size": block})
    for pair in ((own, odd), (odd, own)):
        with pytest.raises(ValueError, match="a numeric and a categorical block"):
            pair[0] + pair[1]


def test_a_segments_unseen_names_are_one_and_its_faults_are_its_own():
    block = CategoricalBlock(
        counts=np.array([[1, 2], [3, 4]]), faults=np.array([[5, 6, 7], [0, 8, 9]])
    )
    first, second = block.column(0), block.column(1)
    assert first.counts.tolist() == [1, 2]
    assert dict(first.unseen.counts) == {"<other>": 5}
    assert (first.n_null, first.n_type_fault) == (6, 7)
    assert dict(second.unseen.counts) == {}
    assert (second.n_null, second.n_type_fault) == (8, 9)
    nothing = CategoricalBlock.empty(2, 2)
    assert (nothing + block).column(1).counts.tolist() == [3, 4]
    assert nothing.column(1).rows == 0
    assert nothing.faults.shape == (2, 3)


def test_a_segments_column_is_found_or_it_is_none():
    block = CategoricalBlock(
        counts=np.array([[1, 2], [3, 4]]), faults=np.array([[0, 0, 0], [0, 0, 0]])
    )
    view = SegmentView({"k": table({"city": block}), "m": table({})})
    assert [*view] == ["k=a", "k=<other>", "m=a", "m=<other>"]
    assert len(view) == 4
    assert view.column("k=a", "city").counts.tolist() == [1, 2]
    assert view.column("k=<other>", "city").counts.tolist() == [3, 4]
    assert view["k=<other>"]["city"].counts.tolist() == [3, 4]
    assert view.column("m=a", "city") is None
    assert view.column("k=b", "city") is None
    assert view.column("k=a", "town") is None


def test_not_a_number_and_infinity_are_of_their_own_segment(baseline):
    rows = make_rows(6, seed=2).set_column(
        2, "size", pa.array([math.nan, math.inf, -math.inf, None, 1.0, -math.inf])
    )
    rows = rows.set_column(4, "city", pa.array(["Oslo"] * 3 + ["Rome"] * 3))
    segments = scanned(baseline, rows).segments
    found = [[getattr(segments[f"city={c}"]["size"], f) for f in FAULTS] for c in ("Oslo", "Rome")]
    assert found == [[0, 1, 1, 1, 0], [1, 0, 0, 1, 0]]
