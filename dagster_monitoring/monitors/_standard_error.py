"""How far chance alone moves a performance metric on so few rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from dagster_monitoring.statistics.performance import (
    BinarySummary,
    MulticlassSummary,
    RegressionSummary,
    ScoreCounts,
    Summary,
)

_CLIP = 1e-15


def standard_error(metric: str, summary: Summary) -> float:
    """The standard error of a performance metric, of independent rows.

    Shares (accuracy, precision, recall) are proportions; F takes the rows it rests on as if it
    were one; ROC AUC follows Hanley and McNeil; log loss, Brier and MAE are means whose spread the
    summary knows exactly; MSE and RMSE are those of normal errors.

    Args:
        metric: a performance metric's name.
        summary: labelled rows.

    Returns:
        At least 0, in the metric's unit; 0.0 where it is not known (no widening then).

    Example:
        >>> rows = BinarySummary(n_labelled=96, true_positive=48, false_positive=48)
        >>> round(standard_error("accuracy", rows), 3)
        0.05

    Source: Agresti and Coull (1998), The American Statistician 52 (two rows are added to each
    side, so that a share of 0 or 1 has an error too); Hanley and McNeil (1982), Radiology 143.
    """
    if isinstance(summary, BinarySummary):
        binary = _BINARY.get(metric)
        return binary(summary) if binary else 0.0
    if isinstance(summary, RegressionSummary):
        regression = _REGRESSION.get(metric)
        return regression(summary) if regression and summary.n_labelled else 0.0
    return _multiclass(metric, summary)


def _proportion(successes: float, n: float) -> float:
    share = (successes + 2) / (n + 4)
    return math.sqrt(share * (1 - share) / (n + 4))


def _f_score(s: BinarySummary) -> float:
    return _proportion(s.true_positive, s.true_positive + (s.false_positive + s.false_negative) / 2)


def _roc_auc(s: BinarySummary) -> float:
    scores = s.score_counts
    positives, negatives = int(scores.positives.sum()), int(scores.negatives.sum())
    if not positives or not negatives:
        return 0.0
    below = np.cumsum(scores.negatives) - scores.negatives / 2
    auc = float((scores.positives * below).sum()) / (positives * negatives)
    both_positive, both_negative = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc)
        + (positives - 1) * (both_positive - auc**2)
        + (negatives - 1) * (both_negative - auc**2)
    ) / (positives * negatives)
    return math.sqrt(max(variance, 0.0))


def _mean_loss(scores: ScoreCounts, positive_loss: np.ndarray, negative_loss: np.ndarray) -> float:
    """The standard error of a mean loss, from the losses of both classes at each score."""
    n = scores.n
    if not n:
        return 0.0
    mean = float((scores.positives * positive_loss + scores.negatives * negative_loss).sum()) / n
    squares = scores.positives * positive_loss**2 + scores.negatives * negative_loss**2
    return math.sqrt(max(float(squares.sum()) / n - mean**2, 0.0) / n)


def _log_loss(s: BinarySummary) -> float:
    given = np.clip(s.score_counts.scores, _CLIP, 1 - _CLIP)
    return _mean_loss(s.score_counts, -np.log(given), -np.log(1 - given))


def _brier(s: BinarySummary) -> float:
    given = s.score_counts.scores
    return _mean_loss(s.score_counts, np.square(1 - given), np.square(given))


def _mae(s: RegressionSummary) -> float:
    mean = s.absolute_error_sum / s.n_labelled
    return math.sqrt(max(s.squared_error_sum / s.n_labelled - mean**2, 0.0) / s.n_labelled)


def _bias(s: RegressionSummary) -> float:
    mean = s.error_sum / s.n_labelled
    return math.sqrt(max(s.squared_error_sum / s.n_labelled - mean**2, 0.0) / s.n_labelled)


def _mse(s: RegressionSummary) -> float:
    return s.squared_error_sum / s.n_labelled * math.sqrt(2 / s.n_labelled)


def _rmse(s: RegressionSummary) -> float:
    return math.sqrt(s.squared_error_sum / s.n_labelled) / math.sqrt(2 * s.n_labelled)


def _multiclass(metric: str, summary: MulticlassSummary) -> float:
    if metric != "accuracy":
        return 0.0
    return _proportion(float(np.trace(summary.confusion)), summary.n_labelled)


_BINARY: Mapping[str, Callable[[BinarySummary], float]] = MappingProxyType(
    {
        "accuracy": lambda s: _proportion(s.true_positive + s.true_negative, s.n_labelled),
        "precision": lambda s: _proportion(s.true_positive, s.true_positive + s.false_positive),
        "recall": lambda s: _proportion(s.true_positive, s.true_positive + s.false_negative),
        "f1": _f_score,
        "f2": _f_score,
        "roc_auc": _roc_auc,
        "log_loss": _log_loss,
        "brier": _brier,
    }
)
_REGRESSION: Mapping[str, Callable[[RegressionSummary], float]] = MappingProxyType(
    {"mae": _mae, "bias": _bias, "mse": _mse, "rmse": _rmse}
)
