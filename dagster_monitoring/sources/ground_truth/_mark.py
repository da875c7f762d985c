"""How far a table of labels was read, and the order in which its rows come."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dagster_monitoring.sources._times import to_utc
from dagster_monitoring.sources.sql_readers import Relation, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a table was read, as one text.

    Args:
        newest: the newest moment there was when the reading began, ISO 8601; the next one begins
            before it.
        moment: of the last row taken in, when the reading was broken off: ISO 8601, or what a
            database without times keeps.
        id: of that row; ``None`` when the reading came to its end.
        began: what the table was known by when the reading began.

    Example:
        >>> mark = Mark(newest="2024-05-02T00:00:00+00:00", moment="2024-05-01", id="a")
        >>> Mark.read(mark.text) == mark, Mark.read(mark.newest).text == mark.newest
        (True, True)
    """

    newest: str
    moment: str | int | float | None = None
    id: str | None = None
    began: str = ""

    @classmethod
    def read(cls, text: str) -> Mark:
        """From :attr:`text`."""
        if not text.startswith("{"):
            return cls(newest=text)
        return cls(**json.loads(text))

    @property
    def text(self) -> str:
        """The newest moment alone when no reading was broken off."""
        if self.id is None:
            return self.newest
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Moments:
    """A table's column of moments, as rows are chosen by it.

    Args:
        found: the table or query.
        column: one of its columns.
    """

    found: Relation
    column: sa.ColumnElement[datetime]

    @property
    def is_raw(self) -> bool:
        """Whether the database keeps text or numbers, of no known form."""
        return self.found.keeps_text(self.column)

    @property
    def kept(self) -> sa.ColumnElement[Any]:
        """The column as it is kept: read as a time, a text would come back in another form."""
        return sa.type_coerce(self.column, sa.types.NullType()) if self.is_raw else self.column

    def comparable(self, mark: Mark) -> Any:  # noqa: ANN401 - what SQLAlchemy compares with
        """The moment that a reading was broken off at."""
        if self.is_raw:
            return mark.moment
        return self.found.comparable(datetime.fromisoformat(str(mark.moment)), self.column)

    def since(self, statement: Statement, mark: Mark | None, overlap: timedelta) -> Statement:
        """The rows that a reading goes on with, by their moment; all without a mark."""
        if mark is None:
            return statement
        if mark.id is not None:
            return statement.where(self.kept >= self.comparable(mark))
        bound = datetime.fromisoformat(mark.newest) - overlap
        return statement.where(self.column >= self.found.comparable(bound, self.column))


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a table's rows: by moment, then by id as text, whatever types they have.

    Args:
        moments: the column of moments.
        id: the column of ids.
    """

    moments: Moments
    id: sa.ColumnElement[Any]

    @property
    def columns(self) -> tuple[sa.Label[Any], sa.Label[Any]]:
        """What a statement has to select besides, for :meth:`behind`."""
        return self.moments.kept.label("monitoring_moment"), self._id.label("monitoring_id")

    def sorted(self, statement: Statement, mark: Mark | None) -> Statement:
        """The statement's rows in this order, from the mark's on; the mark's is among them."""
        keys = [self.moments.kept, self._id]
        if mark is not None and mark.id is not None:
            later = self.moments.kept > self.moments.comparable(mark)
            statement = statement.where(sa.or_(later, self._id >= mark.id))
        if self.moments.found.text_times:
            # SQLite has rows without a moment first, where a reading would go on before them.
            keys = [key.nulls_last() for key in keys]
        return statement.order_by(*keys)

    def behind(self, batch: pa.RecordBatch, mark: Mark) -> Mark:
        """The mark behind a batch: its last row that has a moment and an id, if one has."""
        moments, ids = batch.column("monitoring_moment"), batch.column("monitoring_id")
        whole = pc.indices_nonzero(pc.and_(moments.is_valid(), ids.is_valid()))
        if not len(whole):
            return mark
        last = whole[-1].as_py()
        moment = moments[last : last + 1]
        value = moment if self.moments.is_raw else to_utc(moment).cast(pa.string())
        return replace(mark, moment=value[0].as_py(), id=ids[last].as_py())

    @property
    def _id(self) -> sa.ColumnElement[Any]:
        return sa.cast(self.id, sa.Text)


def with_cursor(table: pa.Table, cursor: str) -> pa.Table:
    """A batch of labels that says from where its source can be read on."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), "cursor": cursor})


def cursor_behind(table: pa.Table) -> str | None:
    """What to pass as ``after`` once this batch and all before it were taken in, if one can.

    Example:
        >>> cursor_behind(with_cursor(pa.table({}), "page 7"))
        'page 7'
    """
    found = (table.schema.metadata or {}).get(b"cursor")
    return None if found is None else found.decode()
