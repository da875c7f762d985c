"""Labelled rows of a baseline with the model's loss: what weighting its error needs."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dagster_monitoring.arrays import is_null
from dagster_monitoring.profiles.bins import Bins
from dagster_monitoring.profiles.encoded import RowEncoder
from dagster_monitoring.profiles.encoding import read_header
from dagster_monitoring.profiles.fitting import Read
from dagster_monitoring.profiles.labels import is_class
from dagster_monitoring.profiles.predictions import Classes, Values, output_columns, read_outputs
from dagster_monitoring.profiles.reading import WrongType, hash_ids, read_moments
from dagster_monitoring.profiles.row_serialization import read_plan, write_plan
from dagster_monitoring.profiles.sample import RowSample, SamplePlan, mixed, sampled_values
from dagster_monitoring.schema import BinaryClassification, Columns, Ranking, Task

LOSS = "<loss>"
"""The last column of such a sample."""

QUARTER = "<quarter of an hour>"
"""The column before it: when a row was predicted, in quarters of an hour since 1970 in UTC.

Each slice begins at a whole one in every time zone. NaN where the row does not say.
"""

QUARTER_SECONDS = 900

ROWS = 10_000
"""At most so many: the error rate of a tenth is then known within 0.003."""

Floats = npt.NDArray[np.float64]

_KEY = b"dagster_monitoring.losses"
_FORMAT = 1


def loss_columns(columns: Columns, task: Task) -> tuple[str, ...]:
    """Features, scores and the prediction, each once.

    Example:
        >>> from dagster_monitoring.schema import Regression
        >>> roles = Columns(id="id", timestamp="at", numeric=("age",))
        >>> loss_columns(roles, Regression(label="y", prediction="p"))
        ('age', 'p')
    """
    numeric, categorical = output_columns(task)
    return tuple(dict.fromkeys((*columns.features, *numeric, *categorical)))


def sample_losses(
    read: Read, *, columns: Columns, task: Task, bins: Mapping[str, Bins]
) -> RowSample | None:
    """A sample of the rows that have an id, a label and a prediction, with the loss of each.

    The loss is 1 for a wrong class and 0 for a right one; of numbers, the absolute error. Rows are
    chosen by their ids alone, as those of a slice's sample are.

    Args:
        read: the baseline's rows.
        columns: their roles.
        task: what is predicted.
        bins: of all columns, fitted on these rows.

    Returns:
        At most 10,000 rows; ``None`` when there is none, and of a ranking, whose loss belongs to
        queries and not to rows.
    """
    if isinstance(task, Ranking):
        return None
    names = loss_columns(columns, task)
    encoder = RowEncoder({name: bins[name] for name in names})
    sample = RowSample.empty(SamplePlan(columns=(*names, QUARTER, LOSS), size=ROWS))
    for batch in read([*dict.fromkeys((*names, columns.id, columns.timestamp, task.label))]):
        there = {columns.id, task.label} <= set(batch.schema.names)
        if there and batch.num_rows:
            sample = sample + _drawn(batch, sample, encoder, columns, task, bins)
    return sample if sample.n else None


def losses_to_table(sample: RowSample) -> pa.Table:
    """A sample as a table: ranks, then a column of numbers each."""
    header = {"format": _FORMAT, **write_plan(sample.plan), "n_left_out": sample.n_left_out}
    arrays = [pa.array(sample.ranks), *(pa.array(own) for own in sample.values.T)]
    names = ["rank", *(f"{at}" for at in range(len(sample.plan.columns)))]
    table = pa.Table.from_arrays(arrays, names=names)
    return table.replace_schema_metadata({_KEY: json.dumps(header).encode()})


def losses_from_table(table: pa.Table) -> RowSample:
    """What :func:`losses_to_table` wrote.

    Raises:
        CorruptDataError: the table holds none, or another format.
    """
    header = read_header(table, _KEY, _FORMAT)
    ranks, *values = (column.to_numpy() for column in table.columns)
    return RowSample(
        plan=read_plan(header),
        ranks=ranks.astype(np.uint64),
        values=np.ascontiguousarray(np.column_stack(values)),
        n_left_out=header["n_left_out"],
    )


def _drawn(
    batch: pa.RecordBatch,
    before: RowSample,
    encoder: RowEncoder,
    columns: Columns,
    task: Task,
    bins: Mapping[str, Bins],
) -> RowSample:
    """The rows of a batch that may be in the sample."""
    ids = batch.column(columns.id)
    hashes = hash_ids(ids)
    if isinstance(hashes, WrongType):
        return RowSample.empty(before.plan)
    loss = _losses(batch.column(task.label), batch.column(task.prediction), task)
    (at,) = np.nonzero(~is_null(ids))
    ranks = mixed(hashes)
    kept = np.isfinite(loss[at])
    n_left_out = len(loss) - int(kept.sum())
    if before.n == before.plan.size:
        kept &= ranks <= before.ranks[-1]
    at, ranks = at[kept], ranks[kept]
    rows = encoder.encode(batch)
    names = before.plan.columns[:-2]
    values = [sampled_values(rows[name][at], bins[name]) for name in names]
    values.append(_quarters(batch, columns.timestamp)[at])
    return RowSample(
        plan=before.plan,
        ranks=ranks,
        values=np.column_stack([*values, loss[at]]),
        n_left_out=n_left_out,
    )


def _quarters(batch: pa.RecordBatch, name: str) -> Floats:
    """By row; NaN where there is no moment."""
    found = np.full(batch.num_rows, np.nan)
    if name in batch.schema.names:
        array = batch.column(name)
        moments = read_moments(array).microseconds
        there = ~is_null(array)
        if len(moments) == np.count_nonzero(there):
            found[there] = moments // (QUARTER_SECONDS * 1_000_000)
    return found


def _losses(label: pa.Array, prediction: pa.Array, task: Task) -> Floats:
    """By row; NaN where there is none."""
    truth, guess = read_outputs(label, task), read_outputs(prediction, task)
    if isinstance(truth, Values) and isinstance(guess, Values):
        return np.abs(truth.values - guess.values)
    if not (isinstance(truth, Classes) and isinstance(guess, Classes)):
        raise TypeError("labels and predictions are read in the same way")
    true, guessed = _codes(truth, guess, task)
    wrong: Floats = (true[truth.place] != guessed[guess.place]).astype(np.float64)
    wrong[~(truth.known & guess.known)] = np.nan
    return wrong


def _codes(
    truth: Classes, guess: Classes, task: Task
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """A number for each class of both, and one more for none; of two classes, positive or not."""
    if isinstance(task, BinaryClassification):
        known = [
            [int(is_class(name, task.positive)) for name in side.names] for side in (truth, guess)
        ]
    else:
        place = {name: at for at, name in enumerate(sorted({*truth.names, *guess.names}))}
        known = [[place[name] for name in side.names] for side in (truth, guess)]
    true, guessed = (np.array([*own, -1]) for own in known)
    return true, guessed
