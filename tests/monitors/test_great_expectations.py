from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pydantic import ValidationError

from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import _great_expectations_bridge, evaluate, overall
from dagster_monitoring.monitors.default_suite import write_default_suite
from dagster_monitoring.monitors.great_expectations import GreatExpectationsMonitor

DAY = "2024-05-20"


def suite_file(folder, *expectations):
    path = folder / "suite.json"
    entries = [
        {"type": kind, "kwargs": kwargs, "severity": (*severity, "critical")[0]}
        for kind, kwargs, *severity in expectations
    ]
    path.write_text(json.dumps({"name": "mine", "expectations": entries}))
    return str(path)


def judge(world, monitor):
    view = world.at(DAY)
    return evaluate(monitor, view, [], run_id=None, now=view.now)


def test_each_expectation_is_a_row_with_its_unexpected_share_and_the_suites_own_verdict(
    world, tmp_path, capfd
):
    table = world.slices[DAY]
    missing = table["income"].null_count / 400
    path = suite_file(
        tmp_path,
        ("expect_column_values_to_not_be_null", {"column": "income", "mostly": 0.5}),
        ("expect_column_values_to_not_be_null", {"column": "income"}, "warning"),
        ("expect_column_values_to_be_in_set", {"column": "city", "value_set": ["Ash", "Birch"]}),
        ("expect_table_row_count_to_be_between", {"min_value": 500}),
        ("expect_column_mean_to_be_between", {"column": "age", "min_value": 0, "max_value": 99}),
        ("expect_column_values_to_be_unique", {"column": "gone"}),
    )
    verdicts = judge(world, GreatExpectationsMonitor(path=path))
    enough, strict, in_set, count, mean, gone = verdicts
    assert (enough.value, enough.upper, enough.status) == (
        pytest.approx(missing),
        0.5,
        Status.HEALTHY,
    )
    assert (strict.metric, strict.severity) == (
        "expect_column_values_to_not_be_null #2",
        Severity.WARN,
    )
    cedars = table["city"].to_pylist().count("Cedar")
    assert (in_set.value, in_set.severity) == (pytest.approx(cedars / 400), Severity.ERROR)
    assert "'Cedar'" in in_set.reason
    assert (count.value, count.column, count.severity) == (1.0, None, Severity.ERROR)
    assert "observed 400" in count.reason
    assert (mean.value, mean.status) == (0.0, Status.HEALTHY)
    assert (gone.status, gone.severity) == (Status.NO_DATA, Severity.WARN)
    assert 'column "gone"' in gone.reason
    assert overall(verdicts).severity is Severity.ERROR
    assert "Calculating" not in capfd.readouterr().err


def test_a_suite_from_a_function_of_the_users_is_run(world, tmp_path, monkeypatch):
    module = tmp_path / "my_suites.py"
    module.write_text(
        "import great_expectations as gx\n"
        "def ages():\n"
        "    e = gx.expectations.ExpectColumnValuesToBeBetween(column='age', max_value=40)\n"
        "    return gx.ExpectationSuite(name='ages', expectations=[e])\n"
        "def wrong():\n"
        "    return 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (verdict,) = judge(world, GreatExpectationsMonitor(function="my_suites:ages"))
    ages = world.slices[DAY]["age"].to_numpy()
    assert verdict.value == pytest.approx((ages > 40).mean())
    with pytest.raises(DeclarationError, match="returned int"):
        GreatExpectationsMonitor(function="my_suites:wrong").suite()
    with pytest.raises(DeclarationError, match="can't be found"):
        GreatExpectationsMonitor(function="my_suites:none").suite()


def test_an_expectation_that_is_not_known_is_an_error_and_is_not_dropped(world, tmp_path):
    path = suite_file(tmp_path, ("expect_nothing_at_all", {"column": "age"}))
    with pytest.raises(DeclarationError, match="expect_nothing_at_all"):
        GreatExpectationsMonitor(path=path).measure(world.at(DAY))
    path = suite_file(tmp_path, ("expect_column_values_to_be_unique", {"colum": "age"}))
    with pytest.raises(DeclarationError, match="colum"):
        GreatExpectationsMonitor(path=path).measure(world.at(DAY))


def test_empty_and_missing_slices_and_all_null_columns_do_not_pass(world, tmp_path):
    path = suite_file(
        tmp_path, ("expect_column_values_to_be_between", {"column": "income", "min_value": 0})
    )
    monitor = GreatExpectationsMonitor(path=path)
    table = world.slices[DAY]
    at = table.schema.names.index("income")
    nulls = table.set_column(at, "income", pa.nulls(400, pa.float64()))
    for slice_, words in (
        (table.slice(0, 0), "the slice has no rows"),
        (None, "there is no file for"),
        (nulls, "all 400 values are missing"),
    ):
        (verdict,) = judge(world.having(DAY, slice_), monitor)
        assert (verdict.status, verdict.severity) == (Status.NO_DATA, Severity.WARN)
        assert words in verdict.reason


def test_a_missing_or_broken_suite_says_where_and_what_to_do(tmp_path):
    with pytest.raises(DeclarationError, match="no expectation suite at"):
        GreatExpectationsMonitor(path=str(tmp_path / "none.json")).suite()
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    with pytest.raises(DeclarationError, match="is no expectation suite"):
        GreatExpectationsMonitor(path=str(broken)).suite()


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({}, "either path"),
        ({"path": "a.json", "function": "a:b"}, "either path"),
        ({"function": "no_colon"}, "pattern"),
        ({"path": "a.json", "window": 3}, "one slice"),
        ({"path": "a.json", "threshold": {"type": "learned"}}, "own limits"),
    ],
)
def test_a_declaration_that_cannot_be_right_is_refused(declared, words):
    with pytest.raises(ValidationError, match=words):
        GreatExpectationsMonitor.model_validate(declared)


def test_the_default_suite_is_met_by_a_calm_slice_and_not_by_a_broken_one(world, tmp_path):
    path = tmp_path / "default.json"
    path.write_text(write_default_suite(world.baseline, world.columns))
    monitor = GreatExpectationsMonitor(path=str(path))
    assert overall(judge(world, monitor)).status is Status.HEALTHY
    table = world.slices[DAY]
    city = table.schema.names.index("city")
    broken = table.set_column(city, "city", pa.array(["Elm"] * 400)).drop(["age"])
    verdicts = judge(world.having(DAY, broken), monitor)
    failed = {(v.metric, v.column) for v in verdicts if v.severity is Severity.ERROR}
    assert failed == {
        ("expect_column_to_exist", "age"),
        ("expect_column_values_to_be_in_set", "city"),
    }


def test_a_run_leaves_no_folder_for_documents_behind():
    gx = _great_expectations_bridge.load()
    context = _great_expectations_bridge._new_context(gx)
    assert context.variables.data_docs_sites == {}
