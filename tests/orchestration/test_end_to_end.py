"""Other sources, other tasks, and several models, from slice to verdict."""

import sqlite3
from collections import Counter
from datetime import UTC, datetime

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import ndcg_score

from dagster_monitoring.evaluation import Status
from dagster_monitoring.orchestration.confusion import confusion_metadata
from dagster_monitoring.orchestration.definitions import build_monitoring_defs
from dagster_monitoring.orchestration.naming import job_name
from tests.orchestration.world import (
    day_of,
    labels,
    morning,
    new_world,
    rows,
    write,
)

DAYS = 4


def test_slices_and_labels_in_a_database_give_the_verdicts_that_files_give(tmp_path):
    with new_world(tmp_path / "files") as files:
        for number in range(DAYS):
            files.serve(number)
            files.label(f"l{number}", labels(rows(number), morning(number)))
        files.setup()
        files.range(0, DAYS - 1)
        expected = files.evaluations()

    database = tmp_path / "rows" / "scores.db"
    database.parent.mkdir()
    with sqlite3.connect(database) as connection:
        pa.concat_tables([rows(n) for n in range(DAYS)]).to_pandas().to_sql(
            "scores", connection, index=False
        )
        pa.concat_tables([labels(rows(n), morning(n)) for n in range(DAYS)]).to_pandas().to_sql(
            "labels", connection, index=False
        )
    connection.close()
    changes = {
        "predictions": {"type": "sql", "url": "sqlite:///scores.db", "table": "scores"},
        "ground_truth": {
            "type": "sql",
            "url": "sqlite:///scores.db",
            "table": "labels",
            "expected_delay_days": 1,
        },
    }
    with new_world(tmp_path / "rows", **changes) as world:
        world.setup()
        world.range(0, DAYS - 1)
        found = world.evaluations()
        assert [(e.key, e.value, e.status, e.n) for e in found] == [
            (e.key, e.value, e.status, e.n) for e in expected
        ]
        assert any(e.monitor == "performance" and e.value for e in found)
        # A day that the table does not hold.
        world.day(DAYS)
        assert world.cell(DAYS, "drift", "psi", "temp").status is Status.NO_DATA
        assert "table scores has no row" in world.cell(DAYS, "drift", "psi", "temp").reason


def test_a_users_own_asset_is_upstream_and_one_run_makes_and_judges_it(tmp_path):
    key = dg.AssetKey(["scoring", "flights"])
    changes = {
        "predictions": {
            "type": "asset",
            "key": ["scoring", "flights"],
            "path": "scored/{partition}.parquet",
        },
        "monitors": [{"type": "drift", "window": 1}],
        "ground_truth": None,
    }
    with new_world(tmp_path, **changes) as world:

        @dg.asset(
            key=key,
            partitions_def=dg.DailyPartitionsDefinition("2024-05-01"),
            backfill_policy=dg.BackfillPolicy.single_run(),
        )
        def flights(context: dg.AssetExecutionContext) -> None:
            for partition in context.partition_keys:
                number = int(partition[-2:]) - 1
                write(rows(number), tmp_path / "scored" / f"{partition}.parquet")

        everything = dg.define_asset_job(
            "everything",
            selection=dg.AssetSelection.assets(key).downstream(),
            executor_def=dg.in_process_executor,
        )
        user = dg.Definitions(assets=[flights], jobs=[everything])
        merged = dg.Definitions.merge(user, world.definitions)
        graph = merged.resolve_asset_graph()
        assert graph.get(dg.AssetKey(["late", "profile"])).parent_keys == {
            key,
            dg.AssetKey(["late", "baseline"]),
        }
        assert dg.AssetKey(["late", "predictions"]) not in graph.get_all_asset_keys()
        world.setup()
        result = merged.resolve_job_def("everything").execute_in_process(
            instance=world.instance, partition_key=day_of(2)
        )
        assert result.success
        assert world.cell(2, "drift", "psi", "temp").value is not None


