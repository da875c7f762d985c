from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import evaluate
from dagster_monitoring.monitors.drift import DriftMonitor, EqualWidth, Rolling
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits

DAY = "2024-05-20"


def only(measurements, **wanted):
    """The one measurement that has these fields."""
    found = [m for m in measurements if all(getattr(m, k) == v for k, v in wanted.items())]
    assert len(found) == 1, found
    return found[0]


def values_of(world, name, days):
    return np.concatenate([world.slices[day][name].to_numpy(zero_copy_only=False) for day in days])


def psi(reference, current, edges):
    p = np.bincount(np.searchsorted(edges, reference, side="right"), minlength=len(edges) + 1)
    q = np.bincount(np.searchsorted(edges, current, side="right"), minlength=len(edges) + 1)
    p, q = np.maximum(p / p.sum(), 1e-4), np.maximum(q / q.sum(), 1e-4)
    return float(((q - p) * np.log(q / p)).sum())


def test_psi_on_deciles_of_the_window_equals_the_formula_on_raw_rows(world):
    measured = DriftMonitor(window=3).measure(world.at(DAY))
    training = world.training["age"].to_numpy()
    current = values_of(world, "age", ["2024-05-18", "2024-05-19", DAY])
    edges = np.quantile(training, np.arange(1, 10) / 10)
    found = only(measured, column="age")
    assert found.value == pytest.approx(psi(training, current, edges), rel=1e-12)
    assert (found.n, found.segment, found.worse) == (1200, None, "upper")
    assert [m.column for m in measured] == ["age", "income", "city", "plan"]


def test_a_rolling_baseline_is_the_slices_right_before_the_window(world):
    monitor = DriftMonitor(window=2, baseline=Rolling(rolling=4), metrics=("kolmogorov_smirnov",))
    before = values_of(world, "age", [f"2024-05-{d}" for d in (15, 16, 17, 18)])
    current = values_of(world, "age", ["2024-05-19", DAY])
    found = only(monitor.measure(world.at(DAY)), column="age")
    assert found.value == pytest.approx(ks_2samp(before, current).statistic, abs=1 / 2048)
    assert monitor.baseline_kind() == "rolling"


def test_equal_width_bins_are_numpys_between_the_training_extremes(world):
    declared = DriftMonitor(
        window=1, bins=EqualWidth(equal_width=30), metrics=("jensen_shannon",), columns=("age",)
    )
    assert declared.equal_width_bins() == 30
    assert DriftMonitor().equal_width_bins() is None
    wide = replace(world, equal_width={"age": 30})
    training, current = wide.training["age"].to_numpy(), wide.slices[DAY]["age"].to_numpy()
    edges = np.linspace(training.min(), training.max(), 31)
    p = np.histogram(training, edges)[0]
    q = np.histogram(np.clip(current, edges[0], edges[-1]), edges)[0]
    found = only(declared.measure(wide.at(DAY)), column="age")
    assert found.value == pytest.approx(jensenshannon(p, q, base=2), rel=1e-9)


@pytest.mark.parametrize("bins", ["doane", EqualWidth(equal_width=7)])
def test_bins_that_the_baseline_was_not_asked_for_are_no_data(world, bins):
    monitor = DriftMonitor(bins=bins, metrics=("psi",), columns=("age", "city"))
    assert monitor.equal_width_bins() == ("doane" if bins == "doane" else 7)
    measured = monitor.measure(world.at(DAY))
    assert only(measured, column="city").value is not None
    without = only(measured, column="age")
    assert without.value is None
    assert not without.expected
    assert "no monitor asked for these bins. Build a new one" in without.reason


def test_metrics_are_used_on_the_columns_they_are_defined_for(world):
    measured = DriftMonitor(metrics=("wasserstein", "chi_square")).measure(world.at(DAY))
    assert {(m.column, m.metric) for m in measured} == {
        ("age", "wasserstein"),
        ("age", "chi_square"),
        ("income", "wasserstein"),
        ("income", "chi_square"),
        ("city", "chi_square"),
        ("plan", "chi_square"),
    }


def test_predictions_are_the_predicted_class_and_the_score(world):
    monitor = DriftMonitor(columns="predictions")
    assert monitor.columns_of(world.at(DAY)) == ("predicted", "score")
    assert DriftMonitor(columns="all").columns_of(world.at(DAY))[-2:] == ("predicted", "score")
    assert all(m.value is not None for m in monitor.measure(world.at(DAY)))


