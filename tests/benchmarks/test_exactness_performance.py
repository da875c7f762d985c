"""The report on performance metrics from profiles, in the small."""

from __future__ import annotations

import pytest

from dagster_monitoring.statistics.performance import performance_metrics


@pytest.fixture
def tasks():
    import exactness_performance

    return exactness_performance._tasks(8_000)


def test_no_metric_of_any_task_is_forgotten(tasks):
    declared = {
        "two classes": "binary_classification",
        "several classes": "multiclass_classification",
        "regression": "regression",
        "ranking": "ranking",
    }
    for title, kinds in tasks.items():
        of_task = {n for n, m in performance_metrics().items() if declared[title] in m.tasks}
        for _, exact in kinds.values():
            assert exact.keys() == of_task


def test_all_but_the_median_of_errors_are_exact_while_scores_are_kept(tasks):
    import exactness_performance

    for kinds in tasks.values():
        for found in kinds.values():
            for name, error in exactness_performance._errors(*found).items():
                within = 2**-7 if name == "median_absolute_error" else 1e-12
                assert float(error) <= within, name
