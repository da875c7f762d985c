"""This package: one scan of the day, then the drift and the data-quality monitor.

The scopes: ``columns`` and ``rows`` without and with id and timestamp, ``segments`` with three
segment columns on top of ``columns``. A compiled kernel is used with ``_fast`` behind the scope.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contestant import Options, Stopwatch, Value, read_options
from own import baseline_of, batches, every_drift_metric, import_all, model
from shape import CATEGORICAL, DAY, ID, NUMERIC, TIMESTAMP

if TYPE_CHECKING:
    from dagster_monitoring.profiles.baseline import Baseline
    from dagster_monitoring.profiles.engines.kernels import Kernel
    from dagster_monitoring.profiles.profile import Profile
    from dagster_monitoring.schema import Columns, Regression

SEGMENTS = ("three", "five", "eight")
FAST = "_fast"


def main() -> None:
    """Scan and measure the day."""
    scopes = ("columns", "rows", "segments")
    options = read_options(*scopes, *(scope + FAST for scope in scopes))
    scope = options.scope.removesuffix(FAST)
    segments = SEGMENTS if scope == "segments" else ()
    kernel: Kernel = "compiled" if options.scope.endswith(FAST) else "numpy"
    watch = Stopwatch()
    import_all()
    columns, task = model()
    watch.lap("import")
    baseline = baseline_of(options.training, columns, task, segments=segments)
    # The compiled kernel compiles, or loads what it compiled before, at its first rows.
    _scan(options, baseline, columns, kernel=kernel, most=1)
    watch.lap("baseline")
    profile = _scan(options, baseline, columns, kernel=kernel, with_rows=scope == "rows")
    watch.lap("read")
    values = _measure(baseline, columns, task, profile, segments)
    watch.lap("compute")
    watch.report(values, ["numpy", "pyarrow", *(["numba"] if kernel == "compiled" else [])])


def _scan(
    options: Options,
    baseline: Baseline,
    columns: Columns,
    *,
    kernel: Kernel,
    with_rows: bool = False,
    most: int | None = None,
) -> Profile:
    from itertools import islice

    from dagster_monitoring.profiles.scan import scan

    names = (*NUMERIC, *CATEGORICAL)
    wanted = (ID, TIMESTAMP, *names) if with_rows else names
    start = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    return scan(
        islice(batches(options.day, wanted), most),
        bins=baseline.bins,
        columns=columns,
        extra_numeric=NUMERIC[-1:],
        bounds=(start, start + timedelta(days=1)),
        kernel=kernel,
    )


def _measure(
    baseline: Baseline,
    columns: Columns,
    task: Regression,
    profile: Profile,
    segments: tuple[str, ...],
) -> list[Value]:
    """Every drift metric and every data-quality metric there is, on every column and segment."""
    from view import BenchView

    from dagster_monitoring.monitors.data_quality import DataQualityMonitor

    view = BenchView(baseline=baseline, columns=columns, task=task, day=profile, segments=segments)
    drift = every_drift_metric().model_copy(update={"segments": bool(segments)})
    found = [*drift.measure(view), *DataQualityMonitor(vanished_after=1).measure(view)]
    return [
        (m.metric, " ".join(filter(None, (m.column, m.segment))), m.value)
        for m in found
        if m.value is not None
    ]


if __name__ == "__main__":
    main()
