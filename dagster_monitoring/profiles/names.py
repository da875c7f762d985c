"""Counts by name in bounded memory: exact for the names kept, and the same in any order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_monitoring.profiles.hashing import hash_names
from dagster_monitoring.profiles.reading import decode, hash_values

MAX_NAMES = 1_000
"""Names that are kept; of more, those with the smallest hashes."""

MAX_LENGTH = 200
"""Characters of a name that are kept; a longer one ends in its hash."""

_HASHES = 2.0**64


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCounts:
    """How often each name was seen.

    At most ``MAX_NAMES`` names are kept, those with the smallest hashes. A name that belongs
    to the smallest of a whole belongs to the smallest of every part it is in, so the counts
    kept are exact, and adding is associative and commutative.

    Attributes:
        counts: rows by name, for the names kept.
        total: rows of all names.

    Example:
        >>> (NameCounts.of({"a": 2}) + NameCounts.of({"a": 1, "b": 1})).counts
        {'a': 3, 'b': 1}
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    total: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> NameCounts:
        """The summary of full counts, of any number of names."""
        return cls(counts=_smallest(counts), total=sum(counts.values()))

    @property
    def rest(self) -> int:
        """Rows of names that are not kept."""
        return self.total - sum(self.counts.values())

    @property
    def distinct(self) -> int:
        """How many names there were: exact below ``MAX_NAMES``, beyond it within about 6 %.

        Source: Bar-Yossef et al. (2002), Counting distinct elements in a data stream, the
        k-minimum-values estimate ``(k - 1) / h(k)``.
        """
        if len(self.counts) < MAX_NAMES:
            return len(self.counts)
        largest = int(hash_names([*self.counts]).max())
        return max(round((MAX_NAMES - 1) * _HASHES / (largest + 1)), MAX_NAMES)

    def __add__(self, other: NameCounts) -> NameCounts:
        if not other.total:
            return self
        if not self.total:
            return other
        merged = dict(self.counts)
        for name, count in other.counts.items():
            merged[name] = merged.get(name, 0) + count
        return NameCounts(counts=_smallest(merged), total=self.total + other.total)


def add_all(parts: Iterable[NameCounts]) -> NameCounts:
    """The sum of any number of them; empty when there are none."""
    return sum(parts, NameCounts())


def count_names(text: pa.Array, counts: npt.NDArray[np.int64]) -> NameCounts:
    """The summary of any number of texts, not all of them distinct, and their rows.

    Args:
        text: ``string``; bytes that are not UTF-8 are replaced, long texts cut. No nulls.
        counts: rows by text, of the same length.
    """
    if len(text) > MAX_NAMES and _is_plain(text):
        # Names beyond the smallest hashes of distinct ones add to the total alone.
        hashes = hash_values(text)
        distinct = np.unique(hashes)
        if len(distinct) > MAX_NAMES:
            kept = np.flatnonzero(hashes <= distinct[MAX_NAMES - 1])
            some = _count_each(text.take(pa.array(kept)), counts[kept])
            return NameCounts(counts=_smallest(some), total=int(counts.sum()))
    return NameCounts.of(_count_each(text, counts))


def _count_each(text: pa.Array, counts: npt.NDArray[np.int64]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, count in zip(map(short, decode(text)), counts.tolist(), strict=True):
        found[name] = found.get(name, 0) + count
    return found


def _is_plain(text: pa.Array) -> bool:
    """Whether each of one text or more is its own name: short, and UTF-8."""
    if pc.max(pc.binary_length(text)).as_py() > MAX_LENGTH:
        return False
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def short(name: str) -> str:
    """The name, or its beginning and its hash when it is longer than ``MAX_LENGTH``."""
    if len(name) <= MAX_LENGTH:
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{name[: MAX_LENGTH - 18]}…#{digest}"


def _smallest(counts: Mapping[str, int]) -> dict[str, int]:
    if len(counts) > MAX_NAMES:
        names = [*counts]
        hashes = hash_names(names).tolist()
        kept = [name for _, name in sorted(zip(hashes, names, strict=True))[:MAX_NAMES]]
        return {name: counts[name] for name in sorted(kept)}
    return dict(sorted(counts.items()))
