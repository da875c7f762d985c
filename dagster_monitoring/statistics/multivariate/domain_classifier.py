"""Domain classifier: how well a model tells the window's rows from the baseline's."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.limits import check_alpha
from dagster_monitoring.statistics.multivariate._metric import MultivariateMetric, Summary
from dagster_monitoring.statistics.multivariate._rows import SampledRows
from dagster_monitoring.statistics.trees import FOLDS, SEED, folds, prepared
from dagster_monitoring.statistics.undefined import Undefined

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_MINIMUM_N = 100

_OVERFITTED = 1.5
"""How much wider the scores of five models spread than those of one that is given: simulated,
without drift, 4 and 20 columns of 100 to 2,000 rows a side."""


def compute(reference: Summary, current: Summary) -> float | Undefined:
    """ROC AUC of a classifier that is to tell current rows from reference rows.

    Gradient boosted trees (50 trees of at most 8 leaves), trained on four fifths of the rows of
    both sides and asked about the last fifth, five times over; the area is that of all answers.
    Whatever sets the two sides apart counts: one column, or several together. Rows of the larger
    side are not thinned out. The same rows in the same order give the same value.

    Returns:
        From 0 to 1: 0.5 for rows that can't be told apart (less only by chance), 1 for rows that
        always can; ``Undefined`` with fewer than 100 rows on either side.

    Raises:
        TypeError: a summary holds no rows.
        ValueError: the columns differ.

    Example:
        >>> source = np.random.default_rng(0)
        >>> def rows(mean):
        ...     values = source.normal(mean, size=(200, 1))
        ...     return SampledRows(columns=("x",), categorical=(False,), values=values)
        >>> round(compute(rows(0.0), rows(9.0)), 2)
        1.0
    """
    before, now = _rows(reference), _rows(current)
    if (before.columns, before.categorical) != (now.columns, now.categorical):
        raise ValueError(f"other columns: {before.columns} and {now.columns}")
    for rows, what in ((before, "the baseline"), (now, "the window")):
        if rows.n < _MINIMUM_N:
            return Undefined(
                f"{what} has a sample of {rows.n} rows, and domain_classifier needs {_MINIMUM_N}"
            )
    if not before.columns:
        return Undefined("there is no column to tell rows apart by")
    values = np.concatenate([prepared(before), prepared(now)])
    is_current = np.arange(len(values)) >= before.n
    return _area(_answers(values, is_current, before.categorical), is_current)


def unchanged(_reference: Summary) -> float | Undefined:
    """0.5: a guess."""
    return 0.5


def standard_error(value: float, reference: Summary, current: Summary) -> float | None:
    """Hanley and McNeil's."""
    n, m = _rows(current).n, _rows(reference).n
    both_current, both_reference = value / (2 - value), 2 * value**2 / (1 + value)
    variance = (
        value * (1 - value)
        + (n - 1) * (both_current - value**2)
        + (m - 1) * (both_reference - value**2)
    ) / (n * m)
    return math.sqrt(max(variance, 0.0))


def null_quantile(reference: Summary, current: Summary, alpha: float) -> float:
    """Mann and Whitney's normal approximation, widened by what five models add."""
    from scipy.special import ndtri

    check_alpha(alpha)
    n, m = _rows(current).n, _rows(reference).n
    spread = _OVERFITTED * math.sqrt((n + m + 1) / (12 * n * m))
    return min(max(-float(ndtri(alpha)) * spread, 0.0), 0.5)


def _rows(summary: Summary) -> SampledRows:
    if not isinstance(summary, SampledRows):
        raise TypeError("the domain classifier is of sampled rows")
    return summary


def _answers(values: Floats, is_current: Bools, categorical: tuple[bool, ...]) -> Floats:
    """The score of each row, from a model that has not seen it."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    fold = folds(is_current)
    scores = np.zeros(len(values))
    # Threads add in any order: one alone gives the same sums each time.
    with threadpool_limits(limits=1):
        for number in range(FOLDS):
            asked = fold == number
            model = HistGradientBoostingClassifier(
                max_iter=50,
                max_leaf_nodes=8,
                early_stopping=False,
                categorical_features=np.array(categorical),
                random_state=SEED,
            )
            model.fit(values[~asked], is_current[~asked])
            scores[asked] = model.decision_function(values[asked])
    return scores


def _area(scores: Floats, is_current: Bools) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(is_current, scores))


METRIC = MultivariateMetric(
    name="domain_classifier",
    title="Domain classifier",
    compute=compute,
    unchanged=unchanged,
    standard_error=standard_error,
    null_quantile=null_quantile,
    needs="sample",
    bounds=(0.0, 1.0),
    worse="upper",
    symmetric=False,
    unit="",
    minimum_n=_MINIMUM_N,
    degenerate="missing values and new categories are values that rows can be told apart by; "
    "columns that are constant on both sides give about 0.5",
    sampling="Hanley and McNeil's, of the area under the curve of given scores",
    # NannyML's default limit, and what Hosmer and Lemeshow call excellent discrimination.
    conventional_limits=(0.65, 0.8),
    is_trained=True,
    source="Lopez-Paz and Oquab (2017), Revisiting Classifier Two-Sample Tests; Hanley and McNeil "
    "(1982); limits: NannyML's DomainClassifierCalculator, Hosmer and Lemeshow (2000)",
)
