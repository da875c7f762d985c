"""What every reader of databases can do: open a place, look a table up, stream its rows."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL

from dagster_monitoring.errors import DataError, SchemaMismatchError, did_you_mean
from dagster_monitoring.sources.database import database_fault, redacted

if TYPE_CHECKING:
    # SQLAlchemy 2.1 counts the columns, 2.0 does not.
    Statement = sa.Select[*tuple[Any, ...]]
else:
    Statement = sa.Select

BATCH_ROWS = 65_536
BATCH_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is read and where, and how messages call it.

    Args:
        url: the database's address, its password included.
        what: the thing read, for instance ``"table scores"``.
        variable: the environment variable that holds the address, if one does.
    """

    url: URL
    what: str
    variable: str | None = None

    @property
    def shown(self) -> str:
        """The address without its password, and the variable that it came from."""
        of = f" (environment variable {self.variable})" if self.variable else ""
        return f"{redacted(self.url)}{of}"

    def refused(self, error: Exception, remedy: str = "") -> DataError:
        """The error for a database that can't be reached or refused the query."""
        return DataError(
            f"{self.what}: the database {self.shown} can't be read: "
            f"{database_fault(error, self.url)}. "
            f"{remedy or 'Check the field url, the network, and the query'}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or a query, and what its columns are called and hold.

    Args:
        name: how messages call it.
        clause: what a statement selects from.
        schema: names and types; a null type where only the values tell.
        text_times: the database has no type for a time, and keeps text in the writer's form.
        cast_bounds: moments are sent as text, so they must say their type themselves.
        as_text: columns of a type that Arrow has not; the database turns them into text.
    """

    name: str
    clause: sa.FromClause
    schema: pa.Schema
    text_times: bool = False
    cast_bounds: bool = False
    as_text: frozenset[str] = frozenset()

    def column(self, name: str, *, role: str) -> sa.ColumnElement[datetime]:
        """One column.

        Raises:
            SchemaMismatchError: there is none of that name.
        """
        if name not in self.schema.names:
            raise SchemaMismatchError(
                f"{self.name} has no column {name!r} ({role})."
                f"{did_you_mean(name, self.schema.names)} It has: {', '.join(self.schema.names)}"
            )
        return self.clause.c[name]

    def select(self, names: Sequence[str]) -> Statement:
        """A statement that reads these columns."""
        return sa.select(
            *(
                sa.cast(self.clause.c[name], sa.Text).label(name)
                if name in self.as_text
                else self.clause.c[name]
                for name in names
            )
        )

    def keeps_text(self, column: sa.ColumnElement[datetime]) -> bool:
        """Whether the column's moments are text, of which only the day part can be compared."""
        return self.text_times or isinstance(column.type, sa.types.String)

    def comparable(
        self, bound: datetime, column: sa.ColumnElement[datetime]
    ) -> datetime | str | sa.ColumnElement[datetime]:
        """A moment as the column can be compared with: naive UTC where it keeps no zone."""
        utc = bound.astimezone(UTC)
        if isinstance(column.type, sa.DateTime):
            return utc if column.type.timezone else utc.replace(tzinfo=None)
        if self.keeps_text(column) and not isinstance(column.type, sa.Date):
            return utc.isoformat(" ")
        kind = sa.DateTime(timezone=True)
        return sa.cast(sa.literal(utc, kind), kind) if self.cast_bounds else utc


class Session(ABC):
    """One open connection, for one read; its faults are raised as ``DataError``."""

    @abstractmethod
    def relation(self, *, table: str | None, query: str | None) -> Relation:
        """The table (``name`` or ``schema.name``) or the query, with its columns looked up."""

    @abstractmethod
    def stream(self, statement: Statement, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """A statement's rows in batches of bounded rows and bytes; none gives one of no rows.

        Args:
            statement: what to read.
            schema: the columns' names, and their types where known.
        """

    @abstractmethod
    def row(self, statement: Statement) -> tuple[object, ...]:
        """The one row of a statement that counts or sums."""


class SqlReader(ABC):
    """One way to read databases; each is one file."""

    @abstractmethod
    def serves(self, url: URL) -> bool:
        """Whether this reader is the one for an address."""

    @abstractmethod
    def open(self, place: Place) -> AbstractContextManager[Session]:
        """A connection for one read.

        Raises:
            DataError: the database can't be reached or refused a query; without the password.
            MissingExtraError: the package that reads it is not installed.
        """


def query_text(query: str) -> str:
    r"""A declared query as SQLAlchemy takes it: it has no parameters, so a colon is a colon.

    Example:
        >>> print(query_text("SELECT x::int, ':a' FROM t;").strip())
        SELECT x::int, '\:a' FROM t
    """
    bare = query.strip().rstrip(";").rstrip()
    # The line's end closes a comment that the query may end with.
    return re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", bare) + "\n"


def probe(source: sa.FromClause) -> Statement:
    """A statement that fetches nothing: its cursor alone names the columns."""
    every: sa.ColumnElement[object] = sa.literal_column("*")
    return sa.select(every).select_from(source).where(sa.false())
