"""Bytes that a file calls UTF-8 and that are none are named as such, not a codec's crash."""

from __future__ import annotations

import pyarrow as pa
import pytest

from dagster_monitoring.errors import DataError, SchemaMismatchError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.label_keys import label_keys
from dagster_monitoring.sources.ground_truth import ParquetGroundTruth
from tests.orchestration.world import fields_of, rows


def broken(n: int) -> pa.Array:
    """Texts of which the last is no UTF-8, as a careless writer puts them into a file."""
    one = [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    bad = pa.Array.from_buffers(pa.string(), 1, one)
    return pa.concat_arrays([pa.array([f"p{i}" for i in range(n - 1)]), bad])


def taken(batch: pa.RecordBatch) -> pa.Table:
    feed = ParquetGroundTruth(type="parquet", path="x", expected_delay_days=1)
    return feed.normalise(
        batch, id_column="id", label_column="late", arrived_at=None, where="file x"
    )


def test_ids_of_predictions():
    model = MonitoredModel.read(fields_of("late"))
    batch = rows(0).combine_chunks().to_batches()[0]
    place = batch.schema.get_field_index("id")
    assert len(label_keys(model, batch)) == batch.num_rows
    bad = batch.set_column(place, "id", broken(batch.num_rows))
    with pytest.raises(DataError, match=r"column 'id' .*no UTF-8"):
        label_keys(model, bad)


@pytest.mark.parametrize(
    ("ids", "labels", "says"),
    [
        (broken(2), pa.array([1, 0]), "'id' holds"),
        (pa.array(["a", "b"]), broken(2), "'late' holds"),
        (pa.array(["a", "b"]), pa.array([b"\xff", b"\xfe"]), "'late' holds binary"),
        (pa.array(["a", "b"]), pa.array([[1], [0]]), "give one value"),
        (pa.array(["a", "b"]), pa.array([{"x": 1}, {"x": 0}]), "give one value"),
    ],
)
def test_ids_and_labels_of_deliveries(ids, labels, says):
    available = pa.array([0, 0], pa.timestamp("us", tz="UTC"))
    batch = pa.record_batch({"id": ids, "late": labels, "available_at": available})
    with pytest.raises(SchemaMismatchError, match=says):
        taken(batch)


def test_text_in_bytes_is_taken():
    available = pa.array([0, 0], pa.timestamp("us", tz="UTC"))
    columns = {"id": pa.array(["a", "b"]), "late": pa.array([b"yes", b"no"])}
    found = taken(pa.record_batch({**columns, "available_at": available}))
    assert found["label"].to_pylist() == ["yes", "no"]
