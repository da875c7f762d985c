"""Performance profiles as Parquet bytes: rows by score as rows, the rest as metadata."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from dagster_monitoring.profiles.delay_serialization import (
    read_arrivals,
    read_delays,
    write_arrivals,
    write_delays,
)
from dagster_monitoring.profiles.encoding import read_header, read_time, write_time
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.performance_profile import PerformanceProfile, SegmentPerformance
from dagster_monitoring.statistics.exact_sum import ExactSum
from dagster_monitoring.statistics.performance import (
    MOMENTS,
    QUERY_METRICS,
    BinarySummary,
    ErrorCounts,
    Losses,
    MulticlassSummary,
    QuerySums,
    RankingSummary,
    RegressionSummary,
    ScoreCounts,
    Summary,
)

FORMAT = 4
"""The format's version; a reader refuses others."""

_KEY = b"dagster_monitoring.performance"

# JSON of mixed values, checked by the format's number.
Json = dict[str, Any]


def to_table(profile: PerformanceProfile) -> pa.Table:
    """A performance profile as a table: one row a distinct score of a part.

    Parts are all rows, then each segment, in the order of the metadata, which says how many
    scores each has; a task of several classes has one part a class.
    """
    counts: list[ScoreCounts] = []
    header = {
        "format": FORMAT,
        "summary": _summary_out(profile.summary, counts),
        "segments": [
            [
                name,
                part.n,
                part.n_labelled,
                _summary_out(part.summary, counts),
                write_delays(part.delays),
            ]
            for name, part in profile.segments.items()
        ],
        "n": profile.n,
        "n_labelled": profile.n_labelled,
        "n_without_prediction": profile.n_without_prediction,
        "predictions": _names_out(profile.predictions),
        "labels": _names_out(profile.labels),
        "first_available_at": write_time(profile.first_available_at),
        "last_available_at": write_time(profile.last_available_at),
        "delays": write_delays(profile.delays),
        "arrivals": write_arrivals(profile.arrivals),
    }
    # One more, of no rows, so that there is something to join.
    counts.append(ScoreCounts())
    positives = np.concatenate([c.positives for c in counts])
    rows = np.concatenate([c.negatives for c in counts]) + positives
    # Encoded in half the time, and a slice has few scores of two billion rows.
    kind = pa.int32() if (rows <= np.iinfo(np.int32).max).all() else pa.int64()
    columns = {
        "score": pa.array(np.concatenate([c.scores for c in counts])),
        "rows": pa.array(rows).cast(kind),
        "positives": pa.array(positives).cast(kind),
    }
    metadata = {_KEY: json.dumps(header, sort_keys=True, allow_nan=False).encode()}
    return pa.table(columns).replace_schema_metadata(metadata)


def from_table(table: pa.Table) -> PerformanceProfile:
    """The performance profile that :func:`to_table` was given.

    Raises:
        CorruptDataError: the table is none, or of another format.
    """
    header = read_header(table, _KEY, FORMAT)
    reader = _Reader(table)
    return PerformanceProfile(
        summary=reader.summary(header["summary"]),
        n=header["n"],
        n_labelled=header["n_labelled"],
        n_without_prediction=header["n_without_prediction"],
        segments={
            name: SegmentPerformance(
                n=n,
                n_labelled=labelled,
                summary=reader.summary(summary),
                delays=read_delays(delays),
            )
            for name, n, labelled, summary, delays in header["segments"]
        },
        predictions=NameCounts(**header["predictions"]),
        labels=NameCounts(**header["labels"]),
        first_available_at=read_time(header["first_available_at"]),
        last_available_at=read_time(header["last_available_at"]),
        delays=read_delays(header["delays"]),
        arrivals=read_arrivals(header["arrivals"]),
    )


