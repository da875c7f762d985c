"""How many ids repeat, exactly and in bounded memory."""

from __future__ import annotations

import tempfile
from types import TracebackType
from typing import IO, Self

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

HELD = 1 << 22
"""Hashes held in memory: 32 MB. Beyond, they go to a temporary file."""

_BUCKETS = 256
_SHIFT = np.uint64(56)
_BYTES = 8


class Duplicates:
    """Counts rows whose id an earlier row had, from 64-bit hashes.

    Beyond ``HELD`` hashes they are kept in an unnamed temporary file, sorted into 256 buckets
    by their first byte; equal ones share a bucket, so that buckets are counted one by one. The
    file takes 8 bytes an id in the system's temporary folder (``TMPDIR``) and is gone with the
    process at the latest.

    Example:
        >>> with Duplicates() as duplicates:
        ...     duplicates.add(np.array([1, 2, 1], dtype=np.uint64))
        ...     duplicates.count()
        1
    """

    def __init__(self) -> None:
        self._held: list[Hashes] = []
        self._n_held = 0
        self._file: IO[bytes] | None = None
        self._at = 0
        # Where each spill begins, and how many hashes it has by bucket.
        self._spills: list[tuple[int, npt.NDArray[np.int64]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, hashes: Hashes) -> None:
        """Add ids."""
        self._held.append(hashes)
        self._n_held += len(hashes)
        if self._n_held >= HELD:
            self._spill()

    def count(self) -> int:
        """Rows beyond the first of each id."""
        if not self._spills:
            return _repeated(np.concatenate([*self._held, np.zeros(0, dtype=np.uint64)]))
        if self._n_held:
            self._spill()
        return sum(_repeated(self._bucket(i)) for i in range(_BUCKETS))

    def _spill(self) -> None:
        hashes = np.concatenate(self._held)
        self._held, self._n_held = [], 0
        bucket = (hashes >> _SHIFT).astype(np.uint8)
        order = np.argsort(bucket, kind="stable")
        if self._file is None:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 - __exit__ closes it
                prefix="dagster-monitoring-ids-"
            )
        self._file.seek(self._at)
        self._file.write(hashes[order].tobytes())
        self._spills.append((self._at, np.bincount(bucket, minlength=_BUCKETS)))
        self._at += len(hashes) * _BYTES

    def _bucket(self, place: int) -> Hashes:
        parts = []
        for start, counts in self._spills:
            if self._file is not None:
                self._file.seek(start + int(counts[:place].sum()) * _BYTES)
                parts.append(self._file.read(int(counts[place]) * _BYTES))
        return np.frombuffer(b"".join(parts), dtype=np.uint64)


def _repeated(hashes: Hashes) -> int:
    ordered = np.sort(hashes)
    return int(np.count_nonzero(ordered[1:] == ordered[:-1]))
