"""Impact monitors: what they say, and how they weigh drift."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import Once, _estimate, evaluate
from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
from dagster_monitoring.monitors.impact import ImpactMonitor
from dagster_monitoring.monitors.impact_error import ImpactErrorMonitor
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.losses import loss_columns, sample_losses
from dagster_monitoring.profiles.projecting import plan_sample
from dagster_monitoring.schema import Ranking, Regression
from dagster_monitoring.statistics.impact import error_change
from tests.monitors.conftest import World, change

DAY, CALM = "2024-05-20", "2024-05-19"
IMPACT, ERROR = ImpactMonitor(window=1), ImpactErrorMonitor(window=1)
WEIGHED = DriftMonitor(window=1, impact=True, columns="all")


@dataclass(frozen=True, kw_only=True)
class LossWorld(World):
    """A world whose baseline keeps rows with their losses."""

    @cached_property
    def bins(self) -> BinSet:
        plain = super().bins
        names = loss_columns(self.columns, self.task)
        return replace(plain, sample=plan_sample(names, plain.columns))

    @cached_property
    def baseline(self) -> Baseline:
        labels = [self.labels[name] for name in self.training["id"].to_pylist()]
        labelled = self.training.append_column("y", pa.array(labels))

        def read(names):
            return labelled.select(list(names)).to_batches()

        losses = sample_losses(read, columns=self.columns, task=self.task, bins=self.bins.columns)
        return replace(super().baseline, losses=losses)


def scored(table, age, seed):
    """Rows whose score and label follow the age: the nearer it is to 40, the less is known."""
    source = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(-(age - 40) / 5))
    table = change(change(table, "age", age), "score", score)
    table = change(table, "predicted", (score > 0.5).astype(np.int64))
    drawn = (source.random(len(age)) < score).astype(int)
    return table, dict(zip(table["id"].to_pylist(), drawn.tolist(), strict=True))


@pytest.fixture(scope="module")
def moving(world):
    """On 20 May all are near 40, where the model knows least; the income moves as well."""
    source = np.random.default_rng(77)
    days = {day: world.slices[day] for day in (CALM, DAY)}
    training, labels = scored(world.training, source.normal(40, 20, 4000), 1)
    slices = {}
    for seed, (day, table) in enumerate(days.items()):
        n = table.num_rows
        slices[day], own = scored(table, source.normal(40, 5 if day == DAY else 20, n), 10 + seed)
        labels |= own
    slices[DAY] = change(slices[DAY], "income", source.lognormal(5.0, 1.0, n))
    fields = {name: getattr(world, name) for name in World.__dataclass_fields__}
    return LossWorld(**{**fields, "training": training, "slices": slices, "labels": labels})


@pytest.fixture(scope="module")
def swinging(moving):
    """The same, and in training all were near 40 on every other day: the model lives with it."""
    training, source = moving.training, np.random.default_rng(78)
    n = training.num_rows
    day = np.arange(n) % 20
    age = source.normal(40, np.where(day % 2, 5, 20))
    training, labels = scored(training, age, 2)
    moments = np.datetime64("2024-04-01", "us") + day.astype("timedelta64[D]")
    training = change(training, "at", pa.array(moments, pa.timestamp("us", tz="UTC")))
    return replace(moving, training=training, labels={**moving.labels, **labels})


def judged(monitor, world, day):
    view = world.at(day)
    return {(e.metric, e.column): e for e in evaluate(monitor, view, [], run_id=None, now=view.now)}


def test_a_calm_day_has_one_healthy_row(moving):
    ((key, found),) = judged(IMPACT, moving, CALM).items()
    assert key == ("error_rate_change", None)
    assert found.status is Status.HEALTHY
    assert abs(found.value) < found.half_width
    assert "labelled rows are worth" in found.reason


def test_a_shift_that_harms_is_told_before_labels_and_named_by_its_column(moving):
    found = judged(IMPACT, moving, DAY)
    total = found.pop(("error_rate_change", None))
    assert (total.status, total.severity) == (Status.TRIGGERED, Severity.ERROR)
    assert total.baseline_kind == "training"
    assert all(e.status is Status.HEALTHY and e.upper is None for e in found.values())
    shares = {e.column: e.value for e in found.values()}
    assert set(shares) == {"age", "income", "city", "plan", "<rest>"}
    assert sum(shares.values()) == pytest.approx(total.value)
    assert shares["age"] > 0.8 * total.value
    assert abs(shares["income"]) < 0.05 * total.value


def test_what_quiet_days_of_training_did_too_is_a_warning_and_pages_nobody(swinging):
    found = judged(IMPACT, swinging, DAY)
    total = found["error_rate_change", None]
    assert total.value > 0.05
    assert (total.status, total.severity) == (Status.TRIGGERED, Severity.WARN)
    assert "quiet windows swing by" in total.reason
    assert found["error_rate_change_share", "age"].value > 0.8 * total.value
    weighed = judged(WEIGHED, swinging, DAY)["psi", "age"]
    assert (weighed.status, weighed.severity) == (Status.TRIGGERED, Severity.WARN)


def test_two_days_together_swing_less_than_one(swinging):
    """Of two days in training one was near 40: a window of two that is all so is no quiet one."""
    world = swinging.having(CALM, change(swinging.slices[DAY], "at", swinging.slices[CALM]["at"]))
    one, two = (
        judged(IMPACT.model_copy(update={"window": window}), world, DAY)["error_rate_change", None]
        for window in (1, 2)
    )
    assert one.severity is Severity.WARN
    assert two.severity is Severity.ERROR


def test_an_estimate_is_made_once_a_partition(moving, monkeypatch):
    made = []
    monkeypatch.setattr(
        _estimate, "error_change", lambda *rows: made.append(rows) or error_change(*rows)
    )
    view = moving.at(DAY)
    shared = Once()

    class Shared(type(view)):
        once = shared

    view = Shared(view.world, view.partition, view.now)
    for monitor in (IMPACT, WEIGHED, ERROR):
        assert monitor.measure(view)
    assert len(made) == 1
    assert IMPACT.model_copy(update={"window": 2}).measure(view)
    assert len(made) == 2


def test_drift_that_does_no_harm_is_recorded_and_not_paged(moving):
    plain = judged(WEIGHED.model_copy(update={"impact": False}), moving, DAY)
    weighed = judged(WEIGHED, moving, DAY)
    assert [e.severity for e in plain.values()].count(Severity.ERROR) >= 3
    for key in (("psi", "age"), ("psi", "score")):
        assert weighed[key].severity is plain[key].severity is Severity.ERROR
    income = weighed["psi", "income"]
    assert plain["psi", "income"].severity is Severity.ERROR
    assert (income.status, income.severity) == (Status.TRIGGERED, Severity.WARN)
    assert income.value == plain["psi", "income"].value
    assert "WARN at most" in income.reason


def test_what_is_not_known_to_be_harmless_may_page(moving):
    blind = replace(moving.baseline, losses=None)
    view = moving.at(DAY)
    object.__setattr__(view.world, "baseline", blind)
    try:
        found = judged(WEIGHED, moving, DAY)["psi", "income"]
    finally:
        del view.world.__dict__["baseline"]
    assert found.severity is Severity.ERROR
    assert "its impact is not known" in found.reason


def test_estimate_and_truth_stand_beside_each_other(moving):
    found = judged(ERROR, moving, DAY)
    apart = found["error_rate_change_estimated_less_realized", None]
    guess, truth = (found[f"error_rate_change_{word}", None] for word in ("estimated", "realized"))
    assert apart.value == pytest.approx(guess.value - truth.value)
    assert guess.value == judged(IMPACT, moving, DAY)["error_rate_change", None].value
    performance = moving.performances[DAY].summary
    labels = [moving.labels[i] for i in moving.slices[DAY]["id"].to_pylist()]
    wrong = np.mean(np.array(labels) != moving.slices[DAY]["predicted"].to_numpy())
    before = [moving.labels[i] for i in moving.training["id"].to_pylist()]
    wrong_before = np.mean(np.array(before) != moving.training["predicted"].to_numpy())
    assert truth.value == pytest.approx(wrong - wrong_before)
    assert truth.n_labelled == performance.n_labelled == 400
    assert abs(apart.value) < 1.96 * apart.standard_error
    assert apart.status is Status.HEALTHY


def test_a_world_that_changed_is_seen_where_labels_are(moving):
    turned = {i: 1 - moving.labels[i] for i in moving.slices[CALM]["id"].to_pylist()}
    world = replace(moving, labels={**moving.labels, **turned})
    found = judged(ERROR, world, CALM)["error_rate_change_estimated_less_realized", None]
    assert (found.status, found.severity) == (Status.TRIGGERED, Severity.WARN)


def test_labels_that_are_not_due_are_waited_for(moving):
    end = moving.partitions.bounds(DAY)[1]
    view = replace(moving, labels={}).at(DAY, now=end)
    object.__setattr__(view.world, "baseline", moving.baseline)
    (found,) = evaluate(ERROR, view, [], run_id=None, now=view.now)
    assert (found.status, found.severity) == (Status.NO_DATA, None)
    assert "labels expected by" in found.reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"with_reference": False}, "give the baseline labels"),
        ({}, "Build a new one (job test_model_setup)"),
    ],
)
def test_a_baseline_without_rows_says_what_to_do(world, changes, words):
    view = replace(world, **changes).at(DAY)
    (found,) = IMPACT.measure(view)
    assert found.value is None
    assert words in found.reason


def test_a_ranking_and_an_empty_slice_have_none(moving):
    ranking = Ranking(label="y", prediction="score", group="city")
    (found,) = IMPACT.measure(_ranked(ranking))
    assert "remove this monitor" in found.reason
    (empty,) = IMPACT.measure(moving.having(DAY, moving.slices[DAY].slice(0, 0)).at(DAY))
    assert "has no rows" in empty.reason


def test_an_absolute_error_changes_by_a_share_of_the_baselines(moving):
    task = Regression(label="y", prediction="score")
    source = np.random.default_rng(5)
    labels = {}
    for table in (moving.training, *moving.slices.values()):
        # The error is twice as large within ten years of 40.
        near = np.abs(table["age"].to_numpy() - 40) < 10
        error = np.where(near, 2.0, 1.0) * source.choice([-1, 1], table.num_rows)
        values = table["score"].to_numpy() + error
        labels |= dict(zip(table["id"].to_pylist(), values.tolist(), strict=True))
    world = replace(moving, task=task, labels=labels)
    found = judged(IMPACT, world, DAY)
    near_before, near_now = (
        np.mean(np.abs(t["age"].to_numpy() - 40) < 10) for t in (moving.training, world.slices[DAY])
    )
    total = found["absolute_error_change", None]
    truth = (near_now - near_before) / (1 + near_before)
    assert total.value == pytest.approx(truth, abs=2.5 * total.standard_error)
    assert (total.status, total.severity) == (Status.TRIGGERED, Severity.ERROR)
    beside = judged(ERROR, world, DAY)
    assert beside["absolute_error_change_realized", None].value == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("kind", [ImpactMonitor, ImpactErrorMonitor])
def test_dear_or_impossible_declarations_are_refused(kind):
    with pytest.raises(ValidationError, match="absolute limits"):
        kind(threshold=LearnedThreshold())
    with pytest.raises(ValidationError, match="not kept by segment"):
        kind(segments=True)
    with pytest.raises(ValidationError, match="leave impact out"):
        DriftMonitor(impact=True, baseline=Rolling(rolling=14))


def test_what_they_ask_for():
    assert IMPACT.needs_losses()
    assert ERROR.needs_losses()
    assert WEIGHED.needs_losses()
    assert not DriftMonitor().needs_losses()


def _ranked(ranking):
    """A view of a world that says its task is a ranking."""

    @dataclass(frozen=True)
    class Ranked:
        task: Ranking

    return Ranked(task=ranking)
