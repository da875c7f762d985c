"""What a monitor of several columns measures, says and refuses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import evaluate, past_partitions
from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.multivariate_drift import MultivariateDriftMonitor
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits
from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.projecting import fit_projections, plan_sample
from tests.monitors.conftest import World, change

DAY = "2024-05-20"
PCA = MultivariateDriftMonitor(window=1)
CLASSIFIER = MultivariateDriftMonitor(window=1, metrics=("domain_classifier",))
PAIR = ("age", "income")


@dataclass(frozen=True, kw_only=True)
class RowWorld(World):
    """A world whose baseline keeps what monitors of several columns need."""

    projected: tuple[str, ...] = ("age", "income", "city", "plan")
    sampled: tuple[str, ...] = ("age", "income", "city", "plan")

    @cached_property
    def bins(self) -> BinSet:
        plain = super().bins

        def read(names):
            return self.training.select(list(names)).to_batches()

        choices = [self.projected] if self.projected else []
        return replace(
            plain,
            projections=fit_projections(read, bins=plain.columns, choices=choices),
            sample=plan_sample(self.sampled, plain.columns),
        )


def kept(world, **changes):
    fields = {name: getattr(world, name) for name in World.__dataclass_fields__}
    return RowWorld(**{**fields, **changes})


def together(table, rho, seed):
    """The table with the same income and age distributions, going together as ``rho`` says."""
    source = np.random.default_rng(seed)
    a, b = source.normal(size=(2, table.num_rows))
    b = rho * a + np.sqrt(1 - rho**2) * b
    return change(change(table, "age", 40 + 10 * a), "income", 50 + 5 * b)


@pytest.fixture(scope="module")
def calm(world):
    """Age and income go together on every day but 20 May."""
    days = {d: together(t, 0.8, i) for i, (d, t) in enumerate(list(world.slices.items())[:25])}
    days[DAY] = together(world.slices[DAY], -0.2, 99)
    return kept(world, training=together(world.training, 0.8, 1000), slices=days)


def verdict(monitor, world, day):
    view = world.at(day)
    past = [monitor.measure(view.at(key)) for key in past_partitions(monitor, view)]
    (found,) = evaluate(monitor, view, past, run_id=None, now=view.now)
    return found


def test_a_change_of_correlation_is_seen_that_no_column_shows(calm):
    large = [together(calm.slices[DAY], 0.8, 500 + i) for i in range(5)]
    broken = [together(calm.slices[DAY], -0.2, 600 + i) for i in range(5)]
    for i, parts in enumerate((large, broken)):
        tables = [
            change(t, "id", [f"{i}-{n}-{j}" for j in range(t.num_rows)])
            for n, t in enumerate(parts)
        ]
        world = replace(calm, slices={DAY: pa.concat_tables(tables)})
        psi = DriftMonitor(window=1, columns=PAIR).measure(world.at(DAY))
        assert all(m.value < 0.02 for m in psi)
        (error,) = PCA.measure(world.at(DAY))
        (area,) = CLASSIFIER.measure(world.at(DAY))
        assert (abs(error.value - error.reference) > 2 * error.noise) == bool(i)
        assert (area.value - 0.5 > area.noise) == bool(i)


def test_learned_limits_flag_the_day_and_leave_the_days_before_alone(calm):
    monitor = MultivariateDriftMonitor(
        window=1, threshold=LearnedThreshold(slices=14, minimum_slices=7)
    )
    found = verdict(monitor, calm, DAY)
    assert (found.status, found.severity) == (Status.TRIGGERED, Severity.ERROR)
    assert found.baseline_kind == "training"
    for day in ("2024-05-17", "2024-05-18", "2024-05-19"):
        assert verdict(monitor, calm, day).status is Status.HEALTHY


def test_values_are_of_the_window_and_come_with_their_errors(calm):
    three = MultivariateDriftMonitor()
    (found,) = three.measure(calm.at("2024-05-12"))
    days = [PCA.measure(calm.at(f"2024-05-{d}"))[0] for d in (10, 11, 12)]
    assert found.n == sum(m.n for m in days) == 1200
    assert found.value == pytest.approx(sum(m.value * m.n for m in days) / 1200, rel=1e-12)
    assert 0 < found.standard_error < days[0].standard_error
    (baseline,) = calm.baseline.profile.errors.values()
    assert found.reference == baseline.mean
    assert found.worse == "both"
    (area,) = CLASSIFIER.measure(calm.at("2024-05-12"))
    assert (area.reference, area.worse, area.n) == (0.5, "upper", 400)
    assert area.standard_error > 0


def test_against_the_slices_before_the_reference_is_theirs(calm):
    rolling = Rolling(rolling=4)
    (found,) = MultivariateDriftMonitor(window=1, baseline=rolling).measure(calm.at("2024-05-12"))
    before = [PCA.measure(calm.at(f"2024-05-{d:02}"))[0] for d in (8, 9, 10, 11)]
    assert found.reference == pytest.approx(np.mean([m.value for m in before]), rel=1e-12)
    assert found.value == PCA.measure(calm.at("2024-05-12"))[0].value
    (one,) = CLASSIFIER.measure(calm.at("2024-05-12"))
    other = CLASSIFIER.model_copy(update={"baseline": rolling})
    assert other.measure(calm.at("2024-05-12"))[0].value != one.value
    (young,) = MultivariateDriftMonitor(baseline=rolling).measure(calm.at("2024-05-02"))
    assert young.value is None
    assert young.expected


def test_a_baseline_from_before_the_monitor_says_what_to_do(world):
    old = kept(world, slices={DAY: world.slices[DAY]}, projected=(), sampled=())
    for monitor, what in ((PCA, "projection"), (CLASSIFIER, "sample")):
        (found,) = monitor.measure(old.at(DAY))
        assert found.value is None
        assert f"the baseline has no {what} of these columns" in found.reason
        assert "Build a new one (job test_model_setup)" in found.reason
        assert not found.expected
        assert verdict(monitor, old, DAY).status is Status.NO_DATA
    assert old.bins.key == world.bins.key
    assert kept(world).bins.key != world.bins.key


def test_what_a_slice_lacks_is_said_and_not_taken_for_health(calm):
    table = calm.slices[DAY]
    cases = [
        (table.drop_columns(["income"]), "column 'income' is not in the slice"),
        (change(table, "income", ["much"] * table.num_rows), "column 'income' of the slice holds"),
        (table.slice(0, 0), "the slice has no rows"),
        (table.slice(0, 20), "needs"),
    ]
    for slice_, reason in cases:
        view = replace(calm, slices={DAY: slice_}).at(DAY)
        for monitor in (PCA, CLASSIFIER):
            (found,) = monitor.measure(view)
            assert found.value is None
            assert reason in found.reason
            (judged,) = evaluate(monitor, view, [], run_id=None, now=view.now)
            assert judged.status is Status.NO_DATA


def test_rows_of_other_days_that_lack_a_column_are_told_of(calm):
    days = {
        "2024-05-19": calm.slices["2024-05-19"].drop_columns(["income"]),
        DAY: calm.slices[DAY],
    }
    for metric in ("pca_reconstruction_error", "domain_classifier"):
        monitor = MultivariateDriftMonitor(window=2, metrics=(metric,))
        (found,) = monitor.measure(replace(calm, slices=days).at(DAY))
        assert found.n == 400
        assert found.reason == "400 rows of the window lack an id or a column"
    (whole,) = PCA.measure(replace(calm, slices=days).at(DAY))
    assert whole.reason is None


def test_columns_that_do_not_vary_have_nothing_to_project(world):
    constant = change(world.training, "age", [1.0] * world.training.num_rows)
    still = kept(world, training=constant, projected=("age", "income"))
    monitor = MultivariateDriftMonitor(window=1, columns=PAIR)
    (found,) = monitor.measure(still.at(DAY))
    assert "fewer than two of these columns vary" in found.reason


def test_a_monitor_asks_for_what_its_metrics_need(world):
    features = world.columns.features
    assert PCA.projected_columns(world.columns) == features
    assert PCA.sampled_columns(world.columns) == ()
    assert CLASSIFIER.projected_columns(world.columns) == ()
    assert CLASSIFIER.sampled_columns(world.columns) == features
    chosen = MultivariateDriftMonitor(columns=("age", "score"))
    assert chosen.projected_columns(world.columns) == ("age", "score")
    assert DriftMonitor().projected_columns(world.columns) == ()


def test_names_and_limits_follow_from_what_is_measured():
    assert PCA.name == "multivariate_drift"
    assert CLASSIFIER.name == "domain_classifier"
    assert MultivariateDriftMonitor(baseline=Rolling(rolling=14)).name.endswith("_rolling_14")
    assert isinstance(PCA.default_threshold("pca_reconstruction_error"), LearnedThreshold)
    assert CLASSIFIER.default_threshold("domain_classifier") == AbsoluteThreshold(
        warn=Limits(upper=0.65), error=Limits(upper=0.8)
    )
    assert CLASSIFIER.past_slices() == 0
    assert PCA.warm_up_slices() == 29


LEARNED = {"type": "learned"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metrics": ["pca"]}, "multivariate drift metric"),
        ({"segments": True}, "rows are not kept by segment"),
        ({"metrics": ["domain_classifier"], "threshold": LEARNED}, "Give it absolute limits"),
        (
            {"metrics": ["domain_classifier", "pca_reconstruction_error"]},
            "Declare domain_classifier in a monitor of its own",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_when_it_is_read(fields, message):
    with pytest.raises(ValidationError, match=message):
        MultivariateDriftMonitor.model_validate(fields)
