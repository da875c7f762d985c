from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from dagster_monitoring.errors import (
    CorruptDataError,
    DataError,
    DeclarationError,
    SchemaMismatchError,
    SliceNotFoundError,
)
from dagster_monitoring.sources import AnySource, AssetSource, ParquetSource, Request, Source
from tests.flaky import failing

START = datetime(2024, 5, 1, tzinfo=UTC)
BY_DAY = "day={partition}/*.parquet"


def bounds(day: int) -> tuple[datetime, datetime]:
    return START + timedelta(days=day), START + timedelta(days=day + 1)


def request_of(day: int, *columns: str) -> Request:
    return Request(
        columns=columns or None,
        partition=f"2024-05-{day + 1:02}",
        bounds=bounds(day),
        timestamp="at",
    )


def ids(batches: Iterator[pa.RecordBatch]) -> list[str]:
    return [value for batch in batches for value in batch.column("id").to_pylist()]


def of_day(day: int, count: int = 10) -> list[str]:
    return [f"{day}-{i}" for i in range(count)]


def test_a_path_by_day_gives_that_days_files(write_days: Callable[[int], Path]):
    source = ParquetSource(path=f"{write_days(3)}/{BY_DAY}")
    assert ids(source.batches(request_of(1))) == of_day(1)
    assert ids(source.batches(Request())) == of_day(0) + of_day(1) + of_day(2)


def test_a_glob_gives_the_rows_between_the_bounds(write_days: Callable[[int], Path]):
    """Midnight belongs to the day that begins."""
    source = ParquetSource(path=f"{write_days(3)}/*/*.parquet")
    assert ids(source.batches(request_of(1))) == of_day(1)
    half = Request(bounds=(START, START + timedelta(hours=12)), timestamp="at")
    assert ids(source.batches(half)) == of_day(0)[:5]


def test_a_25_hour_day_is_cut_by_its_bounds(tmp_path: Path):
    """New York, 2013-11-03: from 04:00 UTC to 05:00 UTC of the next day."""
    midnight = datetime(2013, 11, 3, 4, tzinfo=UTC)
    hours = [midnight + timedelta(hours=h) for h in range(-1, 27)]
    table = pa.table({"id": [str(h) for h in range(-1, 27)], "at": pa.array(hours)})
    pq.write_table(table, tmp_path / "all.parquet")
    source = ParquetSource(path=str(tmp_path / "all.parquet"))
    found = source.batches(
        Request(bounds=(midnight, midnight + timedelta(hours=25)), timestamp="at")
    )
    assert ids(found) == [str(h) for h in range(25)]


@pytest.mark.parametrize("with_statistics", [True, False])
def test_row_groups_are_skipped_without_losing_rows(tmp_path: Path, with_statistics: bool):  # noqa: FBT001 - a case
    moments = [START + timedelta(hours=h) for h in range(96)]
    table = pa.table({"id": [str(h) for h in range(96)], "at": pa.array(moments)})
    pq.write_table(
        table, tmp_path / "x.parquet", row_group_size=10, write_statistics=with_statistics
    )
    source = ParquetSource(path=str(tmp_path / "x.parquet"))
    assert ids(source.batches(request_of(2))) == [str(h) for h in range(48, 72)]


@pytest.mark.parametrize(
    "times",
    [
        pa.array([START.replace(tzinfo=None)] * 2, pa.timestamp("ms")),
        pa.array([START, START], pa.timestamp("ns", tz="America/New_York")),
        pa.array(["2024-05-01T00:00:00Z", "2024-05-01T02:00:00+02:00"]),
        pa.array(["2024-05-01 00:00:00", "2024-05-01T00:00"]),
        pa.array([START.date(), START.date()], pa.date32()),
    ],
    ids=["naive", "zoned-ns", "text-zoned", "text-naive", "date"],
)
def test_times_are_read_in_every_form_they_come(tmp_path: Path, times: pa.Array):
    pq.write_table(pa.table({"id": ["0", "1"], "at": times}), tmp_path / "x.parquet")
    source = ParquetSource(path=str(tmp_path / "x.parquet"))
    assert ids(source.batches(request_of(0))) == ["0", "1"]
    with pytest.raises(SliceNotFoundError, match="2024-05-02"):
        list(source.batches(request_of(1)))


def test_only_the_columns_asked_for_come_and_missing_ones_stop_nothing(
    write_days: Callable[[int], Path],
):
    folder = write_days(2)
    for path in (f"{folder}/{BY_DAY}", f"{folder}/*/*.parquet"):
        (batch,) = ParquetSource(path=path).batches(request_of(0, "x", "nosuch"))
        assert batch.schema.names == ["x"]
        assert batch.num_rows == 10


