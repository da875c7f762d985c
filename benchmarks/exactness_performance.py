"""How far performance metrics from profiles are from scikit-learn's on raw rows.

    python benchmarks/exactness_performance.py
    python benchmarks/exactness_performance.py --rows 2000    # a smaller one

Profiles of ten slices are added up and measured; scikit-learn has all rows at once. Up to
1,048,576 distinct scores are kept as they are, and all are rounded to 13 bits when there are more:
the second column of two classes is of so many. Real data are the flights that the demo carries:
their delays, and their temperature for a prediction of the humidity. Errors are relative where a
metric has no upper bound.
"""

from __future__ import annotations

import argparse
import functools
import math
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from scipy.stats import rankdata
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from report import machine_lines, table_lines

from dagster_monitoring.statistics.performance import (
    Summary,
    binary_summary,
    multiclass_summary,
    performance_metric,
    ranking_summary,
    regression_summary,
)

Array = npt.NDArray[np.generic]
Exact = Mapping[str, Callable[[], float]]

FLIGHTS = Path(__file__).parents[1] / "dagster_monitoring" / "demo" / "data" / "baseline.parquet"
SLICES = 10
CLASSES = ("ash", "elm", "fir", "oak")
K = 5
PLACES = 20


def main() -> None:
    """Print a table for each task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_100_000, help="rows of drawn scores")
    options = parser.parse_args()
    for title, kinds in _tasks(options.rows).items():
        columns = {kind: _errors(*found) for kind, found in kinds.items()}
        names = next(iter(columns.values()))
        print(f"\n{title}\n")
        rows = [[name, *(column[name] for column in columns.values())] for name in names]
        print("\n".join(table_lines(["", *columns], rows)))
    print("\n" + "\n".join(machine_lines(("numpy", "scikit-learn"))))


def _tasks(rows: int) -> Mapping[str, Mapping[str, tuple[Summary, Exact]]]:
    rng = np.random.default_rng(9)
    few = max(rows // 20, 100)
    return {
        "two classes": {
            "flights": binary(*_delays()),
            f"{rows:,} scores of a rare event": binary(*_rare(rng, rows)),
        },
        "several classes": {f"{few:,} rows": several(*_classes(rng, few))},
        "regression": {
            "flights": regression(*_weather()),
            f"{few:,} rows, heavy tails": regression(*_heavy(rng, few)),
        },
        "ranking": {f"{few // PLACES:,} queries": ranking(rng, few // PLACES)},
    }


def _errors(summary: Summary, exact: Exact) -> Mapping[str, str]:
    return {name: f"{_error(name, summary, true()):.1e}" for name, true in exact.items()}


def _error(name: str, summary: Summary, true: float) -> float:
    metric = performance_metric(name)
    value = metric.compute(summary)
    if not isinstance(value, float):
        return math.inf
    is_open = math.isinf(metric.bounds[0]) or math.isinf(metric.bounds[1])
    return abs(value - true) / (max(abs(true), 1e-9) if is_open else 1.0)


def _added(parts: Iterator[Summary]) -> Summary:
    total: Summary = functools.reduce(operator.add, parts)
    return total


def _cut(*columns: Array) -> Iterator[tuple[Array, ...]]:
    return zip(*(np.array_split(column, SLICES) for column in columns), strict=True)


def binary(label: Array, score: Array) -> tuple[Summary, Exact]:
    """Two classes, predicted by a score of one half."""
    y, p = label.astype(bool), score.astype(np.float64)
    z = p >= 0.5  # noqa: PLR2004 - half of 0..1
    precision, recall, _ = sk.precision_recall_curve(y, p)
    exact: Exact = {
        "accuracy": lambda: sk.accuracy_score(y, z),
        "average_precision": lambda: sk.average_precision_score(y, p),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(y, z),
        "brier": lambda: sk.brier_score_loss(y, p),
        "brier_skill": lambda: 1 - sk.brier_score_loss(y, p) / np.var(y),
        "cohen_kappa": lambda: sk.cohen_kappa_score(y, z),
        "ece": lambda: _calibration(y, p, np.digitize(p, np.arange(1, 10) / 10)),
        "ece_equal_mass": lambda: _calibration(
            y, p, ((rankdata(p) - 0.5) / len(p) * 10).astype(int)
        ),
        "f1": lambda: sk.f1_score(y, z),
        "f2": lambda: sk.fbeta_score(y, z, beta=2),
        "log_loss": lambda: sk.log_loss(y, np.clip(p, 1e-15, 1 - 1e-15)),
        "mcc": lambda: sk.matthews_corrcoef(y, z),
        "pr_auc": lambda: sk.auc(recall, precision),
        "precision": lambda: sk.precision_score(y, z),
        "recall": lambda: sk.recall_score(y, z),
        "roc_auc": lambda: sk.roc_auc_score(y, p),
        "specificity": lambda: sk.recall_score(~y, ~z),
    }
    return _added(binary_summary(*part) for part in _cut(y, z, p)), exact


def several(label: Array, score: Array) -> tuple[Summary, Exact]:
    """Four classes, predicted by the largest score; each metric's mean over classes."""
    y, z = label.astype(np.int64), score.argmax(axis=1)
    ones, places = label_binarize(y, classes=range(4)), range(4)
    exact: Exact = {
        "accuracy": lambda: sk.accuracy_score(y, z),
        "average_precision": lambda: sk.average_precision_score(ones, score, average="macro"),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(y, z),
        "brier": lambda: float(np.mean(np.sum((score - np.eye(4)[y]) ** 2, axis=1))),
        "cohen_kappa": lambda: sk.cohen_kappa_score(y, z),
        "f1": lambda: sk.f1_score(y, z, average="macro"),
        "f2": lambda: sk.fbeta_score(y, z, beta=2, average="macro"),
        "log_loss": lambda: sk.log_loss(y, score),
        "mcc": lambda: sk.matthews_corrcoef(y, z),
        "pr_auc": lambda: float(np.mean([_trapezia(y == c, score[:, c]) for c in places])),
        "precision": lambda: sk.precision_score(y, z, average="macro"),
        "recall": lambda: sk.recall_score(y, z, average="macro"),
        "roc_auc": lambda: sk.roc_auc_score(y, score, multi_class="ovr"),
        "specificity": lambda: float(np.mean([sk.recall_score(y != c, z != c) for c in places])),
        "top_2_accuracy": lambda: sk.top_k_accuracy_score(y, score, k=2),
        "top_3_accuracy": lambda: sk.top_k_accuracy_score(y, score, k=3),
        "top_5_accuracy": lambda: 1.0,
    }
    parts = (
        multiclass_summary(a, b, classes=CLASSES, scores=dict(zip(CLASSES, scores.T, strict=True)))
        for a, b, scores in _cut(y, z, score)
    )
    return _added(parts), exact


