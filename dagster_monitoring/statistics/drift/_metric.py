"""What a drift metric declares of itself; the contract tests hold it to that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dagster_monitoring.statistics.drift._pair import Pair
from dagster_monitoring.statistics.limits import check_alpha
from dagster_monitoring.statistics.undefined import Undefined

Kind = Literal["numeric", "categorical"]
BOTH_KINDS: frozenset[Kind] = frozenset({"numeric", "categorical"})
NUMERIC: frozenset[Kind] = frozenset({"numeric"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMetric:
    """A pure function of two aligned histograms, with its declared properties.

    Attributes:
        name: as written in YAML; also the module's name.
        title: as a person reads it.
        formula: the value of a pair of which both sides have rows, or why there is none.
        noise: ``(pair, alpha)`` to what sampling alone exceeds with probability ``alpha`` when
            nothing has drifted; 0.0 for a value that allows for sampling itself.
        error: ``(pair, value)`` to the standard error of that value.
        kinds: which columns it is defined on.
        bins: what numeric columns are binned on unless asked otherwise: the baseline's deciles,
            or all of the profile's bins; ``categories`` when it takes no numeric column.
        bounds: the lowest and highest value it can give, infinities included.
        symmetric: whether swapping reference and current gives the same value.
        unit: ``""`` where the number has none.
        minimum_n: fewer current rows than this tell nothing; the caller decides what to do.
        degenerate: what an empty side, a constant column and a single bin give, in words.
        source: where the definition is from.
        sampling: where ``noise`` and ``error`` are from, and how good they are.
        higher_is_worse: whether a larger value means more drift.
        of_missing: whether missing values are what it is about, so that a side may have no other.
        vagueness: by how much the value may be off because rows are known by their bins only;
            ``None`` when bins are what it is defined on, or sums say it all.
        tolerance: a vagueness beyond this is told with the value; in its unit, where the
            column's unit is the baseline's standard deviation.
        conventional_limits: WARN and ERROR against training; ``None`` when there is no custom.
        limits_source: where these are from.
    """

    name: str
    title: str
    formula: Callable[[Pair], float | Undefined]
    noise: Callable[[Pair, float], float | Undefined]
    error: Callable[[Pair, float], float | Undefined]
    kinds: frozenset[Kind]
    bins: Literal["deciles", "profile", "categories"]
    bounds: tuple[float, float]
    symmetric: bool
    unit: Literal[
        "",
        "share",
        "bits",
        "nats",
        "probability",
        "column unit",
        "root of the column unit",
        "standard deviations",
    ]
    minimum_n: int
    degenerate: str
    source: str
    sampling: str
    higher_is_worse: bool = True
    of_missing: bool = False
    vagueness: Callable[[Pair], float] | None = None
    tolerance: float = 1e-3
    conventional_limits: tuple[float, float] | None = None
    limits_source: str = ""

    def compute(self, pair: Pair) -> float | Undefined:
        """The value: a finite number, or the reason why there is none.

        Raises:
            ValueError: the metric is not defined for columns of this kind.
        """
        return self._why_not(pair) or self.formula(pair)

    def null_quantile(self, pair: Pair, *, alpha: float) -> float | Undefined:
        """What sampling alone exceeds with probability ``alpha`` when nothing has drifted.

        Args:
            pair: its sizes and the reference's shares are used, the current shares are not.
            alpha: probability, strictly within 0..1.

        Returns:
            At least 0, within the metric's bounds and in its unit. For one whose low values are
            bad, how far below its usual value sampling takes it.

        Raises:
            ValueError: ``alpha`` is out of range, or the kind of column is wrong.
        """
        check_alpha(alpha)
        noise = self._why_not(pair)
        if noise is None:
            found = self.noise(pair, alpha)
            return found if isinstance(found, Undefined) else min(found, self.bounds[1])
        return noise

    def standard_error(self, pair: Pair, value: float) -> float | Undefined:
        """The standard error of a value of this pair, at least 0, in its unit.

        Raises:
            ValueError: the metric is not defined for columns of this kind.
        """
        return self._why_not(pair) or self.error(pair, value)

    def told_vagueness(self, pair: Pair) -> float:
        """By how much the value may be off, when that is worth telling; 0.0 when it is not.

        Infinite when the bins say nothing of it: a segment's rows beyond the baseline's range.
        """
        if self.vagueness is None or self._why_not(pair) is not None:
            return 0.0
        found = pair.once(self.vagueness)
        spread = pair.spread
        unit = 1.0 if isinstance(spread, Undefined) else spread
        scale = {"column unit": unit, "root of the column unit": math.sqrt(unit)}
        return found if found > self.tolerance * scale.get(self.unit, 1.0) else 0.0

    def _why_not(self, pair: Pair) -> Undefined | None:
        if "categorical" not in self.kinds and not pair.reference.is_numeric:
            raise ValueError(f"{self.name} is defined on numeric columns only")
        return pair.why_empty(rows=self.of_missing)
