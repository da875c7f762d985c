"""A slice joined with the labels that arrived: counts that add, as a file a partition."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from dagster_monitoring.errors import DataError
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.counting import JOINED
from dagster_monitoring.orchestration.label_keys import key_columns, keyed
from dagster_monitoring.orchestration.label_state import LabelState
from dagster_monitoring.orchestration.slices import read_slice, register_slice
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.performance import PerformanceProfile, scan_performance
from dagster_monitoring.profiles.predictions import joined_columns
from dagster_monitoring.profiles.storage import performance_bytes


def write_performance_profile(backend: Backend, partition: str, *, as_of: datetime) -> int | None:
    """Join a slice with the labels available at a moment and keep the counts.

    Returns:
        The number of the change of the slice that only this showed; ``None`` for none.

    Raises:
        DataError: the slice can't be read; what was kept before stays.
    """
    model = backend.model
    if partition not in backend.judged_days():
        register_slice(backend, partition)
    baseline = backend.baseline_in_force(partition)
    # Read before the labels: what changes meanwhile is joined the next time.
    change = backend.store.labels.last_change(model.model, partition, partition)
    slices = backend.store.judgements.last_slice_change(model.model, partition)
    due = backend.store.labels.next_arrival(model.model, partition, as_of)
    labels = backend.store.labels.resolved(model.model, partition, as_of)
    found = _join(backend, partition, baseline, labels)
    content = performance_bytes(found)
    backend.storage.write_performance(model.model, partition, content)
    state = LabelState(change=change, slices=slices, due=due)
    # Where labels stayed and counts did not, rows changed in what their profile does not show.
    new = backend.store.judgements.count_slice(
        model.model,
        partition,
        JOINED,
        content,
        comparable=joined_labels(backend, partition) == state,
    )
    state = state if new is None else replace(state, slices=new)
    backend.store.cursors.set(_joined_cursor(backend, partition), state.text())
    return new


def performance_as_of(backend: Backend, partition: str, *, as_of: datetime) -> PerformanceProfile:
    """A slice joined with the labels available at a moment; nothing is kept.

    Labels of a slice that was never registered are not looked for.

    Raises:
        DataError: the slice can't be read.
    """
    labels = backend.store.labels.resolved(backend.model.model, partition, as_of)
    return _join(backend, partition, backend.baseline_in_force(partition), labels)


def join_if_stale(backend: Backend, partition: str, *, as_of: datetime) -> int | None:
    """Join a slice with its labels unless that was done with those available at a moment.

    A slice that can't be read keeps what was joined before. Returns as
    :func:`write_performance_profile` does.
    """
    name, ledger = backend.model.model, backend.store.labels
    joined = joined_labels(backend, partition)
    change = ledger.last_change(name, partition, partition)
    slices = backend.store.judgements.last_slice_change(name, partition)
    if joined and not joined.is_outdated(change=change, slices=slices, now=as_of):
        return None
    try:
        if joined and slices > joined.slices:
            register_slice(backend, partition)
        return write_performance_profile(backend, partition, as_of=as_of)
    except DataError:
        # The slice's own run says so; here it is one of a window's, which names what it lacks.
        return None


def joined_labels(backend: Backend, partition: str) -> LabelState | None:
    """The labels that a slice was joined with; ``None`` before it was."""
    text = backend.store.cursors.get(_joined_cursor(backend, partition))
    return None if text is None else LabelState.read(text)


def _join(
    backend: Backend, partition: str, baseline: Baseline, labels: pa.Table
) -> PerformanceProfile:
    model = backend.model
    columns, batches = keyed(model, read_slice(model, partition, _columns(backend)))
    return scan_performance(
        batches,
        labels=labels,
        columns=columns,
        task=model.task,
        segments=baseline.bins.segments,
        end=model.partitions.bounds(partition)[1],
    )


def _joined_cursor(backend: Backend, partition: str) -> str:
    return f"{backend.model.model}/joined-labels/{partition}"


def _columns(backend: Backend) -> list[str]:
    model = backend.model
    at = model.columns.timestamp
    wanted = [*key_columns(model), *joined_columns(model.task), *model.segments, at]
    return list(dict.fromkeys(wanted))
