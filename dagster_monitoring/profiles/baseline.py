"""The training baseline: bins, profile and reference performance, under one version."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from dagster_monitoring.errors import BaselineError
from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.encoding import to_bytes
from dagster_monitoring.profiles.fitting import Fitted, Read, fit
from dagster_monitoring.profiles.losses import loss_columns, sample_losses
from dagster_monitoring.profiles.performance import scan_performance
from dagster_monitoring.profiles.performance_profile import PerformanceProfile
from dagster_monitoring.profiles.predictions import joined_columns, output_columns
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.profiles.projecting import RowNeeds, fit_projections, plan_sample
from dagster_monitoring.profiles.sample import RowSample
from dagster_monitoring.profiles.scan import scan
from dagster_monitoring.profiles.serialization import to_table
from dagster_monitoring.schema import Columns, Task

MINIMUM_ROWS = 10
"""A baseline of fewer rows is refused: nothing can be learned from it."""

MAX_SEGMENTS = 50
"""Values of a segment column that are counted apart, the largest in the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """What later slices are counted on and compared with; immutable.

    Attributes:
        version: from its last day and its content, as ``"b-20130331-1a2b3c4d"``.
        model_version: the model that goes with it.
        bins: the bins of every column.
        profile: its own counts on them.
        reference: performance on its labelled rows; ``None`` when it has no labels.
        created_at: when it was built.
        notes: what a person should know of it, for instance a constant column.
        losses: labelled rows with the model's loss; ``None`` when no monitor asks for them, or
            when there are none.
        types: the Arrow type of each column, as it was read.
        memo: numbers of the reference that were computed before; no part of the baseline.
    """

    version: str
    model_version: str
    bins: BinSet
    profile: Profile
    reference: PerformanceProfile | None
    created_at: datetime
    notes: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    losses: RowSample | None = None
    memo: dict[Hashable, float | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def rows(self) -> int:
        """Rows that it was built from."""
        return self.profile.rows


def build_baseline(
    read: Read,
    *,
    columns: Columns,
    task: Task,
    model_version: str,
    segments: Sequence[str] = (),
    equal_width: Sequence[int | Literal["doane"]] = (),
    rows: RowNeeds | None = None,
    created_at: datetime | None = None,
) -> Baseline:
    """The baseline of training rows.

    The rows are read several times, a few columns each: for the categories, for the numbers,
    for the counts, and for the reference performance when they have the task's label.

    Args:
        read: gives the rows anew with the columns asked for, in batches that leave out a
            column there is not.
        columns: the roles of the columns.
        task: what is predicted.
        model_version: the model that goes with it.
        segments: categorical columns whose values make segments.
        equal_width: numbers of bins that monitors ask for, or the rule for one; their edges
            join every numeric column's.
        rows: what monitors ask to keep of whole rows, beside counts.
        created_at: when; now if left out. It is not part of the version.

    Raises:
        BaselineError: fewer than ten rows, or a column that is missing or of a wrong type.
    """
    numeric, categorical = counted_columns(columns, task, segments)
    needs = rows or RowNeeds()
    fitted = fit(
        read,
        numeric=numeric,
        categorical=categorical,
        equal_width=equal_width,
    )
    rowwise = loss_columns(columns, task) if needs.losses else ()
    sampled = _distinct(*needs.sampled, *rowwise)
    losses = (
        sample_losses(read, columns=columns, task=task, bins=fitted.columns)
        if needs.losses
        else None
    )
    bins = BinSet(
        columns=fitted.columns,
        segments=_segment_values(fitted, segments),
        projections=fit_projections(read, bins=fitted.columns, choices=needs.projections),
        sample=plan_sample(sampled, fitted.columns),
    )
    own = _distinct(columns.id, columns.timestamp, columns.model_version, *numeric, *categorical)
    profile = scan(read(own), bins=bins, columns=columns)
    if profile.rows < MINIMUM_ROWS:
        raise BaselineError(
            f"the baseline has {profile.rows} rows, and at least {MINIMUM_ROWS} are needed. "
            f"Look at what the field baseline points to"
        )
    reference = _reference(read, columns=columns, task=task, bins=bins)
    return Baseline(
        version=_version(profile, model_version, losses),
        model_version=model_version,
        bins=bins,
        profile=profile,
        reference=reference,
        created_at=created_at or datetime.now(UTC),
        notes=(*fitted.notes, *_notes(profile, reference, task)),
        types=fitted.types,
        losses=losses,
    )


def counted_columns(
    columns: Columns, task: Task, segments: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Numeric and categorical columns of a profile: features, predictions, scores, segments.

    Raises:
        BaselineError: a segment column is declared numeric.

    Example:
        >>> from dagster_monitoring.schema import Regression
        >>> roles = Columns(id="id", timestamp="at", numeric=("age",))
        >>> counted_columns(roles, Regression(label="y", prediction="p"), ["city"])
        (('age', 'p'), ('city',))
    """
    outputs, classes = output_columns(task)
    numeric = _distinct(*columns.numeric, *outputs)
    wrong = sorted(set(segments) & set(numeric))
    if wrong:
        raise BaselineError(
            f"segments are made of categories, and {', '.join(wrong)} is declared numeric. "
            f"Declare it under columns.categorical, or take it out of segments"
        )
    return numeric, _distinct(*columns.categorical, *classes, *segments)


def _segment_values(fitted: Fitted, segments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(value for value, _ in fitted.counts[name][:MAX_SEGMENTS]) for name in segments
    }


def _reference(
    read: Read, *, columns: Columns, task: Task, bins: BinSet
) -> PerformanceProfile | None:
    wanted = _distinct(task.label, *joined_columns(task), *bins.segments)
    reference = scan_performance(
        read(wanted), labels=None, columns=columns, task=task, segments=bins.segments
    )
    return reference if reference.summary.n_labelled else None


def _notes(profile: Profile, reference: PerformanceProfile | None, task: Task) -> Iterable[str]:
    if reference is None:
        yield (
            f"no row has both a label ({task.label}) and a prediction ({task.prediction}): "
            f"there is no reference performance"
        )
    if profile.n_duplicate_ids:
        yield f"{profile.n_duplicate_ids} rows have a missing id or one that another row has"


def _version(profile: Profile, model_version: str, losses: RowSample | None) -> str:
    """The last day and a hash of bins, counts and model, so that equal content is one version."""
    last = profile.last_timestamp
    day = last.strftime("%Y%m%d") if last else "undated"
    digest = hashlib.blake2b(to_bytes(to_table(profile)), digest_size=4)
    digest.update(model_version.encode())
    if losses is not None:
        digest.update(losses.ranks.tobytes())
        digest.update(losses.values.tobytes())
    return f"b-{day}-{digest.hexdigest()}"


def _distinct(*names: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
