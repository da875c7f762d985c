"""Doane's bins: of equal width, and as many as the baseline's size and skewness call for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LARGEST_WHOLE = 2.0**53
"""Beyond it, floats are whole numbers anyhow, and not those that were given."""


def doane_count(values: Floats, *, whole: bool = False) -> int:
    """How many bins Doane's rule gives, as NumPy has it; in whatever order the values are.

    Args:
        values: finite, at least one.
        whole: whether they are whole numbers by type, of which NumPy makes bins no narrower
            than 1.

    Source: Doane (1976), The American Statistician 30, 181-183.

    Example:
        >>> answers = np.arange(2.0).repeat(50)
        >>> doane_count(answers), doane_count(answers, whole=True)
        (8, 1)
    """
    ordered = np.sort(values)
    is_small = max(-ordered[0], ordered[-1]) < _LARGEST_WHOLE
    try:
        edges = np.histogram_bin_edges(
            ordered.astype(np.int64) if whole and is_small else ordered, bins="doane"
        )
    except ValueError:
        return 1
    # Else the range is so narrow that floats can't divide it; older NumPy goes on all the same.
    return len(edges) - 1 if bool(np.all(np.diff(edges) > 0)) else 1


def doane_edges(minimum: float, maximum: float, count: int) -> Floats:
    """Interior edges of ``count`` closed bins of equal width, and what lies outside of them.

    As ``numpy.histogram`` has them, a constant's bin being 1 wide; the last holds the maximum,
    so that its upper edge is right above it.

    Args:
        minimum: the baseline's smallest value.
        maximum: its largest.
        count: how many bins; see :func:`doane_count`.

    Returns:
        Shape ``(count + 1,)``: the outer two of the ``count + 2`` bins that they part hold what
        is below the minimum and above the maximum.

    Example:
        >>> doane_edges(0.0, 3.0, 3).round(6).tolist()
        [0.0, 1.0, 2.0, 3.0]
    """
    if minimum == maximum:
        minimum, maximum = minimum - 0.5, maximum + 0.5
    edges = np.linspace(minimum, maximum, count + 1)
    return np.unique(np.append(edges[:-1], np.nextafter(edges[-1], np.inf)))
