"""What a multivariate drift metric declares of itself; the contract tests hold it to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dagster_monitoring.statistics.multivariate._reconstruction import ReconstructionErrors
from dagster_monitoring.statistics.multivariate._rows import SampledRows
from dagster_monitoring.statistics.undefined import Undefined

Summary = ReconstructionErrors | SampledRows
"""What rows are summarised by: one type a metric, the same for reference and current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultivariateMetric:
    """A pure function of two summaries of rows, with its declared properties.

    Attributes:
        name: as written in YAML; also the module's name.
        title: as a person reads it.
        compute: ``(reference, current)`` to a finite number, or the reason why there is none. It
            raises ``TypeError`` on summaries that are not what it ``needs``, and ``ValueError``
            when their columns differ.
        unchanged: the value to expect when nothing has drifted, from the reference alone.
        standard_error: of a value of :attr:`compute`, from both summaries; ``None`` where it is
            not known.
        null_quantile: ``(reference, current, alpha)`` to how far a value lies from ``unchanged``
            with probability ``alpha`` when nothing has drifted, on the bad side or sides.
        needs: ``projection`` for :class:`ReconstructionErrors`, ``sample`` for
            :class:`SampledRows`.
        bounds: the lowest and highest value it can give, infinities included.
        worse: the bad side.
        symmetric: whether swapping reference and current gives the same value.
        unit: ``""`` where the number has none.
        minimum_n: with fewer rows on either side there is no value.
        degenerate: what it gives where there is little to compute from, in words.
        sampling: how its standard error is known, in words.
        conventional_limits: WARN and ERROR by convention; ``None`` where limits have to be learned.
        is_trained: whether each value trains a model, so that limits can't be learned from it.
        source: where the definition is from.
    """

    name: str
    title: str
    compute: Callable[[Summary, Summary], float | Undefined]
    unchanged: Callable[[Summary], float | Undefined]
    standard_error: Callable[[float, Summary, Summary], float | None]
    null_quantile: Callable[[Summary, Summary, float], float]
    needs: Literal["projection", "sample"]
    bounds: tuple[float, float]
    worse: Literal["upper", "both"]
    symmetric: bool
    unit: Literal["", "baseline standard deviations"]
    minimum_n: int
    degenerate: str
    sampling: str
    conventional_limits: tuple[float, float] | None
    is_trained: bool
    source: str
