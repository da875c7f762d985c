"""What every multivariate metric promises, and what its values mean."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm
from sklearn.metrics import roc_auc_score

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.multivariate import (
    ReconstructionErrors,
    SampledRows,
    multivariate_metric,
    multivariate_metrics,
)
from dagster_monitoring.statistics.multivariate.domain_classifier import _answers
from dagster_monitoring.statistics.trees import folds, prepared
from dagster_monitoring.statistics.undefined import Undefined

METRICS = multivariate_metrics().values()


def numbers(seed, n=400, shift=0.0, columns=3):
    source = np.random.default_rng(seed)
    return source.normal(shift, 1.0, size=(n, columns))


def rows(values, categorical=None):
    width = values.shape[1]
    return SampledRows(
        columns=tuple(f"x{i}" for i in range(width)),
        categorical=categorical or (False,) * width,
        values=values,
    )


def summary(metric, values):
    """Any rows as what the metric needs: their distance from the origin, or themselves."""
    if metric.needs == "projection":
        return ReconstructionErrors.of((values**2).sum(axis=1))
    return rows(values)


@pytest.fixture(params=METRICS, ids=lambda metric: metric.name)
def metric(request):
    return request.param


def test_it_declares_what_the_docs_and_monitors_need(metric):
    assert multivariate_metric(metric.name) is metric
    assert all((metric.title, metric.source, metric.degenerate))
    low, high = metric.bounds
    assert low < high
    if metric.conventional_limits is not None:
        warn, error = metric.conventional_limits
        assert low < warn < error < high
    # Limits can only be left to learning where they can be learned.
    assert metric.conventional_limits is not None or not metric.is_trained


def test_rows_of_one_population_are_near_its_unchanged_value(metric):
    before, now = summary(metric, numbers(1, 1000)), summary(metric, numbers(2, 1000))
    value, unchanged = metric.compute(before, now), metric.unchanged(before)
    assert abs(value - unchanged) < metric.null_quantile(before, now, 0.001)
    assert abs(value - unchanged) < 5 * metric.standard_error(value, before, now)


def test_drift_is_on_the_bad_side_within_bounds(metric):
    before = summary(metric, numbers(1))
    low, high = metric.bounds
    previous = metric.unchanged(before)
    for shift in (1.0, 3.0, 30.0):
        now = summary(metric, numbers(2, shift=shift))
        value = metric.compute(before, now)
        assert low <= previous < value <= high
        assert value - metric.unchanged(before) > metric.null_quantile(before, now, 0.001)
        previous = value if value < high else previous


def test_too_few_rows_on_either_side_give_a_reason_and_no_number(metric):
    enough, few = summary(metric, numbers(1)), summary(metric, numbers(2, metric.minimum_n - 1))
    just = summary(metric, numbers(2, metric.minimum_n))
    for pair, side in (((few, enough), "the baseline"), ((enough, few), "the window")):
        found = metric.compute(*pair)
        assert isinstance(found, Undefined)
        assert f"{side} has" in found.reason
        assert str(metric.minimum_n) in found.reason
    assert isinstance(metric.compute(enough, just), float)
    assert isinstance(metric.compute(enough, summary(metric, numbers(3, 0))), Undefined)


def test_values_are_plain_floats_and_repeat_exactly(metric):
    before, now = summary(metric, numbers(1)), summary(metric, numbers(2))
    value = metric.compute(before, now)
    assert type(value) is float
    assert metric.compute(before, now) == value
    assert type(metric.standard_error(value, before, now)) is float
    assert type(metric.null_quantile(before, now, 0.01)) is float


def test_a_summary_of_another_kind_is_refused(metric):
    kinds = {"projection": rows(numbers(1)), "sample": ReconstructionErrors.of(np.ones(500))}
    wrong = kinds[metric.needs]
    expected = {"projection": "projected rows", "sample": "sampled rows"}[metric.needs]
    with pytest.raises(TypeError, match=expected):
        metric.compute(wrong, wrong)


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(UnknownNameError, match=r"multivariate drift metric.*domain_classifier"):
        multivariate_metric("domain_clasifier")


def test_reconstruction_errors_are_numpys_mean_and_standard_error_in_any_order():
    squared = np.random.default_rng(0).lognormal(0, 2, size=5000)
    found = ReconstructionErrors.of(squared)
    errors = np.sqrt(squared)
    assert found.mean == pytest.approx(errors.mean(), rel=1e-14)
    assert found.std == pytest.approx(errors.std(ddof=1), rel=1e-12)
    assert found.standard_error == pytest.approx(errors.std(ddof=1) / np.sqrt(5000), rel=1e-12)
    parts = [ReconstructionErrors.of(part) for part in np.split(squared, [1, 4000])]
    assert parts[2] + parts[0] + parts[1] == found == found + ReconstructionErrors()
    alone = ReconstructionErrors.of([4.0])
    assert (alone.mean, alone.std, ReconstructionErrors().standard_error) == (2.0, 0.0, 0.0)
    left_out = ReconstructionErrors(n_left_out=3) + ReconstructionErrors(n_left_out=4)
    assert left_out == ReconstructionErrors(n_left_out=7)


def test_the_reconstruction_errors_noise_is_a_two_sample_z_test():
    metric = multivariate_metric("pca_reconstruction_error")
    a, b = np.random.default_rng(0).random((2, 1000))
    expected = norm.isf(0.005) * np.sqrt(np.sqrt(a).var(ddof=1) / 1000 * 2) * 1.0
    found = metric.null_quantile(ReconstructionErrors.of(a), ReconstructionErrors.of(b), 0.01)
    assert found == pytest.approx(expected, rel=0.05)


def test_a_baseline_without_a_projected_row_has_no_unchanged_value():
    metric = multivariate_metric("pca_reconstruction_error")
    found = metric.unchanged(ReconstructionErrors(n_left_out=5))
    assert isinstance(found, Undefined)
    assert "no row" in found.reason
    assert metric.unchanged(ReconstructionErrors.of([9.0])) == 3.0


def test_the_classifiers_standard_error_is_exact_for_exponential_scores():
    """Two days of 3 and 2 rows: by hand, and as the spread of areas drawn from the model."""
    metric = multivariate_metric("domain_classifier")
    reference, current = rows(numbers(1, 2)), rows(numbers(2, 3))
    found = metric.standard_error(0.8, reference, current)
    by_hand = (0.8 * 0.2 + 2 * (0.8 / 1.2 - 0.64) + 1 * (1.28 / 1.8 - 0.64)) / 6
    assert found == pytest.approx(by_hand**0.5, rel=1e-12)
    source = np.random.default_rng(4)
    before, now = source.exponential(1, (40_000, 2, 1)), source.exponential(4, (40_000, 1, 3))
    assert found == pytest.approx((now > before).mean(axis=(1, 2)).std(), rel=0.02)
    assert metric.standard_error(1.0, reference, current) == 0.0


def test_the_classifiers_noise_is_one_and_a_half_times_mann_and_whitneys():
    metric = multivariate_metric("domain_classifier")
    reference, current = rows(numbers(1, 4)), rows(numbers(2, 3))
    scores = np.array([0.1, 0.2, 0.4, 0.5]), np.array([0.3, 0.45, 0.7])
    test = mannwhitneyu(
        scores[1], scores[0], alternative="greater", use_continuity=False, method="asymptotic"
    )
    found = metric.null_quantile(reference, current, test.pvalue)
    assert found == pytest.approx(1.5 * (test.statistic / 12 - 0.5), rel=1e-9)
    assert metric.null_quantile(reference, current, 1e-9) == 0.5
    assert metric.null_quantile(reference, current, 0.9) == 0.0
    with pytest.raises(ValueError, match="alpha"):
        metric.null_quantile(reference, current, 1.0)


def test_the_classifier_knows_each_sides_first_and_last_row():
    metric = multivariate_metric("domain_classifier")
    before, now = np.zeros((100, 1)), np.ones((100, 1))
    assert metric.compute(rows(before), rows(now)) == 1.0
    assert metric.compute(rows(before), rows(before)) == 0.5


def test_the_classifier_is_cross_validated_as_scikit_learn_does_it():
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import PredefinedSplit, cross_val_predict

    values, is_current = numbers(3, 430), np.arange(430) >= 130
    values[130:, 0] += 1.0
    model = HistGradientBoostingClassifier(
        max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=20_130_401
    )
    split = PredefinedSplit(folds(is_current))
    expected = cross_val_predict(model, values, is_current, cv=split, method="decision_function")
    assert _answers(values, is_current, (False,) * 3) == pytest.approx(expected, rel=1e-9)


def test_the_classifier_takes_the_rarest_categories_together_and_new_ones_apart():
    codes = [-1.0, 0.0, 1.0, 252.0, 253.0, 254.0, 9999.0, np.nan]
    given = rows(np.array([codes, codes]).T, (False, True))
    taken = prepared(given)
    expected = [254.0, 0.0, 1.0, 252.0, 253.0, 253.0, 253.0, np.nan]
    assert np.array_equal(taken, np.array([codes, expected]).T, equal_nan=True)
    assert np.array_equal(given.values[:, 1], codes, equal_nan=True)


def test_the_classifier_sees_what_no_single_column_shows():
    """Two normal columns whose correlation alone changes."""
    metric = multivariate_metric("domain_classifier")
    before = numbers(1, 2000, columns=2)
    now = numbers(2, 2000, columns=2)
    now[:, 1] = 0.9 * now[:, 0] + np.sqrt(1 - 0.81) * now[:, 1]
    value = metric.compute(rows(before), rows(now))
    assert value - 0.5 > 2 * metric.null_quantile(rows(before), rows(now), 0.001)


def test_the_classifier_tells_gaps_and_new_categories_apart():
    metric = multivariate_metric("domain_classifier")
    source = np.random.default_rng(0)
    before = source.integers(0, 400, size=(600, 1)).astype(float)
    same = source.integers(0, 400, size=(600, 1)).astype(float)
    calm = metric.compute(rows(before, (True,)), rows(same, (True,)))
    assert calm < 0.65
    for other in (-1.0, np.nan):
        moved = np.where(source.random((600, 1)) < 0.6, other, same)
        assert metric.compute(rows(before, (True,)), rows(moved, (True,))) > calm + 0.15


def test_the_classifier_is_asked_only_about_rows_it_has_not_seen():
    is_current = np.arange(430) >= 130
    fold = folds(is_current)
    for side in (False, True):
        assert np.ptp(np.bincount(fold[is_current == side], minlength=5)) <= 1
    # Labels that mean nothing: an answer that knew its own row would be right far too often.
    values = numbers(3, 430, columns=10)
    assert roc_auc_score(is_current, _answers(values, is_current, (False,) * 10)) < 0.62


def test_the_classifiers_noise_covers_draws_without_drift():
    metric = multivariate_metric("domain_classifier")
    source, exceeded = np.random.default_rng(5), 0
    for _ in range(12):
        before, now = (rows(source.normal(size=(120, 3))) for _ in range(2))
        exceeded += metric.compute(before, now) - 0.5 > metric.null_quantile(before, now, 0.01)
    assert exceeded == 0


def test_the_classifier_refuses_other_columns_and_needs_one():
    metric = multivariate_metric("domain_classifier")
    with pytest.raises(ValueError, match="other columns"):
        metric.compute(rows(numbers(1)), rows(numbers(1, columns=2)))
    with pytest.raises(ValueError, match="3 columns"):
        SampledRows(columns=("a", "b", "c"), categorical=(False,) * 3, values=np.zeros((5, 2)))
    nothing = rows(np.zeros((200, 0)))
    assert metric.compute(nothing, nothing) == Undefined("there is no column to tell rows apart by")
