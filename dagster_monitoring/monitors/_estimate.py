"""The estimated change of a model's error at one view."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from dagster_monitoring.evaluation import number
from dagster_monitoring.monitors._columns import why_empty
from dagster_monitoring.monitors._monitor import View
from dagster_monitoring.monitors._slices import slices_note
from dagster_monitoring.profiles.losses import LOSS, QUARTER, QUARTER_SECONDS, loss_columns
from dagster_monitoring.profiles.predictions import output_columns
from dagster_monitoring.profiles.sample import RowSample
from dagster_monitoring.profiles.window import Window
from dagster_monitoring.schema import (
    BinaryClassification,
    MulticlassClassification,
    Partitions,
    Ranking,
    Regression,
    Task,
)
from dagster_monitoring.statistics.groups import swing_of_means
from dagster_monitoring.statistics.impact import ErrorChange, column_shares, error_change
from dagster_monitoring.statistics.multivariate import SampledRows
from dagster_monitoring.statistics.undefined import Undefined

Floats = npt.NDArray[np.float64]
Through = Literal["auto", "outputs", "rows"]

CHANCE = 1.96
"""Standard errors from 0 within which a change is chance."""

REST = "<rest>"
"""Stands for what no feature explains."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate:
    """A change of error: of an error rate in points, of an absolute error as a share.

    Attributes:
        value: the change.
        standard_error: of it.
        n: rows of the window that were looked at.
        note: effective sample size, and what else a person should know.
        swing: how far the change swings from window to window in the baseline, where nothing
            lasting happened: the standard deviation; 0 where that is not known.
        unit: the error that is 1.
        parts: what the shares by column are computed from: the rows of both sides, and the
            change.
    """

    value: float
    standard_error: float
    n: int
    note: str
    swing: float
    unit: float
    parts: tuple[SampledRows, SampledRows, ErrorChange]

    @property
    def is_chance(self) -> bool:
        """Whether nothing may have changed."""
        return abs(self.value) <= CHANCE * self.standard_error

    @property
    def is_harm(self) -> bool:
        """Whether the error rose beyond chance and beyond what ordinary windows do."""
        return self.value > CHANCE * math.hypot(self.standard_error, self.swing)

    @cached_property
    def shares(self) -> dict[str, float]:
        """What each feature's shift is worth, and the rest; empty when it is all chance."""
        if self.is_chance:
            return {}
        before, now, change = self.parts
        own = column_shares(before, change.expected, now)
        found = {column: value / self.unit for column, value in own.items()}
        return {**found, REST: self.value - sum(found.values())} if found else {}


def metric_name(task: Task) -> str:
    """``error_rate_change``, or of numbers ``absolute_error_change``."""
    return (
        "absolute_error_change" if isinstance(task, Regression | Ranking) else "error_rate_change"
    )


def estimate(view: View, *, window: int, through: Through) -> Estimate | Undefined:
    """The change of error from the training baseline to the window that ends at the view.

    Monitors that ask for the same at one partition share it.
    """
    kept = _kept(view)
    if isinstance(kept, Undefined):
        return kept
    names = _compared(view.task, loss_columns(view.columns, view.task), through)
    of = (view.baseline.version, view.columns.features, view.partition)
    key = ("impact", *of, window, names)
    return view.once.of(key, lambda: _estimated(view, kept, names, window))


