"""Performance profiles as Parquet bytes: rows by score as rows, the rest as metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.profiles.encoding import read_header, read_time, write_time
from dagster_monitoring.profiles.names import NameCounts
from dagster_monitoring.profiles.performance_profile import PerformanceProfile, SegmentPerformance
from dagster_monitoring.statistics.performance import (
    BinarySummary,
    MulticlassSummary,
    RegressionSummary,
    ScoreCounts,
    Summary,
)

FORMAT = 1
"""The format's version; a reader refuses others."""

_KEY = b"dagster_monitoring.performance"

_SCHEMA = pa.schema(
    [
        ("part", pa.int32()),
        ("score", pa.float64()),
        ("negatives", pa.int64()),
        ("positives", pa.int64()),
    ]
)

# JSON of mixed values, checked by the format's number.
Json = dict[str, Any]


def to_table(profile: PerformanceProfile) -> pa.Table:
    """A performance profile as a table: one row a distinct score of a part.

    Parts are all rows, then each segment, in the order of the metadata; a task of several
    classes has one part a class.
    """
    counts: list[ScoreCounts] = []
    header = {
        "format": FORMAT,
        "summary": _summary_out(profile.summary, counts),
        "segments": [
            [name, part.n, part.n_labelled, _summary_out(part.summary, counts)]
            for name, part in profile.segments.items()
        ],
        "n": profile.n,
        "n_labelled": profile.n_labelled,
        "n_without_prediction": profile.n_without_prediction,
        "predictions": _names_out(profile.predictions),
        "labels": _names_out(profile.labels),
        "first_available_at": write_time(profile.first_available_at),
        "last_available_at": write_time(profile.last_available_at),
    }
    part = np.repeat(np.arange(len(counts), dtype=np.int32), [len(c.scores) for c in counts])
    arrays = [
        pa.array(part),
        pa.array(_joined((c.scores for c in counts), np.float64)),
        pa.array(_joined((c.negatives for c in counts), np.int64)),
        pa.array(_joined((c.positives for c in counts), np.int64)),
    ]
    metadata = {_KEY: json.dumps(header, sort_keys=True, allow_nan=False).encode()}
    return pa.Table.from_arrays(arrays, schema=_SCHEMA.with_metadata(metadata))


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
            name: SegmentPerformance(n=n, n_labelled=labelled, summary=reader.summary(summary))
            for name, n, labelled, summary in header["segments"]
        },
        predictions=NameCounts(**header["predictions"]),
        labels=NameCounts(**header["labels"]),
        first_available_at=read_time(header["first_available_at"]),
        last_available_at=read_time(header["last_available_at"]),
    )


class _Reader:
    """Reads summaries in the order in which they were written."""

    def __init__(self, table: pa.Table) -> None:
        self._scores = table["score"].to_numpy()
        self._negatives = table["negatives"].to_numpy()
        self._positives = table["positives"].to_numpy()
        self._at = 0

    def summary(self, given: Json) -> Summary:
        """The next summary."""
        kind, plain = given["kind"], given["plain"]
        if kind == "regression":
            return RegressionSummary(**plain)
        counts = [self._counts(rows, exact=exact) for rows, exact in given["counts"]]
        if kind == "binary":
            return BinarySummary(score_counts=counts[0], **plain)
        size = len(given["classes"])
        return MulticlassSummary(
            classes=tuple(given["classes"]),
            confusion=np.array(given["confusion"], dtype=np.int64).reshape(size, size),
            per_class=tuple(counts),
            **plain,
        )

    def _counts(self, rows: int, *, exact: bool) -> ScoreCounts:
        own = slice(self._at, self._at + rows)
        self._at += rows
        return ScoreCounts(
            scores=self._scores[own],
            negatives=self._negatives[own],
            positives=self._positives[own],
            exact=exact,
        )


def _summary_out(summary: Summary, counts: list[ScoreCounts]) -> Json:
    """A summary for the header; its rows by score are appended to ``counts``."""
    if isinstance(summary, RegressionSummary):
        return {"kind": "regression", "plain": asdict(summary)}
    own = [summary.score_counts] if isinstance(summary, BinarySummary) else [*summary.per_class]
    counts.extend(own)
    plain = {
        field.name: getattr(summary, field.name)
        for field in fields(summary)
        if field.name not in {"score_counts", "classes", "confusion", "per_class"}
    }
    out: Json = {
        "kind": "binary" if isinstance(summary, BinarySummary) else "multiclass",
        "plain": plain,
        "counts": [[len(c.scores), c.exact] for c in own],
    }
    if isinstance(summary, MulticlassSummary):
        out |= {"classes": summary.classes, "confusion": summary.confusion.tolist()}
    return out


def _names_out(names: NameCounts) -> Json:
    return {"counts": dict(names.counts), "total": names.total}


def _joined(parts: Iterable[npt.NDArray[Any]], kind: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate([*parts, np.zeros(0, dtype=kind)]).astype(kind)
