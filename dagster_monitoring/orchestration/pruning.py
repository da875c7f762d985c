"""What of a model nothing needs any more: how far back that begins, and taking it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.evaluation_assets import CHART_SLICES
from dagster_monitoring.stores import Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was taken out, or would be.

    Args:
        first_kept: the first partition that is kept whole.
        rows: rows of the store, by what they are.
        files: profiles that were deleted.
        bytes: what those held.
    """

    first_kept: str
    rows: dict[str, int]
    files: int
    bytes: int


def prune(backend: Backend, *, keep_days: int, now: datetime, dry_run: bool = False) -> Pruned:
    """Takes out what is older than ``keep_days`` and what nothing refers to.

    Kept whatever their age: the slices of open incidents, and all that windows, rolling baselines,
    learned limits and charts of kept slices look back on. Baselines, models, labels, incidents and
    the row a monitor and slice that they are derived from are never taken out.

    Args:
        backend: open.
        keep_days: so many days back everything is kept, at least 1.
        now: the clock.
        dry_run: only says what would be taken out.
    """
    model, store = backend.model, backend.store
    first_kept = _first_kept(backend, now - timedelta(days=keep_days))
    cut = Cut(
        model=model.model,
        first_kept=first_kept,
        superseded_before=now - timedelta(days=keep_days),
        open_incidents=[i.id for i in store.incidents.list(model.model) if i.is_open],
    )
    rows = store.retention.prune(cut, dry_run=dry_run)
    # A kept slice's verdict is judged again from the profiles before it.
    needed = model.partitions.shift(first_kept, -_reach(backend))
    files, size = backend.storage.prune(model.model, before=needed, dry_run=dry_run)
    return Pruned(first_kept=first_kept, rows=rows, files=files, bytes=size)


def _first_kept(backend: Backend, moment: datetime) -> str:
    model, store = backend.model, backend.store
    keys = model.partitions
    first = max(keys.key_of(moment), keys.first)
    needed = [i.opened_partition for i in store.incidents.list(model.model) if i.is_open]
    latest = store.evaluations.last_partition(model.model)
    needed += [latest] if latest is not None else []
    back = _reach(backend)
    return min([first, *(keys.shift(partition, -back) for partition in needed)])


def _reach(backend: Backend) -> int:
    """How many slices back anything looks: what is declared, and what was judged."""
    declared: list[int] = [monitor.warm_up_slices() for monitor in backend.model.active_monitors]
    judged = backend.store.judgements.reach(backend.model.model)
    return max([CHART_SLICES, judged, *declared])
