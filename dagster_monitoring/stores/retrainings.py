"""Retrainings: what was asked for, why, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from dagster_monitoring.errors import StoreError
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import retrainings
from dagster_monitoring.stores._text import storable


class RetrainingOutcome(StrEnum):
    """Where a retraining stands."""

    REQUESTED = "REQUESTED"
    PROMOTED = "PROMOTED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """One retraining.

    Args:
        id: chosen by whoever asks; the same id is the same retraining.
        incident_id: what caused it; ``None`` when a person asked.
        partition: the last slice that was known when it was asked for.
        reason: of the outcome, for a person.
    """

    id: str
    model: str
    incident_id: str | None
    partition: str
    requested_at: datetime
    outcome: RetrainingOutcome = RetrainingOutcome.REQUESTED
    challenger_version: str | None = None
    reason: str | None = None
    finished_at: datetime | None = None


_COLUMNS = [retrainings.c[name] for name in Retraining.__dataclass_fields__]


class RetrainingStore:
    """Every retraining of every model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def request(self, retraining: Retraining) -> bool:
        """Keeps a request; gives whether it was new (by its id)."""
        with self._database.write() as connection:
            if self.get(retraining.id) is not None:
                return False
            row = {name: getattr(retraining, name) for name in Retraining.__dataclass_fields__}
            connection.execute(sa.insert(retrainings), [row])
            return True

    def finish(
        self,
        retraining_id: str,
        *,
        outcome: RetrainingOutcome,
        reason: str,
        now: datetime,
        challenger_version: str | None = None,
    ) -> None:
        """Keeps what came of it.

        Raises:
            StoreError: no retraining has this id.
        """
        statement = (
            sa.update(retrainings)
            .where(retrainings.c.id == retraining_id)
            .values(
                outcome=outcome,
                reason=storable(reason),
                finished_at=now,
                challenger_version=challenger_version,
            )
        )
        with self._database.write() as connection:
            if connection.execute(statement).rowcount != 1:
                raise StoreError(f"no retraining has the id {retraining_id!r}")

    def get(self, retraining_id: str) -> Retraining | None:
        """One retraining by its id."""
        found = self._read([retrainings.c.id == retraining_id], limit=1)
        return found[0] if found else None

    def last(self, model: str) -> Retraining | None:
        """The model's retraining that was asked for last."""
        found = self.list(model, limit=1)
        return found[0] if found else None

    def list(self, model: str, *, limit: int = 1_000) -> Sequence[Retraining]:
        """A model's retrainings, the last asked for first."""
        return self._read([retrainings.c.model == model], limit=limit)

    def _read(
        self, wanted: Sequence[sa.ColumnElement[bool]], *, limit: int
    ) -> Sequence[Retraining]:
        order = (retrainings.c.requested_at.desc(), retrainings.c.id.desc())
        query = sa.select(*_COLUMNS).where(*wanted).order_by(*order).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [Retraining(**{**row, "outcome": RetrainingOutcome(row["outcome"])}) for row in rows]
