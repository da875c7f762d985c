"""A slice joined with the labels that arrived: counts that add, as a file a partition."""

from __future__ import annotations

from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.slices import read_slice
from dagster_monitoring.profiles.performance import scan_performance
from dagster_monitoring.schema import MulticlassClassification


def write_performance_profile(backend: Backend, partition: str) -> None:
    """Join a slice with its labels and keep the counts.

    Raises:
        DataError: the slice can't be read; what was kept before stays.
    """
    model = backend.model
    baseline = backend.baseline_in_force(partition)
    labels = backend.store.labels.resolved(model.model, partition)
    found = scan_performance(
        read_slice(model, partition, _columns(backend)),
        labels=labels,
        columns=model.columns,
        task=model.task,
        segments=baseline.bins.segments,
    )
    backend.storage.write_performance(model.model, partition, found)


def _columns(backend: Backend) -> list[str]:
    model, task = backend.model, backend.model.task
    scores = (
        list(task.scores.values())
        if isinstance(task, MulticlassClassification)
        else [model.score]
        if model.score
        else []
    )
    return [model.columns.id, task.prediction, *scores, *model.segments]
