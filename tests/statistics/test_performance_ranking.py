"""Rankings: which rows and queries count, ties, and a ranking by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_monitoring.statistics.performance import performance_metric, ranking_summary
from tests.statistics.labelled_rows import ROWS, quick, summarise, value


def test_a_query_without_a_relevant_row_is_counted_and_left_out():
    rows = summarise("ranking", [(0, 0, 1), (0, 0, 2), (1, 2, 1)])
    assert (rows.n_queries, rows.n_queries_without) == (1, 1)
    value = performance_metric("ndcg").compute(summarise("ranking", [(0, 0, 1)]))
    assert "none of 1 queries" in value.reason


@pytest.mark.parametrize("name", ["ndcg", "mrr", "precision_at_k", "map"])
@quick
@given(data=st.data())
def test_raising_the_most_relevant_row_of_a_query_never_makes_it_worse(name, data):
    rows = data.draw(ROWS["ranking"].filter(lambda rows: any(y > 0 for _, y, _ in rows)))
    best = max((i for i in range(len(rows)) if rows[i][1] > 0), key=lambda i: rows[i][1])
    own = [y for q, y, _ in rows if q == rows[best][0] and not math.isnan(y)]
    if rows[best][1] < max(own):
        return
    raised = [(q, y, 9) if i == best else (q, y, s) for i, (q, y, s) in enumerate(rows)]
    before, after = (
        performance_metric(name).compute(summarise("ranking", given)) for given in (rows, raised)
    )
    assert after >= before - 1e-12


@pytest.mark.parametrize(
    ("label", "score"), [(math.nan, 1.0), (math.inf, 1.0), (-1.0, 1.0), (1.0, math.nan)]
)
def test_a_row_that_cannot_be_ranked_is_left_out(label, score):
    query = np.array([1, 1, 2])
    rows = ranking_summary(query, np.array([2.0, 0.0, label]), np.array([1.0, 2.0, score]), k=3)
    assert (rows.n_labelled, rows.n_queries, rows.n_queries_without) == (2, 1, 0)
    assert value("mrr", rows) == 0.5


def test_a_ranking_by_hand():
    """Two queries: the second place of three is relevant, and a tie at the top of two."""
    query, label = np.array([7, 7, 7, 3, 3]), np.array([0.0, 2.0, 1.0, 0.0, 1.0])
    rows = ranking_summary(query, label, np.array([3.0, 2.0, 1.0, 5.0, 5.0]), k=2)
    assert (rows.n_labelled, rows.n_queries) == (5, 2)
    second = 1 / math.log2(3)
    gain = 2 * second / (2 + second)
    assert value("ndcg", rows) == pytest.approx((gain + (0.5 + 0.5 * second)) / 2)
    assert value("mrr", rows) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert value("precision_at_k", rows) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert value("map", rows) == pytest.approx(((1 / 2 + 2 / 3) / 2 + 1 / 2) / 2)


def test_scores_that_are_almost_equal_are_no_tie():
    query, label = np.array([1, 1]), np.array([0.0, 1.0])
    rows = ranking_summary(query, label, np.array([1e-20, 2e-20]), k=1)
    assert value("mrr", rows) == 1.0


def test_rounding_lifts_no_ranking_above_1():
    """The mean of three times 0.1 is more than 0.1."""
    rows = ranking_summary(np.zeros(3, int), np.full(3, 0.1), np.zeros(3), k=1)
    assert float(rows.sums["ndcg"].total) > 1
    assert value("ndcg", rows) == 1.0