def test_segments_are_compared_with_the_same_segment_of_the_baseline(world):
    measured = DriftMonitor(window=3, segments=True).measure(world.at(DAY))
    found = only(measured, column="age", segment="city=Ash")
    training = world.training.filter(pa.compute.equal(world.training["city"], "Ash"))
    days = [world.slices[d] for d in ("2024-05-18", "2024-05-19", DAY)]
    current = pa.concat_tables(days)
    current = current.filter(pa.compute.equal(current["city"], "Ash"))["age"].to_numpy()
    edges = np.quantile(world.training["age"].to_numpy(), np.arange(1, 10) / 10)
    assert found.value == pytest.approx(psi(training["age"].to_numpy(), current, edges))
    assert found.n == len(current)
    assert not [m for m in measured if m.column == "city" and m.segment is not None]


def test_a_column_that_vanished_has_no_value_and_the_others_go_on(world):
    broken = world.having(DAY, world.slices[DAY].drop(["income"]))
    measured = DriftMonitor(window=3).measure(broken.at(DAY))
    gone = only(measured, column="income")
    assert gone.value is None
    assert "'income' is not in the slice" in gone.reason
    assert not gone.expected
    assert all(m.value is not None for m in measured if m.column != "income")


@pytest.mark.parametrize(
    ("income", "words"),
    [
        (pa.nulls(400, pa.float64()), "all 400 values of column 'income'"),
        (pa.array(["n/a"] * 400), "holds"),
    ],
)
def test_a_column_without_a_usable_value_today_is_not_judged_on_yesterday(world, income, words):
    table = world.slices[DAY]
    at = table.schema.names.index("income")
    broken = world.having(DAY, table.set_column(at, "income", income))
    gone = only(DriftMonitor(window=3).measure(broken.at(DAY)), column="income")
    assert gone.value is None
    assert words in gone.reason


@pytest.mark.parametrize("rows_left", [None, 0])
def test_an_empty_or_missing_slice_has_no_value_in_any_column(world, rows_left):
    table = None if rows_left is None else world.slices[DAY].slice(0, rows_left)
    measured = DriftMonitor(window=3).measure(world.having(DAY, table).at(DAY))
    assert [m.value for m in measured] == [None] * 4
    assert all("the slice has no rows" in m.reason for m in measured)
    assert not any(m.expected for m in measured)


def test_a_window_says_how_many_slices_it_had(world):
    holed = world.having("2024-05-19", None)
    found = only(DriftMonitor(window=3).measure(holed.at(DAY)), column="age")
    assert found.value is not None
    assert found.reason == "window of 2 of 3 slices, missing 2024-05-19"


def test_a_rolling_baseline_of_too_few_slices_is_expected_while_production_is_young(world):
    monitor = DriftMonitor(window=3, baseline=Rolling(rolling=14))
    young = monitor.measure(world.at("2024-05-08"))
    assert {m.value for m in young} == {None}
    lacking = "rolling baseline of 5 of 14 slices; it needs 7"
    assert all(m.expected and lacking in m.reason for m in young)
    holed = world
    for day in world.days[2:14]:
        holed = holed.having(day, None)
    late = monitor.measure(holed.at(DAY))
    assert {m.value for m in late} == {None}
    assert not any(m.expected for m in late)


def test_few_rows_widen_a_limit_and_many_do_not(world):
    monitor = DriftMonitor(window=1, columns=("age",))
    few = world.having(DAY, world.slices[DAY].slice(0, 30))
    at_few = only(monitor.measure(few.at(DAY)), column="age")
    at_many = only(monitor.measure(world.at(DAY)), column="age")
    # 21.666 is the 99 % quantile of chi-square with 9 degrees of freedom (tables); 30 rows leave
    # a bin of ten empty every second time, which costs PSI more than chi-square knows of.
    assert at_many.noise == pytest.approx(21.666 * (1 / 4000 + 1 / 400), rel=0.1)
    assert at_few.noise > 1.5 * 21.666 * (1 / 4000 + 1 / 30)
    assert at_few.standard_error > at_many.standard_error > 0


