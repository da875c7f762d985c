"""What each monitor said of each partition, in a row: small enough to read all of it at once."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from dagster_monitoring.evaluation import Severity, Status
from dagster_monitoring.incidents import Verdict
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._tables import evaluations, verdicts
from dagster_monitoring.stores._verdict_subjects import with_subjects

_SEVERITIES = (None, Severity.WARN, Severity.ERROR)


class VerdictStore:
    """The verdicts that incidents are derived from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(
        self, model: str, *, since: str | None = None, until: str | None = None
    ) -> list[Verdict]:
        """A model's verdicts by monitor, each monitor's in the order of partitions.

        Args:
            model: the model's name.
            since: from this partition on.
            until: to this partition, included.
        """
        table = verdicts.c
        wanted = [table.model == model]
        wanted += [table.partition >= since] if since is not None else []
        wanted += [table.partition <= until] if until is not None else []
        query = sa.select(verdicts).where(*wanted).order_by(table.monitor, table.partition)
        with self._database.read() as connection:
            plain = [
                Verdict(
                    monitor=row.monitor,
                    kind=row.monitor_kind,
                    partition=row.partition,
                    severity=_SEVERITIES[row.severity],
                    healthy=row.healthy,
                    window_end=row.window_end,
                    on_labels=row.on_labels,
                    empty=row.empty,
                )
                for row in connection.execute(query)
            ]
            return with_subjects(connection, model, plain)

    def latest(self, model: str) -> str | None:
        """The latest partition that any monitor judged."""
        query = sa.select(sa.func.max(verdicts.c.partition)).where(verdicts.c.model == model)
        with self._database.read() as connection:
            return connection.execute(query).scalar()


def refresh_verdicts(
    connection: sa.Connection, judged: Iterable[tuple[str, str, str]] | None
) -> None:
    """Derive verdicts anew from the current evaluations; in the transaction that recorded them.

    Args:
        connection: in a transaction.
        judged: model, monitor and partition of those to derive; ``None``: all there are.
    """
    if judged is None:
        connection.execute(sa.delete(verdicts))
        _derive(connection, sa.true())
        return
    for names in sorted(set(judged)):
        connection.execute(sa.delete(verdicts).where(_of(verdicts, *names)))
        _derive(connection, _of(evaluations, *names))


def _of(table: sa.Table, model: str, monitor: str, partition: str) -> sa.ColumnElement[bool]:
    columns = table.c
    return sa.and_(
        columns.model == model, columns.partition == partition, columns.monitor == monitor
    )


def _derive(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    table = evaluations.c
    rank = sa.case(
        (table.severity == Severity.ERROR, 2), (table.severity == Severity.WARN, 1), else_=0
    )
    healthy = sa.case((table.status == Status.HEALTHY, 1), else_=0)
    on_labels = sa.case((table.n_labelled.is_not(None), 1), else_=0)
    chosen = (
        sa.select(
            table.model,
            table.monitor,
            table.partition,
            sa.func.max(table.monitor_kind),
            sa.func.max(rank),
            sa.func.max(healthy) == 1,
            sa.func.max(table.window_end),
            sa.func.max(on_labels) == 1,
            sa.func.max(table.n) == 0,
        )
        .where(which, table.superseded_at.is_(None))
        .group_by(table.model, table.monitor, table.partition)
    )
    names = [
        "model", "monitor", "partition", "monitor_kind", "severity", "healthy", "window_end",
        "on_labels", "empty",
    ]  # fmt: skip
    connection.execute(sa.insert(verdicts).from_select(names, chosen))
