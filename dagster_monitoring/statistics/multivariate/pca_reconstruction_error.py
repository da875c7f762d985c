"""Reconstruction error of principal components."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.multivariate._metric import MultivariateMetric, Summary
from dagster_monitoring.statistics.multivariate._reconstruction import ReconstructionErrors
from dagster_monitoring.statistics.undefined import Undefined

_MINIMUM_N = 30
"""From here on a mean of errors is near enough to normal for its quantiles."""


def compute(reference: Summary, current: Summary) -> float | Undefined:
    """The mean distance of the current rows from the baseline's main directions.

    A row is scaled by the baseline's means and standard deviations, projected on the principal
    components that explain 65 % of the baseline's variance, and taken back; its error is the
    Euclidean distance to what it was. When columns no longer go together as they did, rows leave
    the components and the error grows, though each column may look as before; it falls when they
    go together more closely. Both are drift.

    Returns:
        From 0 (every row lies on the components) upwards, in the baseline's standard deviations;
        ``Undefined`` with fewer than 30 rows on either side.

    Raises:
        TypeError: a summary holds no reconstruction errors.

    Example:
        >>> day = ReconstructionErrors.of([1.0, 4.0] * 20)
        >>> compute(day, day)
        1.5
    """
    for errors, what in ((_errors(reference), "the baseline"), (_errors(current), "the window")):
        if errors.n < _MINIMUM_N:
            return Undefined(
                f"{what} has {errors.n} rows that can be projected, and "
                f"pca_reconstruction_error needs {_MINIMUM_N}"
            )
    return _errors(current).mean


def unchanged(reference: Summary) -> float | Undefined:
    """The baseline's own mean error."""
    errors = _errors(reference)
    return errors.mean if errors.n else Undefined("the baseline has no row that can be projected")


def standard_error(_value: float, _reference: Summary, current: Summary) -> float | None:
    """That of the mean of the current errors."""
    return _errors(current).standard_error


def null_quantile(reference: Summary, current: Summary, alpha: float) -> float:
    """Of the difference of two means, either way."""
    from scipy.special import ndtri

    spread = math.hypot(_errors(reference).standard_error, _errors(current).standard_error)
    return -float(ndtri(alpha / 2)) * spread


def _errors(summary: Summary) -> ReconstructionErrors:
    if not isinstance(summary, ReconstructionErrors):
        raise TypeError("the reconstruction error is of projected rows")
    return summary


METRIC = MultivariateMetric(
    name="pca_reconstruction_error",
    title="PCA reconstruction error",
    compute=compute,
    unchanged=unchanged,
    standard_error=standard_error,
    null_quantile=null_quantile,
    needs="projection",
    bounds=(0.0, float("inf")),
    worse="both",
    symmetric=False,
    unit="baseline standard deviations",
    minimum_n=_MINIMUM_N,
    degenerate="a missing number counts as the baseline's mean, a missing category as its most "
    "frequent one, a new category as one of share 0; a column that the baseline has constant "
    "counts in its own unit; fewer than two columns that vary give no value",
    sampling="of a mean, from the spread of the rows' errors",
    conventional_limits=None,
    is_trained=False,
    source="NannyML's DataReconstructionDriftCalculator; Jolliffe (2002), Principal Component "
    "Analysis, section 10.1",
)
