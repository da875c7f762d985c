"""Labelled rows to train and to judge on: slices joined with the labels that arrived."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.errors import SchemaMismatchError, SliceNotFoundError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.clock import utc_now
from dagster_monitoring.orchestration.label_keys import key_columns, label_keys
from dagster_monitoring.orchestration.slices import read_slice
from dagster_monitoring.profiles.predictions import output_columns
from dagster_monitoring.retraining import Predictions
from dagster_monitoring.retraining.scoring import class_name
from dagster_monitoring.schema import BinaryClassification, MulticlassClassification
from dagster_monitoring.sources import Request

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LABEL = "__label"
DAY = "__day"
_DAY_LENGTH = len("2013-04-01")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows with features and outputs as they came, their label, and the day they belong to."""

    table: pa.Table

    @staticmethod
    def concatenate(parts: Sequence[Rows]) -> Rows:
        """All rows one after the other; a column that some part lacks is null there.

        A column that one part holds as booleans and another as numbers becomes numbers (true is
        1, as for the metrics), and one that some hold as text becomes text.
        """
        tables = _alike([part.table for part in parts])
        return Rows(table=pa.concat_tables(tables, promote_options="permissive"))

    @property
    def days(self) -> NDArray[Any]:
        """The day of each row's slice, shape (n,): of an hour the day that it is of."""
        days: NDArray[Any] = np.asarray(self.table[DAY].to_pylist(), dtype=np.str_)
        return days

    def label_array(self) -> NDArray[Any]:
        """The true value of each row, shape (n,)."""
        labels: NDArray[Any] = self.table[LABEL].combine_chunks().to_numpy(zero_copy_only=False)
        return labels

    def label_series(self) -> pd.Series[Any]:
        """The true value of each row, for a trainer."""
        import pandas as pd

        return pd.Series(self.label_array(), name="label")


def labelled_rows(
    backend: Backend, partitions: Sequence[str], *, as_of: datetime | None = None
) -> Rows:
    """The labelled rows of some days; a day without file or label gives none.

    Args:
        backend: the model's storage and store.
        partitions: the days.
        as_of: labels that became available later are left out; this moment when ``None``.

    Raises:
        DataError: a slice is there and can't be read.
    """
    known, moment = set(backend.judged_days()), as_of or utc_now()
    parts = []
    for day in partitions:
        # Retention may have deleted a day that was judged.
        with suppress(SliceNotFoundError):
            if day in known:
                parts.append(_day(backend, day, moment))
    return Rows.concatenate(parts) if parts else Rows(table=_nothing())


def baseline_rows(model: MonitoredModel) -> Rows:
    """The declared baseline's rows, which carry their label.

    Raises:
        SchemaMismatchError: they have no label column.
    """
    wanted = [*_columns(model), model.task.label]
    batches = list(model.baseline.batches(Request(columns=tuple(wanted))))
    table = _decoded(pa.Table.from_batches(batches))
    if model.task.label not in table.column_names:
        raise SchemaMismatchError(
            f"{model.model}: the baseline has no column {model.task.label!r} (field task.label), "
            "so it can't be trained on"
        )
    table = table.filter(pc.is_valid(table[model.task.label]))
    label = table[model.task.label]
    return Rows(table=_with_label_and_day(table.drop([model.task.label]), label, "baseline"))


def is_scored(model: MonitoredModel, rows: Rows) -> NDArray[np.bool_]:
    """Whether the champion's prediction and all of its scores are there, shape (n,)."""
    numeric, categorical = output_columns(model.task)
    found = np.ones(rows.table.num_rows, dtype=np.bool_)
    for name in (*numeric, *categorical):
        missing = pc.is_null(rows.table[name], nan_is_null=True)
        found &= ~missing.combine_chunks().to_numpy(zero_copy_only=False)
    return found


def scored_by_champion(
    model: MonitoredModel, rows: Rows, challenger: Predictions
) -> tuple[Rows, Predictions]:
    """The rows that the champion scored, and what the challenger says of these."""
    scored, shares = is_scored(model, rows), challenger.probabilities
    return Rows(table=rows.table.filter(pa.array(scored))), replace(
        challenger,
        outputs=challenger.outputs[scored],
        probabilities=None if shares is None else shares[scored],
    )


