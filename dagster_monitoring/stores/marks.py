"""What people know about partitions of the past: that they were bad, or normal for all that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import marks
from dagster_monitoring.stores._text import storable


class MarkKind(StrEnum):
    """What partitions are marked as."""

    NORMAL = "normal"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Partitions that a person judged.

    Args:
        first: the first partition.
        last: the last one, included.
        kind: ``normal``: whatever the monitors said; ``bad``: something was wrong.
        note: why.
        author: who.
        at: when, with a time zone.
    """

    model: str
    first: str
    last: str
    kind: MarkKind
    note: str
    author: str
    at: datetime


class MarkStore:
    """Every model's marks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, mark: Mark) -> None:
        """Keeps a mark; one of the same first and last partition is replaced."""
        with self._database.write() as connection:
            self.remove(mark.model, mark.first, mark.last)
            row = {
                "model": mark.model,
                "first": mark.first,
                "last": mark.last,
                "kind": mark.kind,
                "note": storable(mark.note),
                "author": storable(mark.author),
                "at": mark.at,
            }
            connection.execute(sa.insert(marks), [row])

    def remove(self, model: str, first: str, last: str) -> bool:
        """Takes a mark away; gives whether it was there."""
        table = marks.c
        here = sa.and_(table.model == model, table.first == first, table.last == last)
        with self._database.write() as connection:
            return connection.execute(sa.delete(marks).where(here)).rowcount > 0

    def list(self, model: str, *, kind: MarkKind | None = None) -> list[Mark]:
        """A model's marks, the earliest partitions first."""
        table = marks.c
        wanted = [table.model == model]
        wanted += [table.kind == kind] if kind is not None else []
        query = sa.select(marks).where(*wanted).order_by(table.first, table.last)
        with self._database.read() as connection:
            return [
                Mark(**{**row, "kind": MarkKind(row["kind"])})
                for row in connection.execute(query).mappings()
            ]
