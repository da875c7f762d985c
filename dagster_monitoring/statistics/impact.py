"""Impact: what a shift of the inputs does to a model's error, and which columns do it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.multivariate._rows import SampledRows
from dagster_monitoring.statistics.trees import FOLDS, SEED, folds, prepared
from dagster_monitoring.statistics.undefined import Undefined

Floats = npt.NDArray[np.float64]
Coalition = frozenset[int]

LARGEST_WEIGHT = 50.0
"""Heavier rows count as this: one row must not speak for a whole window."""

MINIMUM_N = 100
"""Rows on either side, and the effective sample size, below which nothing is estimated."""

EXACT_COLUMNS = 5
"""Up to so many columns all 2^5 coalitions are asked; of more, orders are drawn."""

MOST_COLUMNS = 8
"""Columns that a change is shared out among: those that moved the most."""

_ORDERS = 2
_ATTRIBUTED_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorChange:
    """The estimated change of a model's mean loss between the baseline and a window.

    Attributes:
        value: the estimate, in the loss's unit; above 0 the model got worse.
        standard_error: of the estimate, at least 0.
        effective_n: Kish's effective sample size of the weighted baseline rows.
        clipped: share of the baseline rows, 0..1, that would weigh more than
            ``LARGEST_WEIGHT``.
        expected: the loss that each baseline row is expected to have, shape ``(n,)``.
    """

    value: float
    standard_error: float
    effective_n: float
    clipped: float
    expected: Floats


def error_change(
    reference: SampledRows, losses: Floats, current: SampledRows
) -> ErrorChange | Undefined:
    """What the joint shift of the given columns does to the mean loss.

    A classifier that tells the window's rows from the baseline's gives each baseline row a weight,
    the odds ``p / (1 - p) * n0 / n1``: the ratio of the two densities. The weighted mean loss of
    the baseline is what the model's error is in the window, as long as the loss of a row depends
    on its columns as it did. A regression of the loss on the same columns takes most of the noise
    out: the estimate is its mean in the window plus the weighted mean of what it left over. Both
    are cross-fitted in five folds, so no row is asked of a model that saw it.

    Args:
        reference: the baseline's rows.
        losses: of each of them, shape ``(n,)``, finite.
        current: the window's rows, of the same columns.

    Returns:
        The change with its standard error (delta method); ``Undefined`` with fewer than 100 rows
        on either side, without a column, or when the weighted baseline is worth fewer than 100
        rows.

    Raises:
        ValueError: the columns differ, or not one loss a row.

    Example:
        >>> source = np.random.default_rng(0)
        >>> def rows(mean, n):
        ...     values = source.normal(mean, size=(n, 1))
        ...     return SampledRows(columns=("x",), categorical=(False,), values=values)
        >>> before, now = rows(0.0, 2000), rows(0.5, 2000)
        >>> found = error_change(before, before.values[:, 0], now)
        >>> abs(found.value - 0.5) < 0.1
        True

    Source: Shimodaira (2000), Improving predictive inference under covariate shift; Reddi, Poczos
    and Smola (2015), Doubly robust covariate shift correction; Kish (1965), Survey Sampling.
    """
    if (reference.columns, reference.categorical) != (current.columns, current.categorical):
        raise ValueError(f"other columns: {reference.columns} and {current.columns}")
    if losses.shape != (reference.n,):
        raise ValueError(f"{reference.n} rows, and losses of shape {losses.shape}")
    for n, what in ((reference.n, "the baseline"), (current.n, "the window")):
        if n < MINIMUM_N:
            return Undefined(f"{what} has {n} rows, and {MINIMUM_N} are needed")
    if not reference.columns:
        return Undefined("there is no column to compare rows by")
    ratios, expected = _cross_fitted(reference, losses, current)
    weights = np.minimum(ratios, LARGEST_WEIGHT)
    effective_n = float(weights.sum() ** 2 / (weights**2).sum())
    if effective_n < MINIMUM_N:
        return Undefined(
            f"the window's rows are so unlike the baseline's that those that are like them are "
            f"worth {effective_n:.0f} rows, and {MINIMUM_N} are needed; build a baseline that "
            f"holds such rows"
        )
    value, error = _augmented(losses, expected, weights)
    return ErrorChange(
        value=value,
        standard_error=error,
        effective_n=effective_n,
        clipped=float(np.mean(ratios > LARGEST_WEIGHT)),
        expected=expected[: reference.n],
    )


def column_shares(
    reference: SampledRows, expected: Floats, current: SampledRows
) -> dict[str, float]:
    """How much of a change of error each column's shift is worth: Shapley values.

    The worth of a set of columns is the change of the expected loss when they alone move, all
    together, and the others follow as they do in the baseline: the mean over the window of a
    regression of the loss on the set. A column's share is what it adds to the sets before it,
    averaged over orders, so that what several columns do only together is shared among them. All
    sets are asked of up to 5 columns; of more, 2 orders are drawn, each with its reverse. Beyond
    8 columns the 8 that moved the most are asked.

    Args:
        reference: the baseline's rows, in random order: the first 2,000 are used.
        expected: their losses, or what these are expected to be, shape ``(n,)``.
        current: the window's rows, of the same columns; the first 2,000 are used.

    Returns:
        Shares by column, in the columns' order. They add up to the change that the shift of all
        of them explains. Empty without columns or rows.

    Source: Owen and Prieur (2017), On Shapley value for measuring importance of dependent inputs;
    Song, Nelson and Staum (2016), Shapley effects for global sensitivity analysis.
    """
    if not (reference.n and current.n and reference.columns):
        return {}
    before, now = prepared(reference)[:_ATTRIBUTED_ROWS], prepared(current)[:_ATTRIBUTED_ROWS]
    players = _most_moved(before, now, reference.categorical)
    worth = _Worth(before, expected[: len(before)], now, reference.categorical)
    shares = _exact(players, worth) if len(players) <= EXACT_COLUMNS else _drawn(players, worth)
    return {reference.columns[at]: shares[at] for at in players}


def _cross_fitted(
    reference: SampledRows, losses: Floats, current: SampledRows
) -> tuple[Floats, Floats]:
    """Density ratios of the baseline's rows, and the expected losses of all rows."""
    from threadpoolctl import threadpool_limits

    n, m = reference.n, current.n
    values = np.concatenate([prepared(reference), prepared(current)])
    is_current = np.arange(n + m) >= n
    fold, odds, expected = folds(is_current), np.zeros(n), np.zeros(n + m)
    # Threads add in any order: one alone gives the same sums each time.
    with threadpool_limits(limits=1):
        for number in range(FOLDS):
            asked = fold == number
            told = _classifier(values[~asked], is_current[~asked], reference.categorical)
            odds[asked[:n]] = told(values[:n][asked[:n]])
            fitted = _regressor(values[:n][~asked[:n]], losses[~asked[:n]], reference.categorical)
            expected[asked] = fitted(values[asked])
    return odds * n / m, expected


