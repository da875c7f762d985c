"""This package: one scan of the day, then the drift and the data-quality monitor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contestant import Options, Stopwatch, Value, read_options
from shape import CATEGORICAL, DAY, ID, NUMERIC, TIMESTAMP

if TYPE_CHECKING:
    import pyarrow as pa

    from dagster_monitoring.monitors import Measurement
    from dagster_monitoring.profiles.baseline import Baseline
    from dagster_monitoring.profiles.profile import Profile
    from dagster_monitoring.profiles.window import PerformanceWindow, Window
    from dagster_monitoring.schema import Columns, Partitions, Regression


def main() -> None:
    """Scan and measure the day; the scope ``columns`` leaves id and timestamp out."""
    options = read_options("rows", "columns")
    watch = Stopwatch()
    _import()
    watch.lap("import")
    baseline, columns, task = _build_baseline(options)
    watch.lap("baseline")
    profile = _scan(options, baseline, columns)
    watch.lap("read")
    measurements = _measure(_DayView(baseline, columns, task, profile))
    watch.lap("compute")
    values: list[Value] = [
        (m.metric, m.column or "", m.value) for m in measurements if m.value is not None
    ]
    watch.report(values, ["numpy", "pyarrow"])


def _import() -> None:
    """Everything that would otherwise be imported at first use."""
    import scipy.special  # noqa: F401 - for its import

    import dagster_monitoring.profiles.baseline
    import dagster_monitoring.sources  # noqa: F401 - for its import
    from dagster_monitoring.monitors.quality import quality_metrics
    from dagster_monitoring.statistics.drift import drift_metrics

    drift_metrics()
    quality_metrics()


def _build_baseline(options: Options) -> tuple[Baseline, Columns, Regression]:
    from dagster_monitoring.profiles.baseline import build_baseline
    from dagster_monitoring.schema import Columns, Regression
    from dagster_monitoring.sources import ParquetSource, Request

    columns = Columns(
        id=ID,
        timestamp=TIMESTAMP,
        numeric=NUMERIC[:-1],
        categorical=CATEGORICAL,
        model_version=None,
    )
    task = Regression(label="label", prediction=NUMERIC[-1])
    source = ParquetSource(path=str(options.training))
    baseline = build_baseline(
        lambda names: source.batches(Request(columns=tuple(names))),
        columns=columns,
        task=task,
        model_version="1",
    )
    return baseline, columns, task


def _scan(options: Options, baseline: Baseline, columns: Columns) -> Profile:
    from dagster_monitoring.profiles.scan import scan
    from dagster_monitoring.sources import ParquetSource, Request

    names = (*NUMERIC, *CATEGORICAL)
    wanted = names if options.scope == "columns" else (ID, TIMESTAMP, *names)
    start = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    return scan(
        ParquetSource(path=str(options.day)).batches(Request(columns=wanted)),
        bins=baseline.bins,
        columns=columns,
        extra_numeric=NUMERIC[-1:],
        bounds=(start, start + timedelta(days=1)),
    )


def _measure(view: _DayView) -> list[Measurement]:
    """Every drift metric and every data-quality metric there is, on every column."""
    from dagster_monitoring.monitors.data_quality import DataQualityMonitor
    from dagster_monitoring.monitors.drift import DriftMonitor
    from dagster_monitoring.statistics.drift import drift_metrics

    drift = DriftMonitor(columns="all", metrics=tuple(drift_metrics()), window=1)
    return [*drift.measure(view), *DataQualityMonitor(vanished_after=1).measure(view)]


@dataclass(frozen=True)
class _DayView:
    """One day of production, the first one, as a monitor sees it."""

    baseline: Baseline
    columns: Columns
    task: Regression
    profile: Profile
    model: str = "bench"
    partition: str = DAY
    segments: tuple[str, ...] = ()
    labels_due: datetime | None = None
    now: datetime = datetime(2024, 6, 1, tzinfo=UTC)

    @property
    def partitions(self) -> Partitions:
        from dagster_monitoring.schema import Partitions

        return Partitions(start=datetime.fromisoformat(DAY).date(), timezone="UTC")

    def window(self, length: int) -> Window:
        from dagster_monitoring.profiles.window import Window

        del length
        return Window(profile=self.profile, partitions=(DAY,))

    def rolling(self, length: int, *, before: int) -> Window:
        from dagster_monitoring.profiles.profile import Profile
        from dagster_monitoring.profiles.window import Window

        del length, before
        return Window(profile=Profile(), partitions=())

    def performance(self, length: int) -> PerformanceWindow:
        raise NotImplementedError("nothing is labelled in this bench")

    def slice_batches(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError("no monitor of this bench reads rows")

    def at(self, partition: str) -> _DayView:
        raise NotImplementedError("this bench has one day")


if __name__ == "__main__":
    main()
