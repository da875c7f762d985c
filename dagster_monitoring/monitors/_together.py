"""Many comparisons measured together: what their metrics compute, they compute for all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

import numpy as np

from dagster_monitoring.monitors._comparison import Comparison
from dagster_monitoring.monitors._monitor import Measurement
from dagster_monitoring.statistics.drift import DriftMetric, Pair, Pairs, Side, Told
from dagster_monitoring.statistics.histogram import Histogram
from dagster_monitoring.statistics.undefined import Undefined

# Limits move out by what sampling alone exceeds once in a hundred.
_NOISE_ALPHA = 0.01

_CELLS = 1 << 15
"""Bins that are looked at together: as many as leave arrays of them in the cache."""

_STAYING = 32
"""Groups of baseline columns that are remembered, with all that belongs to them: 3 MB each."""


def measure(comparisons: Iterable[Comparison], note: str | None) -> list[list[Measurement]]:
    """What each comparison's metrics give, in the order of the comparisons.

    Args:
        comparisons: columns, of all rows and of segments.
        note: beside the values.
    """
    given = [*comparisons]
    found: list[list[Measurement]] = [[] for _ in given]
    for places in _groups(given):
        group = _Group([given[place] for place in places])
        for at, place in enumerate(places):
            own = given[place]
            found[place] = [
                own.measurement(metric, group.told(metric), at, note) for metric in own.metrics
            ]
    return found


def _groups(comparisons: Sequence[Comparison]) -> Iterator[list[int]]:
    """Places of comparisons that are alike, and not too large together."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for place, own in enumerate(comparisons):
        alike.setdefault(_kind(own), []).append(place)
    for places in alike.values():
        some, cells = [], 0
        for place in places:
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
    if isinstance(own.pair, Undefined):
        return (own.pair,)
    other = own.edges if isinstance(own.edges, Undefined) else own.edges is None
    return own.pair.reference.is_numeric, own.stays, other


class _Group:
    """Comparisons of one kind: what metrics tell of them, on the bins that each prefers."""

    def __init__(self, comparisons: Sequence[Comparison]) -> None:
        self._comparisons = comparisons
        self._told: dict[str, Told | Undefined] = {}

    def told(self, metric: DriftMetric) -> Told | Undefined:
        """What a metric tells of all of them, or why it tells nothing."""
        if metric.name not in self._told:
            pairs = self._pairs_for(metric)
            self._told[metric.name] = (
                pairs if isinstance(pairs, Undefined) else metric.measure(pairs, alpha=_NOISE_ALPHA)
            )
        return self._told[metric.name]

    def _pairs_for(self, metric: DriftMetric) -> Pairs | Undefined:
        """On the bins that the monitor asks for, or on those that the metric prefers."""
        first = self._comparisons[0]
        if isinstance(first.pair, Undefined):
            return first.pair
        if first.choice == "default" and metric.bins == "profile":
            return self._on_all_bins
        return self._on_chosen_bins

    @cached_property
    def _on_all_bins(self) -> Pairs:
        pairs = [own.pair for own in self._comparisons if isinstance(own.pair, Pair)]
        if not self._comparisons[0].stays:
            return Pairs.of(pairs)
        return Pairs.of(pairs, _staying(tuple(pair.sampled for pair in pairs)))

    @cached_property
    def _on_chosen_bins(self) -> Pairs | Undefined:
        why = self._comparisons[0].edges
        if why is None or isinstance(why, Undefined):
            return self._on_all_bins if why is None else why
        edges = [own.edges for own in self._comparisons]
        return self._on_all_bins.regroup([own for own in edges if isinstance(own, np.ndarray)])


@lru_cache(maxsize=_STAYING)
def _staying(histograms: tuple[Histogram, ...]) -> Side:
    return Side.of(histograms)
