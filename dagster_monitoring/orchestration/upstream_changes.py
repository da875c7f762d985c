"""What changed upstream of a model about when trouble began, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import dagster as dg

from dagster_monitoring.incidents import Incident
from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.upstream import Lineage, Made, Materialized, sources_of

# A window of three slices shows a change up to two slices after it came.
_SLICES_BEFORE = 3
# How long a slice usually takes is seen on those of a week.
_USUAL_SLICES = 7
_FEWEST_USUAL = 3
_LEAST_LATE = timedelta(hours=1)
_MAX_LINES = 20
_MAX_COLUMNS = 5
_SCHEMA_METRICS = ("missing_columns", "extra_columns", "type_faults")


def changes_upstream(
    backend: Backend, lineage: Lineage | None, incident: Incident
) -> tuple[str, ...]:
    """What changed upstream in the slices in which an incident began, and the three before.

    Args:
        backend: open.
        lineage: what Dagster knows; ``None``: only what the slices themselves show.
        incident: one that has just opened.

    Returns:
        At most 20 lines; names of assets, columns and runs, no values of data.
    """
    lines = list(_schema_of_slice(backend, incident))
    if lineage is not None:
        days = _around(backend.model, incident.opened_partition)
        for key in lineage.above(sources_of(backend.model)):
            lines += _of_asset(backend.model, lineage, key, days)
    return tuple(lines[:_MAX_LINES])


def _around(model: MonitoredModel, opened: str) -> list[str]:
    """The slices that are looked at, the one that opened it last."""
    keys = model.partitions
    first = max(keys.shift(opened, -_SLICES_BEFORE - _USUAL_SLICES), keys.first)
    return list(keys.between(first, opened))


def _schema_of_slice(backend: Backend, incident: Incident) -> Iterator[str]:
    """Columns that went missing, came, or hold another type, as data quality saw it."""
    opened = incident.opened_partition
    for said in backend.store.evaluations.read(incident.model, since=opened, until=opened):
        is_whole = said.segment is None and said.severity is not None
        if is_whole and said.metric in _SCHEMA_METRICS and said.value:
            of = f" of {said.column}" if said.column else ""
            yield f"slice {opened}: {said.metric.replace('_', ' ')}{of}: {said.value:g}"


def _of_asset(
    model: MonitoredModel, lineage: Lineage, key: dg.AssetKey, days: Sequence[str]
) -> Iterator[str]:
    name = f"asset {key.to_user_string()}"
    newest = lineage.materialized(key, None, limit=1)
    states = lineage.state(model, key, days)
    has_partitions = any(made is not Made.NOT_YET for made in states.values())
    if not has_partitions:
        failed = lineage.failed_run(key)
        if failed is not None:
            yield f"{name} failed in run {failed.run_id[:8]}"
        elif not newest:
            yield f"{name} was never materialized"
        yield from _without_partitions(model, lineage, key, days)
        return
    made = {one.partition: one for one in reversed(lineage.materialized(key, list(days)))}
    recent = days[-_SLICES_BEFORE - 1 :]
    for day in recent:
        if states.get(day) is Made.FAILED:
            yield f"{name} failed for {day}"
        elif states.get(day) is Made.NOT_YET and day not in made:
            yield f"{name} is not materialized for {day}"
    known = [one for day in days if (one := made.get(day)) is not None]
    for before, after in pairwise(known):
        if after.partition in recent:
            yield from _differences(name, before, after)
    yield from _late(model, name, made, days)


def _without_partitions(
    model: MonitoredModel, lineage: Lineage, key: dg.AssetKey, days: Sequence[str]
) -> Iterator[str]:
    """What an asset without partitions became since the slices that are looked at began."""
    since, _ = model.partitions.bounds(days[-min(len(days), _SLICES_BEFORE + 1)])
    found = list(reversed(lineage.materialized(key, None, limit=_MAX_LINES)))
    for before, after in pairwise(found):
        if after.at >= since:
            yield from _differences(f"asset {key.to_user_string()}", before, after)


def _differences(name: str, before: Materialized, after: Materialized) -> Iterator[str]:
    when = f"with {after.partition}" if after.partition else f"on {after.at:%Y-%m-%d %H:%M %Z}"
    if before.code_version != after.code_version:
        old, new = before.code_version or "none", after.code_version or "none"
        yield f"{name}: code version {old} became {new} {when} (run {after.run_id[:8]})"
    if before.columns is not None and after.columns is not None:
        words = _schema_change(before.columns, after.columns)
        if words:
            yield f"{name}: columns changed {when}: {words}"


def _schema_change(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    gone = sorted(before.keys() - after.keys())
    new = sorted(after.keys() - before.keys())
    other = [
        f"{name} from {before[name]} to {after[name]}"
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
    ]
    parts = (("gone", gone), ("new", new), ("type", other))
    return "; ".join(f"{word} {_some(names)}" for word, names in parts if names)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_COLUMNS} more" if len(names) > _MAX_COLUMNS else ""
    return ", ".join(names[:_MAX_COLUMNS]) + more


def _late(
    model: MonitoredModel, name: str, made: Mapping[str | None, Materialized], days: Sequence[str]
) -> Iterator[str]:
    """Slices that came more than twice as long after their end as the slowest of those before."""
    for place in range(max(len(days) - _SLICES_BEFORE - 1, 0), len(days)):
        day = days[place]
        usual = [
            _delay(model, made[other], other)
            for other in days[max(place - _USUAL_SLICES, 0) : place]
            if other in made
        ]
        if day in made and len(usual) >= _FEWEST_USUAL:
            took = _delay(model, made[day], day)
            if took > _LEAST_LATE and took > 2 * max(*usual, timedelta()):
                hours = took / timedelta(hours=1)
                yield f"{name} came {hours:.1f} h after the end of {day}"


def _delay(model: MonitoredModel, made: Materialized, day: str) -> timedelta:
    end: datetime = model.partitions.bounds(day)[1]
    return made.at - end.astimezone(UTC)
