"""Deliveries of labels: which were taken in, how far, and which were set aside and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._models import find_model, model_number
from dagster_monitoring.stores._tables import deliveries
from dagster_monitoring.stores._text import storable

_URIS_A_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """What became of a delivery.

    Args:
        uri: what it is; the same for the same file.
        fingerprint: of the content that this is about.
        rows: how many of its rows were taken in so far, for one that is not finished.
        finished: whether it needs no further look until it changes.
        fault: why it was set aside; ``None`` for one that was taken in.
        noted_at: when this became so; ``None`` for what an older version noted.
    """

    uri: str
    fingerprint: str
    rows: int = 0
    finished: bool = True
    fault: str | None = None
    noted_at: datetime | None = None


class DeliveryStore:
    """Every delivery that was looked at, by its address, with the content it had then."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, model: str, uris: Sequence[str]) -> dict[str, DeliveryState]:
        """What became of these deliveries; those never looked at are not in it."""
        found: dict[str, DeliveryState] = {}
        with self._database.read() as connection:
            for start in range(0, len(uris), _URIS_A_QUERY):
                wanted = deliveries.c.uri.in_(uris[start : start + _URIS_A_QUERY])
                found.update((s.uri, s) for s in self._states(connection, model, wanted))
        return found

    def note(self, model: str, state: DeliveryState, *, now: datetime) -> None:
        """Keeps what became of a delivery; do it in the transaction that takes its labels in."""
        row = {
            "fingerprint": state.fingerprint,
            "rows_taken": state.rows,
            "finished": state.finished,
            "fault": None if state.fault is None else storable(state.fault),
            "noted_at": now,
        }
        with self._database.write() as connection:
            number = model_number(connection, model)
            here = sa.and_(deliveries.c.model_id == number, deliveries.c.uri == state.uri)
            if connection.execute(sa.update(deliveries).where(here).values(row)).rowcount == 0:
                whole = {"model_id": number, "uri": state.uri, **row}
                connection.execute(sa.insert(deliveries), [whole])

    def set_aside(self, model: str) -> list[DeliveryState]:
        """Deliveries that can't be taken in as they are, the first one noted first."""
        with self._database.read() as connection:
            found = self._states(connection, model, deliveries.c.fault.is_not(None))
        return sorted(found, key=lambda s: (str(s.noted_at), s.uri))

    def forget_set_aside(self, model: str, present: Collection[str]) -> int:
        """Takes away what was set aside and is not there any more; gives how many.

        Args:
            model: whose.
            present: the addresses of all deliveries that are there.
        """
        gone = [state.uri for state in self.set_aside(model) if state.uri not in present]
        if gone:
            here = deliveries.c.model_id == find_model(model)
            with self._database.write() as connection:
                for uri in gone:
                    connection.execute(sa.delete(deliveries).where(here, deliveries.c.uri == uri))
        return len(gone)

    def count(self, model: str) -> int:
        """How many deliveries were looked at."""
        wanted = deliveries.c.model_id == find_model(model)
        query = sa.select(sa.func.count()).select_from(deliveries).where(wanted)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def _states(
        self, connection: sa.Connection, model: str, wanted: sa.ColumnElement[bool]
    ) -> list[DeliveryState]:
        table = deliveries.c
        query = sa.select(
            table.uri,
            table.fingerprint,
            table.rows_taken,
            table.finished,
            table.fault,
            table.noted_at,
        ).where(table.model_id == find_model(model), wanted)
        return [
            DeliveryState(
                uri=row[0],
                fingerprint=row[1],
                rows=int(row[2] or 0),
                # Rows of an older version have nothing here, and were finished.
                finished=row[3] is not False,
                fault=row[4],
                noted_at=row[5],
            )
            for row in connection.execute(query)
        ]
