from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles import fitting
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


def test_a_baseline_without_a_file_is_refused() -> None:
    with pytest.raises(BaselineError, match="has 0 rows, and at least 10"):
        build_baseline(lambda _: [], columns=COLUMNS, task=TASK, model_version="v1")


def test_facts_are_kept_with_it() -> None:
    rows = make_rows(50, seed=1)
    before = datetime.now(UTC)
    built = _build(rows)
    assert before <= built.created_at <= datetime.now(UTC)
    assert built.model_version == "v1"
    assert built.types == {
        name: str(rows.schema.field(name).type)
        for name in ("city", "grade", "guess", "score", "size")
    }
    assert built.profile.model_versions == {"v1": 50}
    assert built.notes == ()


def test_ids_that_repeat_are_noted() -> None:
    rows = make_rows(50, seed=1)
    built = _build(rows.set_column(0, "id", pa.array(["same"] * 3 + [f"p{i}" for i in range(47)])))
    assert built.notes == ("2 rows have a missing id or one that another row has",)


def test_segments_are_counted_wherever_they_are_declared() -> None:
    rows = make_rows(50, seed=1).append_column("gate", pa.array(["a", "b"] * 25))
    built = _build(rows, segments=["gate"])
    assert built.profile.segment_rows == {"gate=a": 25, "gate=b": 25, "gate=<other>": 0}
    assert built.reference.segments["gate=a"].n_labelled == 25


def test_a_version_without_a_moment_says_so() -> None:
    rows = make_rows(50, seed=1)
    built = _build(rows.set_column(1, "at", pa.nulls(50, rows["at"].type)))
    assert re.fullmatch("b-undated-[0-9a-f]{8}", built.version)


def test_names_equally_frequent_are_in_order_whatever_order_they_come_in() -> None:
    rows = make_rows(60, seed=1)
    for cities in (["b", "a", "c", "b", "a", "c"], ["c", "b", "a", "a", "b", "c"]):
        built = _build(rows.set_column(4, "city", pa.array(cities * 10)))
        assert built.bins.categorical["city"].vocabulary == ("a", "b", "c")
        assert built.bins.categorical["city"].complete


def test_a_constant_column_is_noted() -> None:
    rows = make_rows(50, seed=1)
    rows = rows.set_column(4, "city", pa.array(["Oslo"] * 50)).set_column(
        3, "grade", pa.array([7] * 50)
    )
    assert _build(rows).notes == (
        "column 'city' is constant in the baseline",
        "column 'grade' is constant in the baseline",
    )


def test_names_are_counted_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_MAX_TALLY", 8)
    names = [*"aaaabbbccdefgh", *(f"new {i}" for i in range(4)), "a", "i"]
    batches = [pa.record_batch({"k": [name]}) for name in names]
    found = fitting.fit(lambda _: batches, numeric=[], categorical=["k"])
    assert found.counts["k"][:4] == [("a", 5), ("b", 3), ("c", 2), ("d", 1)]
    assert not found.columns["k"].complete
    few = fitting.fit(lambda _: batches[:14], numeric=[], categorical=["k"])
    assert few.columns["k"].vocabulary == tuple("abcdefgh")
    assert few.columns["k"].complete


def test_numbers_are_read_a_few_columns_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "_MAX_VALUES", 200)
    rows = make_rows(100, seed=1)
    asked: list[list[str]] = []

    def read(names: list[str]) -> list[pa.RecordBatch]:
        asked.append([*names])
        return [rows.slice(0, 50).select(names), rows.slice(50).select(names)]

    fitted = fitting.fit(read, numeric=["size", "grade", "score"], categorical=["city"])
    assert asked == [["city"], ["size", "grade"], ["score"]]
    assert list(fitted.columns) == ["city", "size", "grade", "score"]


def test_as_many_categories_as_are_kept_are_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MAX_VOCABULARY", 3)
    batches = [pa.record_batch({"k": ["a", "b", "c"], "more": ["a", "b", "c"]})] * 2
    batches.append(pa.record_batch({"k": ["a"], "more": ["d"]}))
    found = fitting.fit(lambda _: batches, numeric=[], categorical=["k", "more"]).columns
    assert [(own.vocabulary, own.complete) for own in found.values()] == [
        (("a", "b", "c"), True),
        (("a", "b", "c"), False),
    ]


def test_only_names_that_rows_have_are_counted() -> None:
    codes = pa.array([0, 0, 1, None], pa.int8())
    array = pa.DictionaryArray.from_arrays(codes, pa.array(["a", None, "unused"]))
    batch = pa.record_batch({"k": array})
    assert fitting.fit(lambda _: [batch], numeric=[], categorical=["k"]).counts == {"k": [("a", 2)]}
    with pytest.raises(BaselineError, match="column 'k' holds list<item: int64>, which is no cat"):
        fitting.fit(lambda _: [pa.record_batch({"k": [[1]]})], numeric=[], categorical=["k"])


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


def test_each_baseline_has_the_edges_that_its_monitors_ask_for() -> None:
    rows = make_rows(200, seed=4)
    made = build_baseline(
        reader(rows), columns=COLUMNS, task=TASK, equal_width=[7], model_version="v1"
    )
    bins = made.bins.numeric["score"]
    assert np.isin(equal_width_edges(bins.minimum, bins.maximum, 7), bins.edges).all()


def _fitted(
    values: pa.Array, *, categorical: bool = False, equal_width: tuple[int, ...] = ()
) -> fitting.Fitted:
    own = ["x"]
    return fitting.fit(
        lambda _: [pa.record_batch({"x": values})],
        numeric=[] if categorical else own,
        categorical=own if categorical else [],
        equal_width=equal_width,
    )


def test_a_name_that_a_dictionary_has_twice_is_one() -> None:
    names = pa.array(["Oslo", "Rome", "Oslo"])
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 2]), names)
    assert _fitted(twice, categorical=True).counts == {"x": [("Oslo", 3), ("Rome", 1)]}


def test_edges_of_equal_width_are_only_those_asked_for() -> None:
    edges = _fitted(pa.array([5.0, 6.0, 8.0])).columns["x"].edges
    assert 0.0 not in edges
    # Sevenths, as halves would be edges in any case.
    asked = _fitted(pa.array([0.0, 1e140, 2e140]), equal_width=(7,)).columns["x"].edges
    assert np.isin(np.linspace(0.0, 1e140, 8), asked).all()


def test_one_column_is_read_at_a_time_where_two_would_be_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "_MAX_VALUES", 1)
    asked = []

    def read(names: list[str]) -> list[pa.RecordBatch]:
        asked.append(list(names))
        return [pa.record_batch({name: [1.0, 2.0] for name in (*names, "k")})]

    fitting.fit(read, numeric=["a", "b"], categorical=["k"])
    assert asked == [["k"], ["a"], ["b"]]
