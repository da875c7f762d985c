"""What a delivery of labels is to the words that a ledger holds already."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.stores._label_rows import Bools
from dagster_monitoring.stores._resolution import RESOLVED_FIELDS
from dagster_monitoring.stores._text import storable_array
from dagster_monitoring.stores._values import encode

# What a row of a delivery is: there already, said again later, an id's first label, a later word.
KNOWN, AGAIN, FIRST, LATER = 0, 1, 2, 3

States = npt.NDArray[np.int8]
IdPlaces = npt.NDArray[np.intp]

_KEYS = ("prediction_id", "revision", "available_at")


def prepare(table: pa.Table) -> pa.Table:
    """Labels as words, sorted, one for each id, revision and moment.

    Of several rows with the same id, revision and moment, the last given counts. Rows without an
    id or without a moment are left out: nobody could say whose label it is, or since when.

    Args:
        table: prediction_id, label, event_time, available_at, revision.

    Raises:
        SchemaMismatchError: a column is missing.
    """
    missing = [name for name in RESOLVED_FIELDS if name not in table.column_names]
    if missing:
        raise SchemaMismatchError(
            f"labels lack the columns {', '.join(missing)}. They have: "
            f"{', '.join(table.column_names)}"
        )
    moments = {
        name: table[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        for name in ("event_time", "available_at")
    }
    label = pa.chunked_array([encode(chunk) for chunk in table["label"].chunks], pa.string())
    rows = pa.table(
        {
            "prediction_id": storable_array(table["prediction_id"].cast(pa.string())),
            "revision": pc.fill_null(table["revision"].cast(pa.int64()), 1),
            "available_at": moments["available_at"],
            "label": storable_array(label),
            "event_time": moments["event_time"],
        }
    )
    rows = rows.filter(_usable(rows)).combine_chunks()
    return _last_of_each_moment(_sorted(rows))


def usable_rows(table: pa.Table) -> int:
    """How many rows have an id and the moment they became available."""
    return int(pc.sum(_usable(table)).as_py() or 0)


def id_places(rows: pa.Table) -> IdPlaces:
    """For rows sorted by id, the place of each row's id among the distinct ones."""
    if not rows.num_rows:
        return np.zeros(0, dtype=np.intp)
    same = same_as_before(rows, ("prediction_id",))
    places: IdPlaces = np.cumsum(~same) - 1
    return places


def states(rows: pa.Table, words: pa.Table, *, dated: bool) -> States:
    """What each row of a delivery is, shape ``(n,)``.

    A row says nothing new if it stands in the ledger, or says again what was said last before it
    on the same id and revision, in the ledger or in the delivery. What is said again is kept where
    the feed dates it: a word that comes in later may belong between the two.

    Args:
        rows: as :func:`prepare` gives them.
        words: what the ledger holds on their ids.
        dated: whether the feed says when labels became available.
    """
    repeats = same_as_before(rows, ("prediction_id", "revision", "label"))
    found = np.where(repeats, AGAIN, FIRST).astype(np.int8)
    if words.num_rows:
        met = _booleans(pc.is_in(rows["prediction_id"], value_set=words["prediction_id"]))
        found[met] = _states_of_met(rows.filter(pa.array(met)), words)
    if not dated:
        found[found == AGAIN] = KNOWN
    return found


def is_dated(table: pa.Table) -> bool:
    """Whether labels say when they became available; without, it is when they were delivered."""
    return (table.schema.metadata or {}).get(b"available_at") != b"delivered"


def _states_of_met(rows: pa.Table, words: pa.Table) -> States:
    """As :func:`states`, for rows whose ids the ledger knows."""
    size = words.num_rows
    names = [*_KEYS, "label"]
    both = pa.concat_tables([words.select(names), rows.select(names)])
    both = both.append_column("row", pa.array(np.arange(both.num_rows) - size))
    # At one moment, what the ledger holds comes before what is delivered, in the order it came.
    order = np.concatenate([words["append_id"].to_numpy(), np.full(rows.num_rows, 2**62)])
    both = both.append_column("order", pa.array(order))
    said = both.sort_by([(name, "ascending") for name in (*_KEYS, "order")]).combine_chunks()
    repeats = same_as_before(said, ("prediction_id", "revision", "label"))
    alike = both.sort_by([(name, "ascending") for name in (*names, "order")]).combine_chunks()
    stands = same_as_before(alike, names)
    found = np.full(rows.num_rows, LATER, dtype=np.int8)
    for table, is_it, state in ((said, repeats, AGAIN), (alike, stands, KNOWN)):
        row = table["row"].to_numpy()
        found[row[is_it & (row >= 0)]] = state
    return found


def _sorted(rows: pa.Table) -> pa.Table:
    """By id, revision and moment; rows alike in these stay in the order given."""
    rows = rows.take(pc.array_sort_indices(_one_chunk(rows["prediction_id"])))
    same = same_as_before(rows, ("prediction_id",))
    if not same.any():
        return rows
    # Few ids come twice, and one key sorts four times as fast as four.
    again = same | np.append(same[1:], np.False_)
    at = np.flatnonzero(again)
    some = rows.take(pa.array(at)).append_column("position", pa.array(at))
    keys = [(name, "ascending") for name in (*_KEYS, "position")]
    order = np.arange(rows.num_rows)
    order[at] = some.sort_by(keys)["position"].to_numpy()
    return rows.take(pa.array(order))


def _last_of_each_moment(rows: pa.Table) -> pa.Table:
    same = same_as_before(rows, _KEYS)
    if not same.any():
        return rows
    return rows.filter(pa.array(~np.append(same[1:], np.False_)))


def _usable(rows: pa.Table) -> pa.ChunkedArray:
    return pc.and_(pc.is_valid(rows["prediction_id"]), pc.is_valid(rows["available_at"]))


def same_as_before(rows: pa.Table, names: tuple[str, ...] | list[str]) -> Bools:
    """Whether each row has the same values as the one before it; none is missing there."""
    same = np.zeros(rows.num_rows, dtype=np.bool_)
    if rows.num_rows:
        same[1:] = True
    for name in names:
        column = _one_chunk(rows[name])
        same[1:] &= _booleans(pc.equal(column.slice(1), column.slice(0, max(len(column) - 1, 0))))
    return same


def _booleans(values: pa.Array | pa.ChunkedArray) -> Bools:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
