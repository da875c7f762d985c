"""Bins that a baseline fixes: every later count of a column is made on them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.doane import doane_edges

if TYPE_CHECKING:
    from dagster_monitoring.profiles.projection import Projection
    from dagster_monitoring.profiles.sample import SamplePlan

Floats = npt.NDArray[np.float64]

MAX_BINS = 2048
"""Default of ``max_bins``: the Kolmogorov-Smirnov distance is then within 1 / 2048."""

SEGMENT_BINS = 64
"""At most so many numeric bins in a segment."""

SEGMENT_CATEGORIES = 255
"""So many names of a vocabulary, its most frequent ones, are counted by name in a segment."""

LARGEST = 1e140
"""Numbers beyond this size count as infinite: the sum of their squares is not a number."""

UNIT_BITS = 36
"""A unit of sums is ``2 ** -36`` of what a baseline's values are usually away from the centre.

That distance ``d`` is rounded up to a power of two, and a value is off by half a unit at the most:
a mean, also of a segment, by less than ``2 ** -36 * d``, 1.5e-11 of it.
"""

SQUARE_BITS = 37
"""A unit of squares is ``2 ** 37`` times the square of a unit of sums.

With the root mean square ``r`` of rows' offsets from the centre, their variance is off by less than
``2 ** -34 * d * (r + d)``: where their standard deviation is at least a tenth of ``d`` and ``r``
about ``d``, that is off by less than 1e-9 of ``d``. Of rows that are all nearly the same it may be
1e-5 of ``d`` instead of 0.
"""

OTHER = "<other>"
"""The segment of rows whose value is missing or not one of the baseline's largest."""

_WIDEST_SHARE = 1 / 256
"""No bin within the baseline's range is wider than this share of the range."""

_FAR_SHARE = 0.001
"""The outermost values at each end that do not move a column's unit."""

_EXPONENTS = (-400, 465)
"""Units stay in the middle of what floats can hold, so that no product leaves them."""

_TAIL_STEPS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Edges beyond the baseline's range, in its standard deviations."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NumericBins:
    """Bins of a numeric column, open on the right, the outer two reaching to infinity.

    Attributes:
        edges: interior edges, strictly increasing, shape ``(k - 1,)`` for ``k`` bins.
        segment_edges: those of ``edges`` that segments are counted on, at most 63.
        deciles: distinct 10 % to 90 % quantiles of the baseline, each one of ``edges``.
        centre: a training value that sums are centred on, so that they do not cancel.
        minimum: the baseline's smallest finite value; ``None`` when it has none.
        maximum: the baseline's largest finite value; ``None`` when it has none.
        std: the baseline's population standard deviation; ``None`` when it has no value.
        exact: whether every baseline value has a bin of its own, so that the
            Kolmogorov-Smirnov distance to the baseline is exact.
        exponent: sums are counted in units of ``2 ** exponent``.
        doane: how many bins Doane's rule gives the baseline, when their edges are among
            ``edges``; see :mod:`~dagster_monitoring.profiles.doane`.
    """

    edges: Floats
    segment_edges: Floats
    deciles: Floats
    centre: float
    minimum: float | None
    maximum: float | None
    std: float | None
    exact: bool
    exponent: int = -UNIT_BITS
    doane: int | None = None

    @property
    def squares_exponent(self) -> int:
        """Squares are counted in units of ``2 ** squares_exponent``."""
        return 2 * self.exponent + SQUARE_BITS

    @cached_property
    def key(self) -> str:
        """A hash of all that counting depends on."""
        digest = hashlib.blake2b(b"numeric", digest_size=16)
        for part in (self.edges, self.segment_edges, self.deciles, np.array([self.centre])):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(part, dtype="<f8").tobytes())
        digest.update(self.exponent.to_bytes(8, "little", signed=True))
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False)
class CategoricalBins:
    """Names that a categorical column had in the baseline, the most frequent first.

    Attributes:
        vocabulary: distinct names.
        complete: whether these are all of the baseline's names, so that any other is new.
    """

    vocabulary: tuple[str, ...]
    complete: bool = True

    @property
    def segment_vocabulary(self) -> tuple[str, ...]:
        """The names that are counted apart in a segment."""
        return self.vocabulary[:SEGMENT_CATEGORIES]

    @cached_property
    def key(self) -> str:
        """A hash of all that counting depends on."""
        digest = hashlib.blake2b(b"categorical", digest_size=16)
        for name in self.vocabulary:
            encoded = name.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
        digest.update(bytes([self.complete]))
        return digest.hexdigest()


