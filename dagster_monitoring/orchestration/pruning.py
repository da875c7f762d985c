"""What of a model nothing needs any more: how far back that begins, and taking it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.deriving import derive_changes
from dagster_monitoring.orchestration.evaluation_assets import CHART_SLICES
from dagster_monitoring.orchestration.leftovers import LEFT_AFTER, remove_leftovers
from dagster_monitoring.stores import Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was taken out, or would be.

    Args:
        first_kept: the first partition that is kept whole.
        rows: rows of the store, by what they are.
        files: profiles that were deleted.
        bytes: what those held.
        leftovers: files that killed writers had begun.
        leftover_bytes: what those held.
    """

    first_kept: str
    rows: dict[str, int]
    files: int
    bytes: int
    leftovers: int
    leftover_bytes: int


def prune(backend: Backend, *, keep_days: int, now: datetime, dry_run: bool = False) -> Pruned:
    """Takes out what is older than ``keep_days`` and what nothing refers to.

    Kept whatever their age: the slices of open incidents and of those that reach into what is kept,
    and all that windows, rolling baselines, learned limits and charts of kept slices look back on.
    Baselines, models, labels and incidents are never taken out.

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
        open_incidents=[i.id for i in store.incidents.list(model.model, open_only=True)],
    )
    # First, for what incidents are derived from looks at evaluations too.
    retired = _retire_verdicts(backend, first_kept, now=now, dry_run=dry_run)
    rows = {"verdicts of old slices": retired, **store.retention.prune(cut, dry_run=dry_run)}
    # A kept slice's verdict is judged again from the profiles before it.
    needed = model.partitions.shift(first_kept, -_reach(backend))
    files, size = backend.storage.prune(model.model, before=needed, dry_run=dry_run)
    left, left_size = remove_leftovers(
        model.storage.path, model.model, before=now - LEFT_AFTER, dry_run=dry_run
    )
    return Pruned(
        first_kept=first_kept,
        rows=rows,
        files=files,
        bytes=size,
        leftovers=left,
        leftover_bytes=left_size,
    )


def _first_kept(backend: Backend, moment: datetime) -> str:
    model, store = backend.model, backend.store
    keys = model.partitions
    first = max(keys.key_of(moment), keys.first)
    known = store.incidents.list(model.model)
    needed = [i.opened_partition for i in known if i.is_open]
    latest = store.evaluations.last_partition(model.model)
    needed += [latest] if latest is not None else []
    back = _reach(backend)
    first = min([first, *(keys.shift(partition, -back) for partition in needed)])
    # Of an incident that is over, all days or none: half of its trouble would look like other.
    for over in sorted(known, key=lambda i: i.opened_partition, reverse=True):
        if over.opened_partition < first <= (over.resolved_partition or over.last_partition):
            first = over.opened_partition
    return first


def _retire_verdicts(backend: Backend, first_kept: str, *, now: datetime, dry_run: bool) -> int:
    """Takes out the verdicts before a slice, if the incidents are the same without them."""
    with backend.store.transaction():
        whole, rest = (
            derive_changes(backend, now=now, since=since) for since in (None, first_kept)
        )
        if whole != rest:
            return 0
        retention = backend.store.retention
        return retention.retire_verdicts(backend.model.model, before=first_kept, dry_run=dry_run)


def _reach(backend: Backend) -> int:
    """How many slices back anything looks: what is declared, and what was judged."""
    declared: list[int] = [monitor.warm_up_slices() for monitor in backend.model.active_monitors]
    judged = backend.store.judgements.reach(backend.model.model)
    return max([CHART_SLICES, judged, *declared])
