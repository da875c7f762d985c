"""What every source of labels can do: list what has arrived, and read it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from dagster_monitoring.arrays import id_text
from dagster_monitoring.declaration import Declaration
from dagster_monitoring.errors import SchemaMismatchError, did_you_mean
from dagster_monitoring.sources._times import UTC, to_utc

FEED_NAME = r"^[a-z][a-z0-9_]{0,63}$"
LABEL_FIELDS = ("prediction_id", "label", "event_time", "available_at", "revision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Labels that arrived together: a file, or the newer rows of a table.

    Args:
        uri: what it is; the same for the same file.
        fingerprint: changes when the content does.
        cursor: what to pass as ``after`` once this delivery was taken in.
        arrived_at: when it was written, for labels that do not say when they became available;
            ``None`` for a table, whose rows must say it.
        after: for a table, the cursor from which rows are read.
        begun: for a reading that goes on, its fingerprint when it began, by which it is known when
            it comes to its end: what changed since is for the next one.
    """

    uri: str
    fingerprint: str
    cursor: str
    arrived_at: datetime | None
    after: str | None = None
    begun: str | None = None


class GroundTruth(Declaration):
    """Where labels come from, and what their columns are called.

    A label has an id (the prediction's), a value, and where the data tell: when the outcome
    happened, when the label became available, and its revision (a correction has a higher one).
    The label's column is the task's; the id's column is that of the predictions unless named.
    """

    id: str | None = Field(
        None, description="Column of the prediction's id (or of the entity), when named otherwise."
    )
    join: Literal["id", "id_and_time", "entity"] = Field(
        "id",
        description="What a label is joined by: the prediction's `id`, that `id_and_time` where it "
        "is not unique alone, or the `entity` that predictions are about.",
    )
    time: str | None = Field(
        None,
        description="With `join: id_and_time`: column, in the labels, of the prediction's moment, "
        "which the predictions have in columns.timestamp.",
    )
    entity: str | None = Field(
        None, description="With `join: entity`: column, in the predictions, of the entity."
    )
    feed: str | None = Field(
        None,
        pattern=FEED_NAME,
        description="Name of a feed that several models of one store share, such as champion and "
        "shadow: its labels are taken in once.",
    )
    available_at: str = Field(
        "available_at", description="Column of the moment a label became available."
    )
    revision: str = Field("revision", description="Column of a label's revision, 1 for the first.")
    event_time: str = Field("event_time", description="Column of the moment the outcome happened.")
    expected_delay_days: float = Field(
        0, ge=0, description="Days after a slice's end by which its labels are expected."
    )

    reads_on: ClassVar[bool] = False
    """Whether there is no need to look at everything now and then: the data tell what is new."""

    @model_validator(mode="after")
    def _join_has_its_columns(self) -> Self:
        for field, join in (("time", "id_and_time"), ("entity", "entity")):
            if (getattr(self, field) is not None) != (self.join == join):
                raise ValueError(
                    f"field {field} goes with join: {join}, and join: {self.join} was given. "
                    f"{'Name the column' if self.join == join else 'Leave it out'}"
                )
        return self

    @property
    def asset_key(self) -> tuple[str, ...] | None:
        """The asset in the graph that writes the labels, where one does."""
        return None

    @abstractmethod
    def deliveries(self, after: str | None = None) -> list[Delivery]:
        """What has arrived, oldest first; nothing is an empty list.

        Args:
            after: the cursor of the last delivery taken in, to look only at what came after it or
                shortly before. ``None``: everything; what was taken in is among it, with the same
                fingerprint.

        Raises:
            DataError: the place can't be reached; never shows a password.
        """

    @abstractmethod
    def read(self, delivery: Delivery, *, id: str, label: str) -> Iterator[pa.Table]:  # noqa: A002 - the word that declarations use
        """A delivery's labels in batches: prediction_id, label, event_time, available_at, revision.

        ``prediction_id`` is text, ``label`` has the type it came with, times are UTC
        microseconds, ``revision`` is int64 (1 where the data have none). A batch whose source can
        read on behind it says from where: :func:`cursor_behind`.

        Args:
            delivery: what :meth:`deliveries` gave.
            id: the id's column, unless the declaration names another.
            label: the label's column.

        Raises:
            CorruptDataError: a file can't be read to its end.
            SchemaMismatchError: a column is missing or is no time; names file and column.
        """

    @abstractmethod
    def relative_to(self, root: Path) -> Self:
        """The same source with its relative local paths taken from ``root``."""

    def optional_columns(self, present: Sequence[str], *, where: str) -> list[str]:
        """Those of the three optional columns that the data have, and the moment joined by.

        Raises:
            SchemaMismatchError: one that the declaration names itself is missing.
        """
        found = []
        if self.time is not None:
            if self.time not in present:
                raise missing_column(self.time, present, where=where, field="time")
            found.append(self.time)
        for role in ("event_time", "available_at", "revision"):
            name = str(getattr(self, role))
            if name in present:
                found.append(name)
            elif role in self.model_fields_set:
                raise missing_column(name, present, where=where, field=role)
        return found

    def normalise(
        self,
        batch: pa.RecordBatch,
        *,
        id_column: str,
        label_column: str,
        arrived_at: datetime | None,
        where: str,
    ) -> pa.Table:
        """A batch's rows under the ledger's names and types; see :meth:`read`."""
        names = batch.schema.names
        for name, field in ((id_column, "id"), (label_column, "task.label")):
            if name not in names:
                raise missing_column(name, names, where=where, field=field)
        size = batch.num_rows
        event = _times(batch, self.event_time, where) or pa.nulls(size, UTC)
        available = _times(batch, self.available_at, where)
        if available is None:
            available = pa.repeat(pa.scalar(arrived_at, UTC), size)
        elif arrived_at is not None:
            available = pc.fill_null(available, pa.scalar(arrived_at, UTC))
        ids = as_ids(batch.column(id_column), where=where, name=id_column)
        if self.time is not None:
            ids = timed_ids(ids, _times(batch, self.time, where))
        columns = [
            ids,
            as_labels(batch.column(label_column), where=where, name=label_column),
            event,
            available,
            _revisions(batch, self.revision, where),
        ]
        table = pa.Table.from_arrays(columns, names=list(LABEL_FIELDS))
        if self.available_at in batch.schema.names:
            return table
        # The ledger drops what such a feed says again: its next delivery would date it anew.
        return table.replace_schema_metadata({"available_at": "delivered"})


