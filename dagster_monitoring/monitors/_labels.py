"""Whether labels are there, not due yet, or overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from dagster_monitoring.monitors._columns import why_empty
from dagster_monitoring.monitors._monitor import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why labels are missing, and whether that is to be expected."""

    reason: str
    expected: bool


def no_predictions(view: View) -> Waiting | None:
    """Why a slice can have no labels at all, or ``None``."""
    if view.labels_due is None:
        return Waiting(
            reason="no ground truth is declared; declare ground_truth, or remove this monitor",
            expected=False,
        )
    if not rows_of(view):
        return Waiting(
            reason=why_empty(view.window(1).profile, "the slice"),
            expected=False,
        )
    return None


def rows_of(view: View) -> int:
    """Rows of the slice, also when it was never joined with labels."""
    return view.performance(1).profile.n or view.window(1).profile.rows


def is_due(view: View) -> bool:
    """Whether the partition's labels should have arrived by now."""
    return view.labels_due is not None and view.now >= view.labels_due


def due(view: View) -> str:
    """When labels are expected, in words and UTC."""
    moment = view.labels_due
    return "unknown" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def waiting(view: View, *, minimum_coverage: float) -> Waiting | None:
    """Why the partition can't be judged by its labels now, or ``None`` when it can.

    Before labels are due, too few of them are too early: the ones that come first may be of
    another kind than the rest.
    """
    blocked = no_predictions(view)
    if blocked is not None:
        return blocked
    rows, labelled = rows_of(view), view.performance(1).profile.n_labelled
    if not is_due(view) and (labelled == 0 or labelled < minimum_coverage * rows):
        return Waiting(
            reason=f"labels expected by {due(view)}; {labelled} of {rows} are here", expected=True
        )
    if labelled == 0:
        return Waiting(
            reason=f"not one of {rows} labels has arrived, expected by {due(view)}; look at the "
            "ground truth's delivery, or raise ground_truth.expected_delay_days",
            expected=False,
        )
    return None