def regression(label: Array, prediction: Array) -> tuple[Summary, Exact]:
    """Numbers."""
    y, z = label.astype(np.float64), prediction.astype(np.float64)
    off = np.abs(z - y)
    exact: Exact = {
        "bias": lambda: float(np.mean(z - y)),
        "explained_variance": lambda: sk.explained_variance_score(y, z),
        "mae": lambda: sk.mean_absolute_error(y, z),
        "mape": lambda: sk.mean_absolute_percentage_error(y, z),
        "median_absolute_error": lambda: sk.median_absolute_error(y, z),
        "mse": lambda: sk.mean_squared_error(y, z),
        "pinball_10": lambda: sk.mean_pinball_loss(y, z, alpha=0.1),
        "pinball_50": lambda: sk.mean_pinball_loss(y, z, alpha=0.5),
        "pinball_90": lambda: sk.mean_pinball_loss(y, z, alpha=0.9),
        "r2": lambda: sk.r2_score(y, z),
        "rmse": lambda: sk.root_mean_squared_error(y, z),
        "rmsle": lambda: sk.root_mean_squared_log_error(y, z),
        "smape": lambda: float(np.mean(2 * off / (np.abs(z) + np.abs(y)))),
        "wape": lambda: float(off.sum() / np.abs(y).sum()),
    }
    return _added(regression_summary(*part) for part in _cut(y, z)), exact


def ranking(rng: np.random.Generator, queries: int) -> tuple[Summary, Exact]:
    """Queries of twenty rows with gains of 0 to 4, one row at least relevant."""
    gain = rng.integers(0, 5, (queries, PLACES)) * (rng.random((queries, PLACES)) < 0.3)  # noqa: PLR2004 - three in ten
    gain[:, 0] = np.maximum(gain[:, 0], 1)
    score = rng.random((queries, PLACES)) + 0.1 * gain
    places = np.argsort(-score, axis=1)
    relevant = np.take_along_axis(gain, places, axis=1) > 0
    exact: Exact = {
        "map": lambda: float(
            np.mean(
                [sk.average_precision_score(g > 0, s) for g, s in zip(gain, score, strict=True)]
            )
        ),
        "mrr": lambda: float(np.mean(1 / (1 + relevant.argmax(axis=1)))),
        "ndcg": lambda: sk.ndcg_score(gain, score, k=K),
        "precision_at_k": lambda: float(relevant[:, :K].mean()),
    }
    query = np.repeat(np.arange(queries), PLACES)
    cut = np.array_split(np.arange(queries), SLICES)
    whole = [np.isin(query, part) for part in cut]
    label, points = gain.ravel().astype(np.float64), score.ravel()
    return _added(ranking_summary(query[w], label[w], points[w], k=K) for w in whole), exact


def _trapezia(label: Array, score: Array) -> float:
    precision, recall, _ = sk.precision_recall_curve(label, score)
    return float(sk.auc(recall, precision))


def _calibration(label: Array, score: Array, place: Array) -> float:
    """The mean distance of a bin's mean score from its share of positives, by rows."""
    off = score.astype(np.float64) - label.astype(np.float64)
    return float(np.abs(np.bincount(place.astype(np.int64), weights=off)).sum() / len(score))


def _delays() -> tuple[Array, Array]:
    rows = pq.read_table(FLIGHTS, columns=["delayed15", "delay15_proba"])
    return rows["delayed15"].to_numpy(), rows["delay15_proba"].to_numpy()


def _weather() -> tuple[Array, Array]:
    rows = pq.read_table(FLIGHTS, columns=["humid", "temp"]).drop_null()
    return rows["humid"].to_numpy(), rows["temp"].to_numpy()


def _rare(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
    score = rng.random(rows) ** 4
    return rng.random(rows) < score, score


def _classes(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
    score = rng.dirichlet(np.ones(4), rows)
    draw = rng.random((rows, 1))
    return (draw > np.cumsum(score, axis=1)[:, :3]).sum(axis=1), score


def _heavy(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
    label = rng.pareto(1.2, rows)
    return label, label * rng.lognormal(0.0, 1.5, rows)


if __name__ == "__main__":
    main()
