from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.engines import local
from dagster_monitoring.profiles.profile import Profile, merge
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from tests.profiles.conftest import COLUMNS, make_rows


def _scan(baseline: Baseline, batches: Sequence[pa.RecordBatch]) -> Profile:
    return scan(batches, bins=baseline.bins, columns=COLUMNS, known=["late"])


def _bytes(profile: Profile) -> bytes:
    return to_bytes(to_table(profile))


def test_counts_and_moments_are_those_of_numpy(baseline: Baseline) -> None:
    rows = make_rows(3_000, seed=9)
    column = _scan(baseline, [rows]).columns["size"]
    histogram = column.histogram(baseline.bins.numeric["size"])
    values = rows["size"].to_pandas()
    finite = values.dropna().to_numpy()
    place = np.searchsorted(histogram.edges, finite, side="right")
    offsets = pd.Series(finite - histogram.centre).groupby(place).sum()
    assert histogram.counts.tolist() == np.bincount(place, minlength=len(histogram.counts)).tolist()
    assert histogram.sums[offsets.index] == pytest.approx(offsets.to_numpy(), rel=1e-9, abs=1e-8)
    assert histogram.mean == pytest.approx(finite.mean(), abs=1e-12 * finite.std())
    assert histogram.std == pytest.approx(finite.std(), rel=1e-12)
    assert (histogram.minimum, histogram.maximum) == (finite.min(), finite.max())
    assert column.n_null == rows["size"].null_count
    assert column.n_missing == values.isna().sum()
    assert column.n_nan == values.isna().sum() - rows["size"].null_count


def test_categories_are_those_of_pandas(baseline: Baseline) -> None:
    rows = make_rows(3_000, seed=9)
    histogram = _scan(baseline, [rows]).columns["city"].histogram(baseline.bins.categorical["city"])
    counts = dict(zip(histogram.categories, histogram.counts.tolist(), strict=True))
    assert counts == rows["city"].to_pandas().value_counts().to_dict()
    assert histogram.n_missing == rows["city"].null_count


def test_segments_are_the_rows_of_their_value(baseline: Baseline) -> None:
    rows = make_rows(3_000, seed=9)
    profile = _scan(baseline, [rows])
    frame = rows.to_pandas()
    bins = baseline.bins.numeric["size"]
    for value in ("Oslo", "Lima"):
        own = frame[frame.city == value]
        finite = own["size"].dropna().to_numpy()
        column = profile.segments[f"city={value}"]["size"]
        histogram = column.histogram(bins)
        place = np.searchsorted(bins.segment_edges, finite, side="right")
        assert (
            histogram.counts.tolist()
            == np.bincount(place, minlength=len(histogram.counts)).tolist()
        )
        # No value is rounded by more than half a unit.
        assert histogram.mean == pytest.approx(finite.mean(), abs=2.0**bins.exponent / 2)
        assert histogram.std == pytest.approx(finite.std(), abs=1e-12 * bins.std)
        assert column.n_missing == own["size"].isna().sum()
        assert profile.segment_rows[f"city={value}"] == len(own)
    assert profile.segment_rows["city=<other>"] == frame.city.isna().sum()
    assert sum(profile.segment_rows.values()) == len(frame)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 400), max_size=6), pieces=st.integers(1, 500))
def test_any_split_into_batches_gives_the_same_bytes(
    baseline: Baseline, cuts: list[int], pieces: int
) -> None:
    rows = make_rows(400, seed=4)
    bounds = [0, *sorted(cuts), 400]
    batches = [rows.slice(a, b - a) for a, b in itertools.pairwise(bounds)]
    whole = _scan(baseline, [rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "ROWS", min(pieces, local.ROWS))
        split = _scan(baseline, batches)
    assert _bytes(split) == (_bytes(whole))
    assert split.n_duplicate_ids == whole.n_duplicate_ids


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(5)))
def test_profiles_add_in_any_order_to_the_profile_of_all_rows(
    baseline: Baseline, order: list[int]
) -> None:
    rows = make_rows(500, seed=8)
    days = [_scan(baseline, [rows.slice(100 * i, 100)]) for i in range(5)]
    whole = _bytes(_scan(baseline, [rows]))
    added = merge(days[i] for i in order)
    a, b, c = days[:3]
    assert _bytes(added) == (whole)
    assert _bytes((a + b) + c) == (_bytes(a + (b + c)))
    assert _bytes(a + Profile()) == (_bytes(Profile() + a))
    assert (added.rows, added.first_timestamp) == (500, days[0].first_timestamp)


def test_profiles_on_different_bins_do_not_add(baseline: Baseline) -> None:
    with pytest.raises(ValueError, match="different bins"):
        _ = Profile(bins_key="a", rows=1) + _scan(baseline, [make_rows(5, seed=0)])


def test_a_slice_of_no_batches_is_empty_and_says_nothing_is_missing(baseline: Baseline) -> None:
    profile = _scan(baseline, [])
    assert profile.is_empty
    assert profile.missing_columns == ()
    assert {c.rows for c in profile.columns.values()} == {0}
    assert profile.first_timestamp is None


def test_arrow_threads_and_copies_do_not_change_the_input(baseline: Baseline) -> None:
    rows = make_rows(200, seed=3)
    before = rows.to_pydict()
    _scan(baseline, [rows])
    assert str(rows.to_pydict()) == str(before)
