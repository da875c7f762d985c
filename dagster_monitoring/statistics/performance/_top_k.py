"""What metrics on the place of the true class have in common."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.performance._multiclass import MulticlassSummary
from dagster_monitoring.statistics.performance._summary import NO_SCORES, Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined


def top_k(summary: Summary, k: int) -> float | Undefined:
    """The share of scored rows whose true class is among the ``k`` highest, ``k`` up to 10."""
    found = _hits(summary, k)
    return found if isinstance(found, Undefined) else found[0] / found[1]


def top_k_error(summary: Summary, k: int) -> float | Undefined:
    """The standard error of :func:`top_k`.

    Source: Agresti, Coull (1998), The American Statistician 52.
    """
    found = _hits(summary, k)
    if isinstance(found, Undefined):
        return found
    share, n = (found[0] + 2) / (found[1] + 4), found[1] + 4
    return math.sqrt(share * (1 - share) / n)


def _hits(summary: Summary, k: int) -> tuple[int, int] | Undefined:
    found = labelled(summary, MulticlassSummary)
    if isinstance(found, Undefined):
        return found
    if not found.n_scored:
        return Undefined(NO_SCORES)
    return int(found.rank_counts[:k].sum()), found.n_scored
