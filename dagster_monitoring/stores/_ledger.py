"""The label ledger's set-based steps, in SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.stores._bulk import stage
from dagster_monitoring.stores._resolution import RESOLVED_FIELDS
from dagster_monitoring.stores._tables import label_changes, labels, partitions, predictions
from dagster_monitoring.stores._text import storable_array
from dagster_monitoring.stores._values import encode, kinds_of

# States of a staged label: nothing new, an id's first label, a later word on a labelled id; and
# of a staged prediction: nothing new, new, new with labels that waited for it.
KNOWN, FIRST, LATER = 0, 1, 2

_STAGED_LABELS = {
    "prediction_id": "TEXT",
    "revision": "BIGINT",
    "available_at": "BIGINT",
    "event_time": "BIGINT",
    "label": "TEXT",
    "before_at": "BIGINT",
    "before_label": "TEXT",
    "state": "BIGINT",
}
_NEVER = -(2**62)

staged_labels = sa.table("staged_labels", *(sa.column(name) for name in _STAGED_LABELS))
staged_predictions = sa.table("staged_predictions", sa.column("prediction_id"), sa.column("state"))


def prepare(table: pa.Table) -> pa.Table:
    """Labels sorted, one row for each id, revision and moment, each knowing the one before it.

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
    table = table.combine_chunks()
    moments = {
        name: table[name].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        for name in ("event_time", "available_at")
    }
    label = table["label"]
    label = pa.chunked_array([encode(chunk) for chunk in label.chunks], pa.string())
    rows = pa.table(
        {
            "prediction_id": storable_array(table["prediction_id"].cast(pa.string())),
            "revision": pc.fill_null(table["revision"].cast(pa.int64()), 1),
            "available_at": moments["available_at"],
            "event_time": moments["event_time"],
            "label": storable_array(label),
            "position": pa.array(range(table.num_rows), pa.int64()),
        }
    )
    usable = _usable(rows)
    keys = ("prediction_id", "revision", "available_at", "position")
    ordered = rows.filter(usable).sort_by([(key, "ascending") for key in keys]).combine_chunks()
    return _with_predecessors(_last_of_each_moment(ordered))


def usable_rows(table: pa.Table) -> int:
    """How many rows have an id and the moment they became available."""
    return int(pc.sum(_usable(table)).as_py() or 0)


