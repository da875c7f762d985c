"""Ranked rows by query as sums that add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.performance._groups import Places
from dagster_monitoring.statistics.performance._scores import Bools, Counts, Floats

QueryMetric = Literal["ndcg", "mrr", "precision_at_k", "map"]
QUERY_METRICS: tuple[QueryMetric, ...] = get_args(QueryMetric)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySums:
    """Sum and sum of squares over queries of one number a query."""

    total: ExactSum = field(default_factory=ExactSum)
    squares: ExactSum = field(default_factory=ExactSum)

    def __add__(self, other: QuerySums) -> QuerySums:
        return QuerySums(total=self.total + other.total, squares=self.squares + other.squares)


def _no_sums() -> Mapping[QueryMetric, QuerySums]:
    return MappingProxyType(dict.fromkeys(QUERY_METRICS, QuerySums()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankingSummary:
    """Queries with ranked rows; ``RankingSummary()`` is the identity of ``+``.

    Attributes:
        n_labelled: rows with a query, a finite score and a finite label of at least 0.
        n_queries: queries with a row whose label is above 0; the sums are over these.
        n_queries_without: queries none of whose rows is relevant, so that no order is wrong.
        sums: by metric.
    """

    n_labelled: int = 0
    n_queries: int = 0
    n_queries_without: int = 0
    sums: Mapping[QueryMetric, QuerySums] = field(default_factory=_no_sums)

    def __add__(self, other: RankingSummary) -> RankingSummary:
        return RankingSummary(
            n_labelled=self.n_labelled + other.n_labelled,
            n_queries=self.n_queries + other.n_queries,
            n_queries_without=self.n_queries_without + other.n_queries_without,
            sums={name: self.sums[name] + other.sums[name] for name in QUERY_METRICS},
        )


def ranking_summary(
    query: npt.NDArray[np.integer], label: Floats, score: Floats, *, k: int
) -> RankingSummary:
    """The summary of raw rows of a ranking; every row of a query has to be among them.

    Args:
        query: shape ``(n,)``, a number that the rows of a query share, for instance a hash.
        label: relevance, shape ``(n,)``; rows where it is not finite or below 0 are left out.
        score: shape ``(n,)``, higher is ranked first; rows where it is not finite are left out.
        k: how many places from the top ``ndcg`` and ``precision_at_k`` look at.

    Example:
        >>> rows = ranking_summary(np.zeros(3, int), np.array([0.0, 1, 0]), np.arange(3.0), k=2)
        >>> rows.n_queries, float(rows.sums["mrr"].total)
        (1, 0.5)
    """
    usable = np.isfinite(label) & (label >= 0) & np.isfinite(score)
    if not usable.any():
        return RankingSummary()
    ranked = _Ranked(query[usable], label[usable] + 0.0, score[usable] + 0.0)
    relevant = ranked.per_query(ranked.hits) > 0
    by_name: Mapping[QueryMetric, Floats] = {
        "ndcg": ranked.ndcg(k),
        "mrr": ranked.reciprocal_rank(),
        "precision_at_k": ranked.precision(k),
        "map": ranked.average_precision(),
    }
    return RankingSummary(
        n_labelled=int(usable.sum()),
        n_queries=int(relevant.sum()),
        n_queries_without=int((~relevant).sum()),
        sums={
            name: QuerySums(
                total=ExactSum.of(values[relevant]),
                squares=ExactSum.of(np.square(values[relevant])),
            )
            for name, values in by_name.items()
        },
    )


class _Ranked:
    """Rows by query and falling score, with what each place and each tie of scores holds."""

    def __init__(self, query: npt.NDArray[np.integer], label: Floats, score: Floats) -> None:
        # By label at the last, so that sums over a tie do not depend on the rows' first order.
        order = np.lexsort((-label, -score, query))
        self._query, self._label, self._score = query[order], label[order], score[order]
        self._starts = _starts(self._query[1:] != self._query[:-1])
        changes = (self._query[1:] != self._query[:-1]) | (self._score[1:] != self._score[:-1])
        self._ties = _starts(changes)
        self._tie_rows = np.diff(self._ties, append=len(order))
        self._place = self._places_of(self._query)
        self.hits: Floats = (self._label > 0).astype(np.float64)

    def per_query(self, values: Floats) -> Floats:
        """The sum over each query's rows."""
        total: Floats = np.add.reduceat(values, self._starts)
        return total

    def ndcg(self, k: int) -> Floats:
        """Discounted gain over the best that can be, by query; 0 where nothing is relevant."""
        discount = 1 / np.log2(self._place + 2.0)
        discount[self._place >= k] = 0.0
        ideal = np.lexsort((-self._label, self._query))
        gain, best = discount * self._tie_mean(self._label), discount * self._label[ideal]
        return _ratio(self.per_query(gain), self.per_query(best))

    def precision(self, k: int) -> Floats:
        """The share of relevant rows among the first ``k``, by query."""
        first = np.where(self._place < k, self._tie_mean(self.hits), 0.0)
        rows = np.diff(self._starts, append=len(self._query))
        return self.per_query(first) / np.minimum(rows, k)

    def reciprocal_rank(self) -> Floats:
        """One over the place of the first relevant row, behind the rest of its tie, by query."""
        relevant = np.add.reduceat(self.hits, self._ties)
        last = self._place[self._ties] + self._tie_rows - relevant + 1
        own = np.repeat(np.where(relevant > 0, 1 / last, 0.0), self._tie_rows)
        best: Floats = np.maximum.reduceat(own, self._starts)
        return best

    def average_precision(self) -> Floats:
        """The mean over relevant rows of the precision down to their tie, by query."""
        found = np.cumsum(self.hits)
        before = np.repeat(found[self._starts] - self.hits[self._starts], self._rows_per_query())
        ends = np.repeat(self._ties + self._tie_rows - 1, self._tie_rows)
        precision = (found[ends] - before) / (self._place[ends] + 1)
        return _ratio(self.per_query(precision * self.hits), self.per_query(self.hits))

    def _rows_per_query(self) -> Counts:
        return np.diff(self._starts, append=len(self._query))

    def _tie_mean(self, values: Floats) -> Floats:
        means = np.add.reduceat(values, self._ties) / self._tie_rows
        return np.repeat(means, self._tie_rows)

    def _places_of(self, query: npt.NDArray[np.integer]) -> Places:
        return np.arange(len(query)) - np.repeat(self._starts, self._rows_per_query())


def _starts(changes: Bools) -> Places:
    return np.flatnonzero(np.concatenate(([True], changes)))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
