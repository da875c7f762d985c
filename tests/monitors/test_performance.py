from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from sklearn import metrics as sk

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import evaluate, overall
from dagster_monitoring.monitors.label_coverage import LabelCoverageMonitor
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.schema import MulticlassClassification, Ranking

DAY = "2024-05-20"
TOWNS = ("Ash", "Birch", "Cedar")
WINDOW = ("2024-05-18", "2024-05-19", DAY)


def judge(monitor, view):
    return {
        (v.metric, v.segment): v for v in evaluate(monitor, view, [], run_id=None, now=view.now)
    }


def without_labels(world, days, keep=0):
    """The world before labels of these days came, but for ``keep`` of each."""
    gone = {i for day in days for i in world.slices[day]["id"].to_pylist()[keep:]}
    return replace(world, labels={k: v for k, v in world.labels.items() if k not in gone})


def test_values_equal_scikit_learn_on_the_windows_rows(world):
    table = pa.concat_tables([world.slices[day] for day in WINDOW])
    truth = [world.labels[i] for i in table["id"].to_pylist()]
    score, predicted = table["score"].to_numpy(), table["predicted"].to_numpy()
    found = judge(PerformanceMonitor(), world.at(DAY))
    assert found["accuracy", None].value == pytest.approx(sk.accuracy_score(truth, predicted))
    assert found["roc_auc", None].value == pytest.approx(sk.roc_auc_score(truth, score))
    assert found["log_loss", None].value == pytest.approx(sk.log_loss(truth, score))
    assert found["brier", None].value == pytest.approx(sk.brier_score_loss(truth, score))
    assert {v.status for v in found.values()} == {Status.HEALTHY}
    assert found["accuracy", None].n_labelled == 1200


def test_default_limits_are_changes_from_the_baselines_reference(world):
    found = judge(PerformanceMonitor(metrics=("brier", "accuracy")), world.at(DAY))
    ids = world.training["id"].to_pylist()
    truth = np.array([world.labels[i] for i in ids])
    score, predicted = world.training["score"].to_numpy(), world.training["predicted"].to_numpy()
    brier, accuracy = sk.brier_score_loss(truth, score), sk.accuracy_score(truth, predicted)
    losses = np.concatenate(
        [
            (world.slices[d]["score"].to_numpy() - [world.labels[i] for i in ids]) ** 2
            for d in WINDOW
            if (ids := world.slices[d]["id"].to_pylist())
        ]
    )
    noise = 1.645 * losses.std(ddof=1) / np.sqrt(len(losses))
    assert found["brier", None].upper == pytest.approx(1.15 * brier + noise)
    assert found["accuracy", None].lower == pytest.approx(
        accuracy - 0.05 - 1.645 * np.sqrt(accuracy * (1 - accuracy) / 1200), abs=2e-3
    )


def test_labels_turned_around_trigger_an_error(world):
    flipped = {i for day in WINDOW for i in world.slices[day]["id"].to_pylist()}
    labels = {k: 1 - v if k in flipped else v for k, v in world.labels.items()}
    found = judge(PerformanceMonitor(), replace(world, labels=labels).at(DAY))
    assert {v.severity for v in found.values()} == {Severity.ERROR}
    assert "ERROR: 4 of 4 values outside limits" in overall(list(found.values())).description


def test_before_labels_are_due_there_is_no_verdict_and_nobody_is_blamed(world):
    early = without_labels(world, [DAY], keep=100)
    end = world.partitions.bounds(DAY)[1]
    view = early.at(DAY, now=end + timedelta(days=1))
    for monitor in (PerformanceMonitor(), LabelCoverageMonitor()):
        verdicts = list(judge(monitor, view).values())
        assert {(v.status, v.severity) for v in verdicts} == {(Status.NO_DATA, None)}
        verdict = overall(verdicts)
        assert verdict.passed
        assert verdict.description.startswith(
            "No data yet: labels expected by 2024-05-23 00:00 UTC; 100 of 400 are here"
        ) or verdict.description.startswith("No data yet: labels expected by 2024-05-23")


def test_enough_early_labels_are_judged_before_they_are_due(world):
    early = without_labels(world, [DAY], keep=300)
    end = world.partitions.bounds(DAY)[1]
    found = judge(PerformanceMonitor(), early.at(DAY, now=end + timedelta(days=1)))
    assert found["accuracy", None].status is Status.HEALTHY
    assert found["accuracy", None].n_labelled == 1100


def test_overdue_labels_are_a_warning_that_says_what_to_do(world):
    late = without_labels(world, [DAY])
    verdicts = list(judge(PerformanceMonitor(), late.at(DAY)).values())
    verdict = overall(verdicts)
    assert (verdict.status, verdict.severity) == (Status.NO_DATA, Severity.WARN)
    assert verdict.description.startswith("No data: not one of 400 labels has arrived")
    assert "look at the ground truth's delivery" in verdict.description
    coverage = judge(LabelCoverageMonitor(), late.at(DAY))["label_coverage", None]
    assert (coverage.value, coverage.severity) == (0.0, Severity.ERROR)