def stage_labels(connection: sa.Connection, model_id: int, rows: pa.Table) -> None:
    """Puts prepared labels beside the ledger and says of each what it is to it."""
    stage(
        connection,
        "staged_labels",
        _STAGED_LABELS,
        [rows[name].to_pylist() for name in _STAGED_LABELS],
    )
    same_id = sa.and_(
        labels.c.model_id == model_id, labels.c.prediction_id == staged_labels.c.prediction_id
    )
    same_revision = sa.and_(same_id, labels.c.revision == staged_labels.c.revision)
    exact = sa.exists().where(
        same_revision,
        labels.c.available_at == staged_labels.c.available_at,
        labels.c.label == staged_labels.c.label,
    )
    # What was said last before this row: in the ledger, or in the delivery if that is later.
    before = (
        sa.select(labels.c.label)
        .where(
            same_revision,
            labels.c.available_at <= staged_labels.c.available_at,
            labels.c.available_at > staged_labels.c.before_at,
        )
        .order_by(labels.c.available_at.desc(), labels.c.append_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    repeats = staged_labels.c.label == sa.func.coalesce(before, staged_labels.c.before_label)
    state = sa.case(
        (sa.or_(exact, repeats), KNOWN), (sa.exists().where(same_id), LATER), else_=FIRST
    )
    connection.execute(sa.update(staged_labels).values(state=state))


def keep_staged_labels(connection: sa.Connection, model_id: int, append_id: int) -> None:
    """Moves what is new into the ledger and notes which partitions it touches."""
    new = staged_labels.c.state != KNOWN
    stored = ("prediction_id", "revision", "available_at", "label", "event_time")
    chosen = sa.select(
        sa.literal(model_id), *(staged_labels.c[name] for name in stored), sa.literal(append_id)
    ).where(new)
    connection.execute(
        sa.insert(labels).from_select(
            ["model_id", *stored, "append_id"], chosen.order_by(staged_labels.c.prediction_id)
        )
    )
    # As IN, not as a join: without statistics SQLite would walk all predictions for one label.
    changed_ids = sa.select(staged_labels.c.prediction_id).where(new)
    touched = (
        sa.select(sa.literal(model_id), predictions.c.partition, sa.func.count())
        .where(predictions.c.model_id == model_id, predictions.c.prediction_id.in_(changed_ids))
        .group_by(predictions.c.partition)
        .order_by(predictions.c.partition)
    )
    connection.execute(
        sa.insert(label_changes).from_select(["model_id", "partition", "labels"], touched)
    )


def count_staged(connection: sa.Connection, model_id: int) -> dict[str, int]:
    """How many staged labels are what: rows by state, distinct ids, ids of no prediction."""
    table = staged_labels.c
    known = sa.exists().where(
        predictions.c.model_id == model_id, predictions.c.prediction_id == table.prediction_id
    )
    first, later = table.state == FIRST, table.state == LATER
    ids = table.prediction_id
    query = sa.select(
        sa.func.count(sa.distinct(sa.case((sa.and_(first, table.label != ""), ids)))),
        sa.func.count(sa.case((sa.and_(first, table.label != ""), 1))),
        sa.func.count(sa.case((later, 1))),
        sa.func.count(sa.case((table.state == KNOWN, 1))),
        sa.func.count(sa.distinct(sa.case((sa.and_(table.state != KNOWN, ~known), ids)))),
        sa.func.count(sa.case((sa.and_(first, table.label == ""), 1))),
    )
    row = connection.execute(query).one()
    names = ("ids", "first", "later", "known", "unknown", "empty")
    return dict(zip(names, (int(value) for value in row), strict=True))


def stage_predictions(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Puts a partition's distinct ids beside the ledger."""
    columns = {"prediction_id": "TEXT", "state": "BIGINT"}
    stage(connection, staged_predictions.name, columns, [ids, [KNOWN] * len(ids)])


def replace_predictions(connection: sa.Connection, model_id: int, partition: str) -> None:
    """Makes the staged ids the partition's, and notes labels that waited for them."""
    staged = staged_predictions
    here = sa.and_(predictions.c.model_id == model_id, predictions.c.partition == partition)
    # In the value of an UPDATE, not as a join: PostgreSQL looks each id up in the primary key,
    # where statistics older than the last large insert would have it compare all with all.
    known = sa.exists().where(here, predictions.c.prediction_id == staged.c.prediction_id)
    labelled = sa.exists().where(
        labels.c.model_id == model_id, labels.c.prediction_id == staged.c.prediction_id
    )
    state = sa.case((known, KNOWN), (labelled, LATER), else_=FIRST)
    connection.execute(sa.update(staged).values(state=state))
    # Ids that are new to the partition but have labels: those labels count from now on.
    waiting = sa.select(sa.func.count()).select_from(staged).where(staged.c.state == LATER)
    joined = int(connection.execute(waiting).scalar_one())
    gone = ~sa.exists().where(staged.c.prediction_id == predictions.c.prediction_id)
    connection.execute(sa.delete(predictions).where(here, gone))
    chosen = sa.select(sa.literal(model_id), sa.literal(partition), staged.c.prediction_id)
    connection.execute(
        sa.insert(predictions).from_select(
            ["model_id", "partition", "prediction_id"],
            chosen.where(staged.c.state != KNOWN).order_by(staged.c.prediction_id),
        )
    )
    counted = sa.and_(partitions.c.model_id == model_id, partitions.c.partition == partition)
    size = sa.select(sa.func.count()).select_from(staged).scalar_subquery()
    moved = connection.execute(sa.update(partitions).where(counted).values(predictions=size))
    if moved.rowcount == 0:
        row = {"model_id": model_id, "partition": partition, "predictions": size}
        connection.execute(sa.insert(partitions).values(row))
    if joined:
        row = {"model_id": model_id, "partition": partition, "labels": joined}
        connection.execute(sa.insert(label_changes), [row])


def kinds_before(connection: sa.Connection, model_id: int) -> tuple[str, ...]:
    """What the model's labels so far are, by one of them."""
    query = sa.select(labels.c.label).where(labels.c.model_id == model_id, labels.c.label != "")
    found = connection.execute(query.limit(1)).scalars().all()
    return kinds_of(pa.array(found, pa.string()))


def _usable(rows: pa.Table) -> pa.ChunkedArray:
    return pc.and_(pc.is_valid(rows["prediction_id"]), pc.is_valid(rows["available_at"]))


def _last_of_each_moment(rows: pa.Table) -> pa.Table:
    if rows.num_rows < 2:  # noqa: PLR2004 - one row has no neighbour
        return rows
    same = _same_as_next(rows, ("prediction_id", "revision", "available_at"))
    last = pa.concat_arrays([pc.invert(same), pa.array([True])])
    return rows.filter(last).combine_chunks()


def _with_predecessors(rows: pa.Table) -> pa.Table:
    size = rows.num_rows
    before_at, before_label = pa.repeat(pa.scalar(_NEVER), size), pa.nulls(size, pa.string())
    if size > 1:
        same = _same_as_next(rows, ("prediction_id", "revision"))
        follows = pa.concat_arrays([pa.array([False]), same])
        before_at = pc.if_else(follows, _shifted(rows["available_at"], _NEVER), _NEVER)
        nothing = pa.scalar(None, pa.string())
        before_label = pc.if_else(follows, _shifted(rows["label"], None), nothing)
    state = pa.repeat(pa.scalar(KNOWN, pa.int64()), size)
    return (
        rows.append_column("before_at", before_at)
        .append_column("before_label", before_label)
        .append_column("state", state)
    )


def _same_as_next(rows: pa.Table, names: tuple[str, ...]) -> pa.Array:
    same = None
    for name in names:
        column = _one_chunk(rows[name])
        equal = pc.equal(column.slice(0, len(column) - 1), column.slice(1))
        same = equal if same is None else pc.and_(same, equal)
    return same


def _shifted(column: pa.ChunkedArray, first: int | None) -> pa.Array:
    values = _one_chunk(column)
    return pa.concat_arrays([pa.array([first], values.type), values.slice(0, len(values) - 1)])


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
