"""Many tests at once: what to reject so that false alarms stay within a budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.limits import check_alpha


def bonferroni(alpha: float, m: int) -> float:
    """The level of each of ``m`` tests that keeps the chance of any false alarm below ``alpha``.

    Raises:
        ValueError: ``alpha`` out of range, or ``m`` below 1.

    Example:
        >>> bonferroni(0.05, 10)
        0.005
    """
    check_alpha(alpha)
    if m < 1:
        raise ValueError(f"there is at least one test, not {m}")
    return alpha / m


def holm(p_values: Sequence[float], *, alpha: float) -> list[bool]:
    """Which to reject so that the chance of any false rejection stays below ``alpha``.

    Rejects whatever Bonferroni does, and at times more; holds under any dependence.

    Args:
        p_values: each within 0..1; none gives none.
        alpha: the chance of one false rejection or more.

    Returns:
        Whether each is rejected, in the order given.

    Raises:
        ValueError: ``alpha`` or a p-value out of range.

    Example:
        >>> holm([0.01, 0.04, 0.02], alpha=0.05)
        [True, True, True]

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    values, order = _sorted(p_values, alpha)
    m = len(values)
    within = values[order] <= alpha / (m - np.arange(m))
    rejected = np.zeros(m, dtype=bool)
    rejected[order] = np.logical_and.accumulate(within)
    return [bool(r) for r in rejected]


def benjamini_hochberg(p_values: Sequence[float], *, alpha: float) -> list[bool]:
    """Which to reject so that the expected share of false ones among them is below ``alpha``.

    Holds for independent tests, and for those that depend positively on each other.

    Args:
        p_values: each within 0..1; none gives none.
        alpha: the false discovery rate.

    Returns:
        Whether each is rejected, in the order given.

    Raises:
        ValueError: ``alpha`` or a p-value out of range.

    Example:
        >>> benjamini_hochberg([0.01, 0.9, 0.03], alpha=0.05)
        [True, False, True]

    Source: Benjamini, Hochberg (1995), Controlling the false discovery rate.
    """
    values, order = _sorted(p_values, alpha)
    m = len(values)
    within = np.flatnonzero(values[order] <= alpha * np.arange(1, m + 1) / max(m, 1))
    rejected = np.zeros(m, dtype=bool)
    rejected[order[: within[-1] + 1 if len(within) else 0]] = True
    return [bool(r) for r in rejected]


def _sorted(
    p_values: Sequence[float], alpha: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    check_alpha(alpha)
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("each p-value lies within 0 and 1")
    return values, np.argsort(values, kind="stable")
