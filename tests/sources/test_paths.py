"""Paths with fields: the key of a slice, or parts of the moment at which it begins."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from dagster_monitoring.partitions import Partitions
from dagster_monitoring.sources import ParquetSource, Request, slice_named

NEW_YORK = Partitions(start="2013-01-01", timezone="America/New_York", every="hour")
SATURDAY = datetime(2013, 6, 1)  # noqa: DTZ001 - a local time
LAST_OF_SUMMER = ("2013-11-03-01:00", "2013-11-03-01:00-0500")


def request(key: str, partitions: Partitions = NEW_YORK) -> Request:
    return Request(
        partition=key,
        bounds=partitions.bounds(key),
        timestamp="at",
        timezone=partitions.timezone,
    )


def write(path: Path, keys: list[str]) -> None:
    """Two rows of each hour, at its start and half an hour later."""
    starts = [NEW_YORK.bounds(key)[0] for key in keys]
    at = [start.replace(minute=minute) for start in starts for minute in (0, 30)]
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"at": pa.array(at, pa.timestamp("us", "UTC")), "n": range(len(at))})
    pq.write_table(table, path)


def rows(source: ParquetSource, key: str) -> list[int]:
    return [n for batch in source.batches(request(key)) for n in batch.column("n").to_pylist()]


def test_parts_are_of_the_local_hour_at_which_a_slice_begins(tmp_path: Path):
    write(tmp_path / "2013/06/01/08/a.parquet", ["2013-06-01-08:00", "2013-06-01-09:00"])
    source = ParquetSource(path=f"{tmp_path}/{{partition:%Y/%m/%d/%H}}/*.parquet")
    # All rows of the slice's own file, also those that belong elsewhere.
    assert rows(source, "2013-06-01-08:00") == [0, 1, 2, 3]
    assert source.describe(request("2013-06-01-08:00")).rows == 4


def test_the_hour_that_comes_twice_shares_its_path_and_keeps_its_own_rows(tmp_path: Path):
    write(tmp_path / "2013/11/03/01.parquet", list(LAST_OF_SUMMER))
    source = ParquetSource(path=f"{tmp_path}/{{partition:%Y/%m/%d/%H}}.parquet")
    assert [rows(source, key) for key in LAST_OF_SUMMER] == [[0, 1], [2, 3]]
    assert source.describe(request(LAST_OF_SUMMER[0])).rows is None


def test_the_offset_tells_the_two_hours_apart(tmp_path: Path):
    form = "{partition:%Y-%m-%dT%H%z}"
    source = ParquetSource(path=f"{tmp_path}/{form}.parquet")
    write(tmp_path / "2013-11-03T01-0400.parquet", [LAST_OF_SUMMER[0]])
    write(tmp_path / "2013-11-03T01-0500.parquet", ["2013-11-03-04:00", LAST_OF_SUMMER[1]])
    assert [rows(source, key) for key in LAST_OF_SUMMER] == [[0, 1], [0, 1, 2, 3]]


def test_hours_in_a_folder_a_day_are_told_by_their_timestamps(tmp_path: Path):
    write(tmp_path / "2013-06-01/a.parquet", ["2013-06-01-08:00", "2013-06-01-09:00"])
    source = ParquetSource(path=f"{tmp_path}/{{partition:%Y-%m-%d}}/*.parquet")
    assert rows(source, "2013-06-01-09:00") == [2, 3]


def test_the_key_itself_names_an_hour(tmp_path: Path):
    for key in LAST_OF_SUMMER:
        write(tmp_path / f"hour={key}" / "a.parquet", [key])
    source = ParquetSource(path=f"{tmp_path}/hour={{partition}}/*.parquet")
    assert [rows(source, key) for key in LAST_OF_SUMMER] == [[0, 1], [0, 1]]
    assert source.fields() == ("at", "n")


@pytest.mark.parametrize(
    ("path", "location", "named"),
    [
        ("d/day={partition}/*.parquet", "/x/d/day=2013-06-01/0.parquet", "2013-06-01"),
        ("d/{partition}.parquet", "/d/2013-11-03-01:00-0500.parquet", "2013-11-03-01:00-0500"),
        ("{partition:%G-W%V-%u}/*", "/2013-W22-6/a", SATURDAY),
        ("s3://b/{partition:%Y/%j}/{partition:%H}.x", "b/2013/152/08.x", SATURDAY.replace(hour=8)),
        ("d/{partition:%H}.parquet", "/d/garbage.parquet", None),
    ],
)
def test_a_file_says_of_which_slice_it_is(path: str, location: str, named: object):
    assert slice_named(path, location) == named


@pytest.mark.parametrize("field", ["{partition:%B}", "{partitions}", "{partition:%Q}"])
def test_parts_without_a_fixed_form_are_refused(field: str):
    with pytest.raises(ValidationError, match=r"no part of a slice's start|no field of a path"):
        ParquetSource(path=f"data/{field}/*.parquet")
