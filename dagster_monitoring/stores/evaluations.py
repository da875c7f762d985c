"""Evaluations: recorded once, superseded when the verdict changes, never overwritten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from dagster_monitoring.evaluation import Evaluation
from dagster_monitoring.stores._database import Database
from dagster_monitoring.stores._evaluation_keys import KEYS_A_QUERY, key_text
from dagster_monitoring.stores._evaluation_rows import COLUMNS, evaluation_of, row_of
from dagster_monitoring.stores._tables import evaluations
from dagster_monitoring.stores._text import storable
from dagster_monitoring.stores.verdicts import refresh_verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording did.

    Args:
        inserted: keys that had no evaluation before.
        unchanged: keys whose current verdict is the same; nothing was written.
        superseded: keys whose verdict changed; the old one is kept as history.
        stale: evaluations computed before the current one of their key; kept as history only.
        withdrawn: current evaluations that a complete set no longer holds.
    """

    inserted: int
    unchanged: int
    superseded: int
    stale: int = 0
    withdrawn: int = 0


class EvaluationStore:
    """The record of every value and verdict, and of what was shown when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, given: Sequence[Evaluation], *, complete: bool = False, knows_all: bool = False
    ) -> Recorded:
        """Keeps evaluations; recording the same again changes nothing.

        The evaluation computed last is the current one of its key, in whatever order two runs
        write. Of several with one key, the last given counts.

        Args:
            given: evaluations of any models and partitions; none is fine.
            complete: the evaluations are all there are of their monitors and partitions; current
                ones that are not among them (a column or segment no longer watched) are withdrawn.
            knows_all: they rest on all that is known, so that they count whatever the clock said
                when others were computed: it may have been set back since. Such a one is dated
                just after the one that it replaces.

        Raises:
            StoreError: the store can't be reached or refused; then nothing is recorded.
        """
        latest = {key_text(clean.key): clean for clean in map(_storable, given)}
        with self._database.write() as connection:
            current = dict(_current(connection, list(latest)))
            if knows_all:
                latest = {key: _not_before(e, current.get(key)) for key, e in latest.items()}
            new: list[dict[str, object]] = []
            changed: list[dict[str, object]] = []
            stale: list[dict[str, object]] = []
            for key, evaluation in latest.items():
                known = current.get(key)
                if known is None:
                    new.append(row_of(key, evaluation))
                elif not evaluation.same_verdict_as(known):
                    late = evaluation.evaluated_at < known.evaluated_at
                    (stale if late else changed).append(row_of(key, evaluation))
            _supersede(connection, {str(row["key"]): row["evaluated_at"] for row in changed})
            history = [
                row | {"superseded_at": current[str(row["key"])].evaluated_at} for row in stale
            ]
            for rows in (new + changed, history):
                if rows:
                    connection.execute(sa.insert(evaluations), rows)
            withdrawn = _withdraw(connection, latest, knows_all=knows_all) if complete else 0
            if new or changed or withdrawn:
                judged = {(e.model, e.monitor, e.partition) for e in latest.values()}
                refresh_verdicts(connection, judged)
        return Recorded(
            inserted=len(new),
            unchanged=len(latest) - len(new) - len(changed) - len(stale),
            superseded=len(changed),
            stale=len(stale),
            withdrawn=withdrawn,
        )

    def read(
        self,
        model: str,
        *,
        monitor: str | None = None,
        column: str | None = None,
        since: str | None = None,
        until: str | None = None,
        as_of: datetime | None = None,
        last: int | None = None,
    ) -> list[Evaluation]:
        """Evaluations by partition, then monitor, metric, column and segment.

        Args:
            model: the model's name.
            monitor: only of this monitor.
            column: only of this column.
            since: from this partition on.
            until: to this partition, included.
            as_of: as the record stood at that moment; now when ``None``.
            last: at most so many, the last ones in this order; all when ``None``.
        """
        table = evaluations.c
        # As it was kept: a driver refuses what the database could not hold.
        wanted = [table.model == storable(model)]
        wanted += [table.monitor == storable(monitor)] if monitor is not None else []
        wanted += [table.column == storable(column)] if column is not None else []
        wanted += [table.partition >= since] if since is not None else []
        wanted += [table.partition <= until] if until is not None else []
        if as_of is None:
            wanted.append(table.superseded_at.is_(None))
        else:
            still = sa.or_(table.superseded_at.is_(None), table.superseded_at > as_of)
            wanted += [table.evaluated_at <= as_of, still]
        order = [
            table.partition,
            table.monitor,
            table.metric,
            table.column,
            table.segment,
            table.id,
        ]
        query = sa.select(*COLUMNS).where(*wanted)
        if last is None:
            query = query.order_by(*order)
        else:
            query = query.order_by(*(column.desc() for column in order)).limit(last)
        with self._database.read() as connection:
            found = [evaluation_of(row) for row in connection.execute(query)]
        return found if last is None else found[::-1]

    def series(self, of: Evaluation, *, since: str) -> list[Evaluation]:
        """An evaluation and the same ones of the partitions before it, oldest first.

        Args:
            of: the last one: its monitor, metric, column and segment.
            since: from this partition on.
        """
        table = evaluations.c
        query = (
            sa.select(*COLUMNS)
            .where(
                table.model == of.model,
                table.monitor == of.monitor,
                table.metric == of.metric,
                table.column.is_not_distinct_from(of.column),
                table.segment.is_not_distinct_from(of.segment),
                table.partition.between(since, of.partition),
                table.superseded_at.is_(None),
            )
            .order_by(table.partition, table.id)
        )
        with self._database.read() as connection:
            return [evaluation_of(row) for row in connection.execute(query)]

    def after(
        self, cursor: int, *, model: str | None = None, limit: int = 10_000
    ) -> list[tuple[int, Evaluation]]:
        """Current evaluations recorded after ``cursor``, with their ids, in the order recorded.

        An evaluation whose verdict changed comes again; one that was superseded since does not.

        Args:
            cursor: the id read last; 0 from the beginning.
            model: only of this model; of all when ``None``.
            limit: at most so many.
        """
        wanted = [evaluations.c.id > cursor, evaluations.c.superseded_at.is_(None)]
        wanted += [evaluations.c.model == model] if model is not None else []
        query = (
            sa.select(evaluations.c.id, *COLUMNS)
            .where(*wanted)
            .order_by(evaluations.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row[0], evaluation_of(row[1:])) for row in connection.execute(query)]

    def last_partition(self, model: str, *, monitor: str | None = None) -> str | None:
        """The last partition that was ever evaluated; ``None`` when none was.

        Args:
            model: the model's name.
            monitor: of this monitor, as it stands now.
        """
        table = evaluations.c
        query = sa.select(table.partition).where(table.model == model)
        if monitor is not None:
            query = query.where(table.monitor == monitor, table.superseded_at.is_(None))
        # Not max(): the last one is found at the index's end.
        query = query.order_by(table.partition.desc()).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def latest_id(self, model: str) -> int:
        """The id of a model's current evaluation recorded last: where ``after`` ends; 0: none."""
        query = sa.select(sa.func.max(evaluations.c.id)).where(
            evaluations.c.model == model, evaluations.c.superseded_at.is_(None)
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)


