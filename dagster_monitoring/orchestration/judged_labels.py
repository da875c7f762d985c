"""Which labels a day's verdict rests on, and the days whose verdict others would change."""

from __future__ import annotations

from datetime import datetime

from dagster_monitoring.model import MonitoredModel
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.label_state import LabelState
from dagster_monitoring.orchestration.performance_profiles import joined_labels


def label_window(model: MonitoredModel) -> int:
    """The longest window, in slices, of the monitors that rest on labels."""
    windows = [m.window for m in model.active_monitors if m.asset == "performance"]
    return max(windows, default=1)


def last_label_change(backend: Backend, partition: str) -> int:
    """The ledger's count of changes at the last change of a label that a verdict rests on."""
    days = _window(backend.model, partition)
    return backend.store.labels.last_change(backend.model.model, min(days), max(days))


def note_judged_labels(backend: Backend, partition: str, change: int, *, as_of: datetime) -> None:
    """Keep the state of the labels that a partition's verdicts rest on."""
    joined = [joined_labels(backend, day) for day in _window(backend.model, partition)]
    # What was due before and still is belongs to a slice that can't be read: no reason to judge.
    due = [state.due for state in joined if state and state.due and state.due > as_of]
    state = LabelState(change=change, due=min(due, default=None))
    backend.store.cursors.set(_judged(backend.model) + partition, state.text())


def outdated_days(backend: Backend, *, now: datetime) -> dict[str, str]:
    """The days that were judged with other labels than there are, sorted; not those never judged.

    Labels change when they are delivered, and when the moment comes that a delivery dated them. A
    day stays outdated until a run judges it, whatever became of the runs that were asked for. Two
    queries, however many days there are.

    Returns:
        Each day with what its labels are now: another text when they change again.
    """
    model = backend.model
    judged = backend.store.cursors.starting_with(_judged(model))
    changes = backend.store.labels.last_changes(model.model)
    found = {}
    for day, text in sorted(judged.items()):
        last = max(changes.get(earlier, 0) for earlier in _window(model, day))
        in_production = bool(model.partitions.between(day, day))
        state = LabelState.read(text)
        if in_production and state.is_outdated(change=last, now=now):
            passed = state.due if state.due and state.due <= now else None
            found[day] = LabelState(change=last, due=passed).text()
    return found


def _window(model: MonitoredModel, partition: str) -> list[str]:
    """The days whose labels a verdict rests on."""
    return [model.partitions.shift(partition, -back) for back in range(label_window(model))]


def _judged(model: MonitoredModel) -> str:
    return f"{model.model}/judged-labels/"
