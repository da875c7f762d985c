"""A store of many models: one is recorded as a user's would be, and copied to the others.

Rows go in without indexes, which are made at the end: ten times as quick, and as compact as after
``REINDEX``. What is recorded afterwards goes in the usual way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from dagster_monitoring import MonitoredModel
from dagster_monitoring.evaluation import Evaluation, Severity, Status
from dagster_monitoring.orchestration.backend import Backend, open_backend
from dagster_monitoring.orchestration.incidents import advance_incidents
from dagster_monitoring.stores import Changes, Judgement
from dagster_monitoring.stores._models import model_number
from dagster_monitoring.stores._tables import (
    evaluations,
    incidents,
    judged,
    label_changes,
    outbox,
    partitions,
    slice_changes,
    verdicts,
)

START = date(2024, 1, 1)
FIRST = "model_000"
METRICS = (
    "psi", "jensen_shannon", "wasserstein", "kolmogorov_smirnov", "hellinger", "mean_shift",
    "chi_squared", "kullback_leibler", "total_variation", "energy_distance",
)  # fmt: skip
MONITORS = 5
"""Each watches its share of the columns."""
# More than the first model has of any kind.
_ROWS_OF_FIRST = 1_000_000
# Some columns are off for the last days of each turn.
_TURN, _QUIET = 30, 26
_BY_NAME = (evaluations, verdicts, incidents, outbox)
_BY_NUMBER = (judged, label_changes, slice_changes, partitions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a store holds."""

    models: int
    columns: int
    metrics: int
    days: int


def fill(model: MonitoredModel, size: Size) -> None:
    """The first model's record, and the same of the others."""
    with open_backend(model) as backend:
        record_first(backend, size)
        database = backend.store._database  # noqa: SLF001 - no call for users makes this
        indexes = [i for table in (*_BY_NAME, *_BY_NUMBER) for i in table.indexes]
        with database.write() as connection:
            for index in indexes:
                index.drop(connection)
        # A transaction each: what one wrote does not wait in SQLite's log for the others.
        for number in range(1, size.models):
            with database.write() as connection:
                copy(connection, f"model_{number:03}", number)
        for index in indexes:
            with database.write() as connection:
                if not database.is_sqlite:
                    connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '1GB'")
                index.create(connection)
        if not database.is_sqlite:
            # PostgreSQL does it by itself, sooner or later; nobody does it for SQLite.
            with database.write() as connection:
                connection.exec_driver_sql("ANALYZE")


def record_first(backend: Backend, size: Size) -> None:
    """Every day of the first model: evaluations, what they rest on, and what came of them."""
    store, keys = backend.store, [key_of(number) for number in range(size.days)]
    for number, key in enumerate(keys):
        store.evaluations.record(day(number, size))
        with store._database.write() as connection:  # noqa: SLF001 - as above
            mine = {"model_id": model_number(connection, FIRST), "partition": key}
            connection.execute(sa.insert(partitions).values(**mine, predictions=100_000))
            connection.execute(sa.insert(slice_changes).values(**mine))
            connection.execute(sa.insert(label_changes).values(**mine, labels=100_000))
        for asset in ("drift", "data_quality", "performance"):
            judgement = Judgement(
                model=FIRST,
                asset=asset,
                days=keys[max(0, number - 27) : number + 1],
                knew=Changes(number + 1, number + 1),
                on_labels=asset == "performance",
            )
            store.judgements.note(judgement)
        advance_incidents(backend, now=moment(number, hour=30), run_url=None)
    for entry in store.outbox.due(moment(size.days), model=FIRST):
        store.outbox.mark_sent(entry.id, now=moment(size.days))