def test_without_ground_truth_or_rows_there_is_no_value(world):
    undeclared = replace(world, delay=None)
    empty = world.having(DAY, world.slices[DAY].slice(0, 0))
    for view, words in (
        (undeclared.at(DAY), "no ground truth is declared"),
        (empty.at(DAY), "the slice has no rows"),
    ):
        for monitor in (PerformanceMonitor(), LabelCoverageMonitor()):
            verdicts = judge(monitor, view).values()
            assert {(v.status, v.severity) for v in verdicts} == {(Status.NO_DATA, Severity.WARN)}
            assert all(words in v.reason for v in verdicts)


def test_a_day_of_one_class_has_no_auc_and_says_why_while_the_rest_is_judged(world):
    own = set(world.slices[DAY]["id"].to_pylist())
    labels = {k: 0 if k in own else v for k, v in world.labels.items()}
    found = judge(PerformanceMonitor(window=1), replace(world, labels=labels).at(DAY))
    assert found["roc_auc", None].status is Status.NO_DATA
    assert found["roc_auc", None].severity is Severity.WARN
    assert found["roc_auc", None].reason
    assert found["brier", None].value is not None


def test_too_few_labelled_rows_give_no_verdict(world):
    late = without_labels(world, WINDOW, keep=5)
    found = judge(PerformanceMonitor(), late.at(DAY))
    assert {v.status for v in found.values()} == {Status.NO_DATA}
    assert "15 labelled rows, and 30 are needed" in found["brier", None].reason


def test_without_a_reference_relative_limits_are_undefined_and_nothing_passes(world):
    found = judge(PerformanceMonitor(), replace(world, with_reference=False).at(DAY))
    assert {(v.status, v.severity) for v in found.values()} == {(Status.NO_DATA, Severity.WARN)}
    assert found["brier", None].value is not None


def test_segments_have_their_own_values_and_references(world):
    found = judge(PerformanceMonitor(segments=True, metrics=("accuracy",)), world.at(DAY))
    table = pa.concat_tables([world.slices[day] for day in WINDOW])
    table = table.filter(pa.compute.equal(table["city"], "Cedar"))
    truth = [world.labels[i] for i in table["id"].to_pylist()]
    cedar = found["accuracy", "city=Cedar"]
    assert cedar.value == pytest.approx(sk.accuracy_score(truth, table["predicted"].to_numpy()))
    assert cedar.n == table.num_rows
    assert set(found) == {("accuracy", s) for s in (None, "city=Ash", "city=Birch", "city=Cedar")}


def test_a_segment_too_small_to_judge_is_nobodys_fault(world):
    few = world
    for day in WINDOW:
        table = world.slices[day]
        cedars = pa.compute.equal(table["city"], "Cedar")
        kept = pa.concat_tables(
            [table.filter(pa.compute.invert(cedars)), table.filter(cedars).slice(0, 3)]
        )
        few = few.having(day, kept)
    for monitor in (PerformanceMonitor(segments=True), LabelCoverageMonitor(segments=True)):
        verdicts = list(judge(monitor, few.at(DAY)).values())
        small = [v for v in verdicts if v.segment == "city=Cedar"]
        assert {(v.status, v.severity) for v in small} == {(Status.NO_DATA, None)}
        assert overall(verdicts).status is Status.HEALTHY


def test_coverage_is_the_share_of_rows_with_a_label(world):
    late = without_labels(world, [DAY], keep=200)
    found = judge(LabelCoverageMonitor(), late.at(DAY))["label_coverage", None]
    assert (found.value, found.n, found.n_labelled) == (0.5, 400, 200)
    assert (found.severity, found.lower) == (Severity.WARN, 0.7)


def test_a_metric_of_another_task_says_so(world):
    (found,) = judge(PerformanceMonitor(metrics=("rmse",)), world.at(DAY)).values()
    assert found.status is Status.NO_DATA
    assert "rmse is not defined for binary_classification" in found.reason


def test_an_unknown_metric_is_refused_with_the_nearest_name():
    with pytest.raises(ValidationError, match="Did you mean 'accuracy'"):
        PerformanceMonitor(metrics=("acuracy",))


def measured(monitor, view):
    return {(m.metric, m.column, m.segment): m for m in monitor.measure(view)}


