"""What a drift metric declares of itself; the contract tests hold it to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dagster_monitoring.statistics.histogram import Histogram
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
        compute: ``(reference, current)``, both on the same bins, to a finite number or the
            reason why there is none. It raises ``ValueError`` when the bins differ.
        kinds: which columns it is defined on.
        bins: what numeric columns are binned on unless asked otherwise: the baseline's deciles,
            or all of the profile's bins; ``categories`` when it takes no numeric column.
        bounds: the lowest and highest value it can give, infinities included.
        symmetric: whether swapping reference and current gives the same value.
        unit: ``""`` where the number has none.
        minimum_n: fewer current rows than this tell nothing; the caller decides what to do.
        source: where the definition is from.
        higher_is_worse: whether a larger value means more drift.
    """

    name: str
    title: str
    compute: Callable[[Histogram, Histogram], float | Undefined]
    kinds: frozenset[Kind]
    bins: Literal["deciles", "profile", "categories"]
    bounds: tuple[float, float]
    symmetric: bool
    unit: Literal["", "share", "bits", "nats", "column unit", "standard deviations"]
    minimum_n: int
    source: str
    higher_is_worse: bool = True