def test_repeated_strings_come_as_codes_and_ids_plain(tmp_path: Path):
    count = 50_000
    table = pa.table({"id": [f"prediction-{i:09}" for i in range(count)], "k": ["a", "b"] * 25_000})
    pq.write_table(table, tmp_path / "x.parquet")
    batch = next(ParquetSource(path=str(tmp_path / "x.parquet")).batches(Request()))
    assert pa.types.is_dictionary(batch.schema.field("k").type)
    assert batch.schema.field("id").type == pa.string()


def test_a_slice_comes_in_batches_of_bounded_size(tmp_path: Path):
    pq.write_table(pa.table({"x": pa.array(range(400_000))}), tmp_path / "x.parquet")
    sizes = [
        batch.num_rows
        for batch in ParquetSource(path=str(tmp_path / "x.parquet")).batches(Request())
    ]
    assert sum(sizes) == 400_000
    assert max(sizes) <= 131_072


def test_a_memory_url_is_read_like_a_local_path():
    filesystem = fsspec.filesystem("memory")
    for day in range(2):
        with filesystem.open(f"/bucket/day=2024-05-0{day + 1}/a.parquet", "wb") as file:
            pq.write_table(pa.table({"id": [f"{day}-0"]}), file)
    try:
        source = ParquetSource(path=f"memory://bucket/{BY_DAY}")
        assert ids(source.batches(Request(partition="2024-05-02"))) == ["1-0"]
        assert source.fields("2024-05-01") == ("id",)
        with pytest.raises(SliceNotFoundError, match="memory://bucket/day=2024-05-09"):
            list(source.batches(Request(partition="2024-05-09")))
        with filesystem.open("/bucket/day=2024-05-03/a.parquet", "wb") as file:
            file.write(b"PAR1 cut off")
        with pytest.raises(CorruptDataError, match=r"memory://.*2024-05-03/a\.parquet"):
            list(source.batches(Request(partition="2024-05-03")))
    finally:
        filesystem.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    "fault",
    [TimeoutError("took too long"), OSError("no more"), OSError(5, "slow down"), RuntimeError("x")],
)
@pytest.mark.parametrize("fails_open", [False, True])
def test_a_fault_of_the_storage_is_no_fault_of_the_file(
    tmp_path: Path, fault: Exception, *, fails_open: bool
):
    pq.write_table(pa.table({"id": ["0"]}), tmp_path / "a.parquet")
    source = ParquetSource(path=f"flaky://{tmp_path}/*.parquet")
    with (
        failing(fault, fails_open=fails_open),
        pytest.raises(DataError, match=r"a\.parquet can't be read now") as caught,
    ):
        list(source.batches(Request()))
    assert type(caught.value) is DataError
    assert ids(source.batches(Request())) == ["0"]
    (tmp_path / "a.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(CorruptDataError, match=r"a\.parquet"):
        list(source.batches(Request()))


def test_no_file_for_a_day_names_partition_path_and_remedy(write_days: Callable[[int], Path]):
    folder = write_days(1)
    source = ParquetSource(path=f"{folder}/{BY_DAY}")
    for act in (source.describe, lambda r: list(source.batches(r))):
        with pytest.raises(SliceNotFoundError) as caught:
            act(request_of(4))
        assert "partition 2024-05-05" in str(caught.value)
        assert f"{folder}/day=2024-05-05/*.parquet" in str(caught.value)


def test_a_file_of_no_rows_still_names_its_columns(tmp_path: Path):
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), tmp_path / "2024-05-01.parquet")
    source = ParquetSource(path=f"{tmp_path}/{{partition}}.parquet")
    (batch,) = source.batches(request_of(0))
    assert (batch.num_rows, batch.schema.names) == (0, ["id"])
    assert source.describe(request_of(0)).rows == 0


def test_an_empty_file_is_named_with_a_remedy(tmp_path: Path):
    (tmp_path / "2024-05-01.parquet").touch()
    source = ParquetSource(path=f"{tmp_path}/{{partition}}.parquet")
    with pytest.raises(CorruptDataError, match=r"2024-05-01\.parquet is empty .*write it again"):
        list(source.batches(request_of(0)))


@pytest.mark.parametrize("keep", [4, 300, -8])
def test_a_file_cut_off_is_named(write_days: Callable[[int], Path], keep: int):
    file = next(write_days(1).glob("*/*.parquet"))
    file.write_bytes(file.read_bytes()[:keep])
    source = ParquetSource(path=str(file))
    with pytest.raises(CorruptDataError, match=r"part-0\.parquet can't be read to its end"):
        list(source.batches(Request()))


