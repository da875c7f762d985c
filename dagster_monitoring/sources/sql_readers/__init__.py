"""How databases are read: each reader is one file, chosen by the address."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from contextlib import AbstractContextManager
from functools import cache

from sqlalchemy.engine import URL

from dagster_monitoring.sources.sql_readers._session import (
    Place,
    Relation,
    Session,
    SqlReader,
    Statement,
)
from dagster_monitoring.sources.sql_readers.sqlalchemy import SqlAlchemyReader

__all__ = ["Place", "Relation", "Session", "SqlReader", "Statement", "connected", "reader_for"]


def reader_for(url: URL) -> SqlReader:
    """The reader of an address: one that knows it, else SQLAlchemy.

    Example:
        >>> from sqlalchemy.engine import make_url
        >>> type(reader_for(make_url("duckdb:///scores.duckdb"))).__name__
        'DuckdbReader'
        >>> type(reader_for(make_url("sqlite:///scores.db"))).__name__
        'SqlAlchemyReader'
    """
    special = (reader for reader in _special_readers() if reader.serves(url))
    return next(special, SqlAlchemyReader())


def connected(place: Place) -> AbstractContextManager[Session]:
    """A connection for one read, by the reader of the place's address.

    Raises:
        DataError: the database can't be reached or refused the query; without the password.
        MissingExtraError: the package that reads it is not installed.
    """
    return reader_for(place.url).open(place)


@cache
def _special_readers() -> tuple[SqlReader, ...]:
    found: list[SqlReader] = []
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_"):
            continue
        for member in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            is_reader = isinstance(member, type) and issubclass(member, SqlReader)
            if is_reader and not inspect.isabstract(member) and member is not SqlAlchemyReader:
                found.append(member())
    return tuple(found)
