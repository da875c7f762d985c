"""Projections from a baseline's rows: their means, then how their columns go together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles.bins import LARGEST, Bins, CategoricalBins
from dagster_monitoring.profiles.encoded import EncodedRows, RowEncoder
from dagster_monitoring.profiles.fitting import Read
from dagster_monitoring.profiles.projection import MAX_COLUMNS, Projection, build_projection
from dagster_monitoring.profiles.sample import SamplePlan
from dagster_monitoring.statistics.exact_sum import ExactSum

Floats = npt.NDArray[np.float64]

_CHUNK = 8192
"""Rows whose products are summed at a time, so that batches of any size give the same sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowNeeds:
    """What monitors ask to keep of whole rows.

    Attributes:
        projections: the columns of each projection.
        sampled: the columns of the sample.
        losses: whether rows are kept with the model's loss; then features and outputs are sampled.
    """

    projections: tuple[tuple[str, ...], ...] = ()
    sampled: tuple[str, ...] = ()
    losses: bool = False

    @classmethod
    def of(
        cls,
        *,
        projected: Iterable[tuple[str, ...]],
        sampled: Iterable[tuple[str, ...]],
        losses: bool = False,
    ) -> RowNeeds:
        """From what each monitor asks for; empty where one asks for nothing.

        Example:
            >>> RowNeeds.of(projected=[("a", "b"), (), ("a", "b")], sampled=[("a",), ("b", "a")])
            RowNeeds(projections=(('a', 'b'),), sampled=('a', 'b'), losses=False)
        """
        return cls(
            projections=tuple(columns for columns in dict.fromkeys(projected) if columns),
            sampled=tuple(dict.fromkeys(name for columns in sampled for name in columns)),
            losses=losses,
        )


def fit_projections(
    read: Read, *, bins: Mapping[str, Bins], choices: Sequence[tuple[str, ...]]
) -> tuple[Projection, ...]:
    """A projection for each choice of columns, in two passes over the rows.

    Memory does not depend on the number of rows: what is kept is a square of columns.

    Args:
        read: the baseline's rows.
        bins: of all columns, fitted on these rows.
        choices: the columns of each projection.

    Raises:
        BaselineError: a column that the baseline does not count, or more columns than
            ``MAX_COLUMNS``.
    """
    for columns in choices:
        _check(columns, bins)
        if len(columns) > MAX_COLUMNS:
            raise BaselineError(
                f"pca_reconstruction_error takes at most {MAX_COLUMNS} columns, not "
                f"{len(columns)}. Name those to watch in the monitor's field columns"
            )
    names = tuple(dict.fromkeys(name for columns in choices for name in columns))
    if not names:
        return ()
    own = {name: bins[name] for name in names}
    means = _Means(own)
    for rows in _encoded(read, own):
        means.add(rows)
    shares = means.shares()
    centres = means.means(shares)
    products = np.zeros((len(names), len(names)))
    for chunk in _chunks(_centred(_encoded(read, own), centres, shares), len(names)):
        products += _products(chunk)
    found = []
    for columns in choices:
        at = [names.index(name) for name in columns]
        projection = build_projection(
            columns=columns,
            means=np.array([centres[name] for name in columns]),
            products=products[np.ix_(at, at)],
            rows=means.rows,
            shares=shares,
        )
        found.append(projection)
    return tuple(found)


def plan_sample(sampled: Sequence[str], bins: Mapping[str, Bins]) -> SamplePlan | None:
    """A sample of these columns; ``None`` when there are none.

    Raises:
        BaselineError: a column that the baseline does not count.
    """
    _check(tuple(sampled), bins)
    return SamplePlan(columns=tuple(sampled)) if sampled else None


class _Means:
    """How often each category occurs, and the mean of each number, exactly."""

    def __init__(self, bins: Mapping[str, Bins]) -> None:
        self.rows = 0
        self._bins = bins
        self._counts = {
            name: np.zeros(len(own.vocabulary) + 2, dtype=np.int64)
            for name, own in bins.items()
            if isinstance(own, CategoricalBins)
        }
        self._sums = {name: ExactSum() for name in bins if name not in self._counts}
        self._numbers = dict.fromkeys(self._sums, 0)

    def add(self, rows: EncodedRows) -> None:
        self.rows += len(next(iter(rows.values())))
        for name in self._counts:
            self._counts[name] += np.bincount(rows[name], minlength=len(self._counts[name]))
        for name in self._sums:
            kept = rows[name][np.abs(rows[name]) <= LARGEST]
            self._sums[name] += ExactSum.of(kept)
            self._numbers[name] += len(kept)

    def shares(self) -> dict[str, Floats]:
        """What each place of a categorical column counts as."""
        return {name: _shares(counts, self.rows) for name, counts in self._counts.items()}

    def means(self, shares: Mapping[str, Floats]) -> dict[str, float]:
        """The means of the encoded columns; 0 of a column without a value."""
        found = {}
        for name in self._bins:
            if name in shares:
                total = float(np.sum(self._counts[name] * shares[name]))
                found[name] = total / max(self.rows, 1)
            else:
                found[name] = float(self._sums[name]) / max(self._numbers[name], 1)
        return found


def _shares(counts: npt.NDArray[np.int64], rows: int) -> Floats:
    """Missing names join the most frequent one; an unseen name has no share."""
    *known, _, missing = counts.tolist()
    found = np.zeros(len(counts))
    if known:
        # The vocabulary has the most frequent name first.
        known[0] += missing
        found[:-2] = np.array(known) / max(rows, 1)
        found[-1] = found[0]
    return found


def _encoded(read: Read, bins: Mapping[str, Bins]) -> Iterator[EncodedRows]:
    encoder = RowEncoder(bins)
    for batch in read([*bins]):
        if batch.num_rows:
            yield encoder.encode(batch)


def _centred(
    batches: Iterator[EncodedRows], means: Mapping[str, float], shares: Mapping[str, Floats]
) -> Iterator[Floats]:
    """Rows less their means, missing values imputed, shape ``(n, d)``."""
    for rows in batches:
        columns = []
        for name, mean in means.items():
            if name in shares:
                columns.append((shares[name] - mean)[rows[name]])
            else:
                is_known = np.abs(rows[name]) <= LARGEST
                columns.append(np.where(is_known, rows[name], mean) - mean)
        yield np.column_stack(columns)


def _chunks(parts: Iterator[Floats], width: int) -> Iterator[Floats]:
    """The same rows, so many at a time, however they come."""
    room = np.empty((_CHUNK, width))
    filled = 0
    for part in parts:
        at = 0
        while at < len(part):
            taken = min(_CHUNK - filled, len(part) - at)
            room[filled : filled + taken] = part[at : at + taken]
            filled, at = filled + taken, at + taken
            if filled == _CHUNK:
                yield room
                filled = 0
    if filled:
        yield room[:filled]


def _products(chunk: Floats) -> Floats:
    from threadpoolctl import threadpool_limits

    # Threads would divide the sums by the machine's number of cores.
    with threadpool_limits(limits=1):
        return chunk.T @ chunk


def _check(columns: tuple[str, ...], bins: Mapping[str, Bins]) -> None:
    unknown = [name for name in columns if name not in bins]
    if unknown:
        raise BaselineError(
            f"a monitor of several columns asks for {unknown[0]!r}, which is no feature, "
            f"prediction or score. There are: {', '.join(bins)}"
        )
