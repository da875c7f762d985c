"""Early labels that are not like all labels are told of, and calm ones are not."""

import statistics
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.monitors import evaluate
from dagster_monitoring.monitors._early import compare_early, label_balance, mean_and_variance
from dagster_monitoring.monitors.early_labels import EarlyLabelsMonitor
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.profiles.delays import LabelTally, tally_by_age
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.predictions import Values
from dagster_monitoring.schema import BinaryClassification, MulticlassClassification, Regression
from dagster_monitoring.statistics.undefined import Undefined
from tests.monitors.conftest import World

DAY = "2024-05-30"
BINARY = BinaryClassification(label="y", prediction="p")
SEVERAL = MulticlassClassification(label="y", prediction="p")
NUMBER = Regression(label="y", prediction="p")


def biased(world: World) -> World:
    """Positive labels come after 6 hours, negative ones after 40."""
    arrived = {}
    for day, table in world.slices.items():
        end = world.partitions.bounds(day)[1]
        for i in table["id"].to_pylist():
            arrived[i] = end + timedelta(hours=6 if world.labels[i] else 40)
    return replace(world, arrived=arrived)


def fair(world: World) -> World:
    """Every other label comes after 6 hours, whatever it is."""
    arrived = {
        i: world.partitions.bounds(day)[1] + timedelta(hours=6 if n % 2 else 40)
        for day, table in world.slices.items()
        for n, i in enumerate(table["id"].to_pylist())
    }
    return replace(world, arrived=arrived)


def rates(world: World, first: str, last: str) -> float:
    days = world.partitions.between(first, last)
    labels = [world.labels[i] for day in days for i in world.slices[day]["id"].to_pylist()]
    return float(np.mean(labels))


def test_labels_that_come_first_and_are_others_are_a_warning(world):
    (found,) = evaluate(EarlyLabelsMonitor(), biased(world).at(DAY), [], run_id=None, now=None)
    everyone = rates(world, "2024-05-17", DAY)
    assert found.metric == "early_label_shift"
    assert found.value == pytest.approx(1 - everyone)
    assert (found.status, found.severity) == (Status.TRIGGERED, Severity.WARN)
    words = f"early labels of past days had a positive rate of 1, all labels {everyone:.2f}"
    assert found.reason.endswith(words)
    assert found.n_labelled == 14 * 400


def test_early_labels_like_all_others_are_calm(world):
    for day in world.days[14:]:
        (found,) = evaluate(EarlyLabelsMonitor(), fair(world).at(day), [], run_id=None, now=None)
        assert found.status is Status.HEALTHY
        assert "early labels of past days had a positive rate of" in found.reason


def test_labels_that_come_at_once_have_no_early_ones(world):
    (found,) = evaluate(EarlyLabelsMonitor(), world.at(DAY), [], run_id=None, now=None)
    assert (found.status, found.severity) == (Status.NO_DATA, None)
    assert "labels come all at once" in found.reason


def test_before_labels_are_due_nothing_is_compared(world):
    view = biased(world).at(DAY, now=world.partitions.bounds(DAY)[1])
    (found,) = evaluate(EarlyLabelsMonitor(), view, [], run_id=None, now=view.now)
    assert found.reason == "No data yet: labels expected by 2024-06-02 00:00 UTC"


def partly(world: World, keep: int = 300) -> World:
    gone = {*world.slices[DAY]["id"].to_pylist()[keep:]}
    return replace(world, labels={k: v for k, v in world.labels.items() if k not in gone})


def performance(world: World, after: timedelta):
    view = world.at(DAY, now=world.partitions.bounds(DAY)[1] + after)
    monitor = PerformanceMonitor(metrics=("accuracy",))
    (found,) = evaluate(monitor, view, [], run_id=None, now=view.now)
    return found


def test_performance_by_early_labels_carries_the_warning_until_labels_are_due(world):
    late = partly(biased(world))
    found = performance(late, timedelta(days=1))
    # Due two days after a slice's end: those of the 28th and before, by the end of the 30th.
    everyone = rates(world, "2024-05-15", "2024-05-28")
    words = f"early labels of past days had a positive rate of 1, all labels {everyone:.2f}"
    assert found.status is Status.HEALTHY
    assert found.reason == words
    assert (found.n, found.n_labelled, found.coverage) == (1200, 1100, 1100 / 1200)
    assert performance(late, timedelta(days=2)).reason is None


