"""What may happen to the flights of a day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

MIXED, LIKELY = 0.8, 0.25
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")

Change = Callable[[pa.Table, np.random.Generator], pa.Table]


def late_twice(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Flights that were late come twice as often, whatever the model said of them."""
    late = rows["delayed15"].to_numpy() == 1
    chance = np.where(late, 2.0, 1.0)
    return rows.take(rng.choice(rows.num_rows, rows.num_rows, p=chance / chance.sum()))


def scores_mixed(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Of 80 % of the rows the scores and classes belong to other rows."""
    order = np.arange(rows.num_rows)
    some = rng.permutation(rows.num_rows)[: int(rows.num_rows * MIXED)]
    order[some] = rng.permutation(some)
    for name in ("delay15_proba", "delay15_pred"):
        rows = with_column(rows, name, rows[name].take(order))
    return rows


def scores_higher(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Flights with a high score come twice as often: the inputs moved, the model is as right."""
    chance = np.where(rows["delay15_proba"].to_numpy() > LIKELY, 2.0, 1.0)
    return rows.take(rng.choice(rows.num_rows, rows.num_rows, p=chance / chance.sum()))


def weather_lost(rows: pa.Table, rng: np.random.Generator) -> pa.Table:  # noqa: ARG001 - a change
    """All of the weather is missing."""
    for name in WEATHER:
        rows = with_column(rows, name, pa.nulls(rows.num_rows, pa.float64()))
    return rows


def with_column(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The rows with other values in a column."""
    return rows.set_column(rows.column_names.index(name), name, values)


CHANGES: dict[str, Change] = {
    "late flights come twice as often": late_twice,
    "scores of 80 % of the rows mixed up": scores_mixed,
    "likely late flights come twice as often": scores_higher,
    "the weather is lost": weather_lost,
}
