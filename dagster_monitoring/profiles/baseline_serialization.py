"""A baseline's bins as Parquet, and the rest of it as JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from dagster_monitoring.errors import CorruptDataError
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.bins import Bins, BinSet, CategoricalBins, Floats, NumericBins
from dagster_monitoring.profiles.encoding import REMEDY, read_header
from dagster_monitoring.profiles.row_serialization import (
    read_plan,
    read_projections,
    write_plan,
    write_projections,
)

FORMAT = 2
"""The format's version; a reader refuses others."""

_KEY = b"dagster_monitoring.bins"

_SCHEMA = pa.schema(
    [
        ("column", pa.string()),
        ("role", pa.string()),
        ("edge", pa.float64()),
        ("name", pa.string()),
    ]
)

_EDGE, _SEGMENT_EDGE, _DECILE, _NAME, _SEGMENT = (
    "edge",
    "segment_edge",
    "decile",
    "name",
    "segment",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFacts:
    """What a baseline is besides its bins and counts."""

    version: str
    model_version: str
    created_at: datetime
    notes: tuple[str, ...]
    types: dict[str, str]


def bins_to_table(bins: BinSet) -> pa.Table:
    """Bins as a table: one row an edge or a name, in order; ``role`` says which."""
    runs = [run for column, own in bins.columns.items() for run in _runs(column, own)]
    runs += [_Run(column, _SEGMENT, [], [*values]) for column, values in bins.segments.items()]
    header = {
        "format": FORMAT,
        "columns": {column: _scalars(own) for column, own in bins.columns.items()},
        "segments": [*bins.segments],
        "projections": write_projections(bins.projections),
        "sample": write_plan(bins.sample) if bins.sample else None,
    }
    metadata = {_KEY: json.dumps(header, allow_nan=False).encode()}
    edges: list[float | None] = []
    names: list[str | None] = []
    for run in runs:
        edges += [*run.edges, *(None for _ in run.names)]
        names += [*(None for _ in run.edges), *run.names]
    data = {
        "column": [run.column for run in runs for _ in range(run.size)],
        "role": [run.role for run in runs for _ in range(run.size)],
        "edge": edges,
        "name": names,
    }
    return pa.table(data, schema=_SCHEMA.with_metadata(metadata))


def bins_from_table(table: pa.Table) -> BinSet:
    """The bins that :func:`bins_to_table` was given.

    Raises:
        CorruptDataError: the table holds none, or another format.
    """
    header = read_header(table, _KEY, FORMAT)
    edges: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    names: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for column, role, edge, name in zip(*(c.to_pylist() for c in table.columns), strict=True):
        if role in (_NAME, _SEGMENT):
            names[column, role].append(name)
        else:
            edges[column, role].append(edge)

    def floats(column: str, role: str) -> Floats:
        return np.array(edges[column, role], dtype=np.float64)

    columns: dict[str, Bins] = {}
    for column, own in header["columns"].items():
        if "complete" in own:
            vocabulary = tuple(names[column, _NAME])
            columns[column] = CategoricalBins(vocabulary=vocabulary, complete=own["complete"])
        else:
            columns[column] = NumericBins(
                edges=floats(column, _EDGE),
                segment_edges=floats(column, _SEGMENT_EDGE),
                deciles=floats(column, _DECILE),
                **own,
            )
    return BinSet(
        columns=columns,
        segments={c: tuple(names[c, _SEGMENT]) for c in header["segments"]},
        projections=read_projections(header["projections"]),
        sample=read_plan(header["sample"]) if header["sample"] else None,
    )


def facts_to_bytes(baseline: Baseline) -> bytes:
    """What a baseline is besides its bins and counts, as JSON."""
    facts = {
        "format": FORMAT,
        "version": baseline.version,
        "model_version": baseline.model_version,
        "created_at": baseline.created_at.isoformat(),
        "notes": baseline.notes,
        "types": dict(baseline.types),
        "rows": baseline.rows,
        "bins": baseline.bins.key,
    }
    return json.dumps(facts, indent=2).encode()


def facts_from_bytes(data: bytes, *, where: str) -> BaselineFacts:
    """What :func:`facts_to_bytes` wrote.

    Raises:
        CorruptDataError: it is no such file; ``where`` names it.
    """
    try:
        facts = json.loads(data)
        if facts["format"] != FORMAT:
            raise CorruptDataError(f"{where} is of format {facts['format']}, not {FORMAT}")
        return BaselineFacts(
            version=facts["version"],
            model_version=facts["model_version"],
            created_at=datetime.fromisoformat(facts["created_at"]),
            notes=tuple(facts["notes"]),
            types=dict(facts["types"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptDataError(f"{where} can't be read: {error!r}. {REMEDY}") from error


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows of one column and role: edges or names."""

    column: str
    role: str
    edges: list[float]
    names: list[str]

    @property
    def size(self) -> int:
        return len(self.edges) + len(self.names)


def _runs(column: str, bins: Bins) -> list[_Run]:
    if isinstance(bins, CategoricalBins):
        return [_Run(column, _NAME, [], [*bins.vocabulary])]
    return [
        _Run(column, _EDGE, bins.edges.tolist(), []),
        _Run(column, _SEGMENT_EDGE, bins.segment_edges.tolist(), []),
        _Run(column, _DECILE, bins.deciles.tolist(), []),
    ]


def _scalars(bins: Bins) -> dict[str, bool | int | float | None]:
    if isinstance(bins, CategoricalBins):
        return {"complete": bins.complete}
    return {
        "centre": bins.centre,
        "minimum": bins.minimum,
        "maximum": bins.maximum,
        "std": bins.std,
        "exact": bins.exact,
        "exponent": bins.exponent,
        "doane": bins.doane,
    }
