"""What people say of partitions of the past, and the verdicts that are outdated by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.declarations import Declarations
from dagster_monitoring.orchestration.evaluator import marked_partitions
from dagster_monitoring.orchestration.judged_labels import outdated_days, outdated_slices
from dagster_monitoring.stores import Mark


def mark(backend: Backend, one: Mark, *, now: datetime) -> tuple[str, ...]:
    """Keeps a mark; gives the judged partitions that are outdated by it, sorted.

    What limits learn from is another past from now on, so the verdicts that looked back on the
    marked partitions are outdated, as they are when a slice comes late: the sensors ask for them.
    A mark that only changes its kind outdates none, for limits learn from neither.
    """
    return _outdated_by(backend, lambda: backend.store.marks.add(one), now=now)


def unmark(backend: Backend, first: str, last: str, *, now: datetime) -> tuple[str, ...] | None:
    """Takes a mark away, as :func:`mark` keeps one; ``None`` when there is none."""
    name, marks = backend.model.model, backend.store.marks
    if not any((known.first, known.last) == (first, last) for known in marks.list(name)):
        return None
    return _outdated_by(backend, lambda: marks.remove(name, first, last), now=now)


def _outdated_by(
    backend: Backend, change: Callable[[], object], *, now: datetime
) -> tuple[str, ...]:
    """Changes the marks; gives what that outdates."""
    known = _outdated(backend, now=now)
    with backend.store.transaction():
        before = marked_partitions(backend)
        change()
        others = sorted(before ^ marked_partitions(backend))
        backend.store.judgements.count_marks(
            backend.model.model, others, assets=_learning(backend, now=now)
        )
    new = _outdated(backend, now=now) - known
    return tuple(sorted({partition for partition, _ in new}))


def _learning(backend: Backend, *, now: datetime) -> frozenset[str]:
    """The assets with a monitor whose limits learn, by today's settings or any of the past."""
    declarations = Declarations(backend=backend, now=now, keeps=False)
    versions = backend.store.declarations.list(backend.model.model)
    known = [declarations.today, *(declarations.version(one.version) for one in versions)]
    monitors = [m for settings in known if settings for m in settings.monitors.values()]
    return frozenset(monitor.asset for monitor in monitors if monitor.past_slices())


def _outdated(backend: Backend, *, now: datetime) -> set[tuple[str, str]]:
    """Each outdated partition with what it would rest on."""
    of_slices, of_labels = (ask(backend, now=now) for ask in (outdated_slices, outdated_days))
    return {*of_slices.items(), *of_labels.items()}
