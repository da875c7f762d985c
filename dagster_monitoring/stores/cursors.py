"""Named cursors: how far each reader got."""

from __future__ import annotations

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import cursors


class CursorStore:
    """How far each reader got, by name; durable across restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str | None:
        """The cursor, or ``None`` before it was set."""
        query = sa.select(cursors.c.value).where(cursors.c.name == name)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def starting_with(self, prefix: str) -> dict[str, str]:
        """The cursors whose name starts with a text, by the rest of their name."""
        query = sa.select(cursors.c.name, cursors.c.value).where(
            cursors.c.name.startswith(prefix, autoescape=True)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        # SQLite's LIKE takes capitals for small letters.
        return {row[0][len(prefix) :]: row[1] for row in rows if row[0].startswith(prefix)}

    def set(self, name: str, value: str) -> None:
        """Moves the cursor; do it in the transaction that keeps what was read."""
        with self._database.write() as connection:
            moved = connection.execute(
                sa.update(cursors).where(cursors.c.name == name).values(value=value)
            )
            if moved.rowcount == 0:
                connection.execute(sa.insert(cursors).values(name=name, value=value))