def test_performance_says_nothing_where_early_labels_are_fair_or_all_are_here(world):
    assert performance(partly(fair(world)), timedelta(days=1)).reason is None
    assert performance(biased(world), timedelta(days=1)).reason is None
    young = World(**{**vars_of(partly(biased(world))), "slices": only(world, DAY)})
    assert performance(young, timedelta(days=1)).reason.startswith("window of 1 of 3 slices")


def vars_of(world: World) -> dict[str, object]:
    return {name: getattr(world, name) for name in World.__dataclass_fields__}


def only(world: World, day: str):
    return {day: world.slices[day]}


def test_delays_are_told_of_all_rows_and_of_segments(world):
    view = fair(world).at(DAY)
    monitor = PerformanceMonitor(metrics=("accuracy",), segments=True, window=1)
    found = evaluate(monitor, view, [], run_id=None, now=view.now)
    assert len(found) > 3
    # Noon of the day is 12 hours before its end, half came 6 hours after that.
    for each in found:
        assert 18 <= each.label_delay_p50_hours <= 52 * 1.022
        assert 52 <= each.label_delay_p90_hours <= 52 * 1.022
    assert 18 <= found[0].label_delay_p50_hours <= 18 * 1.022


def tally(**classes: int) -> LabelTally:
    return LabelTally(classes=NameCounts.of(classes))


def numbers(*values: float) -> LabelTally:
    given = np.array(values, dtype=float)
    return tally_by_age(np.zeros(len(given), dtype=np.intp), Values(given))[0]


def test_the_cut_is_nearest_to_half_and_both_parts_need_labels():
    few = compare_early({1: tally(a=29), 2: tally(a=500)}, SEVERAL)
    assert few == Undefined("29 early and 500 later labels, and 30 of each are needed")
    cells = {1: tally(a=30, b=10), 3: tally(a=40), 4: tally(b=60), 9: tally(a=10, b=10)}
    found = compare_early(cells, SEVERAL)
    assert (found.n_early, found.n) == (80, 160)
    assert found.value == pytest.approx(70 / 80 - 80 / 160)
    assert found.text("weeks") == (
        "early labels of past weeks had a share of 'a' of 0.88, all labels 0.50"
    )
    assert compare_early({}, SEVERAL).reason == compare_early({4: tally(a=9)}, SEVERAL).reason


def test_numbers_are_compared_by_their_means_in_standard_deviations():
    source = np.random.default_rng(4)
    first, second = source.normal(3, 2, 400), source.normal(5, 2, 500)
    found = compare_early({2: numbers(*first), 7: numbers(*second)}, NUMBER, alpha=0.01)
    everyone = np.concatenate([first, second])
    assert found.metric == "early_label_mean_shift"
    assert found.value == pytest.approx((everyone.mean() - first.mean()) / everyone.std(ddof=1))
    assert (found.early, found.everyone) == pytest.approx((first.mean(), everyone.mean()))
    error = np.sqrt(first.var(ddof=1) / 400 + second.var(ddof=1) / 500)
    noise = 2.5758293 * error * 500 / 900 / everyone.std(ddof=1)
    assert found.noise == pytest.approx(noise)
    same = compare_early({2: numbers(*[1.0] * 40), 7: numbers(*[1.0] * 40)}, NUMBER)
    assert same == Undefined("all labels are the same number")


def test_moments_of_far_numbers_do_not_cancel():
    values = np.array([1e9 + 1, 1e9 + 2, 1e9 + 4])
    mean, variance = mean_and_variance(numbers(*values))
    assert (mean, variance) == pytest.approx((values.mean(), statistics.variance(values)))
    assert mean_and_variance(numbers(7.0)) == (7.0, 0.0)


@pytest.mark.parametrize(
    ("task", "own", "others", "expected"),
    [
        (
            BINARY,
            tally(**{"1": 1, "0": 3}),
            tally(**{"true": 1, "0": 1}),
            ("positive rate", 0.25, 0.5),
        ),
        (SEVERAL, tally(a=3, b=1), tally(a=1, b=4), ("share of 'b'", 0.25, 0.8)),
        (NUMBER, numbers(1, 2), numbers(5), ("mean", 1.5, 5.0)),
    ],
)
def test_one_number_tells_what_labels_are(task, own, others, expected):
    assert label_balance(task, own, others) == expected
