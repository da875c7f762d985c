"""Spark's profile is the local engine's, to the last byte."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.errors import SliceNotFoundError
from dagster_monitoring.sources import ParquetSource
from tests.spark.slices import NUMERIC, WRONG, Rows, both, is_same, slice_rows, write_files


def test_every_type_gives_the_local_engines_bytes(engine, plan, tmp_path):
    tables = [slice_rows(1_500, seed=s, first_id=1_000 * s) for s in range(4)]
    local, spark = both(engine, write_files(tmp_path, tables), plan)
    assert spark.rows == 6_000
    assert {name: spark.type_faults[name] for name in WRONG} == {
        name: str(kind).replace("item", "element") for name, kind in WRONG.items()
    }
    assert set(spark.columns) >= {*NUMERIC, "score", "guess"}
    assert spark.extra_columns == ("nobody's",)
    assert spark.sample is not None
    assert 0 < spark.sample.n <= 6_000
    assert len(spark.errors) == len(plan.bins.projections) == 2
    # Counted by another way: pyarrow's own, over all files.
    ids = pa.concat_tables(tables)["id"]
    distinct = pc.count_distinct(ids, mode="only_valid").as_py()
    assert spark.n_duplicate_ids == len(ids) - distinct
    assert is_same(local, spark)


def test_files_of_unlike_schemas_give_the_local_engines_bytes(engine, plan, tmp_path):
    whole = slice_rows(400, seed=7)
    lacking = slice_rows(300, seed=8).drop(["i32", "text", "version"])
    changed = slice_rows(200, seed=9)
    place = changed.schema.get_field_index("i64")
    changed = changed.set_column(place, "i64", changed["i64"].cast(pa.string()))
    at = changed.schema.get_field_index("at")
    naive = slice_rows(100, seed=10)
    naive = naive.set_column(at, "at", naive["at"].cast(pa.timestamp("us")))
    nanoseconds = slice_rows(100, seed=11)
    nanoseconds = nanoseconds.set_column(
        at, "at", nanoseconds["at"].cast(pa.timestamp("ns", tz="UTC"))
    )
    empty = whole.slice(0, 0).append_column("unheard of", pa.array([], pa.string()))
    local, spark = both(
        engine, write_files(tmp_path, [whole, lacking, changed, naive, nanoseconds, empty]), plan
    )
    assert spark.missing_columns == ("i32", "text", "version")
    assert "unheard of" in spark.extra_columns
    assert spark.type_faults["i64"] == "string"
    assert spark.n_bad_timestamps >= 100
    assert is_same(local, spark)


def test_ids_that_are_not_there_or_are_lists_are_no_duplicates(engine, plan, tmp_path):
    without = slice_rows(60, seed=21).drop(["id"])
    lists = slice_rows(50, seed=22)
    place = lists.schema.get_field_index("id")
    lists = lists.set_column(place, "id", pa.array([[1]] * 49 + [None]))
    for name, table in (("without", without), ("lists", lists)):
        (tmp_path / name).mkdir()
        local, spark = both(engine, write_files(tmp_path / name, [table]), plan)
        assert spark.n_duplicate_ids == 0
        assert ("id" in spark.missing_columns, "id" in spark.type_faults) == (
            name == "without",
            name == "lists",
        )
        assert is_same(local, spark)


def test_a_slice_without_rows_is_the_local_engines(engine, plan, tmp_path):
    local, spark = both(engine, write_files(tmp_path, [slice_rows(5, seed=1).slice(0, 0)]), plan)
    assert spark.is_empty
    assert is_same(local, spark)


def test_days_are_told_apart_by_timestamp_as_the_local_engine_does(engine, plan, tmp_path):
    for seed, kind in enumerate(
        [pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.timestamp("ns", "UTC")]
    ):
        table = slice_rows(500, seed=seed)
        place = table.schema.get_field_index("at")
        table = table.set_column(place, "at", table["at"].cast(kind))
        pq.write_table(table, tmp_path / f"{seed}.parquet")
    local, spark = both(engine, ParquetSource(path=f"{tmp_path}/*.parquet"), plan)
    assert 1_400 < spark.rows < 1_500
    assert spark.n_outside_partition == 0
    assert is_same(local, spark)


def test_a_day_of_which_no_file_has_a_row_is_no_slice(engine, plan, tmp_path):
    table = slice_rows(50, seed=1)
    place = table.schema.get_field_index("at")
    later = pc.add(table["at"], pa.scalar(timedelta(days=9)))
    pq.write_table(table.set_column(place, "at", later), tmp_path / "all.parquet")
    source = ParquetSource(path=f"{tmp_path}/*.parquet")
    with pytest.raises(SliceNotFoundError) as local:
        [*Rows(source).batches()]
    with pytest.raises(SliceNotFoundError) as spark:
        engine.profile(Rows(source), plan)
    assert str(spark.value) == str(local.value)
