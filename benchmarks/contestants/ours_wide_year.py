"""This package: a year of stored profiles of many columns, every drift metric, one baseline.

The twenty columns of the bench are there five times, each time from another day's rows.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contestant import Stopwatch
from many import ManyDays, read_many_days
from own import baseline_of, batches, every_drift_metric, import_all, model
from shape import CATEGORICAL, ID, NUMERIC, TIMESTAMP

if TYPE_CHECKING:
    from dagster_monitoring.profiles.storage import ProfileStorage
    from dagster_monitoring.schema import Columns, Regression

TIMES = 5


def main() -> None:
    """The scope ``write`` scans and keeps the profiles in the folder, ``measure`` reads them."""
    options = read_many_days("write", "measure")
    watch = Stopwatch()
    import_all()
    from dagster_monitoring.profiles.storage import ProfileStorage

    watch.lap("import")
    storage = ProfileStorage(options.folder / "profiles")
    if options.scope == "write":
        _write(options, storage)
        watch.report([], ["pyarrow"])
        return
    baseline = storage.read_baseline("bench", *storage.list_baselines("bench"))
    watch.lap("baseline")
    count = _measure(options, storage, watch, baseline.version)
    size = sum(path.stat().st_size for path in (options.folder / "profiles").rglob("2*.parquet"))
    values = [("profile_bytes", "", size / options.days), ("measured", "", float(count))]
    watch.report(values, ["numpy", "pyarrow"])


def _measure(options: ManyDays, storage: ProfileStorage, watch: Stopwatch, version: str) -> int:
    from view import DAYS, BenchView, read_in_turn

    from dagster_monitoring.profiles.window import ProfileWindows

    columns, task = _wide_model()
    windows = ProfileWindows(storage, model="bench", baseline_version=version, partitions=DAYS)
    baseline = storage.read_baseline("bench", version)
    view = BenchView(baseline=baseline, columns=columns, task=task, windows=windows)
    monitor = every_drift_metric()
    count = 0
    days = [day for day, _ in options.files()]
    for found in monitor.measure_each(read_in_turn(view, days, watch, "measure")):
        count += sum(m.value is not None for m in found)
        watch.lap("measure")
    return count


def _wide_model() -> tuple[Columns, Regression]:
    numeric = tuple(f"{name}_{i}" for i in range(TIMES) for name in NUMERIC)
    categorical = tuple(f"{name}_{i}" for i in range(TIMES) for name in CATEGORICAL)
    return model(numeric, categorical)


def _write(options: ManyDays, storage: ProfileStorage) -> None:
    from dagster_monitoring.profiles.scan import scan

    columns, task = _wide_model()
    names = (*columns.features, task.prediction)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        wide = Path(folder) / "wide.parquet"
        _widen([options.training], wide)
        baseline = baseline_of(wide, columns, task)
        storage.write_baseline("bench", baseline)
        days = options.files()
        kept: dict[Path, str] = {}
        for i, (day, path) in enumerate(days):
            if path in kept:
                shutil.copyfile(kept[path], Path(kept[path]).with_name(f"{day}.parquet"))
                continue
            _widen([file for _, file in days[i : i + TIMES]], wide)
            profile = scan(
                batches(wide, names),
                bins=baseline.bins,
                columns=columns,
                extra_numeric=(task.prediction,),
            )
            kept[path] = storage.write("bench", baseline.version, day, profile)


def _widen(paths: Sequence[Path], wide: Path) -> None:
    """The columns of the files in turn, five times."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [pq.read_table(path) for path in paths]
    columns = {name: tables[0][name] for name in (ID, TIMESTAMP)}
    for i in range(TIMES):
        for name in (*NUMERIC, *CATEGORICAL):
            columns[f"{name}_{i}"] = tables[i % len(tables)][name]
    pq.write_table(pa.table(columns), wide)


if __name__ == "__main__":
    main()
