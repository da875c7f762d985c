"""What a drift metric declares of itself; the contract tests hold it to that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from dagster_monitoring.statistics.drift._pair import Pair, Pairs
from dagster_monitoring.statistics.histogram import Floats
from dagster_monitoring.statistics.limits import check_alpha
from dagster_monitoring.statistics.scales import Scale
from dagster_monitoring.statistics.undefined import TOO_LARGE, Undefined

Kind = Literal["numeric", "categorical"]
BOTH_KINDS: frozenset[Kind] = frozenset({"numeric", "categorical"})
NUMERIC: frozenset[Kind] = frozenset({"numeric"})


_QUIET = partial(np.errstate, all="ignore")
"""Where there is no number, NaN and infinity say so, and no warning has to."""


def too_large(pairs: Pairs, place: int) -> Undefined:
    """The reason why values of most metrics are none."""
    del pairs, place
    return TOO_LARGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a metric tells of pairs side by side; a list of one entry a pair each.

    Attributes:
        values: the finite value, or why there is none.
        noise: what sampling alone exceeds, as :meth:`DriftMetric.null_quantile`.
        errors: the values' standard errors.
        vagueness: by how much a value may be off, as :meth:`DriftMetric.told_vagueness`.
    """

    values: list[float | Undefined]
    noise: list[float | Undefined]
    errors: list[float | Undefined]
    vagueness: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMetric:
    """A pure function of two aligned histograms, with its declared properties.

    Its functions take pairs side by side (:class:`Pairs`) and give an array of a number a pair;
    NaN or infinity where there is none, for which ``undefined`` has the reason. Sides without
    values are seen to before.

    Attributes:
        name: as written in YAML; also the module's name.
        title: as a person reads it.
        formula: pairs to their values.
        noise: ``(pairs, alpha)`` to what sampling alone exceeds with probability ``alpha`` when
            nothing has drifted; 0.0 for a value that allows for sampling itself.
        error: ``(pairs, values)`` to the standard errors of those values.
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
        scale: on which values are nearly normal when nothing has drifted; limits that are learned
            from past values are learned on it.
        of_missing: whether missing values are what it is about, so that a side may have no other.
        vagueness: by how much the value may be off because rows are known by their bins only;
            ``None`` when bins are what it is defined on, or sums say it all.
        tolerance: a vagueness beyond this is told with the value; in its unit, where the
            column's unit is the baseline's standard deviation.
        undefined: ``(pairs, place)`` to why one of the pairs has no number.
        conventional_limits: WARN and ERROR against training; ``None`` when there is no custom.
        limits_source: where these are from.
    """

    name: str
    title: str
    formula: Callable[[Pairs], Floats]
    noise: Callable[[Pairs, float], Floats]
    error: Callable[[Pairs, Floats], Floats]
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
    scale: Scale = "identity"
    of_missing: bool = False
    vagueness: Callable[[Pairs], Floats] | None = None
    tolerance: float = 1e-3
    undefined: Callable[[Pairs, int], Undefined] = too_large
    conventional_limits: tuple[float, float] | None = None
    limits_source: str = ""

    def measure(self, pairs: Pairs, *, alpha: float) -> Told:
        """All that there is to tell of pairs side by side.

        Args:
            pairs: of a kind that the metric is defined for.
            alpha: of the noise.

        Raises:
            ValueError: ``alpha`` is out of range, or the kind of column is wrong.
        """
        with _QUIET():
            values = self._values(pairs)
            return Told(
                values=self._told(pairs, values),
                noise=self._told(pairs, self._noise(pairs, alpha)),
                errors=self._told(pairs, self._errors(pairs, values)),
                vagueness=self._vagueness(pairs),
            )

    def compute(self, pair: Pair) -> float | Undefined:
        """The value: a finite number, or the reason why there is none.

        Raises:
            ValueError: the metric is not defined for columns of this kind.
        """
        with _QUIET():
            return self._told(pair.alone, self._values(pair.alone))[0]

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
        with _QUIET():
            return self._told(pair.alone, self._noise(pair.alone, alpha))[0]

    def standard_error(self, pair: Pair, value: float) -> float | Undefined:
        """The standard error of a value of this pair, at least 0, in its unit.

        Raises:
            ValueError: the metric is not defined for columns of this kind.
        """
        with _QUIET():
            return self._told(pair.alone, self._errors(pair.alone, np.array([value])))[0]

    def told_vagueness(self, pair: Pair) -> float:
        """By how much the value may be off, when that is worth telling; 0.0 when it is not.

        Infinite when the bins say nothing of it: a segment's rows beyond the baseline's range.
        """
        with _QUIET():
            return self._vagueness(pair.alone)[0]

    def _values(self, pairs: Pairs) -> Floats:
        self._check_kind(pairs)
        return pairs.once(self.formula)

    def _noise(self, pairs: Pairs, alpha: float) -> Floats:
        check_alpha(alpha)
        self._check_kind(pairs)
        return np.minimum(pairs.once(self.noise, alpha), self.bounds[1])

    def _errors(self, pairs: Pairs, values: Floats) -> Floats:
        self._check_kind(pairs)
        return self.error(pairs, values)

    def _vagueness(self, pairs: Pairs) -> list[float]:
        if self.vagueness is None:
            return [0.0] * len(pairs.n)
        self._check_kind(pairs)
        unit = np.where(np.isnan(pairs.spread), 1.0, pairs.spread)
        scale = {"column unit": unit, "root of the column unit": np.sqrt(unit)}
        found = pairs.once(self.vagueness)
        is_told = found > self.tolerance * scale.get(self.unit, np.ones(1))
        told: list[float] = np.where(is_told, found, 0.0).tolist()
        for place in pairs.empty:
            told[place] = 0.0
        return told

    def _check_kind(self, pairs: Pairs) -> None:
        if "categorical" not in self.kinds and pairs.grid is None:
            raise ValueError(f"{self.name} is defined on numeric columns only")

    def _told(self, pairs: Pairs, given: Floats) -> list[float | Undefined]:
        """Python's floats, and the reasons where a number is none."""
        numbers: list[float] = given.tolist()
        empty = pairs.without_rows if self.of_missing else pairs.empty
        found: list[float | Undefined] = [*numbers]
        if not empty and math.isfinite(sum(numbers)):
            return found
        for place, number in enumerate(numbers):
            if place in empty:
                found[place] = pairs.why_empty(place, rows=self.of_missing)
            elif not math.isfinite(number):
                found[place] = self.undefined(pairs, place)
        return found
