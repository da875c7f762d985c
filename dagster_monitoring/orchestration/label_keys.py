"""What the rows of a slice are joined with their labels by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from dagster_monitoring.errors import DataError
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.profiles.reading import WrongType, id_text
from dagster_monitoring.schema import Columns
from dagster_monitoring.sources import moments, timed_ids

_KEY = "__label_key"


def key_columns(model: MonitoredModel) -> list[str]:
    """The columns of the predictions that labels are joined by."""
    return [model.label_id, *([model.columns.timestamp] if _is_timed(model) else [])]


def label_keys(model: MonitoredModel, batch: pa.RecordBatch) -> pa.Array:
    """Each row's key as text, as the ledger has it; null where a part of it is missing.

    Raises:
        DataError: a column is missing, or is none of ids or moments.
    """
    for name in key_columns(model):
        if name not in batch.schema.names:
            raise DataError(
                f"the predictions have no column {name!r} (field {_field(model, name)}), so no "
                "label can be joined to them"
            )
    ids = id_text(batch.column(model.label_id))
    if isinstance(ids, WrongType):
        raise DataError(
            f"the predictions' column {model.label_id!r} (field {_field(model, model.label_id)}) "
            f"holds {ids.found}, which is no text, so no label can be joined to them. Write ids as "
            "text, UUIDs or whole numbers"
        )
    try:
        # A Parquet file's word that a text is UTF-8 is the writer's, and not checked on reading.
        ids.validate(full=True)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"the predictions' column {model.label_id!r} (field {_field(model, model.label_id)}) "
            f"holds bytes that are no UTF-8, so no label can be joined to them: {error}"
        ) from error
    if not _is_timed(model):
        return ids.cast(pa.string())
    name = model.columns.timestamp
    try:
        return timed_ids(ids, moments(batch.column(name)))
    except pa.ArrowException as error:
        raise DataError(
            f"the predictions' column {name!r} (field columns.timestamp) can't be read as a time, "
            f"so no label can be joined by it: {error}"
        ) from error


def keyed(
    model: MonitoredModel, batches: Iterable[pa.RecordBatch]
) -> tuple[Columns, Iterator[pa.RecordBatch]]:
    """A slice's rows with their key as the id, and the columns with it in that role."""
    if model.label_id == model.columns.id and not _is_timed(model):
        return model.columns, iter(batches)
    return model.columns.model_copy(update={"id": _KEY}), _with_keys(model, batches)


def _with_keys(
    model: MonitoredModel, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        try:
            keys = label_keys(model, batch)
        except DataError:
            # Such rows have no label, as those without an id; registering the slice says why.
            keys = pa.nulls(batch.num_rows, pa.string())
        yield batch.append_column(_KEY, keys)


def _is_timed(model: MonitoredModel) -> bool:
    return model.ground_truth is not None and model.ground_truth.time is not None


def _field(model: MonitoredModel, name: str) -> str:
    if name == model.columns.id:
        return "columns.id"
    return "columns.timestamp" if name == model.columns.timestamp else "ground_truth.entity"
