"""What a check on labels shows of when they came, and what they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from dagster_monitoring.errors import SliceNotFoundError
from dagster_monitoring.orchestration.label_arrivals import (
    MAX_ROWS,
    arrival_metadata,
    delay_text,
)
from dagster_monitoring.profiles.delays import DelayCounts
from dagster_monitoring.profiles.performance import scan_performance
from dagster_monitoring.schema import BinaryClassification, Columns

TASK = BinaryClassification(label="y", prediction="p")
END = datetime(2024, 5, 2, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")


def backend(came: list[timedelta], labels: list[int]) -> SimpleNamespace:
    """What holds one slice, predicted at noon, whose labels came so long after its end."""
    n = len(labels)
    noon = END - timedelta(hours=12)
    rows = pa.record_batch(
        {
            "id": [str(i) for i in range(n)],
            "at": pa.array([noon] * n, MOMENT),
            "p": np.zeros(n, dtype=np.int64),
        }
    )
    table = pa.table(
        {
            "prediction_id": rows["id"],
            "label": labels,
            "available_at": pa.array([END + after for after in came], MOMENT),
        }
    )
    columns = Columns(id="id", timestamp="at")
    profile = scan_performance([rows], labels=table, columns=columns, task=TASK, end=END)
    storage = SimpleNamespace(read_performance=lambda *_: profile)
    return SimpleNamespace(model=SimpleNamespace(model="late", task=TASK), storage=storage)


def test_labels_are_shown_by_when_they_came_with_their_positive_rate():
    came = [timedelta(hours=-3)] * 4 + [timedelta(hours=5)] * 4 + [timedelta(days=9)] * 2
    found = arrival_metadata(backend(came, [1, 1, 1, 0, 0, 0, 0, 1, 0, 0]), "2024-05-01")
    # 17 h are 2 ** (319.82 / 32) minutes, 9.5 days 2 ** (439.67 / 32).
    assert (
        found["label delay of this slice"].value
        == "p50 16.7 h to 17.1 h, p90 9.36 d to 9.57 d; 10 labels"
    )
    rows = [record.data for record in found["labels by when they came"].records]
    assert [row["labels"] for row in rows] == [4, 4, 2]
    assert [row["value"] for row in rows] == [0.75, 0.25, 0.0]
    assert [row["until then"] for row in rows] == [0.75, 0.5, 0.4]
    assert {row["what"] for row in rows} == {"positive rate"}
    spans = [row["after the slice's end"] for row in rows]
    assert spans[0] == "at or before"
    assert all(" to " in span for span in spans[1:])


def test_there_are_few_rows_however_long_labels_take():
    came = [timedelta(minutes=2 * 1.3**step) for step in range(50)]
    found = arrival_metadata(backend(came, [1] * 50), "2024-05-01")
    records = found["labels by when they came"].records
    assert 6 <= len(records) <= MAX_ROWS
    assert sum(record.data["labels"] for record in records) == 50


def test_nothing_is_shown_where_no_label_came_or_no_profile_is():
    assert arrival_metadata(backend([], []), "2024-05-01") == {}

    def missing(*_: str) -> None:
        raise SliceNotFoundError("no performance profile")

    none = SimpleNamespace(
        model=SimpleNamespace(model="late", task=TASK),
        storage=SimpleNamespace(read_performance=missing),
    )
    assert arrival_metadata(none, "2024-05-01") == {}


@pytest.mark.parametrize(
    ("cell", "text"),
    [(0, "at or before the prediction"), (1, "0 min to 1 min"), (674, "more than 1.46e+03 d")],
)
def test_a_delay_is_told_with_its_bounds(cell: int, text: str):
    assert delay_text(DelayCounts(counts={cell: 3})) == f"p50 {text}, p90 {text}; 3 labels"
