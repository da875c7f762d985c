"""The main directions of a baseline's rows, and how far other rows lie from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dagster_monitoring.profiles.bins import LARGEST
from dagster_monitoring.profiles.encoded import EncodedRows

Floats = npt.NDArray[np.float64]
EXPLAINED = 0.65
"""The components that are kept explain more than this share of the baseline's variance."""

MAX_COLUMNS = 256
"""Projecting a row takes time that grows with the square of the columns."""

_FARTHEST = 1e6
"""A value counts as no farther from the mean than so many standard deviations: one cell must not
outweigh all others of a year, nor overflow."""

_ROWS = 8192
"""Rows at a time: what stays in the cache."""

_CONSTANT = 1e-13
_DIGITS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Centres and scales rows, and measures what principal components do not tell of them.

    A category counts as its share among the baseline's rows, an unseen one as 0, a missing one as
    the most frequent; a missing or infinite number counts as the mean.

    Attributes:
        columns: the columns, in order.
        means: of the baseline's encoded columns, shape ``(d,)``.
        scales: their population standard deviations, 1 where constant, shape ``(d,)``.
        residual: an orthonormal basis of what the components leave out, turned so that it is
            upper triangular, shape ``(r, d)``; the length of a scaled row in it is the row's
            reconstruction error. ``r`` is 0 when no two columns vary: there is nothing to project.
        shares: by categorical column, what each place counts as.
        explained: the share of the variance that the components explain.

    Source: NannyML's DataReconstructionDriftCalculator, with scikit-learn's
    ``PCA(n_components=0.65)``.
    """

    columns: tuple[str, ...]
    means: Floats
    scales: Floats
    residual: Floats
    shares: Mapping[str, Floats]
    explained: float

    @property
    def components(self) -> int:
        """How many principal components are kept."""
        return len(self.columns) - len(self.residual)

    @property
    def is_usable(self) -> bool:
        """Whether there is anything to measure."""
        return len(self.residual) > 0

    @cached_property
    def key(self) -> str:
        """A hash of all that measuring depends on."""
        digest = hashlib.blake2b(repr(self.columns).encode("utf-8", "surrogatepass"))
        for part in (self.means, self.scales, self.residual, *self.shares.values()):
            digest.update(repr(part.shape).encode())
            digest.update(np.ascontiguousarray(part, dtype="<f8").tobytes())
        return digest.hexdigest()[:32]

    def squared_errors(self, rows: EncodedRows) -> Floats:
        """The square of each row's reconstruction error; in units of the baseline's variance.

        Each row's figure is the same to the last bit however rows are put together: columns are
        added one by one, and not by a matrix product, whose order depends on its shape.

        Args:
            rows: all of :attr:`columns`, one at least, of one length.

        Returns:
            Finite and at least 0, shape ``(n,)``.

        Raises:
            KeyError: a column is not there.
        """
        given = [rows[name] for name in self.columns]
        n = len(given[0])
        found = np.empty(n)
        work = _Work.of(len(self.residual), min(n, _ROWS))
        for start in range(0, n, _ROWS):
            part = slice(start, min(start + _ROWS, n))
            self._measure([column[part] for column in given], work, found[part])
        return found

    def errors(self, rows: EncodedRows) -> Floats:
        """The reconstruction error of each row, in the baseline's standard deviations."""
        return np.sqrt(self.squared_errors(rows))

    def _measure(self, given: list[npt.NDArray[np.generic]], work: _Work, out: Floats) -> None:
        n = len(out)
        total = work.total[:, :n]
        total.fill(0.0)
        for at, column in enumerate(given):
            offsets = self._offsets(at, column)
            # Below the diagonal there are zeros only.
            height = min(at + 1, len(total))
            weights = self._weights[:height, at, None]
            total[:height] += np.multiply(weights, offsets, out=work.product[:height, :n])
        np.multiply(total, total, out=total)
        out.fill(0.0)
        for row in total:
            out += row

    def _offsets(self, at: int, column: npt.NDArray[np.generic]) -> Floats:
        """A column less the baseline's mean; 0 where it has no value."""
        name, mean = self.columns[at], self.means[at]
        shares = self.shares.get(name)
        if shares is not None:
            offsets: Floats = (shares - mean)[column]
            return offsets
        offsets = np.subtract(column, mean)
        farthest = min(_FARTHEST * float(self.scales[at]), LARGEST)
        # Written so that NaN, which compares as false, is looked at too.
        if not (offsets.min() >= -farthest and offsets.max() <= farthest):
            offsets[~(np.abs(column) <= LARGEST)] = 0.0
            np.clip(offsets, -farthest, farthest, out=offsets)
        return offsets

    @cached_property
    def _weights(self) -> Floats:
        return self.residual / self.scales


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """Room for the sums of some rows."""

    total: Floats
    product: Floats

    @classmethod
    def of(cls, height: int, rows: int) -> _Work:
        return cls(np.empty((height, rows)), np.empty((height, rows)))


def build_projection(
    *,
    columns: tuple[str, ...],
    means: Floats,
    products: Floats,
    rows: int,
    shares: Mapping[str, Floats],
) -> Projection:
    """A projection from the sums of a baseline's rows.

    As many components are kept as scikit-learn's ``PCA(n_components=0.65)`` keeps, but never all
    that vary: with all of them no row has an error, whatever it is.

    Args:
        columns: the columns, in order.
        means: of the encoded columns, missing values imputed.
        products: sums of the products of two columns less their means, shape ``(d, d)``.
        rows: how many rows they are of.
        shares: by categorical column, what each place counts as.

    Example:
        >>> both = build_projection(
        ...     columns=("a", "b"), means=np.zeros(2), rows=4,
        ...     products=np.array([[4.0, 4.0], [4.0, 4.0]]), shares={},
        ... )
        >>> both.components
        1
        >>> both.errors({"a": np.array([1.0, 1.0]), "b": np.array([1.0, -1.0])}).round(9).tolist()
        [0.0, 1.414213562]
    """
    deviations = np.sqrt(np.maximum(np.diag(products), 0.0) / max(rows, 1))
    varies = deviations > _CONSTANT * np.abs(means)
    scales = np.where(varies, deviations, 1.0)
    covariance = products / max(rows, 1) / np.outer(scales, scales)
    covariance[~varies] = 0.0
    covariance[:, ~varies] = 0.0
    residual, explained = np.zeros((0, len(columns))), 0.0
    some = int(np.count_nonzero(varies))
    if some > 1:
        residual, explained = _left_out(covariance, most=some - 1)
    return Projection(
        columns=columns,
        means=means,
        scales=scales,
        residual=residual,
        shares={name: shares[name] for name in columns if name in shares},
        explained=explained,
    )


def _left_out(covariance: Floats, *, most: int) -> tuple[Floats, float]:
    """A triangular basis of what at most so many components leave out, and what they explain."""
    variances, directions = np.linalg.eigh(covariance)
    variances, directions = np.maximum(variances[::-1], 0.0), directions[:, ::-1]
    explained = np.cumsum(variances / variances.sum())
    kept = int(np.searchsorted(explained, EXPLAINED, side="right")) + 1
    kept = min(kept, most)
    turned: Floats = np.asarray(np.linalg.qr(directions[:, kept:].T, mode="r"))
    turned = turned * np.where(np.diag(turned) < 0, -1.0, 1.0)[:, None]
    # The last digits depend on the machine's linear algebra; equal rows should be one version.
    return np.triu(turned).round(_DIGITS) + 0.0, float(explained[kept - 1].round(_DIGITS))
