"""Metrics of a ranking against scikit-learn, or row by row, one query after another."""

import numpy as np
import pytest
from sklearn import metrics as sk

from dagster_monitoring.statistics.performance import (
    performance_metric,
    performance_metrics,
    ranking_summary,
)


def _reciprocal_rank(label, score):
    """Row by row from the top, the irrelevant first among equals."""
    order = sorted(range(len(label)), key=lambda i: (-score[i], label[i] > 0))
    return 1 / (1 + next(place for place, i in enumerate(order) if label[i] > 0))


def _precision_at(label, score, k):
    """The mean over orders that break ties in every way, drawn at random."""
    if len(set(score)) < len(score):
        generator = np.random.default_rng(0)
        draws = [np.lexsort((generator.random(len(score)), -score)) for _ in range(4000)]
    else:
        draws = [np.argsort(-score)]
    return np.mean([(label[order[:k]] > 0).sum() / min(k, len(label)) for order in draws])


RANKING = {
    "ndcg": lambda y, s, k: sk.ndcg_score([y], [s], k=k),
    "map": lambda y, s, _k: sk.average_precision_score(y > 0, s),
    "mrr": lambda y, s, _k: _reciprocal_rank(y, s),
    "precision_at_k": lambda y, s, k: np.float64(_precision_at(y, s, k)),
}


def test_no_metric_of_ranking_is_without_a_golden_value():
    assert set(RANKING) == {n for n, m in performance_metrics().items() if "ranking" in m.tasks}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", sorted(RANKING))
def test_ranking_equals_scikit_learn_query_by_query(name, ties):
    """Queries of 2 to 12 rows, some without a relevant one; k is 4."""
    generator = np.random.default_rng(7)
    sizes = generator.integers(2, 13, 60)
    query = np.repeat(np.arange(60), sizes)
    label = generator.choice([0, 0, 0, 1, 2, 5], len(query)).astype(float)
    score = generator.normal(label, 2.0)
    score = np.round(score / 3) if ties else score
    mixed = generator.permutation(len(query))
    found = performance_metric(name).compute(
        ranking_summary(query[mixed], label[mixed], score[mixed], k=4)
    )
    expected = [
        RANKING[name](label[query == q], score[query == q], 4)
        for q in range(60)
        if label[query == q].any()
    ]
    assert len(expected) < 60
    tolerance = 4e-3 if ties and name == "precision_at_k" else 1e-9
    assert found == pytest.approx(np.mean(expected), rel=tolerance)