def test_a_measurement_says_its_sampling_error_and_widens_limits_by_it(world):
    metrics = ("accuracy", "average_precision", "mcc", "ece")
    found = measured(PerformanceMonitor(metrics=metrics), world.at(DAY))
    for metric in metrics:
        m = found[metric, None, None]
        assert 0 < m.standard_error < 0.1
        assert m.noise == pytest.approx(1.645 * m.standard_error)
    p = found["accuracy", None, None].value
    expected = np.sqrt(p * (1 - p) / 1200)
    assert found["accuracy", None, None].standard_error == pytest.approx(expected, rel=0.01)


@pytest.fixture
def towns(world):
    """The same world as one of three classes; one label in three is another town's."""
    generator = np.random.default_rng(3)
    tables = [world.training, *world.slices.values()]
    labels = {}
    for table in tables:
        for i, town in zip(table["id"].to_pylist(), table["city"].to_pylist(), strict=True):
            labels[i] = town if generator.random() < 0.7 else str(generator.choice(TOWNS))
    task = MulticlassClassification(label="town", prediction="city")
    columns = world.columns.model_copy(update={"categorical": ()})
    return replace(world, task=task, labels=labels, columns=columns)


def test_each_class_has_its_own_value_reference_and_limits(towns):
    monitor = PerformanceMonitor(metrics=("accuracy", "recall", "f1"), average="per_class")
    assert monitor.name == "performance_per_class"
    view = towns.at(DAY)
    verdicts = evaluate(monitor, view, [], run_id=None, now=view.now)
    found = {(e.metric, e.column): e for e in verdicts}
    classes = {c for metric, c in found if metric == "recall"}
    assert classes == {"town=Ash", "town=Birch", "town=Cedar"}
    assert ("accuracy", None) in found
    table = pa.concat_tables([towns.slices[day] for day in WINDOW])
    truth = np.array([towns.labels[i] for i in table["id"].to_pylist()])
    guess = np.array(table["city"].to_pylist())
    for name in ("Ash", "Birch", "Cedar"):
        one = found["recall", f"town={name}"]
        assert one.value == pytest.approx(sk.recall_score(truth == name, guess == name))
        assert one.status is Status.HEALTHY
        assert one.lower is not None
    assert len({e.key for e in verdicts}) == len(verdicts) == len(found)


def test_classes_are_named_also_while_labels_are_awaited(towns):
    early = without_labels(towns, [DAY])
    view = early.at(DAY, now=early.partitions.bounds(DAY)[1])
    found = measured(PerformanceMonitor(metrics=("recall",), average="per_class"), view)
    assert {column for _, column, _ in found} == {"town=Ash", "town=Birch", "town=Cedar"}
    assert all(m.value is None and m.expected for m in found.values())


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_averages_are_scikit_learns(towns, average):
    monitor = PerformanceMonitor(metrics=("f1",), average=average)
    found = measured(monitor, towns.at(DAY))["f1", None, None]
    table = pa.concat_tables([towns.slices[day] for day in WINDOW])
    truth = [towns.labels[i] for i in table["id"].to_pylist()]
    expected = sk.f1_score(truth, table["city"].to_pylist(), average=average)
    assert found.value == pytest.approx(expected)
    assert found.reference is not None
    assert 0 < found.standard_error < 0.1


def test_classes_judged_one_by_one_are_bounded(towns):
    many = {k: f"<b>{'x' * 300}{i % 90}" for i, k in enumerate(towns.labels)}
    found = measured(
        PerformanceMonitor(metrics=("recall",), average="per_class"),
        replace(towns, labels=many).at(DAY),
    )
    assert len(found) == 50
    assert max(len(column) for _, column, _ in found) < 220


def test_a_metric_without_that_average_is_refused():
    with pytest.raises(ValidationError, match="roc_auc have no micro average: use macro"):
        PerformanceMonitor(metrics=("roc_auc",), average="micro")


def test_a_ranking_is_judged_by_its_queries(world):
    generator = np.random.default_rng(4)

    def with_queries(table):
        query = pa.array(generator.integers(0, 60, table.num_rows))
        return table.append_column("query", query)

    ranked = replace(
        world,
        task=Ranking(label="relevance", prediction="score", group="query", k=5),
        training=with_queries(world.training),
        slices={day: with_queries(table) for day, table in world.slices.items()},
        segments=(),
    )
    found = judge(PerformanceMonitor(window=1), ranked.at(DAY))
    assert set(found) == {("ndcg", None), ("mrr", None)}
    table = ranked.slices[DAY]
    label = np.array([world.labels[i] for i in table["id"].to_pylist()], dtype=float)
    score, query = table["score"].to_numpy(), table["query"].to_numpy()
    expected = [
        sk.ndcg_score([label[query == q]], [score[query == q]], k=5)
        for q in np.unique(query)
        if label[query == q].any() and (query == q).sum() > 1
    ]
    assert found["ndcg", None].value == pytest.approx(np.mean(expected))
    assert found["ndcg", None].status is Status.HEALTHY
