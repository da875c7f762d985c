"""Roles, task and first day are told from names and values; doubt is said, never hidden."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dagster_monitoring.demo
from dagster_monitoring.drafting.choices import Choices
from dagster_monitoring.drafting.draft import Draft, draft
from dagster_monitoring.drafting.facts import gather_facts
from dagster_monitoring.errors import BaselineError, SchemaMismatchError
from dagster_monitoring.schema import (
    BinaryClassification,
    MulticlassClassification,
    Regression,
)


def drafted(table: pa.Table, choices: Choices | None = None, *, rows: int = 100) -> Draft:
    return draft(gather_facts(table.to_batches(max_chunksize=rows)), choices)


def said(found: Draft, field: str) -> str:
    return " ".join(note.text for note in found.notes if note.field == field)


def test_flights_have_their_classification_and_say_that_another_task_is_there(flights):
    found = drafted(flights)
    assert found.task == BinaryClassification(
        label="delayed15", prediction="delay15_pred", score="delay15_proba", positive=1
    )
    assert "--prediction arr_delay_pred --label arr_delay" in said(found, "task")
    assert found.columns.id == "prediction_id"
    assert found.columns.timestamp == "timestamp"
    assert found.columns.model_version == "model_version"
    assert found.columns.numeric == ("distance", "temp", "seats", "engines")
    assert found.columns.categorical == ("is_weekend", "carrier")


def test_what_is_no_feature_is_left_out_with_its_reason(flights):
    left = drafted(flights).left_out
    assert set(left) == {"day", "airport_note", "country", "track", "arr_delay", "arr_delay_pred"}
    assert "days" in left["day"]
    assert "free text" in left["airport_note"]
    assert "constant" in left["country"]
    assert "list" in left["track"]
    assert "another task" in left["arr_delay"]


def test_the_other_task_is_drafted_when_it_is_asked_for(flights):
    found = drafted(flights, Choices(prediction="arr_delay_pred"))
    assert found.task == Regression(label="arr_delay", prediction="arr_delay_pred")
    by_label = drafted(flights, Choices(label="arr_delay", prediction="arr_delay_pred"))
    assert by_label.task == found.task


def test_a_few_whole_numbers_are_said_to_be_perhaps_codes(flights):
    assert "engines has 4 whole numbers" in said(drafted(flights), "columns.numeric")


def test_a_label_that_shares_no_word_is_told_by_what_goes_together(car_loan):
    found = drafted(car_loan)
    assert found.task == BinaryClassification(
        label="repaid", prediction="y_pred", score="y_pred_proba", positive=1
    )
    assert found.columns.categorical == ("repaid_loan_on_prev_car",)
    assert found.left_out == {}


def test_numbers_make_a_regression(car_price):
    found = drafted(car_price)
    assert found.task == Regression(label="y_true", prediction="y_pred")
    assert (found.columns.numeric, found.columns.categorical) == (("car_age",), ("fuel",))


def test_three_classes_take_each_their_probability(species):
    found = drafted(species)
    assert found.task == MulticlassClassification(
        label="species",
        prediction="species_prediction",
        scores={name: f"proba_{name}" for name in ("setosa", "versicolor", "virginica")},
    )
    assert found.columns.features == ("petal_width",)


def test_two_probabilities_of_a_binary_task_leave_the_other_class_out(car_loan):
    proba = car_loan["y_pred_proba"].to_numpy()
    table = car_loan.drop_columns(["y_pred_proba"]).append_column("proba_1", pa.array(proba))
    found = drafted(table.append_column("proba_0", pa.array(1 - proba)))
    assert found.task.score == "proba_1"
    assert found.left_out == {"proba_0": "the score of the other class, 0"}


@pytest.mark.parametrize(
    ("negative", "positive", "declared"),
    [("no", "yes", "yes"), (False, True, True), (1, 2, 2), ("kept", "churned", "churned")],
)
def test_the_positive_class_is_told_from_words_numbers_or_the_score(
    car_loan, negative, positive, declared
):
    def spelled(name: str) -> pa.Array:
        return pa.array([positive if value else negative for value in car_loan[name].to_pylist()])

    table = car_loan
    for name in ("repaid", "y_pred"):
        table = table.set_column(table.column_names.index(name), name, spelled(name))
    task = drafted(table).task
    assert (task.label, task.positive) == ("repaid", declared)
    assert type(task.positive) is type(declared)


def test_a_score_of_the_wrong_class_is_said(car_loan):
    reverse = pa.array(1 - car_loan["y_pred_proba"].to_numpy())
    place = car_loan.column_names.index("y_pred_proba")
    found = drafted(car_loan.set_column(place, "y_pred_proba", reverse))
    assert "lower where repaid is 1" in said(found, "task.score")


def test_production_starts_the_day_after_the_baselines_last_in_the_zone(car_price):
    # Row 599 is of 2013-01-26 11:00 UTC, which is the 25th in Honolulu until 10:00 UTC.
    assert drafted(car_price).partitions.start == date(2013, 1, 27)
    early = car_price.slice(0, 598)
    chosen = Choices(timezone="Pacific/Honolulu")
    assert drafted(early, chosen).partitions.start == date(2013, 1, 26)
    assert drafted(early).partitions.start == date(2013, 1, 27)


def test_the_zone_of_the_timestamps_is_the_zone_of_the_days(car_price):
    zoned = car_price["timestamp"].cast(pa.timestamp("us", tz="Europe/Paris"))
    found = drafted(car_price.set_column(1, "timestamp", zoned))
    assert found.partitions.timezone == "Europe/Paris"
    assert said(found, "partitions.timezone") == ""


def test_a_timestamp_without_a_zone_is_taken_and_said(car_price):
    naive = car_price["timestamp"].cast(pa.timestamp("ns"))
    found = drafted(car_price.set_column(1, "timestamp", naive))
    assert "no time zone" in said(found, "columns.timestamp")


def test_another_time_is_said_and_left_out(car_price):
    found = drafted(car_price.append_column("loaded_at", car_price["timestamp"]))
    assert found.columns.timestamp == "timestamp"
    assert "times" in found.left_out["loaded_at"]
    ambiguous = car_price.rename_columns(
        ["seen_at" if name == "timestamp" else name for name in car_price.column_names]
    ).append_column("loaded_at", car_price["timestamp"])
    assert "loaded_at" in said(drafted(ambiguous), "columns.timestamp")
    chosen = drafted(ambiguous, Choices(timestamp="loaded_at"))
    assert chosen.columns.timestamp == "loaded_at"


@pytest.mark.parametrize(
    ("missing", "option"),
    [
        ("prediction_id", "--id"),
        ("timestamp", "--timestamp"),
        ("y_pred", "--prediction"),
        ("y_true", "--label"),
    ],
)
def test_what_cant_be_told_names_its_option(car_price, missing, option):
    with pytest.raises(SchemaMismatchError, match=option):
        drafted(car_price.drop_columns([missing]))


def test_an_id_that_repeats_is_taken_by_name_and_said(car_price):
    ids = pa.array([f"F{i // 2}" for i in range(len(car_price))])
    found = drafted(car_price.set_column(0, "prediction_id", ids))
    assert found.columns.id == "prediction_id"
    assert "another row has too" in said(found, "columns.id")


def test_a_repeat_in_another_batch_is_seen(car_price):
    twice = pa.concat_tables([car_price.slice(0, 100), car_price.slice(0, 100)])
    facts = gather_facts(twice.to_batches(max_chunksize=100))
    assert facts.columns["prediction_id"].is_unique is False
    assert gather_facts(car_price.to_batches(100)).columns["prediction_id"].is_unique is True


def test_an_option_that_names_no_column_says_the_nearest(car_price):
    with pytest.raises(SchemaMismatchError, match=r"--label y_tru: .* Did you mean 'y_true'"):
        drafted(car_price, Choices(label="y_tru"))


def test_a_label_may_be_in_the_ground_truth_only(car_price):
    found = drafted(car_price.drop_columns(["y_true"]), Choices(label="sold_for"))
    assert found.task == Regression(label="sold_for", prediction="y_pred")
    assert "no reference performance" in said(found, "task.label")


def test_a_prediction_that_holds_probabilities_is_refused_with_the_remedy(car_loan):
    table = car_loan.drop_columns(["y_pred"]).rename_columns(
        ["prediction" if n == "y_pred_proba" else n for n in car_loan.column_names if n != "y_pred"]
    )
    with pytest.raises(SchemaMismatchError, match=r"--score"):
        drafted(table, Choices(label="repaid"))


def test_a_few_classes_of_numbers_are_classes_unless_told_otherwise(car_price):
    generator = np.random.default_rng(5)
    stars = generator.integers(1, 6, len(car_price))
    table = car_price.drop_columns(["y_pred", "y_true"])
    table = table.append_column("stars_pred", pa.array(stars))
    table = table.append_column("stars", pa.array(np.clip(stars + 1, 1, 5)))
    found = drafted(table)
    assert found.task == MulticlassClassification(label="stars", prediction="stars_pred")
    assert "--task regression" in said(found, "task.type")
    assert drafted(table, Choices(task="regression")).task == Regression(
        label="stars", prediction="stars_pred"
    )


def test_less_than_ten_rows_are_no_baseline(car_price):
    with pytest.raises(BaselineError, match="9 rows"):
        drafted(car_price.slice(0, 9))
    with pytest.raises(BaselineError, match="0 rows"):
        draft(gather_facts([]))


def test_batches_do_not_change_what_is_told(flights):
    assert drafted(flights, rows=7) == drafted(flights, rows=600)


def test_files_of_different_types_are_no_feature(car_price):
    parts = [car_price.slice(0, 300), car_price.slice(300)]
    text = parts[1].set_column(2, "car_age", pa.array(["old"] * 300))
    found = draft(gather_facts([*parts[0].to_batches(), *text.to_batches()]))
    assert "double, string" in found.left_out["car_age"]


def test_the_demos_baseline_is_told_as_its_declaration_says():
    path = Path(dagster_monitoring.demo.__file__).parent / "data" / "baseline.parquet"
    found = drafted(pq.read_table(path), Choices(timezone="America/New_York"), rows=10_000)
    assert found.task == BinaryClassification(
        label="delayed15", prediction="delay15_pred", score="delay15_proba", positive=1
    )
    assert found.columns.categorical == ("carrier", "origin", "dest", "day_of_week")
    assert len(found.columns.numeric) == 12
    assert found.partitions.start == date(2013, 4, 1)
    assert found.left_out == {}
    assert found.notes == ()
