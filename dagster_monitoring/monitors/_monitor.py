"""What every monitor is: a declaration that measures one model at one partition."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple, Protocol, Self, TypeVar, cast

import pyarrow as pa
from pydantic import Field, PrivateAttr, model_validator

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents import Cause
from dagster_monitoring.monitors.learned import AnyThreshold
from dagster_monitoring.monitors.threshold import Levels, Share, Sides, Threshold
from dagster_monitoring.partitions import MOST_SLICES, ByLength, Every
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.delays import Arrivals, DelayCounts
from dagster_monitoring.profiles.window import PerformanceWindow, Window
from dagster_monitoring.schema import Columns, Partitions, Task
from dagster_monitoring.statistics.scales import Scale

T = TypeVar("T")

_MADE_KEPT = 16

MonitoredAsset = Literal["drift", "data_quality", "performance"]

WINDOW: Mapping[Every, int] = {"hour": 72, "day": 3, "week": 1}
"""The window of drift and performance by the length of a slice: 72 hours, or a week."""


class Measurement(NamedTuple):
    """One value of a metric on a column and segment, before any threshold.

    ``value`` is a finite number, or ``None`` with a ``reason`` that says what is missing and what
    to do. ``expected`` marks a missing value that is no one's fault yet (labels not due, too few
    slices since production began). A ``reason`` beside a value is a note on it. ``worse`` is the
    bad side; ``noise`` (at least 0) what chance alone exceeds with probability ``noise_alpha`` with
    so few rows; ``swing`` the standard deviation by which it moves from window to window while
    nothing lasting happens, which counts for pages; ``is_distance`` says that without any drift the
    value lies between 0 and the noise, and ``scale`` on which scale it is then nearly normal;
    ``standard_error`` the value's own sampling error, ``None`` where it is not known;
    ``reference`` the baseline's value. ``levels`` are limits that come with the measurement
    itself and stand before the monitor's thresholds; ``most`` is the worst that its verdict may
    say, below what the monitor may. ``delays`` are those of its labels.

    A tuple, as there are many: a frozen dataclass of so many fields takes ten times as long to
    make.
    """

    metric: str
    value: float | None
    n: int
    column: str | None = None
    segment: str | None = None
    reason: str | None = None
    noise: float = 0.0
    standard_error: float | None = None
    worse: Sides = "both"
    is_distance: bool = False
    scale: Scale = "identity"
    noise_alpha: float = 0.01
    swing: float = 0.0
    expected: bool = False
    n_labelled: int | None = None
    reference: float | None = None
    levels: Levels | None = None
    most: Severity = Severity.ERROR
    delays: DelayCounts | None = None

    @property
    def coverage(self) -> float | None:
        """The share of its rows that have a label; ``None`` where labels do not matter."""
        return None if self.n_labelled is None or not self.n else self.n_labelled / self.n

    @property
    def key(self) -> tuple[str, str | None, str | None]:
        """What the measurement is of; the same from partition to partition."""
        return self.metric, self.column, self.segment


class Once:
    """What several monitors ask for and is dear to make: each thing made once, the last 16 kept."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, object] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gave the last time that the key was asked for, or gives now."""
        if key not in self._made:
            self._made[key] = make()
            if len(self._made) > _MADE_KEPT:
                self._made.popitem(last=False)
        return cast("T", self._made[key])


