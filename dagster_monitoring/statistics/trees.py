"""Rows as boosted trees take them, and the folds that answers are cross-fitted in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.multivariate._rows import SampledRows

FOLDS = 5
SEED = 20_130_401
_REST, _UNSEEN = 253, 254
"""Trees take 255 categories: the 253 most frequent, all others, those never seen."""


def prepared(rows: SampledRows) -> npt.NDArray[np.float64]:
    """Codes as trees take them, 0 to 254; numbers as they are. Shape ``(n, columns)``.

    Example:
        >>> codes = np.array([[0.0], [-1.0], [900.0]])
        >>> prepared(SampledRows(columns=("a",), categorical=(True,), values=codes)).ravel()
        array([  0., 254., 253.])
    """
    values = rows.values.copy()
    for at in np.flatnonzero(rows.categorical):
        codes = values[:, at]
        values[:, at] = np.where(codes < 0, _UNSEEN, np.minimum(codes, _REST))
        values[np.isnan(codes), at] = np.nan
    return values


def folds(is_current: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The fold of each row: drawn at random, equal shares of both sides in each.

    Example:
        >>> sides = np.arange(20) >= 10
        >>> np.bincount(folds(sides)[sides]).tolist()
        [2, 2, 2, 2, 2]
    """
    source = np.random.default_rng(SEED)
    fold = np.zeros(len(is_current), dtype=np.int64)
    for side in (False, True):
        (own,) = np.nonzero(is_current == side)
        fold[own] = source.permutation(len(own)) % FOLDS
    return fold
