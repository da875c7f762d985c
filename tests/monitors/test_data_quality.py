from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import evaluate, overall
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.monitors.quality import quality_metrics

DAY = "2024-05-20"


def judge(world, day=DAY, **declared):
    view = world.at(day)
    return evaluate(DataQualityMonitor(**declared), view, [], run_id=None, now=view.now)


def one(verdicts, metric, column=None, segment=None):
    found = [v for v in verdicts if (v.metric, v.column, v.segment) == (metric, column, segment)]
    assert len(found) == 1, found
    return found[0]


def changed(world, name, values):
    table = world.slices[DAY]
    at = table.schema.names.index(name)
    return world.having(DAY, table.set_column(at, name, pa.array(values)))


def test_a_calm_slice_is_healthy_in_every_metric(world):
    verdicts = judge(world)
    assert {v.status for v in verdicts} == {Status.HEALTHY}
    assert {v.metric for v in verdicts} == set(quality_metrics())


def test_missing_share_counts_nulls_and_is_held_against_the_baselines(world):
    income = world.slices[DAY]["income"].to_pylist()
    income[:300] = [None] * 300
    verdict = one(judge(changed(world, "income", income)), "missing_share", "income")
    assert verdict.value == sum(v is None for v in income) / 400
    assert (verdict.status, verdict.severity) == (Status.TRIGGERED, Severity.ERROR)
    usual = world.training["income"].null_count / 4000
    share = (400 * verdict.value + 2) / 404
    assert verdict.standard_error == pytest.approx(np.sqrt(share * (1 - share) / 404))
    assert verdict.upper == pytest.approx(usual + 0.5 + 3.09 * np.sqrt(usual * 0.9 / 400), abs=3e-3)


def test_new_categories_are_a_share_of_rows_and_named(world):
    city = world.slices[DAY]["city"].to_pylist()
    city[:100] = ["Elm"] * 60 + ["<script>"] * 40
    verdict = one(judge(changed(world, "city", city)), "new_categories", "city")
    assert verdict.value == 0.25
    assert verdict.severity is Severity.ERROR
    assert "new: 'Elm', '<script>'" in verdict.reason


def test_a_category_has_vanished_only_after_it_stayed_away_for_days(world):
    broken = world
    for day in world.days[:20]:
        table = world.slices[day]
        city = ["Ash" if c == "Cedar" else c for c in table["city"].to_pylist()]
        at = table.schema.names.index("city")
        broken = broken.having(day, table.set_column(at, "city", pa.array(city)))
        if day == "2024-05-14":
            early = broken
    one_day = one(judge(changed(world, "city", ["Ash"] * 400)), "vanished_categories", "city")
    assert one_day.value == 0.0
    verdict = one(judge(broken), "vanished_categories", "city")
    shares = world.training["city"].to_pylist()
    assert verdict.value == pytest.approx(shares.count("Cedar") / 4000)
    assert "gone: 'Cedar'" in verdict.reason
    young = one(judge(early, "2024-05-03"), "vanished_categories", "city")
    assert (young.status, young.severity) == (Status.NO_DATA, None)
    assert "looked for in 7 slices, and there are 3" in young.reason
    at_once = judge(early, "2024-05-03", vanished_after=1)
    assert one(at_once, "vanished_categories", "city").status is Status.TRIGGERED


def test_cardinality_is_the_number_of_categories_against_the_baselines(world):
    names = [f"c{i}" for i in range(400)]
    verdict = one(judge(changed(world, "city", names)), "cardinality", "city")
    assert (verdict.value, verdict.upper) == (400.0, 15.0)
    assert verdict.severity is Severity.ERROR


def test_infinities_and_values_out_of_range_are_counted_apart(world):
    age = world.slices[DAY]["age"].to_pylist()
    age[:50] = [float("inf")] * 10 + [-1000.0] * 15 + [1000.0] * 25
    verdicts = judge(changed(world, "age", age))
    assert one(verdicts, "non_finite", "age").value == 10 / 400
    assert one(verdicts, "non_finite", "age").severity is Severity.ERROR
    outside = one(verdicts, "out_of_range", "age")
    low, high = np.min(world.training["age"]), np.max(world.training["age"])
    expected = sum(not low <= a <= high for a in age[10:]) / 390
    assert outside.value == pytest.approx(expected)
    assert outside.severity is Severity.WARN