def day(number: int, size: Size) -> list[Evaluation]:
    """A day's evaluations; some columns leave their limits for some days in thirty."""
    start = moment(number)
    first = Evaluation(
        model=FIRST,
        monitor="drift_0",
        monitor_kind="drift",
        metric=METRICS[0],
        column=None,
        segment=None,
        baseline_kind="training",
        baseline_version="b-20231231-0a1b2c3d",
        partition=key_of(number),
        window_start=start,
        window_end=start + timedelta(days=1),
        value=0.1,
        lower=None,
        upper=0.25,
        status=Status.HEALTHY,
        severity=None,
        reason=None,
        n=100_000,
        n_labelled=None,
        model_version="v1",
        evaluated_at=start + timedelta(hours=30),
        run_id="b7c3c1f2-4c43-4e9b-8a55-6a0c2f0b2d11",
        standard_error=0.004,
        declaration_version="d-20231231-4e5f6a7b",
        declared="then",
    )
    found = [
        replace(
            first,
            monitor=f"drift_{column % MONITORS}",
            metric=metric,
            column=f"column_{column:03}",
            value=0.1 + column / 1_000 + number / 10_000,
        )
        for column in range(size.columns)
        for metric in METRICS[: size.metrics]
    ]
    off = number % _TURN >= _QUIET
    return [red(e) if off and e.column in {"column_000", "column_001"} else e for e in found]


def red(evaluation: Evaluation) -> Evaluation:
    """The same beyond its limit."""
    return replace(
        evaluation,
        value=0.9,
        status=Status.TRIGGERED,
        severity=Severity.ERROR,
        reason="0.9 is above the limit of 0.25",
    )


def copy(connection: sa.Connection, name: str, number: int) -> None:
    """The first model's rows under another name and number."""
    first = model_number(connection, FIRST)
    other = model_number(connection, name)
    for table in _BY_NAME:
        chosen: dict[str, sa.ColumnElement[object]] = {
            "model": sa.literal(name),
            # As scattered as the real ones, which are hexadecimal: none of them has a "z".
            "key": sa.func.substr(evaluations.c.key, 1, 28, type_=sa.Text)
            + sa.literal(f"z{number:03}"),
            "id": sa.literal(name) + incidents.c.id,
            "incident_id": sa.literal(name) + outbox.c.incident_id,
            "dedup_key": sa.literal(name) + outbox.c.dedup_key,
        }
        _copy(connection, table, chosen, table.c.model == FIRST)
    for table in _BY_NUMBER:
        _copy(connection, table, {"model_id": sa.literal(other)}, table.c.model_id == first)


def _copy(
    connection: sa.Connection,
    table: sa.Table,
    changed: dict[str, sa.ColumnElement[object]],
    where: sa.ColumnElement[bool],
) -> None:
    names = [c.name for c in table.columns if not _counts_up(c)]
    values = [changed.get(name, table.c[name]) for name in names]
    rows = sa.select(*values).where(where, *_early(table))
    connection.execute(sa.insert(table).from_select(names, rows))


def _early(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """Where the first model's rows lie, for there are no indexes; it was recorded first."""
    return [column <= _ROWS_OF_FIRST for column in table.primary_key if _counts_up(column)]


def _counts_up(column: sa.Column[object]) -> bool:
    return column.primary_key and column.autoincrement is True


def declared(url: str, folder: Path, size: Size, *, name: str = FIRST) -> MonitoredModel:
    """A model, as a user would declare it."""
    columns = [f"column_{number:03}" for number in range(size.columns)]
    return MonitoredModel.read(
        {
            "model": name,
            "task": {"type": "regression", "label": "y", "prediction": "y_pred"},
            "columns": {"id": "id", "timestamp": "at", "numeric": columns},
            "partitions": {"start": START.isoformat()},
            "baseline": {"type": "parquet", "path": "baseline.parquet"},
            "predictions": {"type": "parquet", "path": "day={partition}/*.parquet"},
            "ground_truth": {"type": "parquet", "path": "labels/*.parquet"},
            "monitors": [
                {
                    "type": "drift",
                    "name": f"drift_{number}",
                    "columns": columns[number::MONITORS],
                    "metrics": ["psi"],
                }
                for number in range(min(MONITORS, size.columns))
            ],
            "alerts": [{"type": "console"}],
            "storage": {"path": "monitoring", "database": url},
        }
    ).rooted(folder)


def key_of(number: int) -> str:
    """A day's partition key."""
    return (START + timedelta(days=number)).isoformat()


def moment(number: int, *, hour: int = 0) -> datetime:
    """Hours after a day's beginning."""
    midnight = datetime.combine(START + timedelta(days=number), datetime.min.time(), UTC)
    return midnight + timedelta(hours=hour)