class _Reader:
    """Reads summaries in the order in which they were written."""

    def __init__(self, table: pa.Table) -> None:
        self._scores = table["score"].to_numpy()
        self._positives = table["positives"].to_numpy().astype(np.int64)
        self._negatives = table["rows"].to_numpy() - self._positives
        self._at = 0

    def summary(self, given: Json) -> Summary:
        """The next summary."""
        kinds: dict[str, Callable[[Json], Summary]] = {
            "regression": _regression_in,
            "ranking": _ranking_in,
            "binary": self._binary,
            "multiclass": self._multiclass,
        }
        return kinds[given["kind"]](given)

    def _binary(self, given: Json) -> BinarySummary:
        sums = _sums_in(given)
        return BinarySummary(
            score_counts=self._counts(given)[0],
            losses=Losses(**sums) if sums else None,
            **given["plain"],
        )

    def _multiclass(self, given: Json) -> MulticlassSummary:
        size = len(given["classes"])
        confusion = np.zeros((size, size), dtype=np.int64)
        for true, predicted, rows in given["confusion"]:
            confusion[true, predicted] = rows
        return MulticlassSummary(
            classes=tuple(given["classes"]),
            confusion=confusion,
            rank_counts=np.array(given["ranks"], dtype=np.int64),
            per_class=self._counts(given),
            **given["plain"],
            **_sums_in(given),
        )

    def _counts(self, given: Json) -> tuple[ScoreCounts, ...]:
        return tuple(self._next(rows, exact=exact) for rows, exact in given["counts"])

    def _next(self, rows: int, *, exact: bool) -> ScoreCounts:
        own = slice(self._at, self._at + rows)
        self._at += rows
        return ScoreCounts(
            scores=self._scores[own],
            negatives=self._negatives[own],
            positives=self._positives[own],
            exact=exact,
        )


_BINARY = ("n_labelled", "true_negative", "false_positive", "false_negative", "true_positive")
_LOSSES = ("log_loss", "squared_error")
_SUMS = ("log_loss_sum", "log_loss_square_sum", "squared_error_sum", "squared_error_square_sum")


def _summary_out(summary: Summary, counts: list[ScoreCounts]) -> Json:
    """A summary for the header; its rows by score are appended to ``counts``."""
    if isinstance(summary, RegressionSummary):
        return _regression_out(summary)
    if isinstance(summary, RankingSummary):
        return _ranking_out(summary)
    if isinstance(summary, BinarySummary):
        counts.append(summary.score_counts)
        losses = summary.losses
        return {
            "kind": "binary",
            "plain": {name: getattr(summary, name) for name in (*_BINARY, "n_scored")},
            "sums": {} if losses is None else {n: str(getattr(losses, n)) for n in _LOSSES},
            "counts": [_shape(summary.score_counts)],
        }
    counts.extend(summary.per_class)
    cells = np.argwhere(summary.confusion).tolist()
    return {
        "kind": "multiclass",
        "plain": {"n_correct": summary.n_correct, "n_scored": summary.n_scored},
        "sums": {name: str(getattr(summary, name)) for name in _SUMS},
        "counts": [_shape(own) for own in summary.per_class],
        "classes": summary.classes,
        "confusion": [[i, j, int(summary.confusion[i, j])] for i, j in cells],
        "ranks": summary.rank_counts.tolist(),
    }


def _shape(counts: ScoreCounts) -> list[int | bool]:
    return [len(counts.scores), counts.exact]


def _regression_out(summary: RegressionSummary) -> Json:
    sums = {name: summary.sums[name] for name in MOMENTS}
    return {
        "kind": "regression",
        "n_labelled": summary.n_labelled,
        "sums": {name: None if exact is None else str(exact) for name, exact in sums.items()},
        "cells": summary.absolute_errors.cells.tolist(),
        "counts": summary.absolute_errors.counts.tolist(),
    }


def _regression_in(given: Json) -> RegressionSummary:
    texts = {name: given["sums"][name] for name in MOMENTS}
    return RegressionSummary(
        n_labelled=given["n_labelled"],
        sums={name: None if text is None else ExactSum.parse(text) for name, text in texts.items()},
        absolute_errors=ErrorCounts(
            cells=np.array(given["cells"], dtype=np.int64),
            counts=np.array(given["counts"], dtype=np.int64),
        ),
    )


def _ranking_out(summary: RankingSummary) -> Json:
    return {
        "kind": "ranking",
        "n_labelled": summary.n_labelled,
        "n_queries": summary.n_queries,
        "n_queries_without": summary.n_queries_without,
        "sums": {
            name: [str(summary.sums[name].total), str(summary.sums[name].squares)]
            for name in QUERY_METRICS
        },
    }


def _ranking_in(given: Json) -> RankingSummary:
    return RankingSummary(
        n_labelled=given["n_labelled"],
        n_queries=given["n_queries"],
        n_queries_without=given["n_queries_without"],
        sums={
            name: QuerySums(
                total=ExactSum.parse(given["sums"][name][0]),
                squares=ExactSum.parse(given["sums"][name][1]),
            )
            for name in QUERY_METRICS
        },
    )


def _sums_in(given: Json) -> Json:
    return {name: ExactSum.parse(text) for name, text in given["sums"].items()}


def _names_out(names: NameCounts) -> Json:
    return {"counts": dict(names.counts), "total": names.total}