def test_a_multiclass_model_from_slice_to_verdict(tmp_path):
    names = ["red", "green", "blue"]
    task = {
        "type": "multiclass_classification",
        "label": "colour",
        "prediction": "colour_pred",
        "scores": {name: f"p_{name}" for name in names},
    }

    def scored(number: int, *, wrong: bool = False) -> pa.Table:
        table = rows(number)
        source = np.random.default_rng(number + 99)
        true = source.integers(0, 3, len(table))
        logits = source.normal(size=(len(table), 3)) + 2 * np.eye(3)[true]
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        if wrong:
            true = (true + 1) % 3
        table = table.drop(["late_proba", "late_pred"])
        for index, name in enumerate(names):
            table = table.append_column(f"p_{name}", pa.array(shares[:, index]))
        said = [names[i] for i in shares.argmax(axis=1)]
        table = table.append_column("colour_pred", pa.array(said))
        return table.append_column("colour", pa.array([names[i] for i in true]))

    monitors = [
        {"type": "drift", "columns": "all", "window": 1},
        {"type": "performance", "window": 1, "minimum_labelled": 20},
    ]
    with new_world(tmp_path, "colour", task=task, monitors=monitors) as world:
        write(scored(-30), tmp_path / "baseline.parquet")
        for number in range(2):
            table = scored(number, wrong=number == 1)
            world.serve(number, table.drop(["colour"]))
            moments = pa.array([morning(number)] * len(table), pa.timestamp("us", tz="UTC"))
            world.label(
                f"l{number}",
                table.select(["id", "colour"]).append_column("available_at", moments),
            )
        world.setup()
        world.range(0, 1)
        good, bad = (world.cell(n, "performance", "accuracy") for n in range(2))
        table = scored(0)
        right = np.mean(
            [
                a == b
                for a, b in zip(
                    table["colour"].to_pylist(), table["colour_pred"].to_pylist(), strict=True
                )
            ]
        )
        assert good.value == pytest.approx(right)
        assert good.status is Status.HEALTHY
        assert (bad.status, bad.severity) == (Status.TRIGGERED, "ERROR")
        assert world.cell(0, "drift", "psi", "p_red").value is not None
        with world.backend() as backend:
            shown = confusion_metadata(backend, day_of(0))["confusion of this slice"]
        counted = {
            (str(r.data["label"]), str(r.data["prediction"])): r.data["rows"] for r in shown.records
        }
        truth, guess = table["colour"].to_pylist(), table["colour_pred"].to_pylist()
        assert counted == Counter(zip(truth, guess, strict=True))


def test_a_regression_model_from_slice_to_retraining(tmp_path):
    task = {"type": "regression", "label": "price", "prediction": "price_pred"}

    def scored(number: int, *, factor: float = 3.0) -> pa.Table:
        table = rows(number)
        noise = np.random.default_rng(number + 99).normal(size=len(table))
        temp, size = table["temp"].to_numpy(), table["size"].to_numpy()
        table = table.drop(["late_proba", "late_pred"])
        table = table.append_column("price_pred", pa.array(3 * temp + size))
        return table.append_column("price", pa.array(factor * temp + size + noise))

    changes = {
        "task": task,
        "monitors": [{"type": "performance", "window": 1, "minimum_labelled": 20}],
        "retraining": {
            "trainer": "tests.orchestration.trainers:line",
            "train_days": 2,
            "holdout_days": 2,
            "minimum_rows": 100,
        },
    }
    with new_world(tmp_path, "price", **changes) as world:
        write(scored(-30), tmp_path / "baseline.parquet")
        for number in range(5):
            table = scored(number, factor=3.0 if number == 0 else -3.0)
            world.serve(number, table.drop(["price"]))
            moments = pa.array([morning(number)] * len(table), pa.timestamp("us", tz="UTC"))
            world.label(
                f"l{number}", table.select(["id", "price"]).append_column("available_at", moments)
            )
        world.clock.now = morning(4)
        world.setup()
        world.range(0, 4)
        good, bad = (world.cell(n, "performance", "mae") for n in (0, 4))
        table = scored(0)
        off = np.abs(table["price"].to_numpy() - table["price_pred"].to_numpy())
        assert good.value == pytest.approx(off.mean())
        assert good.status is Status.HEALTHY
        assert bad.severity == "ERROR"
        world.job("alerts")
        (request,) = world.tick("retraining_sensor").run_requests
        (gate,) = world.run("retraining", request).get_asset_check_evaluations()
        assert gate.passed


