"""Whether columns are there, of a type that fits their role, with values that fit the task."""

from __future__ import annotations

import pyarrow as pa

from dagster_monitoring.drafting.facts import ColumnFacts, RowsFacts
from dagster_monitoring.errors import did_you_mean
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.validation._finding import Finding, fault, ok, some, warning
from dagster_monitoring.profiles.baseline import counted_columns
from dagster_monitoring.profiles.labels import is_class
from dagster_monitoring.profiles.predictions import joined_columns
from dagster_monitoring.profiles.reading import WrongType, read_names, read_numbers
from dagster_monitoring.schema import BinaryClassification, Ranking, Regression
from dagster_monitoring.sources import SqlSource

_FEW_ROWS = 100


def missing_columns(model: MonitoredModel, present: tuple[str, ...], what: str) -> list[Finding]:
    """Declared columns that rows lack, each with the nearest name; or that all are there."""
    columns = model.columns
    numeric, categorical = counted_columns(columns, model.task, model.segments)
    wanted = [columns.id, columns.timestamp, columns.model_version, *numeric, *categorical]
    wanted += joined_columns(model.task)
    if what == "predictions":
        wanted.append(model.label_id)
    missing = [name for name in dict.fromkeys(wanted) if name and name not in present]
    if missing:
        return [
            fault(
                what,
                f"no column {name!r}.{did_you_mean(name, present)}",
                f"correct the declaration, or what writes the rows; they have {some([*present])}",
            )
            for name in missing
        ]
    return [ok(what, f"all {len(set(wanted) - {None})} declared columns are there")]


def wrong_types(model: MonitoredModel, schema: pa.Schema, what: str) -> list[Finding]:
    """Columns whose type can't be what is declared."""
    numeric, categorical = counted_columns(model.columns, model.task, model.segments)
    found = []
    for names, read, role in (
        (numeric, read_numbers, "a number"),
        (categorical, read_names, "a category"),
    ):
        for name in names:
            if name not in schema.names:
                continue
            result = read(pa.array([], type=schema.field(name).type))
            if isinstance(result, WrongType):
                remedy = f"write it as {role}, or declare it otherwise"
                found.append(fault(what, f"{name} is {result.found}, not {role}", remedy))
    return found


def timestamp_fits(model: MonitoredModel, schema: pa.Schema, what: str) -> list[Finding]:
    """Whether the timestamp is one, and has a zone."""
    name = model.columns.timestamp
    if name not in schema.names:
        return []
    kind = schema.field(name).type
    if pa.types.is_null(kind):
        return []
    if not pa.types.is_timestamp(kind):
        return [fault(what, f"{name} is {kind}, not a timestamp", "write it as one, with a zone")]
    if kind.tz is None:
        from_table = what == "predictions" and isinstance(model.predictions, SqlSource)
        text = f"{name} has no time zone: it is read as UTC, and every row counts as faulty"
        remedy = "write it with a time zone"
        # Some databases have no type for a moment with a zone.
        return [warning(what, text, remedy) if from_table else fault(what, text, remedy)]
    return [ok(what, f"{name} is a timestamp with zone {kind.tz}")]


def rows_fit(model: MonitoredModel, facts: RowsFacts, what: str) -> list[Finding]:
    """Ids that repeat, columns without a value, scores that are no probabilities."""
    found = []
    key = facts.columns.get(model.columns.id)
    if key is not None and facts.rows and key.kind != "other" and not key.is_unique:
        found.append(
            warning(
                what, f"some {key.name} are missing or repeat", "give each row an id of its own"
            )
        )
    for name in model.columns.features:
        column = facts.columns.get(name)
        if column is not None and facts.rows and column.n_missing == column.rows:
            text = f"{name} has no value in any row"
            found.append(warning(what, text, "look at what writes it"))
    return found + _score_fits(model, facts, what)


def labels_fit(model: MonitoredModel, column: ColumnFacts, what: str) -> list[Finding]:
    """Whether a label column's values are those of the task."""
    task, name = model.task, column.name
    if column.n_missing == column.rows:
        text = f"no row has a label in {name}"
        return [warning(what, text, "performance can't be judged from these rows")]
    if isinstance(task, Regression | Ranking):
        if column.is_numeric or column.kind == "boolean":
            return [ok(what, f"label {name} holds numbers")]
        return [fault(what, f"label {name} is {column.type}, no number", "see field task")]
    if isinstance(task, BinaryClassification):
        return _binary_labels(task, column, what)
    if not column.values:
        text = f"label {name} holds {column.n_distinct} distinct values"
        return [fault(what, f"{text}, which are no classes", "see field task")]
    return [ok(what, f"label {name} holds {len(column.values)} classes")]


def enough_rows(rows: int, minimum: int, what: str) -> list[Finding]:
    """Whether a baseline has rows to learn from."""
    if rows < minimum:
        text = f"{rows} rows, and at least {minimum} are needed"
        return [fault(what, text, "see field baseline")]
    if rows < _FEW_ROWS:
        text = f"{rows} rows are few: limits will be wide"
        return [warning(what, text, "use more rows of known good")]
    return [ok(what, f"{rows:,} rows")]


def _binary_labels(task: BinaryClassification, column: ColumnFacts, what: str) -> list[Finding]:
    values = column.values
    shown = some([*values]) if values else f"{column.n_distinct} distinct values"
    if not any(is_class(value, task.positive) for value in values):
        return [
            fault(
                what,
                f"label {column.name} holds {shown}, and never the positive {task.positive!r}",
                "correct task.positive or task.label",
            )
        ]
    if len(values) > 2:  # noqa: PLR2004 - two classes
        text = f"label {column.name} holds {shown}: all but {task.positive!r} count as negative"
        return [warning(what, text, "or declare multiclass_classification")]
    if len(values) == 1:
        text = f"label {column.name} holds only {shown}"
        return [warning(what, text, "rows of both classes are needed")]
    return [ok(what, f"label {column.name} holds {shown}")]


def _score_fits(model: MonitoredModel, facts: RowsFacts, what: str) -> list[Finding]:
    column = facts.columns.get(model.score or "")
    if column is None or column.minimum is None or column.maximum is None:
        return []
    if column.minimum < 0 or column.maximum > 1:
        span = f"from {column.minimum:.4g} to {column.maximum:.4g}"
        text = f"score {column.name} goes {span}, beyond 0 to 1"
        return [fault(what, text, "name the positive class's probability in task.score")]
    return []
