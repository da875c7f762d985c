"""Many comparisons measured together: what their metrics compute, they compute for all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property, lru_cache

import numpy as np

from dagster_monitoring.monitors._comparison import Comparison, Row
from dagster_monitoring.monitors._monitor import Measurement
from dagster_monitoring.statistics.drift import DriftMetric, Pair, Pairs, Side, Told
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined

# Limits move out by what sampling alone exceeds once in a hundred.
_NOISE_ALPHA = 0.01

_CELLS = 1 << 17
"""Bins that are looked at together: calls are shared by many, and an array of them takes 1 MB."""

_STAYING = 32
"""Groups of baseline columns that are remembered, with all that belongs to them: 3 MB each."""


_BLOCK = 31 << 20
"""Bytes; the C library does not go by blocks of more than 32 MB."""


def measure(comparisons: Iterable[Comparison], note: str | None) -> list[list[Measurement]]:
    """What each comparison's metrics give, in the order of the comparisons.

    Args:
        comparisons: columns, of all rows and of segments.
        note: beside the values.
    """
    _keep_freed_memory()
    given = [*comparisons]
    found: list[list[Measurement]] = [[] for _ in given]
    for places in _groups(given):
        group = _Group([given[place] for place in places])
        for at, place in enumerate(places):
            own = given[place]
            found[place] = [
                own.measurement(metric, group.told(metric)[at], note) for metric in own.metrics
            ]
    return found


@cache
def _keep_freed_memory() -> None:
    """Lets the C library keep what arrays leave for the arrays that follow.

    GNU's hands it back to the system, and asks for it again page by page, which takes as long as
    the arithmetic. It keeps twice as much as the largest block that was ever freed (mallopt(3),
    ``M_MMAP_THRESHOLD``): this one, of which no page is touched. Elsewhere it does nothing.
    """
    np.empty(_BLOCK, dtype=np.uint8)


def _groups(comparisons: Sequence[Comparison]) -> Iterator[list[int]]:
    """Places of comparisons that go together, numbers before names; not too large a group."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for place, own in enumerate(comparisons):
        alike.setdefault(_kind(own), []).append(place)
    for places in alike.values():
        some, cells = [], 0
        for place in sorted(places, key=lambda place: not comparisons[place].is_numeric):
            pair = comparisons[place].pair
            cells += 0 if isinstance(pair, Undefined) else len(pair.reference.counts)
            some.append(place)
            if cells >= _CELLS:
                yield some
                some, cells = [], 0
        if some:
            yield some


def _kind(own: Comparison) -> tuple[object, ...]:
    """Comparisons of one kind can be measured together."""
    why = own.pair if isinstance(own.pair, Undefined) else own.edges
    return own.stays, why if isinstance(why, Undefined) else None


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
        if not pairs or not comparisons[0].stays:
            return Pairs.of(pairs) if pairs else None
        return Pairs.of(pairs, _staying(tuple(pair.sampled for pair in pairs)))


def _rows(told: Told) -> list[Row]:
    """A row a pair; noise that is not known widens no limit."""
    noise = [own if type(own) is float else 0.0 for own in told.noise]
    errors = [own if type(own) is float else None for own in told.errors]
    return [*zip(told.values, noise, errors, told.vagueness, strict=True)]


@lru_cache(maxsize=_STAYING)
def _staying(histograms: tuple[Histogram, ...]) -> Side:
    return Side.of(histograms)
