"""Incidents: the current state of each, and every state it went through."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from dagster_monitoring.errors import StoreError
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incident import Incident, IncidentStatus
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import incidents
from dagster_monitoring.stores.evaluations import evaluation_from_json, evaluation_to_json

_FIELDS = (
    "id",
    "model",
    "status",
    "severity",
    "opened_partition",
    "last_partition",
    "resolved_partition",
    "monitors",
    "worst",
    "historical",
    "opened_at",
    "updated_at",
)
_COLUMNS = [incidents.c[name] for name in _FIELDS]


class IncidentStore:
    """What each model's incidents are, and were."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_incident(self, model: str, *, historical: bool = False) -> Incident | None:
        """The model's open incident, if there is one.

        Args:
            model: the model's name.
            historical: look among those found so late that nobody is told; they are kept apart.
        """
        wanted = [
            incidents.c.model == model,
            incidents.c.status == IncidentStatus.OPEN,
            incidents.c.historical == historical,
        ]
        found = self._read(wanted, limit=1)
        return found[0] if found else None

    def save(self, incident: Incident) -> None:
        """Makes this the incident's current state; the same again changes nothing.

        Raises:
            StoreError: another incident of the model is open (historical ones aside), because
                another run opened it a moment before: read it and go on from there.
        """
        with self._database.write() as connection:
            known = self.get(incident.id)
            if known == incident:
                return
            other = self.open_incident(incident.model)
            opens = incident.status is IncidentStatus.OPEN and not incident.historical
            if opens and other is not None and other.id != incident.id:
                raise StoreError(
                    f"model {incident.model}: incident {other.id} is open already, so "
                    f"{incident.id} can't be opened beside it. Read the open one and go on from it"
                )
            connection.execute(
                sa.update(incidents)
                .where(incidents.c.id == incident.id, incidents.c.is_current)
                .values(is_current=False)
            )
            connection.execute(sa.insert(incidents).values(**_row(incident), is_current=True))

    def get(self, incident_id: str) -> Incident | None:
        """An incident's current state, by its id."""
        found = self._read([incidents.c.id == incident_id], limit=1)
        return found[0] if found else None

    def list(
        self, model: str, *, status: IncidentStatus | None = None, limit: int = 1_000
    ) -> Sequence[Incident]:
        """A model's incidents, those updated last first."""
        wanted = [incidents.c.model == model]
        wanted += [incidents.c.status == status] if status is not None else []
        return self._read(wanted, limit=limit)

    def history(self, incident_id: str) -> Sequence[Incident]:
        """Every state of one incident, oldest first."""
        query = (
            sa.select(*_COLUMNS).where(incidents.c.id == incident_id).order_by(incidents.c.version)
        )
        with self._database.read() as connection:
            return [_incident(row) for row in connection.execute(query)]

    def _read(self, wanted: Sequence[sa.ColumnElement[bool]], *, limit: int) -> Sequence[Incident]:
        query = (
            sa.select(*_COLUMNS)
            .where(*wanted, incidents.c.is_current)
            .order_by(incidents.c.updated_at.desc(), incidents.c.version.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_incident(row) for row in connection.execute(query)]


def _row(incident: Incident) -> dict[str, object]:
    row = {name: getattr(incident, name) for name in _FIELDS}
    row["monitors"] = json.dumps(incident.monitors)
    row["worst"] = json.dumps([evaluation_to_json(e) for e in incident.worst])
    return row


def _incident(values: Sequence[object]) -> Incident:
    row = dict(zip(_FIELDS, values, strict=True))
    row["status"] = IncidentStatus(str(row["status"]))
    row["severity"] = Severity(str(row["severity"]))
    row["monitors"] = tuple(json.loads(str(row["monitors"])))
    row["worst"] = tuple(evaluation_from_json(text) for text in json.loads(str(row["worst"])))
    return Incident(**row)  # type: ignore[arg-type] # the columns are the fields
