"""Slices in a database: PostgreSQL, SQLite, DuckDB, or whatever else SQLAlchemy reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pyarrow as pa
import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy.engine import URL

from dagster_monitoring.declaration import EnvironmentVariable, PlainAddress
from dagster_monitoring.errors import SchemaMismatchError, SliceNotFoundError
from dagster_monitoring.sources._source import Request, SliceFacts, Source
from dagster_monitoring.sources._times import to_utc, within
from dagster_monitoring.sources.database import parsed_url
from dagster_monitoring.sources.sql_readers import Place, Relation, Statement, connected

URL_FIELD = (
    "Database URL, or {env: NAME} of a variable that holds it. duckdb:///file.duckdb, or duckdb:// "
    "with a query over files, streams from DuckDB (extra duckdb); postgresql:// through ADBC where "
    "the extra adbc is installed, else through psycopg2 (extra postgres); sqlite:///file.db and "
    "any other through SQLAlchemy. All of them read in batches."
)


class SqlSource(Source):
    """A table, or a query, whose rows are told apart by their timestamp.

    Timestamps without a zone are taken as UTC. A secret address comes from the environment:
    ``url: {env: SCORES_URL}``.

    Example:
        >>> SqlSource(url="sqlite:///scores.db", table="scores").table
        'scores'
    """

    type: Literal["sql"] = "sql"
    url: PlainAddress = Field(repr=False, description=URL_FIELD)
    table: str | None = Field(None, min_length=1, description="Table, or schema.table.")
    query: str | None = Field(None, min_length=1, description="A SELECT, instead of a table.")

    @model_validator(mode="after")
    def _one_of_table_and_query(self) -> SqlSource:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        return self

    def batches(self, request: Request) -> Iterator[pa.RecordBatch]:
        """See :meth:`Source.batches`."""
        rows = 0
        with connected(self.place()) as session:
            found = session.relation(table=self.table, query=self.query)
            statement, names = _select(found, request)
            fields = pa.schema([found.schema.field(name) for name in names])
            for batch in session.stream(statement, fields):
                kept = _zoned(_keep_within(batch, found, request), request.timestamp)
                rows += kept.num_rows
                if kept.num_rows or not batch.num_rows:
                    yield kept
        if request.bounds is not None and rows == 0:
            start, end = request.bounds
            raise SliceNotFoundError(
                f"partition {request.partition}: {self.name} has no row whose "
                f"{request.timestamp} lies from {start} to before {end}"
            )

    def describe(self, request: Request) -> SliceFacts:
        """See :meth:`Source.describe`; counts the rows, and tells no size."""
        with connected(self.place()) as session:
            found = session.relation(table=self.table, query=self.query)
            rows = None
            if not _is_padded(found, request):
                inner, _ = _select(found, request)
                counted = sa.select(sa.func.count()).select_from(inner.subquery())
                rows = int(str(session.row(counted)[0]))
            return SliceFacts(
                locations=(self.name,), size_bytes=None, rows=rows, schema=found.schema
            )

    def relative_to(self, root: Path) -> SqlSource:
        """See :meth:`Source.relative_to`; a database file is a local path too.

        So are the files that a query over DuckDB names.
        """
        if isinstance(self.url, EnvironmentVariable):
            return self
        address = parsed_url(self.url)
        backend, file = address.get_backend_name(), address.database
        if backend not in {"sqlite", "duckdb"}:
            return self
        if file and file != ":memory:":
            address = address.set(database=str(root / file))
        if backend == "duckdb" and "file_search_path" not in address.query:
            address = address.update_query_dict({"file_search_path": str(root)})
        return self.model_copy(update={"url": address.render_as_string(hide_password=False)})

    def address(self) -> URL:
        """The database's address, read from the environment where it is declared so.

        Raises:
            DeclarationError: the variable is not set, or holds no database URL.
        """
        return parsed_url(
            self.url.read() if isinstance(self.url, EnvironmentVariable) else self.url
        )

    def place(self) -> Place:
        """What is read and where; raises as :meth:`address` does."""
        variable = self.url.env if isinstance(self.url, EnvironmentVariable) else None
        return Place(url=self.address(), what=self.name, variable=variable)

    @property
    def name(self) -> str:
        """How messages call it; never the address."""
        return f"table {self.table}" if self.table else "the query"


def _select(found: Relation, request: Request) -> tuple[Statement, list[str]]:
    names = [
        name for name in found.schema.names if request.columns is None or name in request.columns
    ]
    if request.timestamp is None or request.bounds is None:
        return found.select(names), names
    moment = found.column(request.timestamp, role="the timestamp that days are told apart by")
    names = list(dict.fromkeys([*names, request.timestamp]))
    # Of times that are text, in a form of the writer's choice, only the day part can be compared;
    # the exact cut is made on the rows read.
    pad = timedelta(days=2 if found.keeps_text(moment) else 0)
    low, high = request.bounds
    statement = found.select(names).where(
        moment >= found.comparable(low - pad, moment),
        moment < found.comparable(high + pad, moment),
    )
    return statement, names


def _is_padded(found: Relation, request: Request) -> bool:
    """Whether more rows are selected than the slice has."""
    if request.timestamp is None or request.bounds is None:
        return False
    return found.keeps_text(found.column(request.timestamp, role="the timestamp"))


def _zoned(batch: pa.RecordBatch, timestamp: str | None) -> pa.RecordBatch:
    """The batch with its timestamp in UTC, as declared; databases often keep no zone."""
    position = batch.schema.get_field_index(timestamp) if timestamp is not None else -1
    if position < 0:
        return batch
    kind = batch.schema.field(position).type
    if not pa.types.is_timestamp(kind) or kind.tz is not None:
        return batch
    return batch.set_column(position, str(timestamp), to_utc(batch.column(position)))


def _keep_within(batch: pa.RecordBatch, found: Relation, request: Request) -> pa.RecordBatch:
    if request.bounds is None or request.timestamp is None:
        return batch
    try:
        mask = within(batch.column(request.timestamp), request.bounds)
    except pa.ArrowException as error:
        raise SchemaMismatchError(
            f"{found.name}, column {request.timestamp!r} can't be read as a time: {error}"
        ) from error
    wanted = [n for n in batch.schema.names if request.columns is None or n in request.columns]
    return batch.filter(mask).select(wanted)
