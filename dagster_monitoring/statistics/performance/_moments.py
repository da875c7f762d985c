"""What metrics of a regression have in common: means of moments, their ratios and errors."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

from dagster_monitoring.statistics.performance._regression import Moment, RegressionSummary
from dagster_monitoring.statistics.performance._spread import ONE_ROW, error_of_mean
from dagster_monitoring.statistics.performance._summary import Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined, finite

_TWO = 2
_EPSILON = 2.0**-52
# A fourth moment of which rounding has left less than this share is taken as that of a normal.
_SOUND = 0.01
_NORMAL_KURTOSIS = 3.0


def mean_moment(summary: Summary, moment: Moment) -> float | Undefined:
    """The mean of a moment of a regression.

    Raises:
        TypeError: the summary of another task.
    """
    found = labelled(summary, RegressionSummary)
    return found if isinstance(found, Undefined) else found.mean(moment)


def mean_error(summary: Summary, moment: Moment, square: Moment) -> float | Undefined:
    """The standard error of the mean of a moment; ``square`` is the moment of its square."""
    found = labelled(summary, RegressionSummary)
    if isinstance(found, Undefined):
        return found
    return error_of_mean(found.total(moment), found.total(square), found.n_labelled)


def ratio_error(summary: Summary, ratio: float) -> float | Undefined:
    """The standard error of ``sum(|error|) / sum(|label|)``.

    Source: Cochran (1977), Sampling Techniques, section 2.11.
    """
    found = labelled(summary, RegressionSummary)
    if isinstance(found, Undefined):
        return found
    moments: tuple[Moment, ...] = (
        "squared_error",
        "absolute_error_label",
        "squared_label",
        "absolute_label",
    )
    means = _means(found, *moments)
    if isinstance(means, Undefined):
        return means
    error, both, label, size = means
    spread = max(float(error - 2 * Fraction(ratio) * both + Fraction(ratio) ** 2 * label), 0.0)
    return finite(math.sqrt(spread / (found.n_labelled - 1)) / float(size))


def pinball(summary: Summary, share: float) -> float | Undefined:
    """The mean loss of a forecast of the quantile at ``share``."""
    found = labelled(summary, RegressionSummary)
    if isinstance(found, Undefined):
        return found
    error, size = found.mean_exact("error"), found.mean_exact("absolute_error")
    if isinstance(error, Undefined):
        return error
    if isinstance(size, Undefined):
        return size
    over, under = (size + error) / 2, (size - error) / 2
    return finite(float(Fraction(share) * under + (1 - Fraction(share)) * over))


def pinball_error(summary: Summary, share: float) -> float | Undefined:
    """The standard error of :func:`pinball`."""
    found, mean = labelled(summary, RegressionSummary), pinball(summary, share)
    if isinstance(found, Undefined):
        return found
    if isinstance(mean, Undefined):
        return mean
    squares, over = found.total("squared_error"), found.total("squared_over")
    if isinstance(squares, Undefined):
        return squares
    if isinstance(over, Undefined):
        return over
    n, weighted = found.n_labelled, share**2 * (squares - over) + (1 - share) ** 2 * over
    return error_of_mean(mean * n, weighted, n)


def explained(summary: Summary, *, centred: bool) -> float | Undefined:
    """``1 - mean square of the error / variance of the label``.

    Args:
        summary: of a regression.
        centred: whether the error's mean is taken off it first.
    """
    found = labelled(summary, RegressionSummary)
    if isinstance(found, Undefined):
        return found
    spreads = _spreads(found, centred=centred)
    return spreads if isinstance(spreads, Undefined) else finite(1 - _ratio(*spreads))


def explained_error(summary: Summary, *, centred: bool) -> float | Undefined:
    """The standard error of :func:`explained`, from fourth moments.

    A row moves the value by ``-(e^2 - q z^2) / var(label)`` of its error ``e`` and its label's
    distance ``z`` from the mean, with ``q`` the ratio that is taken from 1.
    """
    found = labelled(summary, RegressionSummary)
    if isinstance(found, Undefined):
        return found
    spreads, means = _spreads(found, centred=centred), _means(found, *_CROSSED)
    if isinstance(spreads, Undefined):
        return spreads
    if isinstance(means, Undefined):
        return means
    error, label = spreads
    e4, e2z2, z4 = _fourth_moments(dict(zip(_CROSSED, means, strict=True)), spreads, centred)
    ratio = _ratio(error, label)
    if math.isinf(ratio):
        return finite(ratio)
    # Of labels that hardly differ the ratio's square would be too large for a float.
    variance = e4 - 2 * ratio * e2z2 + ratio * (ratio * z4)
    return finite(math.sqrt(max(variance, 0.0) / found.n_labelled) / float(label))


def _ratio(error: Fraction, label: Fraction) -> float:
    """Infinite if it is too large for a float: labels may hardly differ."""
    try:
        return float(error / label)
    except OverflowError:
        return math.inf


_CROSSED: tuple[Moment, ...] = (
    "error",
    "squared_error",
    "cubed_error",
    "quartic_error",
    "label",
    "squared_label",
    "cubed_label",
    "quartic_label",
    "error_label",
    "error_squared_label",
    "squared_error_label",
    "squared_error_squared_label",
)


def _fourth_moments(
    m: dict[Moment, Fraction],
    spreads: tuple[Fraction, Fraction],
    centred: bool,  # noqa: FBT001 - internal
) -> tuple[float, float, float]:
    """Means of ``e^4``, ``e^2 z^2`` and ``z^4`` about the means; the error's only if centred."""
    a, b = (m["error"] if centred else Fraction(0)), m["label"]
    error, label = (float(spread) for spread in spreads)
    e4 = _about(a, m["error"], m["squared_error"], m["cubed_error"], m["quartic_error"])
    z4 = _about(b, b, m["squared_label"], m["cubed_label"], m["quartic_label"])
    crossed = (
        m["squared_error_squared_label"]
        - 2 * b * m["squared_error_label"]
        + b * b * m["squared_error"]
        - 2 * a * (m["error_squared_label"] - 2 * b * m["error_label"] + b * b * m["error"])
        + a * a * (m["squared_label"] - b * b)
    )
    # Each row's power is rounded; far from 0 that is all which is left of a small spread.
    if _EPSILON * float(m["quartic_error"]) > _SOUND * error**2:
        e4, crossed = _NORMAL_KURTOSIS * error**2, spreads[0] * spreads[1]
    if _EPSILON * float(m["quartic_label"]) > _SOUND * label**2:
        z4, crossed = _NORMAL_KURTOSIS * label**2, spreads[0] * spreads[1]
    return e4, float(crossed), z4


