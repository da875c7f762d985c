"""Workers that read files themselves, and ids that are counted over a cluster."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.errors import CorruptDataError
from dagster_monitoring.profiles.engines import _spark_ids
from dagster_monitoring.sources import Request, _spark_pieces
from dagster_monitoring.sources._files import list_files, open_parquet
from dagster_monitoring.sources._spark_pieces import FilePiece, MeasuredFile, pieces_of
from tests.spark.slices import BOUNDS, DAY, Rows, both, is_same, slice_rows, write_files


def pieces(folder: Path, options=None) -> list[FilePiece]:
    measured = []
    for file in list_files(f"{folder}/*.parquet", {}):
        with open_parquet(file, {}) as parquet:
            measured.append(MeasuredFile.of(file, parquet))
    return list(pieces_of(measured, options or {}, Request(timestamp="at"), None))


def test_each_row_is_in_one_piece_and_pieces_are_small(tmp_path, monkeypatch):
    rows = [pa.table({"n": np.arange(first, first + 1_000)}) for first in range(0, 4_000, 1_000)]
    for number, (table, group) in enumerate(zip(rows, [1_000, 100, 250, 300], strict=True)):
        pq.write_table(table, tmp_path / f"{number}.parquet", row_group_size=group)
    pq.write_table(rows[0].slice(0, 0), tmp_path / "9.parquet")
    whole = sum(file.stat().st_size for file in tmp_path.iterdir())
    monkeypatch.setattr(_spark_pieces, "PIECE_BYTES", whole // 5)
    found = pieces(tmp_path)
    assert len(found) >= 4
    assert any(len(piece.groups) > 1 for piece in found)
    assert len({file.path for piece in found for file, _ in piece.groups}) < sum(
        len(piece.groups) for piece in found
    )
    batches = [batch for piece in found for batch in piece.batches(("n",))]
    assert pa.Table.from_batches(batches)["n"].to_pylist() == list(range(4_000))


def test_small_files_are_one_piece(tmp_path):
    for number in range(20):
        pq.write_table(pa.table({"n": [number]}), tmp_path / f"{number}.parquet")
    assert len(pieces(tmp_path)) == 1


def test_rows_of_other_days_are_left_out_of_a_piece(tmp_path):
    table = slice_rows(200, seed=3)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=50)
    (piece,) = pieces(tmp_path)
    within = FilePiece(groups=piece.groups, options={}, timestamp="at", bounds=BOUNDS)
    read = pa.Table.from_batches(list(within.batches(("i64",))))
    start, end = (pa.scalar(bound, table["at"].type) for bound in BOUNDS)
    mask = pc.and_(pc.greater_equal(table["at"], start), pc.less(table["at"], end))
    assert read.schema.names == ["i64"]
    assert 0 < len(read) < 200
    assert read["i64"].to_pylist() == table.filter(mask)["i64"].to_pylist()


def test_a_secret_travels_as_a_name(tmp_path, monkeypatch):
    monkeypatch.setenv("LAKE_SECRET", "s3cr3t")
    pq.write_table(pa.table({"n": [1]}), tmp_path / "a.parquet")
    (piece,) = pieces(tmp_path, {"secret": EnvironmentVariable(env="LAKE_SECRET")})
    sent = pickle.dumps(piece)
    assert b"LAKE_SECRET" in sent
    assert b"s3cr3t" not in sent
    assert "LAKE_SECRET" not in repr(piece)
    assert pickle.loads(sent) == piece  # noqa: S301 - made here


@pytest.mark.parametrize("held", [1, 1 << 20])
def test_packs_count_what_pyarrow_counts(held, monkeypatch):
    monkeypatch.setattr(_spark_ids, "_HELD", held)
    source = np.random.default_rng(5)
    ids = [*(f"p{n}" for n in source.integers(0, 700, 1_000)), None, None, None]
    partitions = [pa.table({"id": ids[first : first + 251]}) for first in range(0, 1_003, 251)]
    packs = pa.Table.from_batches(
        [
            batch
            for partition in partitions
            for batch in _spark_ids.packed_hashes(partition.to_batches(max_chunksize=100))
        ]
    )
    buckets = packs["bucket"].unique()
    assert len(buckets) > 100
    counted = [
        _spark_ids.surplus(packs.filter(pc.equal(packs["bucket"], bucket)))["n"][0].as_py()
        for bucket in buckets
    ]
    assert sum(counted) == len(ids) - pc.count_distinct(pa.array(ids), mode="only_valid").as_py()


def test_workers_read_every_piece_of_many(engine, plan, tmp_path, monkeypatch):
    tables = [slice_rows(600, seed=s, first_id=1_000 * s) for s in range(4)]
    # Ids come last, so that a column too many is told.
    tables = [table.select(table.schema.names[::-1]) for table in tables]
    source = write_files(tmp_path, tables)
    monkeypatch.setattr(_spark_pieces, "PIECE_BYTES", 1_000)
    assert len(pieces(tmp_path / f"day={DAY}")) == 4
    local, spark = both(engine, source, plan)
    assert spark.rows == 2_400
    assert is_same(local, spark)


def test_a_damaged_file_that_workers_read_is_named(engine, plan, tmp_path):
    source = write_files(tmp_path, [slice_rows(400, seed=s) for s in range(2)])
    damaged = sorted(tmp_path.rglob("*.parquet"))[1]
    content = bytearray(damaged.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)
    damaged.write_bytes(content)
    by_workers = engine.model_copy(update={"files_read_by": "workers"})
    with pytest.raises(CorruptDataError, match=f"file .*{damaged.name} can't be read to its end"):
        by_workers.profile(Rows(source), plan)
    with pytest.raises(CorruptDataError, match=r"^the slice can't be read to its end by Spark: "):
        engine.profile(Rows(source), plan)
    assert DAY in str(damaged)