def _storable(evaluation: Evaluation) -> Evaluation:
    """Without what databases refuse; compared and keyed as it will be read back."""
    changes = {}
    for name in ("monitor", "column", "segment", "reason", "model_version", "baseline_version"):
        text = getattr(evaluation, name)
        if text is not None and (clean := storable(text)) != text:
            changes[name] = clean
    return replace(evaluation, **changes) if changes else evaluation  # type: ignore[arg-type] # text fields only


def _not_before(evaluation: Evaluation, known: Evaluation | None) -> Evaluation:
    if known is None or evaluation.evaluated_at > known.evaluated_at:
        return evaluation
    return replace(evaluation, evaluated_at=known.evaluated_at + timedelta(microseconds=1))


def _current(connection: sa.Connection, keys: Sequence[str]) -> Iterator[tuple[str, Evaluation]]:
    table = evaluations.c
    for start in range(0, len(keys), KEYS_A_QUERY):
        chunk = keys[start : start + KEYS_A_QUERY]
        query = sa.select(table.key, *COLUMNS).where(
            table.key.in_(chunk), table.superseded_at.is_(None)
        )
        for row in connection.execute(query):
            yield row[0], evaluation_of(row[1:])


def _supersede(connection: sa.Connection, moments: dict[str, object]) -> None:
    if moments:
        statement = (
            sa.update(evaluations)
            .where(evaluations.c.key == sa.bindparam("old"), evaluations.c.superseded_at.is_(None))
            .values(superseded_at=sa.bindparam("moment"))
        )
        connection.execute(statement, [{"old": k, "moment": m} for k, m in moments.items()])


def _withdraw(connection: sa.Connection, latest: dict[str, Evaluation], *, knows_all: bool) -> int:
    table = evaluations.c
    moments: dict[str, object] = {}
    groups = {(e.model, e.monitor, e.partition): e.evaluated_at for e in latest.values()}
    for (model, monitor, partition), moment in groups.items():
        query = sa.select(table.key, table.evaluated_at).where(
            table.model == model,
            table.partition == partition,
            table.monitor == monitor,
            table.superseded_at.is_(None),
        )
        for key, evaluated_at in connection.execute(query):
            if key not in latest and (evaluated_at <= moment or knows_all):
                moments[key] = max(moment, evaluated_at)
    _supersede(connection, moments)
    return len(moments)
