"""Tables as files: what is in them, and how."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.errors import CorruptDataError
from dagster_monitoring.profiles.encoding import (
    from_bytes,
    read_header,
    read_time,
    to_bytes,
    write_time,
)

TABLE = pa.table(
    {
        "name": ["a", "b"],
        "bin": pa.array([1, 2], pa.int32()),
        "score": [0.5, 0.25],
        "count": [3, 4],
        "sum": [2**60 + 1, -5],
    }
).replace_schema_metadata({"k": "v"})


def test_a_table_is_read_as_it_was_written_or_only_the_columns_asked_for() -> None:
    data = to_bytes(TABLE)
    assert from_bytes(data, where="here").equals(TABLE, check_metadata=True)
    some = from_bytes(data, where="here", columns=["sum", "bin"])
    assert some.equals(TABLE.select(some.column_names), check_metadata=True)
    assert set(some.column_names) == {"sum", "bin"}


@pytest.mark.parametrize("columns", [TABLE.column_names, ["name", "count"], ["sum"]])
def test_each_column_is_packed_as_suits_its_values(columns: list[str]) -> None:
    """Places grow and sums hardly repeat; names and counts do, and take a dictionary."""
    meta = pq.read_metadata(pa.BufferReader(to_bytes(TABLE.select(columns)))).row_group(0)
    packed = {
        "name": "RLE_DICTIONARY",
        "bin": "DELTA_BINARY_PACKED",
        "score": "BYTE_STREAM_SPLIT",
        "count": "RLE_DICTIONARY",
        "sum": "BYTE_STREAM_SPLIT",
    }
    for place, name in enumerate(columns):
        column = meta.column(place)
        assert column.compression == "ZSTD"
        assert packed[name] in column.encodings
        assert not column.is_stats_set


def test_a_file_that_is_none_is_named() -> None:
    for data in (b"", b"no data", to_bytes(TABLE)[:100]):
        with pytest.raises(CorruptDataError, match=r"^here can't be read: .*\. Delete it and"):
            from_bytes(data, where="here")


def test_a_header_is_read_if_it_is_of_the_format() -> None:
    header = {"format": 7, "more": [1]}
    table = TABLE.replace_schema_metadata({"key": json.dumps(header)})
    assert read_header(table, b"key", 7) == header
    for key, version, found in ((b"key", 8, "7"), (b"other", 7, "None")):
        message = rf"^not a file of format {version} \({key.decode()}\): {found}\. Delete it and"
        with pytest.raises(CorruptDataError, match=message):
            read_header(table, key, version)
    with pytest.raises(CorruptDataError, match=r"\(key\): None"):
        read_header(TABLE.replace_schema_metadata(None), b"key", 7)


@pytest.mark.parametrize(
    "moment",
    [
        None,
        datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_a_moment_is_read_as_it_was_written(moment: datetime | None) -> None:
    assert read_time(write_time(moment)) == moment