def _estimated(
    view: View, kept: RowSample, names: tuple[str, ...], window: int
) -> Estimate | Undefined:
    current = view.window(window)
    for profile, what in ((view.window(1).profile, "the slice"), (current.profile, "the window")):
        if profile.is_empty:
            return Undefined(why_empty(profile, what))
    plan, bins = view.baseline.bins.sample, view.baseline.bins.columns
    wanted = {*names, *view.columns.features}
    if plan is None or not wanted <= {*plan.columns} & {*kept.plan.columns}:
        return _not_built(view)
    sample = current.profile.sample or RowSample.empty(plan)
    losses = kept.values[:, kept.plan.columns.index(LOSS)]
    change = error_change(kept.rows(names, bins), losses, sample.rows(names, bins))
    if isinstance(change, Undefined):
        return change
    unit = float(losses.mean()) if isinstance(view.task, Regression) else 1.0
    if unit <= 0.0:
        return Undefined("the model makes no error in the baseline that a change could be told by")
    rows = partial(RowSample.rows, columns=view.columns.features, bins=bins)
    swing = _swing(view.partitions, kept, change.expected / unit, window)
    return Estimate(
        value=change.value / unit,
        standard_error=change.standard_error / unit,
        n=sample.n,
        note="; ".join(_notes(current, window, change, kept.n, swing)),
        swing=swing,
        unit=unit,
        parts=(rows(kept), rows(sample), change),
    )


def _notes(
    current: Window, window: int, change: ErrorChange, n: int, swing: float
) -> Iterator[str]:
    yield f"the baseline's {n} labelled rows are worth {change.effective_n:.0f} of the window's"
    if change.clipped:
        yield f"{change.clipped:.2%} of them have a capped weight"
    if swing:
        yield f"quiet windows swing by {number(swing)}"
    lacking = slices_note(current.partitions, current.missing, window)
    if lacking:
        yield lacking


def _swing(keys: Partitions, kept: RowSample, expected: Floats, window: int) -> float:
    """How far the expected loss of so many slices swings in the baseline; 0 where nobody knows."""
    if QUARTER not in kept.plan.columns:
        return 0.0
    quarters = kept.values[:, kept.plan.columns.index(QUARTER)]
    known = np.isfinite(quarters)
    if not known.any():
        return 0.0
    found = swing_of_means(expected[known], _slices(keys, quarters[known]) // window)
    return 0.0 if isinstance(found, Undefined) else found


def _slices(keys: Partitions, quarters: Floats) -> npt.NDArray[np.int64]:
    """The number of the slice that each quarter of an hour lies in, from the earliest one on."""
    moments, places = np.unique(quarters, return_inverse=True)
    numbers = np.zeros(len(moments), dtype=np.int64)
    first = _slice_of(keys, moments[0])

    def fill(low: int, high: int) -> None:
        """Slices follow each other in time: what lies between two of one slice is in it too."""
        ends = [keys.distance(first, _slice_of(keys, moments[at])) for at in (low, high)]
        numbers[low : high + 1] = ends[0]
        numbers[high] = ends[1]
        if ends[0] != ends[1] and high - low > 1:
            middle = (low + high) // 2
            fill(low, middle)
            fill(middle, high)

    fill(0, len(moments) - 1)
    return numbers[places]


def _slice_of(keys: Partitions, quarter: float) -> str:
    return keys.key_of(datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC))


def _kept(view: View) -> RowSample | Undefined:
    if isinstance(view.task, Ranking):
        return Undefined(
            "the loss of a ranking belongs to queries and not to rows; remove this monitor"
        )
    if view.baseline.losses is None:
        if view.baseline.reference is None:
            return Undefined(
                f"no row of the baseline has both a label ({view.task.label}) and a prediction; "
                f"give the baseline labels, or remove this monitor"
            )
        return _not_built(view)
    return view.baseline.losses


def _not_built(view: View) -> Undefined:
    return Undefined(
        f"the baseline has no rows with losses: it was built before they were asked for. Build a "
        f"new one (job {view.model}_setup)"
    )


def _compared(task: Task, columns: tuple[str, ...], through: Through) -> tuple[str, ...]:
    """What rows are made alike by."""
    scores, _ = output_columns(task)
    is_scored = (isinstance(task, BinaryClassification) and task.score is not None) or (
        isinstance(task, MulticlassClassification) and bool(task.scores)
    )
    if through == "outputs" or (through == "auto" and is_scored):
        return scores or (task.prediction,)
    return columns
