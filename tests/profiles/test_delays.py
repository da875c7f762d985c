"""Delays of labels, counted on fixed bins: the same bytes in any order, quantiles within bounds."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_monitoring.profiles.delays import (
    EDGES,
    Arrivals,
    Bounds,
    DelayCounts,
    LabelTally,
    _edge,
    bounds,
    coarse,
    coarse_bounds,
    delay_cells,
)
from dagster_monitoring.profiles.encoding import from_bytes
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.performance import scan_performance
from dagster_monitoring.profiles.performance_profile import PerformanceProfile, merge_performance
from dagster_monitoring.profiles.performance_serialization import from_table
from dagster_monitoring.profiles.storage import performance_bytes
from dagster_monitoring.schema import (
    BinaryClassification,
    Columns,
    MulticlassClassification,
    Regression,
    Task,
)
from dagster_monitoring.statistics.exact_sum import ExactSum
from tests.profiles.conftest import plain

END = datetime(2024, 5, 2, tzinfo=UTC)
ROLES = Columns(id="id", timestamp="at")
TASKS: list[Task] = [
    BinaryClassification(label="y", prediction="p"),
    MulticlassClassification(label="y", prediction="p"),
    Regression(label="y", prediction="p"),
]
HOUR = 3_600_000_000
MOMENT = pa.timestamp("us", tz="UTC")


def slice_of(n: int, seed: int, *, late: float = 10.0) -> tuple[pa.RecordBatch, pa.Table]:
    """Rows of a day, some without a timestamp, and labels of most of them."""
    source = np.random.default_rng(seed)
    at = [END - timedelta(hours=float(h)) for h in source.uniform(0, 24, n)]
    rows = pa.record_batch(
        {
            "id": [f"{seed}-{i}" for i in range(n)],
            "at": pa.array([m if source.random() < 0.9 else None for m in at], MOMENT),
            "p": source.integers(0, 3, n),
            "city": source.choice(["Oslo", "Rome", "Lima"], n).tolist(),
        }
    )
    came = [
        m + timedelta(hours=float(h)) for m, h in zip(at, source.exponential(late, n), strict=True)
    ]
    labels = pa.table(
        {
            "prediction_id": rows["id"],
            "label": source.integers(0, 3, n),
            "available_at": pa.array([m if source.random() < 0.95 else None for m in came], MOMENT),
        }
    )
    return rows, labels.filter(pa.array(source.random(n) < 0.8))


def scanned(
    rows: list[pa.RecordBatch], labels: pa.Table, task: Task, end: datetime | None = END
) -> PerformanceProfile:
    segments = {"city": ("Oslo", "Rome")}
    return scan_performance(
        rows, labels=labels, columns=ROLES, task=task, segments=segments, end=end
    )


def test_edges_are_powers_of_two_of_a_minute_to_the_microsecond() -> None:
    assert EDGES[:2] == (0, 60_000_000)
    assert EDGES[1 + 32] == 2 * EDGES[1]
    assert EDGES[-1] == 60_000_000 * 2**21
    for step, edge in enumerate(EDGES[1:]):
        exact = Fraction(60_000_000) ** 32 * 2**step
        assert Fraction(edge) ** 32 <= exact < Fraction(edge + 1) ** 32
        assert _edge(step) == edge


@pytest.mark.parametrize(
    ("delay", "cell"),
    [
        (-(10**12), 0),
        (0, 0),
        (1, 1),
        (60_000_000, 1),
        (60_000_001, 2),
        (120_000_000, 33),
        (EDGES[-1], len(EDGES) - 1),
        (EDGES[-1] + 1, len(EDGES)),
        (10**17, len(EDGES)),
    ],
)
def test_a_cell_holds_its_upper_edge(delay: int, cell: int) -> None:
    assert delay_cells(np.array([delay])).tolist() == [cell]
    lower, upper = bounds(cell)
    assert lower is None or lower * HOUR < delay
    assert upper is None or delay <= upper * HOUR + 1e-3


def test_coarse_cells_put_eight_together_and_leave_no_gap() -> None:
    assert [coarse(cell) for cell in (0, 1, 8, 9, 16, len(EDGES))] == [0, 1, 1, 2, 2, 85]
    assert coarse_bounds(0) == Bounds(None, 0.0)
    assert coarse_bounds(coarse(len(EDGES))).upper is None
    for cell in range(len(EDGES) + 1):
        inner, outer = bounds(cell), coarse_bounds(coarse(cell))
        assert (outer.lower is None) == (inner.lower is None)
        assert inner.lower is None or outer.lower <= inner.lower
        assert outer.upper is None or outer.upper >= inner.upper
    assert all(coarse_bounds(c).upper == coarse_bounds(c + 1).lower for c in range(84))


@given(
    delays=st.lists(st.integers(-(10**10), 10**14), min_size=1, max_size=60),
    share=st.sampled_from([0.1, 0.5, 0.9, 1.0]),
)
def test_a_quantile_lies_within_its_bounds(delays: list[int], share: float) -> None:
    exact = np.quantile(np.array(delays) / HOUR, share, method="inverted_cdf")
    found = DelayCounts.of(np.array(delays)).quantile(share)
    assert found is not None
    assert found.lower is None or found.lower < exact
    assert exact <= found.upper * (1 + 1e-12)
    if found.lower:
        assert found.upper <= found.lower * 1.0222


def test_of_no_labels_there_is_no_quantile() -> None:
    nothing = DelayCounts()
    assert (nothing.quantile(0.5), nothing.reached(1), nothing.n) == (None, None, 0)
    three = DelayCounts(counts={2: 1, 40: 2})
    assert [three.reached(wanted) for wanted in (0.5, 1, 1.5, 3, 3.5)] == [
        bounds(2), bounds(2), bounds(40), bounds(40), None,
    ]  # fmt: skip
    # 0.4 * 3 is more than one, 0.3 * 3 is not.
    assert [three.quantile(share) for share in (0.3, 0.4)] == [bounds(2), bounds(40)]
    # 0.9 * 110 is 99.00000000000001 as floats go.
    assert DelayCounts(counts={1: 99, 7: 11}).quantile(0.9) == bounds(1)


@settings(max_examples=20, deadline=None)
@given(task=st.sampled_from(TASKS), seed=st.integers(0, 99), data=st.data())
def test_any_cut_order_and_merge_give_the_same_bytes(
    task: Task, seed: int, data: st.DataObject
) -> None:
    rows, labels = slice_of(40, seed)
    whole = scanned([rows], labels, task)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, 40), max_size=4))), 40]
    parts = [rows.slice(a, b - a) for a, b in itertools.pairwise(cuts)]
    mixed = data.draw(st.permutations(parts))
    assert performance_bytes(scanned(mixed, labels, task)) == performance_bytes(whole)
    alone = [scanned([part], labels, task) for part in mixed]
    merged = merge_performance(alone, task=task)
    assert plain(merged.delays) == plain(whole.delays)
    assert plain(merged.arrivals) == plain(whole.arrivals)
    assert merged.delays == merge_performance(alone[::-1], task=task).delays
    for name, part in whole.segments.items():
        assert merged.segments[name].delays == part.delays
    read = from_table(from_bytes(performance_bytes(whole), where="here"))
    assert plain(read) == plain(whole)


def joined(rows: pa.RecordBatch, labels: pa.Table) -> pd.DataFrame:
    """The labelled rows of which it is known when the label came, by pandas alone."""
    frame = rows.to_pandas().merge(labels.to_pandas(), left_on="id", right_on="prediction_id")
    frame = frame[frame["available_at"].notna()]
    frame["delay"] = frame["available_at"] - frame["at"].fillna(pd.Timestamp(END))
    frame["age"] = frame["available_at"] - pd.Timestamp(END)
    return frame


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.type)
def test_counts_are_those_of_pandas(task: Task) -> None:
    rows, labels = slice_of(400, 7)
    frame, found = joined(rows, labels), scanned([rows], labels, task)
    assert 250 < len(frame) == found.delays.n < found.n_labelled < found.n == 400
    edges = pd.to_timedelta([-(10**6), *(edge / 1e6 for edge in EDGES)], unit="s")
    for counts, column in ((found.delays, "delay"), (found.arrivals.ages, "age")):
        expected = pd.cut(frame[column], edges, labels=False).value_counts().sort_index()
        assert [*counts.counts.items()] == [*expected.items()]
    late = pd.cut(frame["delay"], edges, labels=False)
    for city, name in (("Oslo", "Oslo"), ("Rome", "Rome"), ("Lima", "<other>")):
        expected = late[frame["city"] == city].value_counts().sort_index()
        own = found.segments[f"city={name}"].delays
        assert sorted(own.counts.items()) == [*expected.items()]
    frame["cell"] = pd.cut(frame["age"], edges, labels=False)
    groups = frame.groupby((frame["cell"] + 7) // 8)["label"]
    assert [*found.arrivals.labels] == [*groups.groups]
    for cell, own in groups:
        tally = found.arrivals.labels[cell]
        if isinstance(task, Regression):
            sums = (tally.n, float(tally.total), float(tally.squares))
            assert sums == (len(own), own.sum(), (own**2).sum())
        else:
            expected = {str(k): n for k, n in sorted(own.value_counts().items())}
            assert tally.classes.counts == expected
        assert tally.size == len(own)


def test_without_an_end_rows_without_a_timestamp_have_no_delay() -> None:
    rows, labels = slice_of(200, 3)
    found = scanned([rows], labels, TASKS[0], end=None)
    frame = joined(rows, labels)
    assert found.delays.n == frame["at"].notna().sum() < len(frame)
    assert found.arrivals == Arrivals()
    text = rows.set_column(1, "at", pa.array(["noon"] * 200))
    assert scanned([text], labels, TASKS[0], end=None).delays == DelayCounts()
    ages = scanned([text], labels, TASKS[0]).arrivals.ages
    assert scanned([text], labels, TASKS[0]).delays == ages


def test_labels_within_the_rows_have_no_delay() -> None:
    rows, _ = slice_of(50, 1)
    rows = rows.append_column("y", rows["p"])
    found = scan_performance([rows], labels=None, columns=ROLES, task=TASKS[0], end=END)
    assert (found.n_labelled, found.delays, found.arrivals) == (50, DelayCounts(), Arrivals())


def test_labels_that_are_too_large_to_square_are_left_out() -> None:
    rows, labels = slice_of(20, 5)
    huge = labels.set_column(1, "label", pa.array([1e200, *[2.0] * (labels.num_rows - 1)]))
    found = scanned([rows], huge, TASKS[2]).arrivals
    known = found.ages.n
    assert sum(own.n for own in found.labels.values()) in {known, known - 1}
    assert all(float(own.total) == 2 * own.n for own in found.labels.values())


def test_tallies_add_and_nothing_changes_them() -> None:
    one = LabelTally(classes=NameCounts.of({"a": 2}), n=1, total=ExactSum.of([0.5]))
    both = one + LabelTally(n=2, squares=ExactSum.of([4.0]))
    assert (both.size, both.n, float(both.total), float(both.squares)) == (5, 3, 0.5, 4.0)
    assert one + LabelTally() == LabelTally() + one == one
    some = Arrivals(ages=DelayCounts(counts={9: 3}), labels={2: one})
    assert some + Arrivals() == Arrivals() + some == some
    assert [*(Arrivals(labels={5: one}) + some).labels] == [2, 5]
