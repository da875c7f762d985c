"""A model at a day of the bench, as this package's monitors see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Protocol

from contestant import Stopwatch
from shape import DAY

from dagster_monitoring.monitors import Once
from dagster_monitoring.profiles.delays import Arrivals
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.window import (
    PerformanceWindow,
    ProfileWindows,
    Window,
)
from dagster_monitoring.schema import Columns, Partitions, Task

if TYPE_CHECKING:
    import pyarrow as pa

    from dagster_monitoring.profiles.baseline import Baseline

DAYS = Partitions(start=date.fromisoformat(DAY), timezone="UTC")


class Labelled(Protocol):
    """Where windows of labelled predictions are had."""

    def window(self, last: str, length: int) -> PerformanceWindow:
        """The ``length`` slices up to and with ``last``."""


@dataclass(frozen=True, kw_only=True)
class BenchView:
    """One day of production.

    ``day`` is its profile where there is only one; ``windows`` and ``labelled`` are the stored
    ones where there are many.
    """

    baseline: Baseline
    columns: Columns
    task: Task
    day: Profile = field(default_factory=Profile)
    windows: ProfileWindows | None = None
    labelled: Labelled | None = None
    segments: tuple[str, ...] = ()
    partition: str = DAY
    model: str = "bench"
    partitions: Partitions = DAYS
    labels_due: datetime | None = None
    left_out: frozenset[str] = frozenset()
    now: datetime = datetime(2034, 6, 1, tzinfo=UTC)

    @property
    def once(self) -> Once:
        """No monitor of the bench shares anything."""
        return Once()

    def window(self, length: int) -> Window:
        """The stored slices; the day alone where none are stored."""
        if self.windows is None:
            return Window(profile=self.day, partitions=(self.partition,))
        return self.windows.window(self.partition, length)

    def rolling(self, length: int, *, before: int) -> Window:
        """The stored slices before; none where none are stored."""
        if self.windows is None:
            return Window(profile=Profile(), partitions=())
        return self.windows.window(self.partitions.shift(self.partition, -before), length)

    def performance(self, length: int) -> PerformanceWindow:
        """The stored performance."""
        if self.labelled is None:
            raise NotImplementedError("nothing is labelled in this bench")
        return self.labelled.window(self.partition, length)

    def arrivals(self, length: int, *, before: int) -> Arrivals:
        """No monitor of the bench asks."""
        raise NotImplementedError

    def slice_batches(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        """No monitor of the bench reads rows."""
        raise NotImplementedError

    def at(self, partition: str) -> BenchView:
        """The same at another day."""
        return replace(self, partition=partition)


def read_in_turn(
    view: BenchView, days: Iterable[str], watch: Stopwatch, measured: str
) -> Iterator[BenchView]:
    """The view at each day, whose stored profile is read when it comes to be measured.

    Args:
        view: at any day.
        days: with a stored profile.
        watch: told of the time that reading takes.
        measured: the phase in which the days are measured.
    """
    for day in days:
        watch.lap(measured)
        if view.windows is not None:
            view.windows.slice(day)
        watch.lap("load")
        yield view.at(day)
