"""Evaluations as rows of their table, and as JSON beside what refers to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.stores._tables import evaluations

_FIELDS = tuple(field.name for field in fields(Evaluation))
_OPTIONAL = tuple(field.name for field in fields(Evaluation) if field.default is None)
COLUMNS = [evaluations.c[name] for name in _FIELDS]
"""What :func:`evaluation_of` takes, in its order."""


def row_of(key: str, evaluation: Evaluation) -> dict[str, object]:
    """An evaluation's columns."""
    return {"key": key} | {name: getattr(evaluation, name) for name in _FIELDS}


def evaluation_of(values: Sequence[object]) -> Evaluation:
    """An evaluation from the values of ``COLUMNS``."""
    row = dict(zip(_FIELDS, values, strict=True))
    row["status"] = Status(str(row["status"]))
    row["severity"] = Severity(str(row["severity"])) if row["severity"] else None
    return Evaluation(**row)  # type: ignore[arg-type] # the columns are the fields


def evaluation_to_json(evaluation: Evaluation) -> str:
    """An evaluation as JSON text."""
    row = {name: getattr(evaluation, name) for name in _FIELDS}
    return json.dumps(row, default=datetime.isoformat)


def evaluation_from_json(text: str) -> Evaluation:
    """What :func:`evaluation_to_json` was given."""
    row = json.loads(text)
    for name in ("window_start", "window_end", "evaluated_at"):
        row[name] = datetime.fromisoformat(row[name])
    # Kept by a version that knew less.
    for name in _OPTIONAL:
        row.setdefault(name, None)
    return evaluation_of([row[name] for name in _FIELDS])
