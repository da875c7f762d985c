"""Labelled rows of each task as hypothesis draws them, and their summaries."""

import math

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from dagster_monitoring.statistics.performance import (
    BinarySummary,
    MulticlassSummary,
    RankingSummary,
    RegressionSummary,
    binary_summary,
    multiclass_summary,
    performance_metric,
    performance_metrics,
    ranking_summary,
    regression_summary,
)

EMPTY = {
    "binary_classification": BinarySummary(),
    "multiclass_classification": MulticlassSummary(),
    "regression": RegressionSummary(),
    "ranking": RankingSummary(),
}
CLASSES = ("ash", "elm", "oak")
SCORE = st.one_of(st.integers(0, 16).map(lambda i: i / 16), st.floats(0, 1), st.just(math.nan))
CLASS = st.integers(0, 2)
NUMBER = st.floats(-1e3, 1e3, allow_subnormal=False)
ROWS = {
    "binary_classification": st.lists(st.tuples(st.booleans(), st.booleans(), SCORE), max_size=25),
    "multiclass_classification": st.lists(
        st.tuples(CLASS, CLASS, st.tuples(SCORE, SCORE, SCORE)), max_size=25
    ),
    "regression": st.lists(st.tuples(NUMBER, NUMBER), max_size=25),
    "ranking": st.lists(
        st.tuples(
            st.integers(0, 4), st.one_of(st.integers(-1, 3), st.just(math.nan)), st.integers(0, 3)
        ),
        max_size=25,
    ),
}
EVERY = [
    pytest.param(metric, task, id=f"{name}-{task}")
    for name, metric in performance_metrics().items()
    for task in sorted(metric.tasks)
]
TASKS = pytest.mark.parametrize("task", sorted(ROWS))
quick = settings(max_examples=8, deadline=None)


def summarise(task, rows):
    if task == "regression":
        pairs = np.array(rows, dtype=float).reshape(-1, 2)
        return regression_summary(pairs[:, 0], pairs[:, 1])
    if task == "ranking":
        table = np.array(rows, dtype=float).reshape(-1, 3)
        return ranking_summary(table[:, 0].astype(np.int64), table[:, 1], table[:, 2], k=3)
    first, second, scores = zip(*rows, strict=True) if rows else ((), (), ())
    if task == "binary_classification":
        labels, predictions = (np.array(part, dtype=bool) for part in (first, second))
        return binary_summary(labels, predictions, np.array(scores, dtype=float))
    labels, predictions = (np.array(part, dtype=np.int64) for part in (first, second))
    columns = np.array(scores, dtype=float).reshape(-1, 3).T
    return multiclass_summary(
        labels, predictions, classes=CLASSES, scores=dict(zip(CLASSES, columns, strict=True))
    )


def value(name, rows):
    return performance_metric(name).compute(rows)


def drawn_apart(data, task, parts):
    """Rows of several parts; a query never lies in two of them."""
    drawn = [data.draw(ROWS[task]) for _ in range(parts)]
    if task != "ranking":
        return drawn
    return [[(q + 10 * i, y, s) for q, y, s in part] for i, part in enumerate(drawn)]


def plain(value):
    """All that a summary holds, in a form that compares exactly."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if hasattr(value, "items"):
        return {name: plain(part) for name, part in value.items()}
    return value


def same(left, right):
    """Equal to the last bit."""
    assert type(left) is type(right)
    assert plain(left) == plain(right)
    return True
