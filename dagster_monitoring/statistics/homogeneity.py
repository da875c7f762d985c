"""How far two samples of one population lie apart by chance: shares of classes, and means."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dagster_monitoring.statistics.limits import check_alpha
from dagster_monitoring.statistics.undefined import Undefined


def shares_apart(a: Sequence[int], b: Sequence[int], *, alpha: float) -> float | Undefined:
    """The total variation distance that two samples of one population exceed by chance.

    A distance above it is one that the chi-square test of homogeneity rejects at ``alpha``: a
    sum of differences ``d`` over classes ``A`` obeys ``d(A)^2 <= P(A) (1 - P(A)) sum d_j^2 / p_j``
    (Cauchy-Schwarz), and the last sum is the test's statistic times ``1/n_a + 1/n_b``. For two
    classes the two are one; for more this is stricter.

    Args:
        a: rows by class, at least 0.
        b: of the other sample, the same classes.
        alpha: chance of exceeding it, within 0..1, both excluded.

    Returns:
        At least 0, and 0 where only one class was seen; ``Undefined`` without rows.

    Raises:
        ValueError: ``alpha`` out of range, or samples of different classes.

    Example:
        >>> round(shares_apart([50, 50], [500, 500], alpha=0.05), 4)
        0.1028

    Source: Pearson (1900), the chi-square test.
    """
    from scipy.special import chdtri

    check_alpha(alpha)
    if len(a) != len(b):
        raise ValueError(f"samples of {len(a)} and of {len(b)} classes")
    n_a, n_b = sum(a), sum(b)
    if not (n_a and n_b):
        return Undefined("a sample has no rows")
    shares = [(x + y) / (n_a + n_b) for x, y in zip(a, b, strict=True) if x + y]
    if len(shares) == 1:
        return 0.0
    largest = max(shares)
    spread = largest * (1 - largest) if largest > 0.5 else 0.25  # noqa: PLR2004 - of a share: p (1 - p)
    statistic = float(chdtri(len(shares) - 1, alpha))
    return math.sqrt(spread * statistic * (1 / n_a + 1 / n_b))


def means_apart(variances: Sequence[float], n: Sequence[int], *, alpha: float) -> float | Undefined:
    """The difference of two means that samples of one mean exceed by chance; Welch's, normal.

    Args:
        variances: of the two samples, at least 0.
        n: their rows.
        alpha: chance of exceeding it in either direction, within 0..1, both excluded.

    Returns:
        At least 0; ``Undefined`` with fewer than two rows in a sample.

    Raises:
        ValueError: ``alpha`` out of range.

    Example:
        >>> round(means_apart([4.0, 1.0], [100, 400], alpha=0.05), 4)
        0.4041

    Source: Welch (1947); with 30 rows or more Student's distribution is the normal one to 4 %.
    """
    from scipy.special import ndtri

    check_alpha(alpha)
    if min(n) < 2:  # noqa: PLR2004 - a spread takes two
        return Undefined("a sample has fewer than two rows")
    error = float(np.sqrt(sum(v / size for v, size in zip(variances, n, strict=True))))
    return float(ndtri(1 - alpha / 2)) * error
