"""What the label ledger answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What a delivery brought.

    Args:
        new: ids that got their first label.
        redelivered: rows that say what was known already; nothing was written for them.
        corrections: rows that say something else, or a higher revision, of a labelled id.
        unknown: ids that no prediction has (yet); kept, and joined when it is registered.
        empty: rows without a value for an id without a label: not labelled yet.
        unusable: rows without an id, or without the moment they became available; left out.
        kinds: what the labels are, for instance ``("numbers",)``.
        kinds_before: the same of the model's earlier labels; empty for the first delivery.
    """

    new: int
    redelivered: int
    corrections: int
    unknown: int
    empty: int = 0
    unusable: int = 0
    kinds: tuple[str, ...] = ()
    kinds_before: tuple[str, ...] = ()

    @property
    def type_changed(self) -> bool:
        """Whether labels of another kind came than before."""
        return bool(self.kinds_before) and not set(self.kinds) <= set(self.kinds_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Partitions whose labels changed, with how many labels, and where to go on from."""

    partitions: Mapping[str, int]
    cursor: int


class Coverage(NamedTuple):
    """How many of a partition's predictions have a label."""

    n_predictions: int
    n_labelled: int
