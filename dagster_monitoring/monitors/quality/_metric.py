"""What a data-quality metric declares of itself, and what it may look at."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dagster_monitoring.monitors.threshold import Sides, Threshold
from dagster_monitoring.profiles.bins import CategoricalBins, NumericBins
from dagster_monitoring.profiles.column import CategoricalColumn, NumericColumn
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.statistics.undefined import Undefined

Kind = Literal["numeric", "categorical"]
BOTH_KINDS: frozenset[Kind] = frozenset({"numeric", "categorical"})
NUMERIC: frozenset[Kind] = frozenset({"numeric"})
CATEGORICAL: frozenset[Kind] = frozenset({"categorical"})
TABLE: frozenset[Kind] = frozenset()

# 99.9 % of a normal distribution lies below so many standard errors.
_STANDARD_ERRORS = 3.09


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What one value is computed from.

    ``slice`` is the judged slice, or several recent ones for a metric that says so;
    ``usual_rows`` what it has as a rule. ``column`` and ``before`` are the column in the slice and
    in the baseline, of all rows or of a segment; both ``None`` for a metric of the whole table.
    """

    slice: Profile
    baseline: Profile
    usual_rows: float | None = None
    bins: NumericBins | CategoricalBins | None = None
    column: NumericColumn | CategoricalColumn | None = None
    before: NumericColumn | CategoricalColumn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityValue:
    """A value, a note that names what it counts, and the baseline's value.

    ``standard_error`` is how far a slice's value lies from that of the process its rows come
    from; ``None`` for a value that sampling does not move.
    """

    value: float
    note: str | None = None
    reference: float | None = None
    noise: float = 0.0
    standard_error: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityMetric:
    """A pure function of profiles, with its declared properties and default limits.

    Attributes:
        name: as written in YAML; also the module's name.
        title: as a person reads it.
        compute: a subject to a value, or the reason why there is none.
        kinds: which columns it is for; empty: it is for the table as a whole.
        threshold: the limits when none are declared.
        unit: ``share`` (of rows), ``count``, or ``ratio``.
        error_method: how the value's sampling error is got, in a few words; begins with
            ``exact`` where it has none.
        recent: whether it looks at the recent slices together, and not at the judged one alone.
        on_empty: whether it has a value for a slice without rows.
        judges_faults: whether it has a value for a column of which every row is at fault.
        worse: which side is bad.
    """

    name: str
    title: str
    compute: Callable[[Subject], QualityValue | Undefined]
    kinds: frozenset[Kind]
    threshold: Threshold
    unit: Literal["share", "count", "ratio"]
    error_method: str
    recent: bool = False
    on_empty: bool = False
    judges_faults: bool = False
    worse: Sides = "upper"


def share_noise(share: float, rows: int) -> float:
    """How far above ``share`` a sample's share lies by chance, at most once in a thousand.

    Args:
        share: the true share, 0..1.
        rows: rows of the sample.

    Example:
        >>> round(share_noise(0.1, 400), 3)
        0.047
    """
    return _STANDARD_ERRORS * share_error(share, rows)


def share_error(share: float, rows: int) -> float:
    """The standard error of a share of so many rows, each at fault by itself.

    With two failures and two successes added, so that it is not 0 at a share of 0.

    Args:
        share: as seen, 0..1.
        rows: rows of the sample, 0 or more.

    Source: Agresti, Coull (1998), The American Statistician 52.

    Example:
        >>> round(share_error(0.5, 96), 3), round(share_error(0.0, 996), 4)
        (0.05, 0.0014)
    """
    adjusted = (share * rows + 2) / (rows + 4)
    return math.sqrt(adjusted * (1 - adjusted) / (rows + 4))


def named(names: list[str], *, most: int = 5) -> str:
    """A few names in a row, and how many more there are.

    Example:
        >>> named(["a", "b", "c"], most=2)
        "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(name) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