Bins = NumericBins | CategoricalBins


@dataclass(frozen=True, kw_only=True, eq=False)
class BinSet:
    """All bins of a baseline, and the values of the columns that make segments.

    Attributes:
        columns: bins by column.
        segments: the values counted apart by segment column, largest first; the rest, and
            missing values, are ``<other>``.
        projections: what rows are projected on, one for each choice of columns.
        sample: which columns of how many rows are kept; ``None`` keeps no row.
    """

    columns: Mapping[str, Bins]
    segments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    projections: tuple[Projection, ...] = ()
    sample: SamplePlan | None = None

    @property
    def numeric(self) -> dict[str, NumericBins]:
        """The numeric columns' bins."""
        return {n: b for n, b in self.columns.items() if isinstance(b, NumericBins)}

    @property
    def categorical(self) -> dict[str, CategoricalBins]:
        """The categorical columns' bins."""
        return {n: b for n, b in self.columns.items() if isinstance(b, CategoricalBins)}

    @cached_property
    def key(self) -> str:
        """A hash of all bins and segment values: profiles add when their keys are equal."""
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(self.columns):
            digest.update(repr((name, self.columns[name].key)).encode())
        digest.update(repr(sorted(self.segments.items())).encode())
        for projection in self.projections:
            digest.update(projection.key.encode())
        if self.sample is not None:
            digest.update(self.sample.key.encode())
        return digest.hexdigest()


