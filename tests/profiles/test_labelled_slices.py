"""A slice joined with its labels: when they came, whose rows they are, how they are summed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.profiles import performance
from dagster_monitoring.profiles.delays import coarse, delay_cells
from dagster_monitoring.profiles.performance import PerformanceProfile, scan_performance
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Ranking,
    Regression,
    Task,
)

ROLES = Columns(id="id", timestamp="at")
CLASSES = BinaryClassification(label="y", prediction="p", score="s")
NUMBERS = Regression(label="y", prediction="p")
SEVERAL = MulticlassClassification(label="y", prediction="p", scores={"0": "s", "1": "t"})


def rows(**columns: object) -> pa.RecordBatch:
    n = len(next(iter(columns.values())))
    return pa.record_batch({"id": [f"r{i}" for i in range(n)], **columns})


def scanned(
    batches: list[pa.RecordBatch],
    task: Task = CLASSES,
    labels: pa.Table | None = None,
    **segments: tuple[str, ...],
) -> PerformanceProfile:
    return scan_performance(batches, labels=labels, columns=ROLES, task=task, segments=segments)


def one_by_one(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    return [batch.slice(i, 1) for i in range(batch.num_rows)]


@pytest.fixture
def batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """No batches are joined before they are summed."""
    monkeypatch.setattr(performance, "_CELLS", 1)
    monkeypatch.setattr(performance, "_FEWEST_ROWS", 1)


@pytest.mark.usefixtures("batch_by_batch")
def test_the_first_and_the_last_arrival_are_those_of_all_labelled_rows() -> None:
    days = [datetime(2024, 1, day, tzinfo=UTC) for day in (2, 5, 9, 1)]
    labels = pa.table(
        {"prediction_id": ["r0", "r1", "r2", "elsewhere"], "label": [1] * 4, "available_at": days}
    )
    batches = one_by_one(rows(p=[1, 1, 1, 1]))
    for order in permutations(batches):
        found = scanned([*order], labels=labels)
        assert (found.n, found.n_labelled) == (4, 3)
        assert (found.first_available_at, found.last_available_at) == (days[0], days[2])
    unknown = scanned(batches, labels=labels.drop_columns(["available_at"]))
    assert unknown.n_labelled == 3
    assert unknown.first_available_at is unknown.last_available_at is None


@pytest.mark.usefixtures("batch_by_batch")
def test_how_late_labels_came_is_told_of_the_labels_of_all_batches() -> None:
    end = datetime(2024, 1, 2, tzinfo=UTC)
    came = [datetime(2024, 1, 2, hour, tzinfo=UTC) for hour in (1, 1, 3)]
    labels = pa.table(
        {"prediction_id": ["r0", "r1", "r3"], "label": [1, 0, 1], "available_at": came}
    )
    batch = rows(p=[1] * 4, at=pa.array([end] * 4, pa.timestamp("us", tz="UTC")), k=list("abaa"))
    found = scan_performance(
        one_by_one(batch),
        labels=labels,
        columns=ROLES,
        task=CLASSES,
        segments={"k": ("a",)},
        end=end,
    )
    one, three = (delay_cells(np.array([hours * 3_600_000_000]))[0] for hours in (1, 3))
    assert found.arrivals.ages.counts == found.delays.counts == {one: 2, three: 1}
    assert found.segments["k=a"].delays.counts == {one: 1, three: 1}
    assert found.segments["k=<other>"].delays.counts == {one: 1}
    told = found.arrivals.labels
    assert {cell: dict(own.classes.counts) for cell, own in told.items()} == {
        coarse(one): {"0": 1, "1": 1},
        coarse(three): {"1": 1},
    }


SEGMENTED = rows(
    p=[1, 1, 0, None, 1, 1],
    y=[1, 0, None, 1, 1, 1],
    s=[0.9, 0.8, 0.1, 0.2, 0.7, 0.6],
    k=["a", "b", "a", "a", None, "z"],
    m=["u", "u", "u", "u", "v", "v"],
)


@pytest.mark.usefixtures("batch_by_batch")
@pytest.mark.parametrize("task", [CLASSES, NUMBERS, Ranking(label="y", prediction="s", group="k")])
@pytest.mark.parametrize("cut", [1, 3, 6])
def test_segments_count_their_rows_and_labels_whatever_is_predicted(task: Task, cut: int) -> None:
    parts = [SEGMENTED.slice(0, cut), SEGMENTED.slice(cut)]
    found = scanned(parts, task, k=("a", "b"), m=("u",), gone=("x",))
    counted = {name: (own.n, own.n_labelled) for name, own in found.segments.items()}
    assert counted == {
        "k=a": (3, 2),
        "k=b": (1, 1),
        "k=<other>": (2, 2),
        "m=u": (4, 3),
        "m=<other>": (2, 2),
        "gone=x": (0, 0),
        "gone=<other>": (6, 5),
    }
    assert (found.n, found.n_labelled) == (6, 5)
    summed = {name: own.summary.n_labelled for name, own in found.segments.items()}
    if isinstance(task, Ranking):
        # A row without a query is not ranked.
        assert (summed["k=a"], summed["k=<other>"], summed["gone=<other>"]) == (2, 1, 4)
        assert (found.summary.n_labelled, found.summary.n_queries) == (4, 2)
        return
    # A row needs a label and a prediction to be summed.
    assert summed == {
        "k=a": 1,
        "k=b": 1,
        "k=<other>": 2,
        "m=u": 2,
        "m=<other>": 2,
        "gone=x": 0,
        "gone=<other>": 4,
    }
    assert (found.summary.n_labelled, found.n_without_prediction) == (4, 1)


def test_a_regressions_total_is_that_of_its_rows_with_and_without_segments() -> None:
    batch = rows(p=[1.5, 2.0, 4.0], y=[1.0, 4.0, 4.5], k=["a", "b", None])
    for segments in ({}, {"k": ("a",)}, {"k": ("a",), "gone": ("x",)}):
        summary = scanned([batch], NUMBERS, **segments).summary
        assert (summary.n_labelled, summary.total("error")) == (3, -2.0)


def test_segments_are_told_by_their_text_as_it_is() -> None:
    long = "x" * 900
    batch = rows(p=[1, 1, 1, 1], y=[1, 1, 1, 1], k=["1.0", "1", long, long + "y"])
    kept = scanned([batch], k=("1.0", performance.short(long)))
    assert {name: own.n for name, own in kept.segments.items()} == {
        "k=1.0": 1,
        f"k={performance.short(long)}": 1,
        "k=<other>": 2,
    }


@pytest.mark.usefixtures("batch_by_batch")
def test_classes_are_counted_with_and_without_a_label() -> None:
    found = scanned([SEGMENTED.slice(0, 4), SEGMENTED.slice(4)])
    assert found.prediction_counts == {"0": 1, "1": 4}
    assert found.label_counts == {"0": 1, "1": 4}


@pytest.mark.parametrize(("dropped", "n_scored"), [([], 2), (["s"], 0), (["t"], 0), (["p"], 0)])
def test_rows_are_scored_only_with_a_score_of_every_class(
    dropped: list[str], n_scored: int
) -> None:
    batch = rows(p=[0, 1], y=[0, 0], s=[0.75, 0.25], t=[0.25, 0.75]).drop_columns(dropped)
    summary = scanned([batch], SEVERAL).summary
    assert summary.n_scored == n_scored
    if n_scored:
        assert summary.rank_counts.tolist()[:3] == [1, 1, 0]


def test_a_slice_without_rows_has_its_segments() -> None:
    for task in (CLASSES, NUMBERS, Ranking(label="y", prediction="p", group="k")):
        found = scanned([], task, k=("a",))
        assert (found.n, found.n_labelled, found.n_without_prediction) == (0, 0, 0)
        assert {name: own.n for name, own in found.segments.items()} == {"k=a": 0, "k=<other>": 0}
        assert found.summary.n_labelled == 0


@pytest.mark.usefixtures("batch_by_batch")
def test_a_query_is_whole_in_each_segment_and_in_all() -> None:
    batch = rows(
        q=["7", "7", "7", "8"], y=[0.0, 1.0, 0.0, 1.0], s=[4.0, 3.0, 5.0, 1.0], k=list("abaa")
    )
    task = Ranking(label="y", prediction="s", group="q", k=1)
    found = scanned(one_by_one(batch), task, k=("a",), m=("x",))
    summaries = {"all": found.summary, **{n: own.summary for n, own in found.segments.items()}}
    ranks = {
        name: (own.n_labelled, own.n_queries, own.n_queries_without, float(own.sums["mrr"].total))
        for name, own in summaries.items()
    }
    # The relevant row is third of query 7; in segment b it is alone, in a query 7 has none.
    everyone = (4, 2, 0, pytest.approx(1 + 1 / 3))
    assert ranks == {
        "all": everyone,
        "k=a": (3, 1, 1, 1.0),
        "k=<other>": (1, 1, 0, 1.0),
        "m=x": (0, 0, 0, 0.0),
        "m=<other>": everyone,
    }
    assert float(found.summary.sums["precision_at_k"].total) == 1.0
    assert float(found.segments["k=<other>"].summary.sums["precision_at_k"].total) == 1.0


def test_ids_that_are_not_there_or_no_text_find_no_label() -> None:
    labels = pa.table({"prediction_id": ["r0", "r1"], "label": [1, 0]})
    batch = rows(p=[1, 1])
    for own in (batch.drop_columns(["id"]), batch.set_column(0, "id", pa.array([[1], [2]]))):
        found = scanned([own], labels=labels)
        assert (found.n, found.n_labelled, found.label_counts) == (2, 0, {})
    assert scanned([batch], labels=labels).label_counts == {"0": 1, "1": 1}


def test_labels_stand_in_the_rows_unless_a_table_is_given() -> None:
    batch = rows(p=[1, 1], y=[1, 1])
    assert scanned([batch]).n_labelled == 2
    assert scanned([batch.drop_columns(["y"])]).n_labelled == 0
    nobody = pa.table(
        {"prediction_id": pa.array([], pa.string()), "label": pa.array([], pa.int8())}
    )
    assert scanned([batch], labels=nobody).n_labelled == 0


def test_without_a_single_usable_row_nothing_is_summed() -> None:
    batch = rows(p=pa.nulls(2), y=[1, 0], s=[0.5, np.nan])
    found = scanned([batch])
    assert (found.n_without_prediction, found.summary.n_labelled) == (2, 0)
    assert found.prediction_counts == {}
