from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles.baseline import Baseline, build_baseline
from dagster_monitoring.profiles.bins import equal_width_edges
from tests.profiles.conftest import COLUMNS, TASK, make_rows, reader


def _build(rows: pa.RecordBatch, **options: object) -> Baseline:
    return build_baseline(reader(rows), columns=COLUMNS, task=TASK, model_version="v1", **options)


def test_its_counts_are_those_of_its_rows(baseline: Baseline, training: pa.RecordBatch) -> None:
    assert baseline.rows == training.num_rows
    assert baseline.profile.columns["grade"].n == training.num_rows
    cities = training["city"].to_pandas().value_counts()
    assert baseline.bins.segments == {"city": tuple(cities.index)}
    assert baseline.reference.n_labelled == training.num_rows
    assert set(baseline.bins.columns) == {"size", "grade", "score", "city", "guess"}


def test_the_version_is_of_day_content_and_model(
    baseline: Baseline, training: pa.RecordBatch
) -> None:
    options = {"segments": ["city"], "equal_width": [30]}
    assert baseline.version.startswith("b-20240101-")
    assert _build(training, **options).version == baseline.version
    assert _build(training).version != baseline.version
    assert _build(make_rows(5_000, seed=2), **options).version != baseline.version


def test_edges_that_monitors_ask_for_are_there(baseline: Baseline) -> None:
    bins = baseline.bins.numeric["size"]
    assert np.isin(equal_width_edges(bins.minimum, bins.maximum, 30), bins.edges).all()


@pytest.mark.parametrize("rows", [0, 9])
def test_fewer_than_ten_rows_are_refused(rows: int) -> None:
    with pytest.raises(BaselineError, match=f"has {rows} rows, and at least 10"):
        _build(make_rows(rows, seed=1))


def test_ten_rows_are_enough() -> None:
    assert _build(make_rows(10, seed=1)).rows == 10


def test_a_missing_column_is_named() -> None:
    with pytest.raises(BaselineError, match="no column 'size'"):
        _build(make_rows(50, seed=1).drop_columns(["size"]))


def test_a_column_of_a_wrong_type_is_named() -> None:
    rows = make_rows(50, seed=1)
    with pytest.raises(BaselineError, match="'size' holds string"):
        _build(rows.set_column(2, "size", rows["city"]))


def test_a_segment_is_made_of_categories() -> None:
    with pytest.raises(BaselineError, match="grade is declared numeric"):
        _build(make_rows(50, seed=1), segments=["grade"])


def test_without_labels_there_is_no_reference_and_a_note() -> None:
    built = _build(make_rows(50, seed=1).drop_columns(["late"]))
    assert built.reference is None
    assert any("no reference performance" in note for note in built.notes)


def test_columns_without_a_value_are_noted() -> None:
    rows = make_rows(50, seed=1)
    rows = rows.set_column(2, "size", pa.nulls(50, pa.float64()))
    rows = rows.set_column(4, "city", pa.nulls(50, pa.string()))
    built = _build(rows, segments=["city"])
    assert any("'size' has no finite value" in note for note in built.notes)
    assert any("'city' has no value" in note for note in built.notes)
    assert built.profile.segment_rows == {"city=<other>": 50}


def test_a_column_of_too_many_categories_keeps_the_most_frequent() -> None:
    n = 12_000
    rows = make_rows(n, seed=1)
    names = ["often"] * 100 + [f"name {i}" for i in range(n - 100)]
    built = _build(rows.set_column(4, "city", pa.array(names)), segments=["city"])
    bins = built.bins.categorical["city"]
    assert (len(bins.vocabulary), bins.vocabulary[0], bins.complete) == (10_000, "often", False)
    assert built.profile.columns["city"].n_unseen == n - 100 - 9_999
    assert len(built.bins.segments["city"]) == 50
    assert any("'city' has more than 10000 categories" in note for note in built.notes)


def test_a_long_name_is_known_again() -> None:
    rows = make_rows(50, seed=1)
    rows = rows.set_column(4, "city", pa.array(["x" * 900] * 25 + ["x" * 901] * 25))
    built = _build(rows)
    assert built.profile.columns["city"].counts.tolist() == [25, 25]
    assert built.profile.columns["city"].n_unseen == 0
