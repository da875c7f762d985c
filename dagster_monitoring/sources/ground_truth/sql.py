"""Labels in a database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa
import sqlalchemy as sa
from pydantic import Field, model_validator

from dagster_monitoring.declaration import PlainAddress
from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.sources._times import to_utc
from dagster_monitoring.sources.ground_truth._ground_truth import (
    Delivery,
    GroundTruth,
)
from dagster_monitoring.sources.ground_truth._mark import Mark, Moments, Order, with_cursor
from dagster_monitoring.sources.sql import URL_FIELD, SqlSource
from dagster_monitoring.sources.sql_readers import Relation, Session, connected

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Rows of a table: their newest moment, how many, and the newest that is not yet to come."""

    newest: datetime | None
    rows: int
    arrived: datetime | None


class SqlGroundTruth(GroundTruth):
    """A table or query of labels, read by the moment they became available.

    Only rows from ``overlap_hours`` before the newest one taken in are read again, so that rows
    whose transaction committed late are not lost. A label dated in the future is read, and does
    not count as the newest. Rows come in the order of their moment, so that a reading that was
    broken off goes on from its last row however the table has grown; what commits before that row
    meanwhile comes with the next reading. An index on the column of that moment keeps each look
    short.

    Example:
        >>> SqlGroundTruth(url="sqlite:///scores.db", table="labels").overlap_hours
        24.0
    """

    reads_on: ClassVar[bool] = True

    type: Literal["sql"] = "sql"
    url: PlainAddress = Field(repr=False, description=URL_FIELD)
    table: str | None = Field(None, min_length=1, description="Table, or schema.table.")
    query: str | None = Field(None, min_length=1, description="A SELECT, instead of a table.")
    overlap_hours: float = Field(
        24.0, ge=0, description="How far back rows are read again, for late commits."
    )

    @model_validator(mode="after")
    def _one_of_table_and_query(self) -> SqlGroundTruth:
        self._source()
        return self

    def deliveries(self, after: str | None = None) -> list[Delivery]:
        """See :meth:`GroundTruth.deliveries`: one delivery of the newer rows, or none."""
        now = datetime.now(UTC)
        mark = None if after is None else Mark.read(after)
        # A mark in the future would hide every label until then: all rows are read again.
        if mark is not None and datetime.fromisoformat(mark.newest) > now:
            mark = None
        with connected(self._source().place()) as session:
            found = session.relation(table=self.table, query=self.query)
            counted = self._count(session, found, mark, now=now)
            if counted.newest is None and mark is not None and mark.id is not None:
                # The row that a reading was broken off at is gone, and nothing is behind it.
                mark = Mark(newest=mark.newest)
                counted = self._count(session, found, mark, now=now)
        if counted.newest is None:
            return []
        # The mark stays with what has arrived: a label dated in the future does not move it. It
        # also stays while a reading goes on, for what commits behind that reading.
        cursor = _EPOCH if mark is None else mark.newest
        if counted.arrived is not None and (mark is None or mark.id is None):
            cursor = counted.arrived.isoformat()
        return [
            Delivery(
                uri=f"sql:{self.table or 'query'}",
                fingerprint=f"{counted.newest.isoformat()}:{counted.rows}:{after or ''}",
                cursor=cursor,
                arrived_at=None,
                after=None if mark is None else mark.text,
                begun=None if mark is None or mark.id is None else mark.began,
            )
        ]

    def read(self, delivery: Delivery, *, id: str, label: str) -> Iterator[pa.Table]:  # noqa: A002 - the word that declarations use
        """See :meth:`GroundTruth.read`; each batch holds the cursor behind it."""
        source, key = self._source(), self.id or id
        with connected(source.place()) as session:
            found = session.relation(table=self.table, query=self.query)
            for name, role in ((key, "the id"), (label, "the label")):
                found.column(name, role=role)
            optional = self.optional_columns(found.schema.names, where=found.name)
            names = list(dict.fromkeys([key, label, *optional]))
            moments = self._moments(found)
            order = Order(moments, found.clause.c[key])
            fields = [found.schema.field(name) for name in names]
            fields += [pa.field(column.name, pa.null()) for column in order.columns]
            after = None if delivery.after is None else Mark.read(delivery.after)
            statement = found.select(names).add_columns(*order.columns)
            statement = order.sorted(moments.since(statement, after, self._overlap), after)
            mark = Mark(newest=delivery.cursor, began=delivery.begun or delivery.fingerprint)
            for batch in session.stream(statement, pa.schema(fields)):
                mark = order.behind(batch, mark)
                table = self.normalise(
                    batch,
                    id_column=key,
                    label_column=label,
                    arrived_at=None,
                    where=source.name,
                )
                yield with_cursor(table, mark.text) if mark.id is not None else table

    def relative_to(self, root: Path) -> SqlGroundTruth:
        """See :meth:`GroundTruth.relative_to`."""
        return self.model_copy(update={"url": self._source().relative_to(root).url})

    def _source(self) -> SqlSource:
        return SqlSource(url=self.url, table=self.table, query=self.query)

    @property
    def _overlap(self) -> timedelta:
        return timedelta(hours=self.overlap_hours)

    def _moments(self, found: Relation) -> Moments:
        role = "field available_at of the ground truth"
        return Moments(found, found.column(self.available_at, role=role))

    def _count(
        self, session: Session, found: Relation, mark: Mark | None, *, now: datetime
    ) -> _Counted:
        """The rows that a reading from a mark on would give."""
        moments = self._moments(found)
        moment = moments.column
        arrived = sa.case((moment <= found.comparable(now, moment), moment))
        counted = sa.select(sa.func.max(moment), sa.func.count(), sa.func.max(arrived))
        statement = counted.select_from(found.clause)
        newest, rows, last = session.row(moments.since(statement, mark, self._overlap))
        return _Counted(
            newest=self._moment(newest, found),
            rows=int(str(rows)),
            arrived=self._moment(last, found),
        )

    def _moment(self, value: object, found: Relation) -> datetime | None:
        """A moment as the database gave it: a time, or SQLite's text."""
        try:
            moment = to_utc(pa.array([value]))[0].as_py()
        except pa.ArrowException as error:
            raise SchemaMismatchError(
                f"{found.name}, column {self.available_at!r} can't be read as a time: {error}"
            ) from error
        return None if moment is None else moment.astimezone(UTC)
