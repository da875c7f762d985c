"""Labels in a database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa
import sqlalchemy as sa
from pydantic import Field, model_validator

from dagster_monitoring.declaration import PlainAddress
from dagster_monitoring.errors import SchemaMismatchError
from dagster_monitoring.sources._times import to_utc
from dagster_monitoring.sources.ground_truth._ground_truth import Delivery, GroundTruth
from dagster_monitoring.sources.sql import URL_FIELD, SqlSource
from dagster_monitoring.sources.sql_readers import Relation, connected

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).isoformat()


class SqlGroundTruth(GroundTruth):
    """A table or query of labels, read by the moment they became available.

    Only rows from ``overlap_hours`` before the newest one taken in are read again, so that rows
    whose transaction committed late are not lost. A label dated in the future is read, and does
    not count as the newest.

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
        source, now = self._source(), datetime.now(UTC)
        since = None
        # A mark in the future would hide every label until then: all rows are read again.
        if after is not None and (mark := datetime.fromisoformat(after)) <= now:
            since = mark - timedelta(hours=self.overlap_hours)
        with connected(source.place()) as session:
            found = session.relation(table=self.table, query=self.query)
            moment = found.column(self.available_at, role="field available_at of the ground truth")
            arrived = sa.case((moment <= found.comparable(now, moment), moment))
            counted = sa.select(
                sa.func.max(moment), sa.func.count(), sa.func.max(arrived)
            ).select_from(found.clause)
            if since is not None:
                counted = counted.where(moment >= found.comparable(since, moment))
            row = session.row(counted)
        newest = row[0]
        if newest is None:
            return []
        # The mark stays with what has arrived: a label dated in the future does not move it.
        cursor = _EPOCH if since is None else str(after)
        if row[2] is not None:
            cursor = self._moment(row[2], found).isoformat()
        return [
            Delivery(
                uri=f"sql:{self.table or 'query'}",
                fingerprint=f"{self._moment(newest, found).isoformat()}:{row[1]}:{after or ''}",
                cursor=cursor,
                arrived_at=None,
                since=since,
            )
        ]

    def read(self, delivery: Delivery, *, id: str, label: str) -> Iterator[pa.Table]:  # noqa: A002 - the word that declarations use
        """See :meth:`GroundTruth.read`."""
        source, key = self._source(), self.id or id
        with connected(source.place()) as session:
            found = session.relation(table=self.table, query=self.query)
            for name, role in ((key, "the id"), (label, "the label")):
                found.column(name, role=role)
            optional = self.optional_columns(found.schema.names, where=found.name)
            names = list(dict.fromkeys([key, label, *optional]))
            statement = found.select(names)
            if delivery.since is not None:
                moment = found.column(self.available_at, role="field available_at")
                statement = statement.where(moment >= found.comparable(delivery.since, moment))
            fields = pa.schema([found.schema.field(name) for name in names])
            for batch in session.stream(statement, fields):
                yield self.normalise(
                    batch,
                    id_column=key,
                    label_column=label,
                    arrived_at=None,
                    where=source.name,
                )

    def relative_to(self, root: Path) -> SqlGroundTruth:
        """See :meth:`GroundTruth.relative_to`."""
        return self.model_copy(update={"url": self._source().relative_to(root).url})

    def _source(self) -> SqlSource:
        return SqlSource(url=self.url, table=self.table, query=self.query)

    def _moment(self, value: object, found: Relation) -> datetime:
        """The newest moment as the database gave it: a time, or SQLite's text."""
        try:
            moment = to_utc(pa.array([value]))[0].as_py()
        except pa.ArrowException as error:
            raise SchemaMismatchError(
                f"{found.name}, column {self.available_at!r} can't be read as a time: {error}"
            ) from error
        assert isinstance(moment, datetime)  # noqa: S101 - a timestamp scalar
        return moment.astimezone(UTC)