def champion_predictions(model: MonitoredModel, rows: Rows) -> Predictions:
    """What the champion said of these rows when it served them, read from the slices."""
    task, table = model.task, rows.table
    outputs = table[task.prediction].combine_chunks().to_numpy(zero_copy_only=False)
    if isinstance(task, BinaryClassification) and task.score:
        score = _floats(table[task.score])
        return Predictions(
            outputs=outputs,
            probabilities=np.column_stack([1.0 - score, score]),
            classes=("__rest", class_name(task.positive)),
        )
    if isinstance(task, MulticlassClassification) and task.scores:
        scores = np.column_stack([_floats(table[name]) for name in task.scores.values()])
        return Predictions(outputs=outputs, probabilities=scores, classes=tuple(task.scores))
    return Predictions(outputs=outputs)


def with_outputs(model: MonitoredModel, rows: Rows, said: Predictions, *, version: str) -> pa.Table:
    """Rows as a baseline: their label, and another model's outputs in place of the champion's."""
    task = model.task
    table = rows.table.drop([task.prediction])
    table = table.append_column(task.prediction, pa.array(said.outputs))
    if isinstance(task, BinaryClassification) and task.score and said.probabilities is not None:
        table = table.drop([task.score]).append_column(
            task.score, pa.array(_share(said, class_name(task.positive)))
        )
    if isinstance(task, MulticlassClassification) and said.probabilities is not None:
        for name, column in task.scores.items():
            table = table.drop([column]).append_column(column, pa.array(_share(said, name)))
    table = table.append_column(task.label, table[LABEL]).drop([LABEL, DAY])
    if model.columns.model_version:
        version_column = pa.array([version] * table.num_rows, pa.string())
        table = _without(table, model.columns.model_version).append_column(
            model.columns.model_version, version_column
        )
    return table


def _day(backend: Backend, partition: str, as_of: datetime) -> Rows:
    model = backend.model
    labels = backend.store.labels.resolved(model.model, partition, as_of)
    wanted = list(dict.fromkeys([*_columns(model), *key_columns(model)]))
    batches = list(read_slice(model, partition, wanted))
    table = _decoded(pa.Table.from_batches(batches))
    ids = pa.chunked_array([label_keys(model, batch) for batch in batches], pa.string())
    place = pc.index_in(ids, value_set=labels["prediction_id"].combine_chunks())
    found = pc.is_valid(place)
    label = labels["label"].take(place.filter(found))
    return Rows(table=_with_label_and_day(table.filter(found), label, partition))


def _with_label_and_day(table: pa.Table, label: pa.ChunkedArray, partition: str) -> pa.Table:
    # Hours of one day are no independent evidence, no more than rows of one.
    days = pa.array([partition[:_DAY_LENGTH]] * table.num_rows, pa.string())
    return table.append_column(LABEL, label).append_column(DAY, days)


def _columns(model: MonitoredModel) -> list[str]:
    numeric, categorical = output_columns(model.task)
    version = [model.columns.model_version] if model.columns.model_version else []
    columns = model.columns
    return [columns.id, columns.timestamp, *columns.features, *numeric, *categorical, *version]


def _decoded(table: pa.Table) -> pa.Table:
    """Dictionary columns as plain ones: their codes differ from file to file."""
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = table.column(index).cast(field.type.value_type)
            table = table.set_column(index, field.name, plain)
    return table


def _alike(tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Tables whose columns of one name have types that Arrow can join."""
    names = dict.fromkeys(name for table in tables for name in table.column_names)
    found = list(tables)
    for name in names:
        types = {table.schema.field(name).type for table in found if name in table.column_names}
        types.discard(pa.null())
        # Classes in words, as the gate writes them: true and 1.0 are "1".
        kinds = [pa.int8()] if pa.bool_() in types and len(types) > 1 else []
        if len(types) > 1 and any(_is_text(kind) for kind in types):
            kinds.append(pa.string())
        for kind in kinds:
            found = [_cast(table, name, kind, only_bool=kind == pa.int8()) for table in found]
    return found


def _cast(table: pa.Table, name: str, kind: pa.DataType, *, only_bool: bool) -> pa.Table:
    if name not in table.column_names:
        return table
    index = table.schema.get_field_index(name)
    column = table.column(index)
    if only_bool and not pa.types.is_boolean(column.type):
        return table
    return table.set_column(index, name, column.cast(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _nothing() -> pa.Table:
    return pa.table({LABEL: pa.array([], pa.null()), DAY: pa.array([], pa.string())})


def _without(table: pa.Table, name: str) -> pa.Table:
    return table.drop([name]) if name in table.column_names else table


def _share(said: Predictions, name: str) -> NDArray[np.float64]:
    """A class's probability; 0 for one that the model never saw, as the gate takes it."""
    if said.probabilities is None or name not in said.classes:
        return np.zeros(len(said.outputs))
    share: NDArray[np.float64] = said.probabilities[:, said.classes.index(name)]
    return share


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
    return values
