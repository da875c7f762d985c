"""Counts of delays for a file's header, and back."""

from __future__ import annotations

from typing import Any

from dagster_monitoring.profiles.delays import Arrivals, DelayCounts, LabelTally
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.statistics.exact_sum import ExactSum

# JSON of mixed values, checked by the format's number.
Json = dict[str, Any]


def write_delays(delays: DelayCounts) -> list[list[int]]:
    """Cells and their counts."""
    return [[*delays.counts], [*delays.counts.values()]]


def read_delays(given: list[list[int]]) -> DelayCounts:
    """What :func:`write_delays` was given."""
    cells, counts = given
    return DelayCounts(counts=dict(zip(cells, counts, strict=True)))


def write_arrivals(arrivals: Arrivals) -> Json:
    """Ages, and what labels were by coarse cell."""
    return {
        "ages": write_delays(arrivals.ages),
        "labels": [[cell, _tally_out(own)] for cell, own in arrivals.labels.items()],
    }


def read_arrivals(given: Json) -> Arrivals:
    """What :func:`write_arrivals` was given."""
    return Arrivals(
        ages=read_delays(given["ages"]),
        labels={cell: _tally_in(own) for cell, own in given["labels"]},
    )


def _tally_out(own: LabelTally) -> Json:
    return {
        "classes": {"counts": dict(own.classes.counts), "total": own.classes.total},
        "n": own.n,
        "total": str(own.total),
        "squares": str(own.squares),
    }


def _tally_in(given: Json) -> LabelTally:
    return LabelTally(
        classes=NameCounts(**given["classes"]),
        n=given["n"],
        total=ExactSum.parse(given["total"]),
        squares=ExactSum.parse(given["squares"]),
    )