def test_a_damaged_page_is_named_after_the_rows_before_it(tmp_path: Path):
    file = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({"x": [i * 1.5 for i in range(4_000)]}),
        file,
        compression="zstd",
        row_group_size=1_000,
        use_dictionary=False,
    )
    content = bytearray(file.read_bytes())
    middle = pq.read_metadata(file).row_group(2).column(0).data_page_offset + 60
    content[middle : middle + 200] = b"\xff" * 200
    file.write_bytes(content)
    with pytest.raises(CorruptDataError, match=r"x\.parquet"):
        list(ParquetSource(path=str(file)).batches(Request()))


def test_a_type_that_differs_in_one_file_is_said_and_read_as_it_is(tmp_path: Path):
    pq.write_table(pa.table({"x": [1.0], "y": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": ["one"]}), tmp_path / "b.parquet")
    source = ParquetSource(path=f"{tmp_path}/*.parquet")
    found = [batch.to_pydict() for batch in source.batches(Request())]
    assert found == [{"x": [1.0], "y": [1]}, {"x": ["one"]}]
    facts = source.describe(Request(partition="2024-05-01"))
    assert len(facts.faults) == 2
    assert facts.faults[0].startswith("file://")
    assert "b.parquet: column 'x' is string, but double in" in facts.faults[0]
    assert "column 'y' is missing, but int64" in facts.faults[1]


def test_a_missing_timestamp_says_the_nearest_name(write_days: Callable[[int], Path]):
    source = ParquetSource(path=f"{write_days(1)}/*/*.parquet")
    wrong = Request(bounds=bounds(0), timestamp="att")
    with pytest.raises(SchemaMismatchError, match=r"no column 'att'.*Did you mean 'at'\?"):
        list(source.batches(wrong))


def test_a_timestamp_that_is_none_names_file_and_column(tmp_path: Path):
    pq.write_table(pa.table({"at": ["yesterday"]}), tmp_path / "x.parquet")
    source = ParquetSource(path=str(tmp_path / "x.parquet"))
    with pytest.raises(SchemaMismatchError, match=r"x\.parquet, column 'at' .* as a time"):
        list(source.batches(request_of(0)))


def test_facts_are_told_from_footers(write_days: Callable[[int], Path]):
    folder = write_days(2)
    facts = ParquetSource(path=f"{folder}/{BY_DAY}").describe(request_of(1))
    file = folder / "day=2024-05-02" / "part-0.parquet"
    assert facts.rows == 10
    assert facts.size_bytes == file.stat().st_size
    assert facts.locations == (f"file://{file}",)
    assert facts.schema.names == ["id", "at", "x", "kind"]


def test_an_asset_is_read_where_it_writes(write_days: Callable[[int], Path]):
    source = AssetSource(key=["scored", "flights"], path=BY_DAY).relative_to(write_days(2))
    assert ids(source.batches(request_of(1))) == of_day(1)
    assert source.describe(request_of(1)).rows == 10


def test_relative_paths_are_taken_from_the_root_and_others_left():
    assert ParquetSource(path="a/*.parquet").relative_to(Path("/p")).path == "/p/a/*.parquet"
    assert ParquetSource(path="/a/b").relative_to(Path("/p")).path == "/a/b"
    assert ParquetSource(path="s3://b/a").relative_to(Path("/p")).path == "s3://b/a"


def test_an_unknown_protocol_fails_with_its_name():
    with pytest.raises(DeclarationError, match="nosuch"):
        list(ParquetSource(path="nosuch://a/b.parquet").batches(Request()))


def test_credentials_in_a_url_are_not_shown():
    source = ParquetSource(path="memory://hunter2@host/nothing/*.parquet")
    with pytest.raises(SliceNotFoundError) as caught:
        list(source.batches(Request()))
    assert "hunter2" not in str(caught.value)


def test_secrets_for_storage_come_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    source = ParquetSource(path="memory://a/*.parquet", storage_options={"key": {"env": "NOKEY"}})
    monkeypatch.delenv("NOKEY", raising=False)
    with pytest.raises(DeclarationError, match="NOKEY is not set"):
        list(source.batches(Request()))


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ({"type": "parquet", "path": "x"}, ParquetSource),
        ({"type": "asset", "key": ["a"], "path": "x"}, AssetSource),
    ],
)
def test_a_declaration_is_told_by_its_type(declared: dict[str, object], kind: type[Source]):
    assert type(TypeAdapter(AnySource).validate_python(declared)) is kind


def test_an_unknown_type_lists_the_known_ones():
    with pytest.raises(ValueError, match="'asset', 'parquet', 'spark_table', 'sql'"):
        TypeAdapter(AnySource).validate_python({"type": "csv", "path": "x"})
