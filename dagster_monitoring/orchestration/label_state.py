"""The state of the labels that something was made with, kept as a cursor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelState:
    """What the labels were, and when more of those in the ledger become available.

    Args:
        change: the ledger's count of changes.
        due: the next moment, after the one they were read as of, at which a label that is in the
            ledger already becomes available; ``None`` for no such label.

    Example:
        >>> LabelState.read("17")
        LabelState(change=17, due=None)
    """

    change: int
    due: datetime | None = None

    @classmethod
    def read(cls, text: str) -> LabelState:
        """The state from its :meth:`text`."""
        change, _, due = text.partition(" ")
        return cls(change=int(change), due=datetime.fromisoformat(due) if due else None)

    def text(self) -> str:
        """The state as a cursor keeps it."""
        return f"{self.change} {self.due.isoformat()}" if self.due else str(self.change)

    def is_outdated(self, *, change: int, now: datetime) -> bool:
        """Whether the labels are others by now."""
        return change > self.change or (self.due is not None and self.due <= now)
