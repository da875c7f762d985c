"""This package: one slice of some shape and size, scanned and measured; CPU time and peak memory.

A slice is a Parquet file of at most a million rows, read again and again until there are enough:
memory and time are those of a large slice, and the disk stays small.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from contestant import Stopwatch, peak_megabytes
from own import baseline_of, batches, every_drift_metric, import_all
from shape import DAY, ID, TIMESTAMP

if TYPE_CHECKING:
    import pyarrow as pa

    from dagster_monitoring.profiles.baseline import Baseline
    from dagster_monitoring.schema import Columns, Regression


def main() -> None:
    """Build the baseline in the scope ``baseline``; scan and measure in ``scan``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--times", type=int, required=True)
    parser.add_argument("--scope", choices=("baseline", "scan", "scan_rows"), required=True)
    options = parser.parse_args()
    watch = Stopwatch()
    import_all()
    from dagster_monitoring.profiles.storage import ProfileStorage

    watch.lap("import")
    before = peak_megabytes()
    columns, task = _model(options.folder / "training.parquet")
    storage = ProfileStorage(options.folder / "kept")
    if options.scope == "baseline":
        baseline = baseline_of(options.folder / "training.parquet", columns, task)
        storage.write_baseline("bench", baseline)
        watch.lap("baseline")
    else:
        baseline = storage.read_baseline("bench", *storage.list_baselines("bench"))
        keys = (ID, TIMESTAMP) if options.scope == "scan_rows" else ()
        names = (*keys, *columns.features, task.prediction)
        day = options.folder / "day.parquet"
        rows = (batch for _ in range(options.times) for batch in batches(day, names))
        _scan_and_measure(rows, baseline, columns, task, watch)
    watch.report([("before", "", before)], ["numpy", "pyarrow"])


def _model(training: Path) -> tuple[Columns, Regression]:
    """Strings are categories, the last number is the prediction."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from own import model

    fields = [field for field in pq.read_schema(training) if field.name not in {ID, TIMESTAMP}]
    texts = tuple(field.name for field in fields if pa.types.is_string(field.type))
    return model([field.name for field in fields if field.name not in texts], texts)


def _scan_and_measure(
    rows: Iterable[pa.RecordBatch],
    baseline: Baseline,
    columns: Columns,
    task: Regression,
    watch: Stopwatch,
) -> None:
    from datetime import UTC, datetime, timedelta

    from view import BenchView

    from dagster_monitoring.profiles.scan import scan

    start = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    watch.lap("baseline")
    profile = scan(
        rows,
        bins=baseline.bins,
        columns=columns,
        extra_numeric=(task.prediction,),
        bounds=(start, start + timedelta(days=1)),
    )
    watch.lap("read")
    view = BenchView(baseline=baseline, columns=columns, task=task, day=profile)
    every_drift_metric().measure(view)
    watch.lap("compute")


if __name__ == "__main__":
    main()
