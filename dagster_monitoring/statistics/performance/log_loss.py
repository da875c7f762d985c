"""Log loss."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._cumulative import cumulative
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._multiclass import MulticlassSummary
from dagster_monitoring.statistics.performance._spread import (
    error_by_score,
    error_of_mean,
    mean_by_score,
)
from dagster_monitoring.statistics.performance._summary import Summary, scored
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``-ln(probability given to the true class)``.

    Probabilities are clipped to 1e-15 from 0 and 1; those of several classes first sum to 1.

    Returns:
        From 0 to about 34.5 (always sure and always wrong), in nats; ``Undefined`` when no row
        is scored.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import binary_summary
        >>> label = np.array([False, True, False, True])
        >>> rows = binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))
        >>> round(compute(rows), 4)
        0.4389
    """
    found = scored(summary)
    if isinstance(found, Undefined):
        return found
    if isinstance(found, MulticlassSummary):
        return float(found.log_loss_sum) / found.n_scored
    if found.losses is not None:
        return float(found.losses.log_loss) / found.n_scored
    return mean_by_score(found.score_counts, *cumulative(found.score_counts).log_losses)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean."""
    found = scored(summary)
    if isinstance(found, Undefined):
        return found
    if isinstance(found, MulticlassSummary):
        total, squares = float(found.log_loss_sum), float(found.log_loss_square_sum)
        return error_of_mean(total, squares, found.n_scored)
    return error_by_score(found.score_counts, *cumulative(found.score_counts).log_losses)


METRIC = PerformanceMetric(
    name="log_loss",
    title="Log loss",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean",
    tasks=CLASSIFICATION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=False,
    unit="nats",
    needs_score=True,
    degenerate="undefined when no row has a score",
    source="sklearn.metrics.log_loss, after clipping to [1e-15, 1 - 1e-15]",
)
