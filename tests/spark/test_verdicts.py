"""A model on Spark, from its slices to its verdicts: those that the local engine gives."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.orchestration.validation import check_engine, validate
from tests.orchestration.world import World, labels, morning, new_world, rows

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
        findings = validate(world.model)
        assert [f for f in findings if f.level == "fault"] == []
        # A day that the table does not hold, and a table that is not there.
        world.day(DAY + 2)
        reasons = {e.reason for e in world.of_day(DAY + 2, "drift")}
        assert any("table scores has no row" in str(reason) for reason in reasons)
        lost = world.declare(
            **{**changes, "predictions": {"type": "spark_table", "table": "nowhere"}}
        )
        lost.day(DAY + 3)
        reasons = {e.reason for e in lost.of_day(DAY + 3, "drift")}
        assert any("table nowhere can't be read by Spark" in str(reason) for reason in reasons)