def test_a_ranking_from_slice_to_verdict_and_its_table_of_columns(tmp_path):
    """Rows of one query lie apart; the query is neither a feature nor a column too many."""
    task = {"type": "ranking", "label": "clicked", "prediction": "rank", "group": "query", "k": 5}

    def scored(number: int, *, sign: float = 1.0) -> pa.Table:
        table = rows(number).drop(["late_proba", "late_pred"])
        generator = np.random.default_rng(number + 99)
        clicked = generator.choice([0.0, 0.0, 1.0, 2.0], len(table))
        score = sign * clicked + generator.normal(size=len(table))
        table = table.append_column("query", pa.array(generator.integers(0, 20, len(table))))
        table = table.append_column("rank", pa.array(score))
        return table.append_column("clicked", pa.array(clicked))

    changes = {
        "task": task,
        "monitors": [
            {"type": "performance", "window": 1, "minimum_labelled": 20},
            {"type": "data_quality"},
            {"type": "drift", "window": 1, "columns": "predictions", "metrics": ["psi"]},
        ],
    }
    with new_world(tmp_path, "search", **changes) as world:
        write(scored(-30), tmp_path / "baseline.parquet")
        tables = [scored(0), scored(1, sign=-3.0)]
        for number, table in enumerate(tables):
            world.serve(number, table.drop(["clicked"]))
            moments = pa.array([morning(number)] * len(table), pa.timestamp("us", tz="UTC"))
            labels = table.select(["id", "clicked"]).append_column("available_at", moments)
            world.label(f"l{number}", labels)
        world.clock.now = morning(1)
        world.setup()
        world.range(0, 1)
        good, bad = (world.cell(n, "performance", "ndcg") for n in (0, 1))
        query, label, score = (tables[0][name].to_numpy() for name in ("query", "clicked", "rank"))
        expected = [
            ndcg_score([label[query == q]], [score[query == q]], k=5)
            for q in np.unique(query)
            if label[query == q].any()
        ]
        assert good.value == pytest.approx(np.mean(expected))
        assert good.status is Status.HEALTHY
        assert good.standard_error == pytest.approx(
            np.std(expected, ddof=1) / np.sqrt(len(expected))
        )
        assert bad.severity == "ERROR"
        assert world.cell(1, "prediction_drift", "psi", "rank").severity == "ERROR"
        assert world.cell(0, "data_quality", "extra_columns").value == 0


def test_two_models_live_in_one_code_location(tmp_path):
    monitors = [{"type": "drift", "window": 1}]
    with new_world(tmp_path, "first", monitors=monitors, ground_truth=None) as one:
        other = one.declare(
            model="second",
            monitors=monitors,
            storage={"path": "monitoring"},
            ground_truth=None,
        )
        merged = dg.Definitions.merge(
            build_monitoring_defs(one.model), build_monitoring_defs(other.model)
        )
        one.serve(0)
        for world in (one, other):
            for purpose in ("setup", "daily"):
                result = merged.resolve_job_def(job_name(world.model, purpose)).execute_in_process(
                    instance=one.instance,
                    partition_key=day_of(0) if purpose == "daily" else None,
                )
                assert result.success
        values = [world.cell(0, "drift", "psi", "temp").value for world in (one, other)]
        assert values[0] == values[1]
        assert {e.model for e in one.evaluations()} == {"first"}
        assert {e.model for e in other.evaluations()} == {"second"}


def test_the_schedule_asks_for_yesterday_in_the_models_time_zone(tmp_path):
    partitions = {"start": "2024-05-01", "end": "2024-05-09", "timezone": "Europe/Berlin"}
    with new_world(tmp_path, partitions=partitions) as world:
        schedule = world.definitions.resolve_schedule_def("late_daily_schedule")

        def at(moment: datetime):
            context = dg.build_schedule_context(
                scheduled_execution_time=moment,
                repository_def=world.definitions.get_repository_def(),
            )
            return schedule.evaluate_tick(context)

        # 23:30 UTC is half past one of the next day in Berlin.
        (request,) = at(datetime(2024, 5, 2, 23, 30, tzinfo=UTC)).run_requests
        assert (request.partition_key, request.run_key) == ("2024-05-02", "2024-05-02")
        early = at(datetime(2024, 4, 30, 23, 30, tzinfo=UTC))
        assert not early.run_requests
        assert "production starts on 2024-05-01" in early.skip_message
        (last,) = at(datetime(2024, 5, 9, 22, 30, tzinfo=UTC)).run_requests
        assert last.partition_key == "2024-05-09"
        late = at(datetime(2024, 5, 10, 22, 30, tzinfo=UTC))
        assert not late.run_requests
        assert "production ended on 2024-05-09" in late.skip_message
        assert schedule.execution_timezone == "Europe/Berlin"
