"""What drift is measured between: a slice, the window that ends with it, and the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dagster_monitoring.monitors._columns import segment_names, summary_of, why_unusable
from dagster_monitoring.monitors._comparison import BinChoice, Comparison
from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.statistics.drift import DriftMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is compared: the slice, the window that ends with it, and the baseline."""

    bins: BinSet
    segments: tuple[str, ...]
    slice: Profile
    current: Profile
    reference: Profile
    note: str | None
    stays: bool

    def why_not(self, column: str) -> str | None:
        """Why a column can't be compared; a window does not hide a slice that lacks it."""
        if column not in self.bins.columns:
            return f"column {column!r} is not in the baseline; declare it and build it anew"
        return (
            why_unusable(self.slice, column, "the slice")
            or why_unusable(self.current, column, "the window")
            or why_unusable(self.reference, column, "the baseline")
        )

    def has(self, column: str) -> bool:
        """Whether each side has rows of the column, be they all missing."""
        sides = (summary_of(side, column, None) for side in self._sides)
        return all(summary is not None and summary.rows > 0 for summary in sides)

    @property
    def _sides(self) -> tuple[Profile, Profile, Profile]:
        return self.slice, self.current, self.reference

    def comparisons(
        self, column: str, choice: BinChoice, metrics: Sequence[DriftMetric]
    ) -> Iterator[Comparison]:
        """The column in all rows, then in each segment but those that it makes itself."""
        if column not in self.bins.columns or not metrics:
            return
        for segment in (None, *segment_names(self.bins, self.segments)):
            before = summary_of(self.reference, column, segment)
            now = summary_of(self.current, column, segment)
            is_own = segment is not None and segment.partition("=")[0] == column
            if before is not None and now is not None and not is_own:
                yield Comparison(
                    column=column,
                    segment=segment,
                    bins=self.bins.columns[column],
                    reference=before,
                    current=now,
                    choice=choice,
                    metrics=metrics,
                    stays=self.stays and segment is None,
                    note=self.note,
                )
