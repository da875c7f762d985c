"""Doane's bins: of equal width, and as many as the baseline's size and skewness call for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def doane_count(values: Floats) -> int:
    """How many bins Doane's rule gives, as NumPy has it.

    Args:
        values: finite, at least one.

    Source: Doane (1976), The American Statistician 30, 181-183.

    Example:
        >>> doane_count(np.arange(100.0))
        8
    """
    try:
        return len(np.histogram_bin_edges(values, bins="doane")) - 1
    except ValueError:
        # The range is so narrow that floats can't divide it.
        return 1


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
