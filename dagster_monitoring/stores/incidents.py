"""Incidents: the current state of each, every state it went through, and what was done about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause, Incident, IncidentStatus, Member
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._evaluation_rows import evaluation_from_json, evaluation_to_json
from dagster_monitoring.stores._tables import incident_notes, incidents
from dagster_monitoring.stores._text import storable

# What an older store's incidents lack.
NEW_INCIDENT_COLUMNS = (
    "cause",
    "members",
    "changes",
    "owner",
    "acknowledged_at",
    "snoozed_until",
    "escalated_at",
    "announced_at",
    "closed_by_hand",
)
_FIELDS = tuple(Incident.__dataclass_fields__)
_COLUMNS = [incidents.c[name] for name in (*_FIELDS, "monitors")]
_AUTHOR_LENGTH, _TEXT_LENGTH = 200, 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody, or the machine, did about an incident.

    Args:
        at: when, with a time zone.
        author: who.
        action: what: ``note``, ``ack``, ``snooze``, ``resolve``, ``retraining`` ...
        text: in words; may be empty.
    """

    at: datetime
    author: str
    action: str
    text: str


class IncidentStore:
    """What each model's incidents are, and were."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_ones(self, model: str) -> Sequence[Incident]:
        """The model's incidents that are not resolved and not historical, worst first."""
        found = [i for i in self.list(model, open_only=True) if not i.historical]
        return sorted(found, key=lambda i: (i.severity is not Severity.ERROR, i.opened_at))

    def save(self, incident: Incident) -> None:
        """Makes this the incident's current state; the same again changes nothing."""
        with self._database.write() as connection:
            if self.get(incident.id) == incident:
                return
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

    def find(self, model: str, beginning: str) -> Sequence[Incident]:
        """A model's incidents whose id begins so: people copy a few letters."""
        return [i for i in self.list(model) if i.id.startswith(beginning)]

    def list(
        self,
        model: str,
        *,
        status: IncidentStatus | None = None,
        open_only: bool = False,
        limit: int | None = None,
    ) -> Sequence[Incident]:
        """A model's incidents, those updated last first.

        Args:
            model: the model's name.
            status: only those of this status.
            open_only: only those that are not resolved, historical ones too.
            limit: at most so many; all when ``None``.
        """
        wanted = [incidents.c.model == model]
        wanted += [incidents.c.status == status] if status is not None else []
        wanted += [incidents.c.status != IncidentStatus.RESOLVED] if open_only else []
        return self._read(wanted, limit=limit)

    def history(self, incident_id: str) -> Sequence[Incident]:
        """Every state of one incident, oldest first."""
        query = (
            sa.select(*_COLUMNS).where(incidents.c.id == incident_id).order_by(incidents.c.version)
        )
        with self._database.read() as connection:
            return [_incident(row) for row in connection.execute(query)]

    def note(self, incident_id: str, note: Note) -> None:
        """Keeps what was done about an incident."""
        row = {
            "incident_id": incident_id,
            "at": note.at,
            "author": storable(note.author)[:_AUTHOR_LENGTH],
            "action": note.action,
            "text": storable(note.text)[:_TEXT_LENGTH],
        }
        with self._database.write() as connection:
            connection.execute(sa.insert(incident_notes), [row])

    def notes(self, incident_id: str) -> Sequence[Note]:
        """What was done about an incident, oldest first."""
        table = incident_notes.c
        query = (
            sa.select(table.at, table.author, table.action, table.text)
            .where(table.incident_id == incident_id)
            .order_by(table.id)
        )
        with self._database.read() as connection:
            return [Note(**row) for row in connection.execute(query).mappings()]

    def _read(
        self, wanted: Sequence[sa.ColumnElement[bool]], *, limit: int | None
    ) -> Sequence[Incident]:
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
    row["members"] = json.dumps([asdict(member) for member in incident.members])
    row["changes"] = json.dumps(incident.changes)
    row["worst"] = json.dumps([evaluation_to_json(e) for e in incident.worst])
    return row


def _incident(values: Sequence[object]) -> Incident:
    row = dict(zip((*_FIELDS, "monitors"), values, strict=True))
    names = json.loads(str(row.pop("monitors")))
    row["status"] = IncidentStatus(str(row["status"]))
    row["severity"] = Severity(str(row["severity"]))
    row["worst"] = tuple(evaluation_from_json(text) for text in json.loads(str(row["worst"])))
    # Kept by a version that knew no causes and no members' own times.
    row["cause"] = Cause(str(row["cause"])) if row["cause"] else Cause.MODEL
    row["changes"] = tuple(json.loads(str(row["changes"]))) if row["changes"] else ()
    row["closed_by_hand"] = bool(row["closed_by_hand"])
    row["members"] = (
        tuple(_member(fields) for fields in json.loads(str(row["members"])))
        if row["members"]
        else tuple(_member_of_old(name, row) for name in names)
    )
    return Incident(**row)  # type: ignore[arg-type] # the columns are the fields


def _member(fields: dict[str, str]) -> Member:
    return Member(**{**fields, "severity": Severity(fields["severity"])})  # type: ignore[arg-type] # texts and a severity


def _member_of_old(name: str, row: dict[str, object]) -> Member:
    worst = row["worst"]
    assert isinstance(worst, tuple)  # noqa: S101 - made just before
    kinds = [e.monitor_kind for e in worst if e.monitor == name]
    return Member(
        monitor=name,
        kind=kinds[0] if kinds else name,
        severity=Severity(str(row["severity"])),
        first=str(row["opened_partition"]),
        last=str(row["last_partition"]),
    )
