"""A model on Spark, from its slices to its verdicts: those that the local engine gives."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.errors import DataError, SliceNotFoundError
from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.orchestration.validation import check_engine
from dagster_monitoring.sources import Request, SparkTableSource
from dagster_monitoring.sources._spark_fetch import _packer
from dagster_monitoring.spark import spark_faults
from tests.orchestration.world import World, labels, morning, new_world, rows
from tests.spark.held import Gate
from tests.spark.slices import Rows, slice_rows, write_files

DAY = 0


def declared(engine) -> dict[str, object]:
    return engine.model_dump(exclude_none=True)


def serve(world: World) -> None:
    world.serve(DAY, rows(DAY, 150), file="part-0")
    world.serve(DAY, rows(DAY, 150, seed=1, prefix="e"), file="part-1")
    world.label("l0", labels(rows(DAY, 150), morning(DAY)))


def shown(evaluations: list[Evaluation]) -> list[tuple[object, ...]]:
    return [
        (e.key, e.value, e.standard_error, e.status, e.severity, e.n, e.reason) for e in evaluations
    ]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the local engine says."""
    with new_world(tmp_path_factory.mktemp("local")) as world:
        serve(world)
        world.setup()
        world.day(DAY)
        return shown(world.evaluations())


def test_files_scanned_by_spark_give_the_local_verdicts(engine, expected, tmp_path):
    with new_world(tmp_path, engine=declared(engine)) as world:
        serve(world)
        world.setup()
        world.day(DAY)
        assert shown(world.evaluations()) == expected
        assert sum(value is not None for _, value, *_ in expected) > 20
        assert [f.level for f in check_engine(world.model)] == ["ok"]


def test_a_table_of_sparks_gives_the_local_verdicts(engine, expected, tmp_path):
    session = engine.open()
    table = pa.concat_tables(
        [rows(DAY, 150), rows(DAY, 150, seed=1, prefix="e"), rows(DAY + 1, 50)]
    )
    pq.write_table(table, tmp_path / "scores.parquet")
    session.read.parquet(str(tmp_path / "scores.parquet")).createOrReplaceTempView("scores")
    changes = {
        "engine": declared(engine),
        "predictions": {"type": "spark_table", "table": "scores"},
    }
    with new_world(tmp_path, **changes) as world:
        world.label("l0", labels(rows(DAY, 150), morning(DAY)))
        world.setup()
        world.day(DAY)
        assert shown(world.evaluations()) == expected


def test_a_day_or_a_table_that_is_not_there_is_said(engine, plan, tmp_path):
    session = engine.open()
    write_files(tmp_path, [slice_rows(20, seed=1)])
    session.read.parquet(f"{tmp_path}/*/*.parquet").limit(0).createOrReplaceTempView("nothing")
    source = SparkTableSource(table="nothing").connected(engine)
    with pytest.raises(SliceNotFoundError, match="table nothing has no row whose at lies from"):
        engine.profile(Rows(source), plan)
    source = SparkTableSource(table="nowhere").connected(engine)
    with pytest.raises(DataError, match="table nowhere can't be read by Spark"):
        engine.profile(Rows(source), plan)


def test_a_tables_rows_come_a_partition_at_a_time(engine, tmp_path):
    """Partitions that are not asked for yet have not been read."""
    tables = [slice_rows(100, seed=s) for s in range(3)]
    write_files(tmp_path, tables)
    (tmp_path / "gate").mkdir()
    gate = Gate(tmp_path / "gate", free=3)
    with spark_faults("the files"):
        frame = engine.open().read.parquet(f"{tmp_path}/*/*.parquet")
        frame.mapInArrow(gate.hold(), frame.schema).createOrReplaceTempView("slow")
    source = SparkTableSource(table="slow").connected(engine)
    batches = source.batches(Request(columns=("i64", "coded", "at", "id")))
    first = next(batches)
    assert first.num_rows == 100
    assert {mark.partition for mark in gate.marks()} == {0}
    read = pa.Table.from_batches([first, *batches])
    assert {mark.partition for mark in gate.marks()} == {0, 1, 2}
    stored = pa.concat_tables(tables).select(["id", "at", "i64", "coded"])
    stored = stored.set_column(3, "coded", stored["coded"].cast(pa.string()))
    assert sorted(read.select(stored.schema.names).to_pylist(), key=str) == sorted(
        stored.to_pylist(), key=str
    )


def test_wide_rows_come_in_small_messages():
    packed = list(_packer(1_000)([pa.record_batch({"text": ["x" * 700] * 4 + ["y" * 3_000]})]))
    assert len(packed) == 5
    read = [pa.ipc.open_stream(batch["batch"][0].as_buffer()).read_all() for batch in packed]
    assert pa.concat_tables(read)["text"].to_pylist() == ["x" * 700] * 4 + ["y" * 3_000]