def _augmented(losses: Floats, expected: Floats, weights: Floats) -> tuple[float, float]:
    """The estimate, and its error from how much each row moves it (the delta method)."""
    n = len(losses)
    now, left = expected[n:], losses - expected[:n]
    relative = weights / weights.mean()
    correction = float(np.mean(relative * left))
    value = float(now.mean()) + correction - float(losses.mean())
    moved = relative * (left - correction) - (losses - losses.mean())
    variance = float((moved**2).sum()) / n**2 + float(now.var()) / len(now)
    return value, math.sqrt(variance)


def _classifier(
    values: Floats, is_current: npt.NDArray[np.bool_], categorical: tuple[bool, ...]
) -> Callable[[Floats], Floats]:
    """Gives odds of being the window's."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=40,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        early_stopping=False,
        categorical_features=np.array(categorical),
        random_state=SEED,
    ).fit(values, is_current)
    return lambda asked: np.exp(np.clip(model.decision_function(asked), -30.0, 30.0))


def _regressor(
    values: Floats, losses: Floats, categorical: tuple[bool, ...]
) -> Callable[[Floats], Floats]:
    """Gives expected losses."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_iter=40,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        early_stopping=False,
        categorical_features=np.array(categorical),
        random_state=SEED,
    ).fit(values, losses)
    return lambda asked: np.asarray(model.predict(asked), dtype=np.float64)


class _Worth:
    """The change of the expected loss when a set of columns moves, each set asked once."""

    def __init__(
        self, before: Floats, expected: Floats, now: Floats, categorical: tuple[bool, ...]
    ) -> None:
        self._before, self._expected, self._now = before, expected, now
        self._categorical = categorical
        self._mean = float(expected.mean())
        self._known: dict[Coalition, float] = {frozenset(): 0.0}

    def __call__(self, columns: Coalition) -> float:
        if columns not in self._known:
            self._known[columns] = self._fitted(sorted(columns))
        return self._known[columns]

    def _fitted(self, at: list[int]) -> float:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            kinds = tuple(self._categorical[i] for i in at)
            answer = _regressor(self._before[:, at], self._expected, kinds)
            return float(answer(self._now[:, at]).mean()) - self._mean


def _exact(players: list[int], worth: Callable[[Coalition], float]) -> dict[int, float]:
    """Over all coalitions."""
    d = len(players)
    shares = {}
    for player in players:
        others = [at for at in players if at != player]
        shares[player] = sum(
            (worth(frozenset({*own, player})) - worth(frozenset(own)))
            / (d * math.comb(d - 1, size))
            for size in range(d)
            for own in combinations(others, size)
        )
    return shares


def _drawn(players: list[int], worth: Callable[[Coalition], float]) -> dict[int, float]:
    """Over orders drawn at random, each followed by its reverse, which evens out their noise."""
    source = np.random.default_rng(SEED)
    shares = dict.fromkeys(players, 0.0)
    for _ in range(_ORDERS):
        order = [players[at] for at in source.permutation(len(players))]
        for one in (order, order[::-1]):
            for place, player in enumerate(one):
                gain = worth(frozenset(one[: place + 1])) - worth(frozenset(one[:place]))
                shares[player] += gain / (2 * _ORDERS)
    return shares


def _most_moved(before: Floats, now: Floats, categorical: tuple[bool, ...]) -> list[int]:
    """Places of the columns to ask about, in order."""
    moved = [
        _distance(before[:, at], now[:, at], is_code=is_code)
        for at, is_code in enumerate(categorical)
    ]
    ranked = sorted(range(len(moved)), key=lambda at: (-moved[at], at))
    return sorted(ranked[:MOST_COLUMNS])


def _distance(before: Floats, now: Floats, *, is_code: bool) -> float:
    """Total variation of codes, Kolmogorov and Smirnov's of numbers; missing ones are last."""
    edges = np.unique(np.concatenate([before, now]))
    shares = [
        np.diff(np.searchsorted(np.sort(own), edges, side="right"), prepend=0) / len(own)
        for own in (before, now)
    ]
    apart = shares[0] - shares[1]
    return float(np.abs(apart).sum()) / 2 if is_code else float(np.abs(np.cumsum(apart)).max())