def as_ids(values: pa.Array, *, where: str, name: str) -> pa.Array:
    """Ids as text; see :func:`dagster_monitoring.arrays.id_text`.

    Raises:
        SchemaMismatchError: the column can't hold ids.
    """
    try:
        return _whole(id_text(values).cast(pa.string()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaMismatchError(
            f"{where}, column {name!r} holds {values.type}, which can't be an id: {error}"
        ) from error


def as_labels(values: pa.Array, *, where: str, name: str) -> pa.Array:
    """Labels that the ledger can keep: numbers, booleans, text, or what reads as text.

    Raises:
        SchemaMismatchError: the column holds lists, structures, or bytes that are no UTF-8.
    """
    plain = _plain(values)
    if pa.types.is_nested(plain.type):
        raise SchemaMismatchError(
            f"{where}, column {name!r} holds {plain.type}, which can't be a label: give one value"
        )
    try:
        # A Parquet file's word that its bytes are UTF-8 is the writer's, not checked on reading.
        is_binary = pa.types.is_binary(plain.type) or pa.types.is_large_binary(plain.type)
        return _whole(plain.cast(pa.string()) if is_binary else plain)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaMismatchError(
            f"{where}, column {name!r} holds {plain.type}, which can't be a label: {error}"
        ) from error


def _whole(values: pa.Array) -> pa.Array:
    """Values whose bytes are what their type says; raises ``ArrowInvalid``."""
    values.validate(full=True)
    return values


def timed_ids(ids: pa.Array, moments: pa.Array | None) -> pa.Array:
    """Ids with the microsecond (UTC, since 1970) they are joined at; null where one is missing.

    Args:
        ids: text.
        moments: as :func:`to_utc` gives them; ``None`` where the rows have none.

    Example:
        >>> from datetime import datetime, timezone
        >>> moment = datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc)
        >>> timed_ids(pa.array(["a"]), pa.array([moment], UTC)).to_pylist()
        ['a@1000000']
    """
    if moments is None:
        return pa.nulls(len(ids), pa.string())
    texts = moments.cast(pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(ids.cast(pa.string()), texts, "@")


def missing_column(
    name: str, present: Sequence[str], *, where: str, field: str
) -> SchemaMismatchError:
    """The error for a column that labels lack."""
    return SchemaMismatchError(
        f"{where} has no column {name!r} (field {field} of the ground truth)."
        f"{did_you_mean(name, present)} It has: {', '.join(present)}"
    )


def _plain(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _times(batch: pa.RecordBatch, name: str, where: str) -> pa.Array | None:
    if name not in batch.schema.names:
        return None
    try:
        return to_utc(batch.column(name))
    except pa.ArrowException as error:
        raise SchemaMismatchError(
            f"{where}, column {name!r} can't be read as a time: {error}"
        ) from error


def _revisions(batch: pa.RecordBatch, name: str, where: str) -> pa.Array:
    if name not in batch.schema.names:
        return pa.repeat(pa.scalar(1, pa.int64()), batch.num_rows)
    try:
        return pc.fill_null(batch.column(name).cast(pa.int64()), 1)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaMismatchError(
            f"{where}, column {name!r} can't be read as a whole number: {error}"
        ) from error
