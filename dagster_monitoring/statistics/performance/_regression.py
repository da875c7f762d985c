"""Labelled rows of a regression as sums that add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.performance._absolute_errors import ErrorCounts, error_cells
from dagster_monitoring.statistics.performance._groups import Groups, Places
from dagster_monitoring.statistics.performance._scores import Floats
from dagster_monitoring.statistics.undefined import Undefined

Moment = Literal[
    "error",
    "absolute_error",
    "squared_error",
    "squared_error_rest",
    "squared_over",
    "cubed_error",
    "quartic_error",
    "percentage_error",
    "squared_percentage_error",
    "symmetric_error",
    "squared_symmetric_error",
    "squared_log_error",
    "quartic_log_error",
    "label",
    "absolute_label",
    "squared_label",
    "squared_label_rest",
    "cubed_label",
    "quartic_label",
    "absolute_error_label",
    "error_label",
    "error_squared_label",
    "squared_error_label",
    "squared_error_squared_label",
]
MOMENTS: tuple[Moment, ...] = get_args(Moment)

_SPLITTER = 2.0**27 + 1
_TOO_LARGE = "the values are too large: a sum or square of them overflows"
_SMALLEST = 2.0**-1074
_UNIT = Fraction(_SMALLEST)


def _no_sums() -> Mapping[Moment, ExactSum | None]:
    return MappingProxyType(dict.fromkeys(MOMENTS, ExactSum()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegressionSummary:
    """Labelled rows of a regression; ``RegressionSummary()`` is the identity of ``+``.

    Sums are exact, and those of squares hold the rounding of each square too (``_rest``), so that
    a variance has no cancellation and no centre is needed.

    Attributes:
        n_labelled: rows with a finite label and prediction.
        sums: the sum over rows of each moment, by name, of the error ``prediction - label`` and
            of the label; ``None`` where a row has no finite one.
        absolute_errors: rows by ``|prediction - label|``.
    """

    n_labelled: int = 0
    sums: Mapping[Moment, ExactSum | None] = field(default_factory=_no_sums)
    absolute_errors: ErrorCounts = field(default_factory=ErrorCounts)

    def __add__(self, other: RegressionSummary) -> RegressionSummary:
        return RegressionSummary(
            n_labelled=self.n_labelled + other.n_labelled,
            sums={name: _added(self.sums[name], other.sums[name]) for name in MOMENTS},
            absolute_errors=self.absolute_errors + other.absolute_errors,
        )

    def total(self, moment: Moment) -> float | Undefined:
        """The sum of a moment over the rows, rounded once."""
        exact = self.sums[moment]
        if exact is None or abs(float(exact)) == float("inf"):
            return Undefined(_TOO_LARGE)
        return float(exact)

    def mean(self, moment: Moment) -> float | Undefined:
        """The mean of a moment; ``Undefined`` without rows."""
        exact = self.mean_exact(moment)
        return exact if isinstance(exact, Undefined) else float(exact)

    def mean_exact(self, moment: Moment) -> Fraction | Undefined:
        """As :meth:`mean`, without rounding; squares with what rounding took from each."""
        if not self.n_labelled:
            return Undefined("no labelled rows")
        rest: Mapping[str, Moment] = {
            "squared_error": "squared_error_rest",
            "squared_label": "squared_label_rest",
        }
        found = [self.sums[moment], *([self.sums[rest[moment]]] if moment in rest else [])]
        units = sum(exact.units for exact in found if exact is not None)
        if None in found or abs(float(ExactSum(units))) == float("inf"):
            return Undefined(_TOO_LARGE)
        return Fraction(units) * _UNIT / self.n_labelled


def regression_summary(label: Floats, prediction: Floats) -> RegressionSummary:
    """The summary of raw rows of a regression.

    Args:
        label: shape ``(n,)``; rows where it or the prediction is not finite are left out.
        prediction: shape ``(n,)``.

    Example:
        >>> rows = regression_summary(np.array([1.0, 2.0]), np.array([1.5, np.nan]))
        >>> rows.n_labelled, rows.total("error")
        (1, 0.5)
    """
    everyone = np.zeros(len(label), dtype=np.intp)
    return RegressionRows(label, prediction).by_group(everyone, 1)[0]


class RegressionRows:
    """Raw rows of a regression; arguments as of :func:`regression_summary`."""

    def __init__(self, label: Floats, prediction: Floats) -> None:
        self._usable = np.isfinite(label) & np.isfinite(prediction)
        truth = label[self._usable].astype(np.float64)
        guess = prediction[self._usable].astype(np.float64)
        # What overflows becomes infinite here, and Undefined in the metrics that read it.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self._moments = _moments(truth, guess)
        self._cells = error_cells(self._moments["absolute_error"])

    def by_group(self, group: Places, size: int) -> list[RegressionSummary]:
        """The summary of each of ``size`` groups of rows, from each row's group."""
        groups = Groups(group[self._usable], size)
        moments = {name: groups.ordered(values) for name, values in self._moments.items()}
        cells = groups.ordered(self._cells)
        return [
            RegressionSummary(
                n_labelled=own.stop - own.start,
                sums={name: _sum(values[own]) for name, values in moments.items()},
                absolute_errors=ErrorCounts.of(cells[own]),
            )
            if own.start < own.stop
            else RegressionSummary()
            for own in groups.parts
        ]


def _moments(truth: Floats, guess: Floats) -> dict[Moment, Floats]:
    error = guess - truth
    size, height = np.abs(error), np.abs(truth)
    square, label_square = np.square(error), np.square(truth)
    ratio = size / np.maximum(height, np.finfo(np.float64).eps)
    both = height + np.abs(guess)
    symmetric = 2 * (size / np.maximum(both, _SMALLEST))
    log_square = np.square(np.log1p(guess) - np.log1p(truth))
    return {
        "error": error,
        "absolute_error": size,
        "squared_error": square,
        "squared_error_rest": _rest_of_square(error, square),
        "squared_over": np.square(np.maximum(error, 0.0)),
        "cubed_error": square * error,
        "quartic_error": np.square(square),
        "percentage_error": ratio,
        "squared_percentage_error": np.square(ratio),
        "symmetric_error": symmetric,
        "squared_symmetric_error": np.square(symmetric),
        "squared_log_error": log_square,
        "quartic_log_error": np.square(log_square),
        "label": truth,
        "absolute_label": height,
        "squared_label": label_square,
        "squared_label_rest": _rest_of_square(truth, label_square),
        "cubed_label": label_square * truth,
        "quartic_label": np.square(label_square),
        "absolute_error_label": size * height,
        "error_label": error * truth,
        "error_squared_label": error * label_square,
        "squared_error_label": square * truth,
        "squared_error_squared_label": square * label_square,
    }


def _rest_of_square(values: Floats, square: Floats) -> Floats:
    """``values ** 2 - square`` without rounding.

    Source: Dekker (1971), A floating-point technique for extending the available precision.
    """
    wide = values * _SPLITTER
    high = wide - (wide - values)
    low = values - high
    return ((high * high - square) + 2 * high * low) + low * low


def _sum(values: Floats) -> ExactSum | None:
    return ExactSum.of(values) if np.isfinite(values).all() else None


def _added(left: ExactSum | None, right: ExactSum | None) -> ExactSum | None:
    return None if left is None or right is None else left + right