def _about(
    centre: Fraction, first: Fraction, second: Fraction, third: Fraction, fourth: Fraction
) -> float:
    return float(
        fourth - 4 * centre * third + 6 * centre**2 * second - 4 * centre**3 * first + centre**4
    )


def _spreads(summary: RegressionSummary, *, centred: bool) -> tuple[Fraction, Fraction] | Undefined:
    """The error's mean square, or variance when centred, and the label's variance."""
    if summary.n_labelled < _TWO:
        return Undefined("the labels are all the same, or there is one only")
    means = _means(summary, "error", "squared_error", "label", "squared_label")
    if isinstance(means, Undefined):
        return means
    error, error_square, label, label_square = means
    spread = label_square - label * label
    # Of labels near 1e-155 squares are rounded to a difference where there is none.
    if spread < sys.float_info.min:
        return Undefined("the labels are all the same, or there is one only")
    return (error_square - error * error if centred else error_square), spread


def _means(summary: RegressionSummary, *moments: Moment) -> list[Fraction] | Undefined:
    if summary.n_labelled < _TWO:
        return Undefined(ONE_ROW)
    found: list[Fraction] = []
    for moment in moments:
        mean = summary.mean_exact(moment)
        if isinstance(mean, Undefined):
            return mean
        found.append(mean)
    return found
