"""This package: labelled days into performance profiles, then the monitor with its intervals.

The scope ``six``: NannyML's six metrics; the label stands in each row, as the peers take it.
``rows``: all metrics there are. ``joined``: all, and labels come in a table of their own, which is
joined by the prediction's id.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contestant import Stopwatch, Value
from many import ManyDays, read_many_days
from own import batches
from shape import ID, TIMESTAMP

if TYPE_CHECKING:
    from dagster_monitoring.profiles.baseline import Baseline
    from dagster_monitoring.profiles.performance_profile import PerformanceProfile
    from dagster_monitoring.profiles.window import PerformanceWindow
    from dagster_monitoring.schema import BinaryClassification, Columns

JUDGED = ("label", "prediction", "score")
DUE = datetime(2030, 1, 1, tzinfo=UTC)
SIX = ("roc_auc", "f1", "precision", "recall", "accuracy", "average_precision")


def main() -> None:
    """Profile and measure the days."""
    options = read_many_days("six", "rows", "joined")
    watch = Stopwatch()
    import scipy.special
    import scipy.stats  # noqa: F401 - some intervals need it

    from dagster_monitoring.schema import BinaryClassification, Columns
    from dagster_monitoring.statistics.performance import performance_metrics

    performance_metrics()
    columns = Columns(id=ID, timestamp=TIMESTAMP, numeric=(), model_version=None)
    task = BinaryClassification(label="label", prediction="prediction", score="score")
    watch.lap("import")
    baseline = _baseline(options.training, columns, task)
    names = _metrics(options, task)
    _measure_baseline(baseline, columns, task, names)
    watch.lap("baseline")
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        values = _play(options, watch, folder, baseline, columns, task, names)
    finally:
        shutil.rmtree(folder)
    watch.report(values, ["numpy", "pyarrow"])


def _baseline(training: Path, columns: Columns, task: BinaryClassification) -> Baseline:
    from dagster_monitoring.profiles.baseline import build_baseline

    return build_baseline(
        lambda names: batches(training, names), columns=columns, task=task, model_version="1"
    )


def _metrics(options: ManyDays, task: BinaryClassification) -> tuple[str, ...]:
    from dagster_monitoring.statistics.performance import performance_metrics

    every = (n for n, metric in performance_metrics().items() if task.type in metric.tasks)
    return SIX if options.scope == "six" else (*every,)


@dataclass(frozen=True)
class _Alone:
    """The baseline's own rows, as the only slice there is."""

    profile: PerformanceProfile

    def window(self, last: str, length: int) -> PerformanceWindow:
        from dagster_monitoring.profiles.window import PerformanceWindow

        del length
        return PerformanceWindow(profile=self.profile, partitions=(last,))


def _measure_baseline(
    baseline: Baseline, columns: Columns, task: BinaryClassification, names: tuple[str, ...]
) -> None:
    """The baseline's own values, which it keeps: a peer that is fitted computes them then."""
    from view import BenchView

    from dagster_monitoring.monitors.performance import PerformanceMonitor

    assert baseline.reference is not None
    view = BenchView(
        baseline=baseline,
        columns=columns,
        task=task,
        labelled=_Alone(baseline.reference),
        labels_due=DUE,
    )
    measured = PerformanceMonitor(metrics=names, window=1).measure(view)
    assert any(m.reference is not None for m in measured)


def _play(
    options: ManyDays,
    watch: Stopwatch,
    folder: Path,
    baseline: Baseline,
    columns: Columns,
    task: BinaryClassification,
    metrics: tuple[str, ...],
) -> list[Value]:
    import pyarrow.parquet as pq
    from view import DAYS, BenchView

    from dagster_monitoring.monitors.performance import PerformanceMonitor
    from dagster_monitoring.profiles.performance import scan_performance
    from dagster_monitoring.profiles.storage import ProfileStorage
    from dagster_monitoring.profiles.window import PerformanceWindows

    storage = ProfileStorage(folder)
    names = (ID, "prediction", "score") if options.scope == "joined" else JUDGED
    for day, path in options.files():
        labels = None
        if options.scope == "joined":
            labels = pq.read_table(path, columns=[ID, "label"])
            labels = labels.rename_columns(["prediction_id", "label"])
        watch.lap("read")
        profile = scan_performance(batches(path, names), labels=labels, columns=columns, task=task)
        watch.lap("scan")
        storage.write_performance("bench", day, profile)
        watch.lap("keep")
    stored = PerformanceWindows(storage, model="bench", task=task, partitions=DAYS)
    view = BenchView(
        baseline=baseline,
        columns=columns,
        task=task,
        labelled=stored,
        labels_due=DUE,
    )
    monitor = PerformanceMonitor(metrics=metrics, window=1)
    values: list[Value] = []
    for day, _ in options.files():
        for m in monitor.measure(view.at(day)):
            if m.value is not None:
                values.append((m.metric, day, m.value))
            if m.standard_error is not None:
                values.append((f"{m.metric}, standard error", day, m.standard_error))
    watch.lap("compute")
    return values


if __name__ == "__main__":
    main()
