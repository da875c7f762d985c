"""The state of the labels and rows that something was made with, kept as a cursor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelState:
    """What labels and rows were, and when more of the labels in the ledger become available.

    Args:
        change: the ledger's count of changes.
        slices: the count of changes of the slice's rows.
        due: the next moment, after the one they were read as of, at which a label that is in the
            ledger already becomes available; ``None`` for no such label.

    Example:
        >>> LabelState.read("17")
        LabelState(change=17, slices=0, due=None)
        >>> LabelState.read("17/3").text()
        '17/3'
    """

    change: int
    slices: int = 0
    due: datetime | None = None

    @classmethod
    def read(cls, text: str) -> LabelState:
        """The state from its :meth:`text`."""
        counts, _, due = text.partition(" ")
        change, _, slices = counts.partition("/")
        return cls(
            change=int(change),
            slices=int(slices or 0),
            due=datetime.fromisoformat(due) if due else None,
        )

    def text(self) -> str:
        """The state as a cursor keeps it."""
        counts = f"{self.change}/{self.slices}"
        return f"{counts} {self.due.isoformat()}" if self.due else counts

    def is_outdated(self, *, change: int, slices: int, now: datetime) -> bool:
        """Whether labels or rows are others by now."""
        passed = self.due is not None and self.due <= now
        return change > self.change or slices > self.slices or passed