def build_numeric_bins(
    values: npt.ArrayLike,
    *,
    max_bins: int = MAX_BINS,
    extra_edges: Sequence[float] | Floats = (),
    doane: int | None = None,
) -> NumericBins:
    """Bins from a baseline column, fine enough for every drift metric.

    No bin holds more than ``1 / max_bins`` of the baseline in its open interior, so that a
    Kolmogorov-Smirnov distance read off the edges is within ``1 / max_bins`` of the exact one.
    A value as frequent as that has a bin of its own, as has every value of a column with at
    most ``max_bins / 2`` distinct ones. Deciles and ``extra_edges`` are edges exactly.

    Args:
        values: the baseline's numbers; NaN and infinities are left out.
        max_bins: the fineness, at least 2.
        extra_edges: edges that a monitor asks for, for instance :func:`equal_width_edges`.
        doane: how many bins Doane's rule gives; their edges are edges too.

    Example:
        >>> bins = build_numeric_bins([1.0, 2.0, 2.0])
        >>> bins.exact, bins.minimum, bins.maximum
        (True, 1.0, 2.0)
        >>> build_numeric_bins([]).edges.tolist()
        []
    """
    given = np.asarray(values, dtype=np.float64).ravel()
    finite = np.sort(given[np.abs(given) <= LARGEST])
    extra = np.asarray(extra_edges, dtype=np.float64)
    extra = extra[np.abs(extra) <= LARGEST]
    if not len(finite):
        return _without_values(extra)
    if doane is not None:
        own = doane_edges(float(finite[0]), float(finite[-1]), doane)
        extra = np.concatenate((extra, own))
    distinct, counts = _tally(finite)
    exact = 2 * len(distinct) <= max_bins
    inner = _atoms(distinct) if exact else _group(distinct, counts, len(finite) / max_bins)
    deciles = np.unique(np.quantile(finite, np.arange(1, 10) / 10))
    std = float(finite.std()) if finite[0] < finite[-1] else 0.0
    edges = np.unique(
        np.concatenate((inner, deciles, extra, _split_wide(inner), _tails(finite, std)))
    )
    centre = float(finite[len(finite) // 2])
    return NumericBins(
        edges=edges,
        segment_edges=_segment_edges(edges, inner, np.concatenate((deciles, extra))),
        deciles=deciles,
        centre=centre,
        minimum=float(finite[0]),
        maximum=float(finite[-1]),
        std=std,
        exact=exact,
        exponent=_exponent(finite, centre),
        doane=doane,
    )


def equal_width_edges(minimum: float, maximum: float, count: int) -> Floats:
    """Interior edges of ``count`` bins of equal width from ``minimum`` to ``maximum``.

    A constant column has one edge, the constant.

    Example:
        >>> equal_width_edges(0.0, 3.0, 3).tolist()
        [1.0, 2.0]
        >>> equal_width_edges(5.0, 5.0, 30).tolist()
        [5.0]
    """
    return np.unique(np.linspace(minimum, maximum, count + 1)[1:-1])


def _without_values(extra: Floats) -> NumericBins:
    edges = np.unique(extra)
    return NumericBins(
        edges=edges,
        segment_edges=edges[: SEGMENT_BINS - 1],
        deciles=np.zeros(0),
        centre=0.0,
        minimum=None,
        maximum=None,
        std=None,
        exact=True,
    )


def _exponent(ordered: Floats, centre: float) -> int:
    """The unit's exponent, from how far values usually are from the centre.

    That is their root mean square, with the outermost values drawn in, rounded up to a power
    of two; of a constant column, the constant's size.
    """
    cut = int(len(ordered) * _FAR_SHARE)
    inside = np.clip(ordered, ordered[cut], ordered[-1 - cut]) - centre
    largest = float(np.abs(inside).max()) or float(np.abs(ordered - centre).max())
    if not largest:
        return _held(abs(centre) or 1.0)
    return _held(largest * float(np.sqrt(np.mean((inside / largest) ** 2))) or largest)


def _held(distance: float) -> int:
    lowest, highest = _EXPONENTS
    fraction, power = math.frexp(distance)
    return min(max(power - (fraction == 0.5), lowest), highest) - UNIT_BITS  # noqa: PLR2004 - a power of two


def _tally(ordered: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


def _atoms(distinct: Floats) -> Floats:
    """An edge at each value and one right above it: the value's bin holds nothing else."""
    return np.unique(np.concatenate((distinct, np.nextafter(distinct, np.inf))))


def _group(distinct: Floats, counts: npt.NDArray[np.int64], most: float) -> Floats:
    """Edges that put at most ``most`` rows in a bin, and each heavier value in its own."""
    # Of the key's type: searching integers for a float would convert all of them at each step.
    ends = np.cumsum(counts).astype(np.float64)
    starts = []
    at = 0
    while at < len(distinct):
        starts.append(at)
        before = ends[at] - counts[at]
        at = max(int(np.searchsorted(ends, before + most, side="right")), at + 1)
    heavy = distinct[counts >= most]
    last = np.nextafter(distinct[-1:], np.inf)
    return np.unique(np.concatenate((distinct[starts], last, _atoms(heavy))))


def _split_wide(edges: Floats) -> Floats:
    """Edges that divide wide bins, where a Wasserstein distance would be vague."""
    widths = np.diff(edges)
    widest = (edges[-1] - edges[0]) * _WIDEST_SHARE
    parts = [
        np.linspace(edges[i], edges[i + 1], int(np.ceil(widths[i] / widest)) + 1)[1:-1]
        for i in np.flatnonzero(widths > widest)
        if widest > 0
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _tails(finite: Floats, std: float) -> Floats:
    steps = std * np.array(_TAIL_STEPS)
    return np.concatenate((finite[0] - steps, finite[-1] + steps)) if std else np.zeros(0)


def _segment_edges(edges: Floats, inner: Floats, wanted: Floats) -> Floats:
    """All wanted edges, filled up evenly with ``inner`` ones; each is one of ``edges``."""
    most = SEGMENT_BINS - 1
    if len(edges) <= most:
        return edges
    chosen = np.unique(wanted)[:most]
    room = most - len(chosen)
    even = inner[np.unique(np.linspace(0, len(inner) - 1, num=room).astype(np.int64))]
    return np.unique(np.concatenate((chosen, even)))