def test_values_of_a_wrong_type_trigger_where_they_are_and_stop_nothing(world):
    verdicts = judge(changed(world, "age", ["forty"] * 400))
    assert one(verdicts, "type_faults", "age").value == 1.0
    assert one(verdicts, "type_faults", "age").severity is Severity.ERROR
    assert one(verdicts, "out_of_range", "age").status is Status.NO_DATA
    assert one(verdicts, "out_of_range", "income").status is Status.HEALTHY


def test_rows_that_repeat_an_id_or_belong_to_another_day_are_shares_of_rows(world):
    table = pa.concat_tables([world.slices[DAY], world.slices[DAY].slice(0, 100)])
    verdicts = judge(world.having(DAY, table))
    assert one(verdicts, "duplicate_ids").value == 0.2
    assert one(verdicts, "duplicate_ids").severity is Severity.ERROR
    other = world.slices["2024-05-19"]
    verdicts = judge(world.having(DAY, pa.concat_tables([world.slices[DAY], other])))
    assert one(verdicts, "outside_partition").value == 0.5
    assert one(verdicts, "row_volume").value == 2.0


def test_timestamps_without_a_zone_are_a_warning(world):
    table = world.slices[DAY]
    naive = table["at"].cast(pa.timestamp("us"))
    verdicts = judge(world.having(DAY, table.set_column(1, "at", naive)))
    assert one(verdicts, "bad_timestamps").value == 1.0
    assert one(verdicts, "bad_timestamps").severity is Severity.WARN


def test_a_vanished_and_an_extra_column_are_named(world):
    table = world.slices[DAY].drop(["income"]).append_column("debug", pa.array([1] * 400))
    verdicts = judge(world.having(DAY, table))
    missing, extra = one(verdicts, "missing_columns"), one(verdicts, "extra_columns")
    assert (missing.value, missing.severity) == (1.0, Severity.ERROR)
    assert "missing: 'income'" in missing.reason
    assert (extra.value, extra.severity) == (1.0, Severity.WARN)
    assert "new: 'debug'" in extra.reason
    gone = one(verdicts, "missing_share", "income")
    assert gone.status is Status.NO_DATA
    assert "'income' is not in the slice" in gone.reason


@pytest.mark.parametrize("is_missing", [True, False])
def test_an_empty_day_triggers_by_its_volume_and_passes_nowhere(world, is_missing):
    table = None if is_missing else world.slices[DAY].slice(0, 0)
    verdicts = judge(world.having(DAY, table))
    volume = one(verdicts, "row_volume")
    assert (volume.value, volume.severity) == (0.0, Severity.ERROR)
    assert "0 rows, usually about 400" in volume.reason
    assert not [v for v in verdicts if v.status is Status.HEALTHY]
    assert overall(verdicts).severity is Severity.ERROR


def test_row_volume_uses_the_baselines_days_until_there_are_seven_slices(world):
    early = one(judge(world, "2024-05-04"), "row_volume")
    assert early.value == pytest.approx(400 / 4000)
    assert one(judge(world, "2024-05-08"), "row_volume").value == 1.0


def test_segments_are_counted_with_their_own_rows(world):
    table = world.slices[DAY]
    income = [
        None if city == "Cedar" else value
        for city, value in zip(table["city"].to_pylist(), table["income"].to_pylist(), strict=True)
    ]
    verdicts = judge(changed(world, "income", income), segments=True, metrics=("missing_share",))
    assert one(verdicts, "missing_share", "income", "city=Cedar").value == 1.0
    assert one(verdicts, "missing_share", "income", "city=Ash").status is Status.HEALTHY
    assert not [v for v in verdicts if v.column == "city" and v.segment is not None]


def test_an_unknown_metric_is_refused_with_the_nearest_name():
    with pytest.raises(ValidationError, match="Did you mean 'missing_share'"):
        DataQualityMonitor(metrics=("missing_shares",))
