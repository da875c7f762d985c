"""This package: every day is scanned once and kept; then measured from the store.

The scope ``all`` measures the whole catalogue, ``psi`` what a drift monitor has by default.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from contestant import Stopwatch, Value
from many import ManyDays, read_many_days
from own import baseline_of, batches, every_drift_metric, import_all, model
from shape import CATEGORICAL, NUMERIC

if TYPE_CHECKING:
    from dagster_monitoring.monitors import Measurement
    from dagster_monitoring.monitors.drift import DriftMonitor
    from dagster_monitoring.profiles.baseline import Baseline
    from dagster_monitoring.profiles.storage import ProfileStorage
    from dagster_monitoring.schema import Columns, Regression

ROLLING = (14, 28)

TOGETHER = 8
"""Days that a run over a range measures together."""


def main() -> None:
    """Scan, then training, then the two rolling baselines."""
    options = read_many_days("all", "psi")
    watch = Stopwatch()
    import_all()
    columns, task = model()
    watch.lap("import")
    baseline = baseline_of(options.training, columns, task)
    watch.lap("baseline")
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        values = _play(options, watch, folder, baseline, columns, task)
        sizes = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    finally:
        shutil.rmtree(folder)
    watch.report([*values, ("profile_bytes", "", sizes / options.days)], ["numpy", "pyarrow"])


def _play(
    options: ManyDays,
    watch: Stopwatch,
    folder: Path,
    baseline: Baseline,
    columns: Columns,
    task: Regression,
) -> list[Value]:
    from view import DAYS, BenchView, read_in_turn

    from dagster_monitoring.profiles.storage import ProfileStorage
    from dagster_monitoring.profiles.window import ProfileWindows

    storage = ProfileStorage(folder)
    days = [day for day, _ in options.files()]
    _scan(options, watch, storage, baseline, columns)
    # One object for all monitors, and some days at a time: as a run over a range has it.
    windows = ProfileWindows(
        storage, model="bench", baseline_version=baseline.version, partitions=DAYS
    )
    view = BenchView(baseline=baseline, columns=columns, task=task, windows=windows)
    newest: dict[str, list[Measurement]] = {}
    for start in range(0, len(days), TOGETHER):
        for name, monitor in _monitors(options).items():
            turn = read_in_turn(view, days[start : start + TOGETHER], watch, name)
            for found in monitor.measure_each(turn):
                newest[name] = found
                watch.lap(name)
    return [
        (f"{m.metric}/{name}", m.column or "", m.value)
        for name, found in newest.items()
        for m in found
        if m.value
    ]


def _monitors(options: ManyDays) -> dict[str, DriftMonitor]:
    """A monitor a baseline, by the phase that its time is counted to."""
    monitors = {"training": every_drift_metric()}
    monitors |= {f"rolling_{length}": every_drift_metric(rolling=length) for length in ROLLING}
    if options.scope == "psi":
        only = {"metrics": ("psi",)}
        monitors = {name: own.model_copy(update=only) for name, own in monitors.items()}
    return monitors


def _scan(
    options: ManyDays,
    watch: Stopwatch,
    storage: ProfileStorage,
    baseline: Baseline,
    columns: Columns,
) -> None:
    from dagster_monitoring.profiles.scan import scan

    names: Sequence[str] = (*NUMERIC, *CATEGORICAL)
    for day, path in options.files():
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        profile = scan(
            batches(path, names),
            bins=baseline.bins,
            columns=columns,
            extra_numeric=NUMERIC[-1:],
            bounds=(start, start + timedelta(days=1)),
            # The compiled one is loaded after many rows: 110 MB, whatever the number of days.
            kernel="numpy",
        )
        watch.lap("scan")
        storage.write("bench", baseline.version, day, profile)
        watch.lap("store")


if __name__ == "__main__":
    main()