class View(Protocol):
    """What a monitor may see of one model at one partition, and nothing later than it.

    ``now`` is the moment as of which labels are known. ``labels_due`` is when the partition's
    labels are expected; ``None`` when no ground truth is declared. ``segments`` are the columns
    that rows are grouped by.
    """

    @property
    def model(self) -> str: ...
    @property
    def task(self) -> Task: ...
    @property
    def columns(self) -> Columns: ...
    @property
    def segments(self) -> tuple[str, ...]: ...
    @property
    def partitions(self) -> Partitions: ...
    @property
    def partition(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    @property
    def labels_due(self) -> datetime | None: ...
    @property
    def baseline(self) -> Baseline: ...
    @property
    def once(self) -> Once:
        """What monitors share; the partition is a part of the key."""
        ...

    @property
    def left_out(self) -> frozenset[str]:
        """Partitions that a person marked, as normal or as bad: limits do not learn from them."""
        ...

    def window(self, length: int) -> Window:
        """The profile of the ``length`` slices that end with this partition."""
        ...

    def rolling(self, length: int, *, before: int) -> Window:
        """The profile of the ``length`` slices right before the ``before`` latest ones."""
        ...

    def performance(self, length: int) -> PerformanceWindow:
        """Predictions against labels known at ``now``, over the ``length`` latest slices."""
        ...

    def arrivals(self, length: int, *, before: int) -> Arrivals:
        """When labels known at ``now`` came, of ``length`` slices before the ``before`` latest."""
        ...

    def slice_batches(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        """Raw rows of this partition's slice; all columns when ``None``.

        Raises:
            DataError: the slice has no file, or it can't be read.
        """
        ...

    def at(self, partition: str) -> View:
        """The same model at an earlier partition, with the same ``now``."""
        ...


class Monitor(Declaration, ABC):
    """What to watch, over which window, and from which value on it matters."""

    asset: ClassVar[MonitoredAsset]
    cause: ClassVar[Cause] = Cause.MODEL
    """What its trouble tells of: monitors of one cause share an incident."""
    by_length: ClassVar[ByLength] = {}
    """Fields that count slices, with their defaults by the length of a slice."""

    name: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_]*$",
        description="Name of the monitor and of its check; made from its type when left out.",
    )
    description: str = Field(default="", description="A sentence for whoever reads the check.")
    window: int = Field(
        default=1,
        ge=1,
        le=MOST_SLICES,
        description="How many slices, up to the judged one, are put together.",
    )
    segments: bool = Field(
        default=False, description="Whether each of the model's segments is judged beside all rows."
    )
    severity: Severity = Field(
        default=Severity.ERROR, description="The most that this monitor can say: WARN or ERROR."
    )
    for_: int | None = Field(
        default=None,
        ge=1,
        le=366,
        alias="for",
        description="Partitions in trouble one after the other that make an incident; the alert "
        "policy's when left out.",
    )
    keep_firing_for: int | None = Field(
        default=None,
        ge=1,
        le=366,
        description="Healthy partitions one after the other that end it; the alert policy's when "
        "left out.",
    )
    minimum_n: int = Field(
        default=0,
        ge=0,
        description="With fewer rows a value is kept without a verdict: NO_DATA, and expected.",
    )
    threshold: AnyThreshold | None = Field(
        default=None, description="Limits of every metric; each metric's own default when left out."
    )
    thresholds: dict[str, AnyThreshold] = Field(
        default_factory=dict, description="Limits of single metrics, by the metric's name."
    )

    _every: Every = PrivateAttr(default="day")
    _share: Share | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if not self.name:
            # The declaration is frozen for its users; this completes it before they see it.
            object.__setattr__(self, "name", self.default_name())
        return self

    def counted_in(self, every: Every) -> Self:
        """The same monitor over slices of a length: what was left to a default is counted in them.

        So a window of 72 hours is 3 days, or 72 hours. What was declared stays as it is.
        """
        defaults = {
            name: defaults[every]
            for name, defaults in self.by_length.items()
            if name not in self.model_fields_set
        }
        window = defaults.get("window", self.window)
        limits = {
            name: one.counted_in(every, window=window) for name, one in self.thresholds.items()
        }
        own = self.threshold.counted_in(every, window=window) if self.threshold else None
        found = self.model_copy(update={**defaults, "threshold": own, "thresholds": limits})
        found._every = every  # noqa: SLF001 - its own class
        return found

    def with_share(self, share: Share | None) -> Self:
        """The same monitor with its part of the model's budget of false pages."""
        found = self.model_copy()
        found._share = share  # noqa: SLF001 - its own class
        return found

    @property
    def share(self) -> Share | None:
        """Its part of the model's budget of false pages; ``None`` when there is none."""
        return self._share

    @property
    def kind(self) -> str:
        """The monitor's type, as written in YAML."""
        return str(type(self).model_fields["type"].default)

    @abstractmethod
    def measure(self, view: View) -> list[Measurement]:
        """Every value of this monitor at the view's partition; data never makes it raise."""

    def measure_each(self, views: Iterable[View]) -> Iterator[list[Measurement]]:
        """As :meth:`measure` of each view in turn; some monitors take less time for many."""
        return map(self.measure, views)

    @abstractmethod
    def default_threshold(self, metric: str) -> Threshold:
        """The limits of a metric for which none are declared."""

    def default_name(self) -> str:
        """The name of a monitor that was given none."""
        return self.kind

    def baseline_kind(self) -> str | None:
        """``"training"``, ``"rolling"``, or ``None`` when it compares with nothing."""
        return None

    def equal_width_bins(self) -> int | Literal["doane"] | None:
        """How many equal-width bins it asks the baseline's grid for, or the rule for that."""
        return None

    def projected_columns(self, columns: Columns) -> tuple[str, ...]:  # noqa: ARG002 - a hook
        """The columns that it asks the baseline to project rows of; empty: it asks for none."""
        return ()

    def sampled_columns(self, columns: Columns) -> tuple[str, ...]:  # noqa: ARG002 - a hook
        """The columns that it asks profiles to sample rows of; empty: it asks for none."""
        return ()

    def needs_losses(self) -> bool:
        """Whether it asks the baseline to keep rows with the model's loss."""
        return False

    def threshold_of(self, metric: str) -> Threshold:
        """The limits that hold for a metric: its own, else the monitor's, else the default."""
        found = self.thresholds.get(metric) or self.threshold or self.default_threshold(metric)
        return found.counted_in(self._every, window=self.window)

    def past_slices(self) -> int:
        """How many slices before the judged window its learned thresholds look at."""
        declared = [*self.thresholds.values(), *([self.threshold] if self.threshold else [])]
        defaults = [self.threshold_of(metric) for metric in self.metric_names()]
        return max((t.past_slices() for t in [*declared, *defaults]), default=0)

    def learned_at(self, partition: str) -> tuple[str, ...]:
        """The partitions whose past its thresholds learn from: the judged one, and pinned ones."""
        declared = [*self.thresholds.values(), *([self.threshold] if self.threshold else [])]
        found = {partition, *(threshold.learned_at(partition) for threshold in declared)}
        return tuple(sorted(found))

    def warm_up_slices(self) -> int:
        """How many slices it takes from the start of production until all it looks at exists."""
        return self.past_slices() + self.window

    def changes_at(self, view: View) -> Sequence[datetime]:  # noqa: ARG002 - a hook
        """When its verdict at the view's partition changes with no label or row changing."""
        return ()

    def metric_names(self) -> Sequence[str]:
        """The metrics whose thresholds are known before anything is measured."""
        return ()
