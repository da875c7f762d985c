"""The confusion table of a slice, for whoever reads the performance check."""

from __future__ import annotations

import dagster as dg
import numpy as np

from dagster_monitoring.errors import DataError
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.statistics.performance import (
    BinarySummary,
    MulticlassSummary,
    Summary,
    two_classes,
)

MAX_CELLS = 50
"""Cells that are shown, the fullest first: a check result is stored for ever."""

_MAX_NAME = 60
_COLUMNS = [
    dg.TableColumn("label", "string"),
    dg.TableColumn("prediction", "string"),
    dg.TableColumn("rows", "int"),
]


def confusion_metadata(backend: Backend, partition: str) -> dict[str, dg.MetadataValue]:
    """Rows of the slice by true and predicted class; empty where there are no classes or labels."""
    try:
        profile = backend.storage.read_performance(backend.model.model, partition)
    except DataError:
        # The check's own description says what the slice lacks.
        return {}
    positive = getattr(backend.model.task, "positive", 1)
    cells = confusion_cells(profile.summary, positive=str(positive))
    if not cells:
        return {}
    records = [
        dg.TableRecord({"label": _cut(true), "prediction": _cut(guess), "rows": rows})
        for true, guess, rows in cells[:MAX_CELLS]
    ]
    table = dg.MetadataValue.table(records=records, schema=dg.TableSchema(columns=_COLUMNS))
    return {"confusion of this slice": table}


def confusion_cells(summary: Summary, *, positive: str) -> list[tuple[str, str, int]]:
    """True class, predicted class and rows, the fullest first; empty cells are left out.

    Args:
        summary: of any task; one without classes has no cells.
        positive: what to call the positive class of two; the other one is all but it.

    Example:
        >>> rows = BinarySummary(n_labelled=5, true_positive=2, false_negative=3)
        >>> confusion_cells(rows, positive="late")
        [('late', 'not late', 3), ('late', 'late', 2)]
    """
    names: tuple[str, ...]
    if isinstance(summary, BinarySummary):
        names, table = (f"not {positive}", positive), two_classes(summary)
    elif isinstance(summary, MulticlassSummary):
        names, table = summary.classes, summary.confusion
    else:
        return []
    found = [(names[i], names[j], int(table[i, j])) for i, j in np.argwhere(table).tolist()]
    return sorted(found, key=lambda cell: (-cell[2], cell[0], cell[1]))


def _cut(name: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in name)
    return printable if len(printable) <= _MAX_NAME else printable[: _MAX_NAME - 1] + "…"
