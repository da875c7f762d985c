"""What errors were of, and whether that is over: looked up where a monitor was in trouble only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Verdict, is_restless
from dagster_monitoring.incidents.episodes import Subject
from dagster_monitoring.stores._evaluation_keys import KEYS_A_QUERY, key_text
from dagster_monitoring.stores._tables import evaluations

_Place = tuple[str, str]
_Keyed = tuple[str, str | None, str | None, str | None]


def with_subjects(
    connection: sa.Connection, model: str, verdicts: Sequence[Verdict]
) -> list[Verdict]:
    """The verdicts with what was in ERROR, and, of that, what is not within its limits for sure.

    Args:
        connection: to read by.
        model: whose.
        verdicts: by monitor, each monitor's in the order of partitions.
    """
    bad = [v for v in verdicts if v.severity is Severity.ERROR]
    if not bad:
        return list(verdicts)
    erred = _erred(connection, model, bad)
    of_monitor: dict[str, set[_Keyed]] = defaultdict(set)
    for (monitor, _), keys in erred.items():
        of_monitor[monitor] |= keys
    since: dict[str, str] = {}
    for verdict in bad:
        since.setdefault(verdict.monitor, verdict.partition)
    after = [v for v in verdicts if v.monitor in since and v.partition > since[v.monitor]]
    restless = _restless(connection, model, after, of_monitor)
    return [
        replace(
            verdict,
            erred=frozenset(_subject(key) for key in erred.get(place, ())),
            restless=frozenset(restless.get(place, ())),
        )
        for verdict in verdicts
        for place in [(verdict.monitor, verdict.partition)]
    ]


def _subject(key: _Keyed) -> Subject:
    metric, column, segment, _ = key
    return metric, column, segment


def _erred(
    connection: sa.Connection, model: str, bad: Sequence[Verdict]
) -> dict[_Place, set[_Keyed]]:
    table = evaluations.c
    found: dict[_Place, set[_Keyed]] = defaultdict(set)
    partitions = sorted({verdict.partition for verdict in bad})
    for start in range(0, len(partitions), KEYS_A_QUERY):
        query = sa.select(
            table.monitor, table.partition, table.metric, table.column, table.segment,
            table.baseline_kind,
        ).where(
            table.model == model,
            table.partition.in_(partitions[start : start + KEYS_A_QUERY]),
            table.severity == Severity.ERROR,
            table.superseded_at.is_(None),
        )  # fmt: skip
        for monitor, partition, *key in connection.execute(query):
            found[monitor, partition].add(tuple(key))
    return found


def _restless(
    connection: sa.Connection,
    model: str,
    verdicts: Sequence[Verdict],
    erred: dict[str, set[_Keyed]],
) -> dict[_Place, set[Subject]]:
    """By keys, so that it costs what erred and not how wide the model is."""
    keys = [
        key_text((model, v.monitor, *key, v.partition))
        for v in verdicts
        for key in erred.get(v.monitor, ())
    ]
    found: dict[_Place, set[Subject]] = defaultdict(set)
    for row in _rows(connection, keys):
        if is_restless(
            row.value,
            lower=row.lower,
            upper=row.upper,
            standard_error=row.standard_error,
            severity=None if row.severity is None else Severity(row.severity),
        ):
            found[row.monitor, row.partition].add((row.metric, row.column, row.segment))
    return found


def _rows(connection: sa.Connection, keys: Sequence[str]) -> Iterator[Any]:
    table = evaluations.c
    for start in range(0, len(keys), KEYS_A_QUERY):
        yield from connection.execute(
            sa.select(
                table.monitor, table.partition, table.metric, table.column, table.segment,
                table.value, table.lower, table.upper, table.standard_error, table.severity,
            ).where(
                table.key.in_(keys[start : start + KEYS_A_QUERY]),
                table.superseded_at.is_(None),
            )
        )  # fmt: skip
