"""Many comparisons measured together: what their metrics compute, they compute for all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, cached_property, lru_cache

import numpy as np

from dagster_monitoring.monitors._comparison import Comparison, Row
from dagster_monitoring.monitors._monitor import Measurement
from dagster_monitoring.statistics.drift import DriftMetric, Pair, Pairs, Side, Told
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined

# Limits move out by what sampling alone exceeds once in a hundred.
_NOISE_ALPHA = 0.01

_CELLS = 1 << 18
"""Bins that are looked at together: calls are shared by many, and an array of them takes 2 MB.
Slices are added up to here, and one slice is split at twice that.
"""

_MOST_CELLS = 2 * _CELLS

_LEAST_CELLS = 64
"""What a comparison counts for at least: it is some objects too."""

_STAYING = 32
"""Groups of baseline columns that are remembered, with all that belongs to them: 6 MB each."""


_RECENT = 2
"""Groups of windows' columns that are remembered, for monitors with other baselines: 20 MB each."""

_Waiting = tuple[Comparison, list[Measurement]]
"""A comparison, and what will hold its measurements."""

_BLOCK = 31 << 20
"""Bytes; the C library does not go by blocks of more than 32 MB."""


class Together:
    """Comparisons that wait for others, of their slice and of the next ones, to be measured with.

    Slices that are alike are put together alike: what belongs to their baseline is remembered.

    Example:
        >>> together = Together()
        >>> together.end_slice()
        >>> together.is_waiting
        False
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._cells = 0
        self._slice_began = 0
        self._is_split = False
        _keep_freed_memory()

    @property
    def is_waiting(self) -> bool:
        """Whether some are not measured yet."""
        return bool(self._waiting)

    def add(self, comparison: Comparison) -> list[Measurement]:
        """The list that will hold what its metrics give, once there are enough of them."""
        found: list[Measurement] = []
        self._waiting.append((comparison, found))
        pair = comparison.pair
        cells = 0 if isinstance(pair, Undefined) else len(pair.reference.counts)
        self._cells += max(cells, _LEAST_CELLS)
        if self._cells >= _MOST_CELLS:
            self.finish()
            self._is_split = True
        return found

    def end_slice(self) -> None:
        """Tells that what is added next is of another slice."""
        own = self._cells - self._slice_began
        if self._is_split or self._cells + own > _CELLS:
            self.finish()
        self._is_split, self._slice_began = False, self._cells

    def finish(self) -> None:
        """Measures those that wait."""
        alike: dict[tuple[object, ...], list[_Waiting]] = {}
        for own, found in self._waiting:
            alike.setdefault(_kind(own), []).append((own, found))
        self._waiting, self._cells = [], 0
        for some in alike.values():
            some.sort(key=lambda waiting: not waiting[0].is_numeric)
            _measure(some)


def measure(comparisons: Iterable[Comparison]) -> list[list[Measurement]]:
    """What each comparison's metrics give, in the order of the comparisons.

    Args:
        comparisons: columns, of all rows and of segments.
    """
    together = Together()
    found = [together.add(comparison) for comparison in comparisons]
    together.finish()
    return found


@cache
def _keep_freed_memory() -> None:
    """Lets the C library keep what arrays leave for the arrays that follow.

    GNU's hands it back to the system, and asks for it again page by page, which takes as long as
    the arithmetic. It keeps twice as much as the largest block that was ever freed (mallopt(3),
    ``M_MMAP_THRESHOLD``): this one, of which no page is touched. Elsewhere it does nothing.
    """
    np.empty(_BLOCK, dtype=np.uint8)


def _kind(own: Comparison) -> tuple[object, ...]:
    """Comparisons of one kind can be measured together."""
    why = own.pair if isinstance(own.pair, Undefined) else own.edges
    return own.stays, why if isinstance(why, Undefined) else None


def _measure(some: Sequence[_Waiting]) -> None:
    """Comparisons of one kind, numbers before names."""
    group = _Group([own for own, _ in some])
    metrics: Sequence[DriftMetric] = ()
    told: list[list[Row]] = []
    for place, (own, found) in enumerate(some):
        if own.metrics is not metrics:
            metrics = own.metrics
            told = [group.told(metric) for metric in metrics]
        found.extend(own.measurements(metrics, [rows[place] for rows in told]))


class _Group:
    """Comparisons that go together: what metrics tell of them, on the bins that each prefers."""

    def __init__(self, comparisons: Sequence[Comparison]) -> None:
        self._comparisons = comparisons
        self._told: dict[str, list[Row]] = {}

    def told(self, metric: DriftMetric) -> list[Row]:
        """What a metric tells of each of them, or of each numeric one."""
        if metric.name not in self._told:
            pairs = self._pairs_for(metric)
            self._told[metric.name] = (
                [(pairs, 0.0, None, 0.0)] * len(self._comparisons)
                if isinstance(pairs, Undefined)
                else _rows(metric.measure(pairs, alpha=_NOISE_ALPHA))
            )
        return self._told[metric.name]

    def _pairs_for(self, metric: DriftMetric) -> Pairs | Undefined:
        """On the bins that the monitor asks for, or on those that the metric prefers."""
        first = self._comparisons[0]
        if isinstance(first.pair, Undefined):
            return first.pair
        is_finest = first.choice == "default" and metric.bins == "profile"
        numbers = self._on_all_bins if is_finest else self._on_chosen_bins
        if isinstance(numbers, Undefined):
            return numbers
        names = self._names
        if names is None or "categorical" not in metric.kinds:
            return numbers or Undefined("there is no number to compare")
        return names if numbers is None else numbers.once(Pairs.followed_by, names)

    @cached_property
    def _on_all_bins(self) -> Pairs | None:
        return self._pairs([own for own in self._comparisons if own.is_numeric])

    @cached_property
    def _on_chosen_bins(self) -> Pairs | Undefined | None:
        edges = [own.edges for own in self._comparisons if own.is_numeric]
        if not edges or edges[0] is None or self._on_all_bins is None:
            return self._on_all_bins
        if isinstance(edges[0], Undefined):
            return edges[0]
        return self._on_all_bins.regroup([own for own in edges if isinstance(own, np.ndarray)])

    @cached_property
    def _names(self) -> Pairs | None:
        return self._pairs([own for own in self._comparisons if not own.is_numeric])

    def _pairs(self, comparisons: Sequence[Comparison]) -> Pairs | None:
        pairs = [own.pair for own in comparisons if isinstance(own.pair, Pair)]
        if not pairs:
            return None
        stays, is_numeric = comparisons[0].stays, comparisons[0].is_numeric
        return Pairs.of(
            pairs,
            sampled=_staying(tuple(pair.sampled for pair in pairs)) if stays else None,
            # Names are put in the order of their baseline, numbers are alike for all of them.
            after=_recent(tuple(pair.current for pair in pairs)) if is_numeric else None,
        )


def _rows(told: Told) -> list[Row]:
    """A row a pair; noise that is not known widens no limit."""
    noise = [own if type(own) is float else 0.0 for own in told.noise]
    errors = [own if type(own) is float else None for own in told.errors]
    return [*zip(told.values, noise, errors, told.vagueness, strict=True)]


@lru_cache(maxsize=_STAYING)
def _staying(histograms: tuple[Histogram, ...]) -> Side:
    return Side.of(histograms)


@lru_cache(maxsize=_RECENT)
def _recent(histograms: tuple[Histogram, ...]) -> Side:
    return Side.of(histograms)