def test_fewer_rows_than_the_metric_needs_give_no_value(world):
    few = world.having(DAY, world.slices[DAY].slice(0, 5))
    found = only(DriftMonitor(window=1).measure(few.at(DAY)), column="age")
    assert found.value is None
    assert found.reason == "the window has 5 values of this column, and psi needs 10"


def test_a_shift_triggers_and_the_severity_is_capped(shifted):
    for severity in (Severity.ERROR, Severity.WARN):
        monitor = DriftMonitor(window=1, columns=("age",), severity=severity)
        (verdict,) = evaluate(monitor, shifted.at(DAY), [], run_id=None, now=shifted.at(DAY).now)
        assert (verdict.status, verdict.severity) == (Status.TRIGGERED, severity)
        assert verdict.reason.startswith(f"{verdict.value:.4g} is above {verdict.upper:.4g}")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"metrics": ("psy",)}, "Did you mean 'psi'"),
        ({"metrics": ()}, "at least 1"),
        ({"thresholds": {"hellinger": {"type": "learned"}}}, "'hellinger' is not one of"),
        ({"threshold": {"type": "relative", "error": {"upper": 1}}}, "absolute or a learned"),
        ({"baseline": {"rolling": 1}}, "greater than or equal to 2"),
        ({"bins": "scott"}, "deciles"),
        ({"windows": 3}, "Did you mean 'window'"),
        ({"name": "my drift"}, "pattern"),
    ],
)
def test_a_declaration_that_cannot_be_right_is_refused_when_it_is_read(declared, words):
    with pytest.raises(ValidationError) as error:
        DriftMonitor.model_validate(declared)
    assert words in str(error.value)


def test_an_unknown_column_says_where_it_should_have_been(world):
    (found,) = DriftMonitor(columns=("agee",)).measure(world.at(DAY))
    assert found.value is None
    assert "'agee' is not in the baseline" in found.reason


def test_declared_limits_stand_before_conventions():
    own = AbsoluteThreshold(error=Limits(upper=9.0))
    monitor = DriftMonitor(metrics=("psi", "hellinger"), thresholds={"psi": own})
    assert monitor.threshold_of("psi") == own
    assert monitor.threshold_of("hellinger") == monitor.default_threshold("hellinger")
    assert DriftMonitor(threshold=own).threshold_of("psi") == own


def test_a_column_that_is_missing_altogether_still_has_a_share_of_missing(world):
    table = world.slices[DAY]
    gone = table.set_column(table.schema.names.index("income"), "income", pa.nulls(400))
    monitor = DriftMonitor(window=1, columns=("income",), metrics=("psi", "missing_share"))
    measured = monitor.measure(world.having(DAY, gone).at(DAY))
    missing = np.mean(np.isnan(world.training["income"].to_numpy()))
    assert only(measured, metric="psi").value is None
    assert only(measured, metric="missing_share").value == pytest.approx(1 - missing)


def test_rows_of_both_sides_beyond_the_range_of_training_are_told_roughly_and_say_so(world):
    """Everyone is 3,000 years older for a month: rolling baseline and window share one bin."""
    moved = world
    for day in world.days:
        table = world.slices[day]
        older = table["age"].to_numpy() + 3000.0
        at = table.schema.names.index("age")
        moved = moved.having(day, table.set_column(at, "age", pa.array(older)))
    monitor = DriftMonitor(
        window=1,
        columns=("age",),
        baseline=Rolling(rolling=4),
        metrics=("kolmogorov_smirnov", "wasserstein_scaled", "mean_shift"),
    )
    measured = monitor.measure(moved.at(DAY))
    assert "known to within 1 only" in only(measured, metric="kolmogorov_smirnov").reason
    assert "known to within" in only(measured, metric="wasserstein_scaled").reason
    assert only(measured, metric="mean_shift").reason is None
    calm = DriftMonitor(window=1, columns=("age",), metrics=("kolmogorov_smirnov",))
    assert only(calm.measure(world.at(DAY)), column="age").reason is None


def test_a_low_p_value_is_the_bad_one(shifted):
    monitor = DriftMonitor(window=1, columns=("age",), metrics=("kolmogorov_smirnov_p_value",))
    (verdict,) = evaluate(monitor, shifted.at(DAY), [], run_id=None, now=shifted.at(DAY).now)
    assert verdict.status is Status.TRIGGERED
    assert (verdict.lower, verdict.upper) == (0.001, None)
