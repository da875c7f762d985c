"""When the labels of a slice came, and what they were, for whoever reads a check on labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg

from dagster_monitoring.errors import DataError
from dagster_monitoring.monitors import label_balance
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.profiles.delays import (
    Bounds,
    DelayCounts,
    LabelTally,
    coarse_bounds,
)

MAX_ROWS = 12
"""Rows of the table: a check result is stored for ever."""

_DAY = 24.0
_MINUTE = 1 / 60
_MAX_NAME = 60
_COLUMNS = [
    dg.TableColumn("after the slice's end", "string"),
    dg.TableColumn("labels", "int"),
    dg.TableColumn("what", "string"),
    dg.TableColumn("value", "float"),
    dg.TableColumn("until then", "float", description="of all labels that had come by then"),
]


def arrival_metadata(backend: Backend, partition: str) -> dict[str, dg.MetadataValue]:
    """Label delays of the slice, and its labels by when they came; empty where none did."""
    try:
        profile = backend.storage.read_performance(backend.model.model, partition)
    except DataError:
        # The check's own description says what the slice lacks.
        return {}
    found: dict[str, dg.MetadataValue] = {}
    if profile.delays.n:
        found["label delay of this slice"] = dg.MetadataValue.text(delay_text(profile.delays))
    records, so_far = [], LabelTally()
    for within, tally in _rows(profile.arrivals.labels):
        so_far += tally
        what, value, until = label_balance(backend.model.task, tally, so_far)
        record: dict[str, str | int | float | bool | None] = {
            "after the slice's end": _span(within),
            "labels": tally.size,
            "what": _cut(what),
            "value": _rounded(value),
            "until then": _rounded(until),
        }
        records.append(dg.TableRecord(record))
    if records:
        table = dg.MetadataValue.table(records=records, schema=dg.TableSchema(columns=_COLUMNS))
        found["labels by when they came"] = table
    return found


def delay_text(delays: DelayCounts) -> str:
    """Median and ninth decile of label delays, with the bounds that they lie within.

    Example:
        >>> delay_text(DelayCounts(counts={0: 9, 400: 1}))
        'p50 at or before the prediction, p90 at or before the prediction; 10 labels'
    """
    shares = [(share, delays.quantile(share)) for share in (0.5, 0.9)]
    texts = [f"p{share * 100:.0f} {_span(at)}" for share, at in shares if at is not None]
    text = ", ".join(texts).replace("at or before", "at or before the prediction")
    return f"{text}; {delays.n} labels"


def _rows(labels: Mapping[int, LabelTally]) -> Iterator[tuple[Bounds, LabelTally]]:
    """Labels by age; neighbours are put together where there are too many."""
    cells = sorted(cell for cell, own in labels.items() if own.size)
    together = -(-len(cells) // MAX_ROWS)
    for start in range(0, len(cells), max(together, 1)):
        some = cells[start : start + together]
        bounds = Bounds(coarse_bounds(some[0]).lower, coarse_bounds(some[-1]).upper)
        yield bounds, sum((labels[cell] for cell in some), LabelTally())


def _span(at: Bounds) -> str:
    if at.upper is None:
        return f"more than {_hours(at.lower or 0.0)}"
    if at.lower is None:
        return "at or before"
    return f"{_hours(at.lower)} to {_hours(at.upper)}"


def _hours(hours: float) -> str:
    if hours < 1:
        return f"{hours / _MINUTE:.3g} min"
    return f"{hours:.3g} h" if hours < 2 * _DAY else f"{hours / _DAY:.3g} d"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_NAME else f"{text[: _MAX_NAME - 1]}…"
