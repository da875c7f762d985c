"""From a value to the limits it is held against: absolute, relative to the baseline, or learned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.partitions import MOST_SLICES, Every
from dagster_monitoring.statistics.limits import prediction_limits
from dagster_monitoring.statistics.undefined import Undefined

Sides = Literal["upper", "lower", "both"]
Pair = tuple[float | None, float | None]

_FEWEST_WINDOWS = 3

_LEARNED_FROM: Mapping[Every, int] = {"hour": 672, "day": 28, "week": 26}
_LEARNED_WITH: Mapping[Every, int] = {"hour": 336, "day": 14, "week": 8}


class Limits(Declaration):
    """What a value may be at most and at least; the limits themselves are still allowed."""

    lower: float | None = Field(
        default=None, allow_inf_nan=False, description="Smallest value that is allowed."
    )
    upper: float | None = Field(
        default=None, allow_inf_nan=False, description="Largest value that is allowed."
    )

    @model_validator(mode="after")
    def _some_and_in_order(self) -> Self:
        if self.lower is None and self.upper is None:
            raise ValueError("give lower, upper, or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower ({self.lower}) is above upper ({self.upper})")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a threshold may use beside the value itself.

    ``reference`` is the baseline's value of the same metric, ``noise`` (at least 0) what chance
    alone can add at this sample size, ``worse`` the side that is bad, ``past`` the same
    measurement of earlier windows of ``window`` slices each, ``tests`` how many values the
    monitor judges at once.
    """

    reference: float | None = None
    noise: float = 0.0
    worse: Sides = "both"
    past: Sequence[float] = ()
    window: int = 1
    tests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Limits in the value's own units; ``None``: this level is never reached."""

    warn: Pair | None
    error: Pair | None


class Threshold(Declaration, ABC):
    """Gives the limits of a value; it keeps no state."""

    @abstractmethod
    def levels(self, evidence: Evidence) -> Levels | Undefined:
        """The limits that hold under this evidence, or why there are none."""

    def past_slices(self) -> int:
        """How many slices before the judged window it learns from; 0 when it does not learn."""
        return 0

    def counted_in(self, every: Every) -> Self:  # noqa: ARG002 - for those that learn
        """The same threshold over slices of a length: defaults are counted in such slices."""
        return self


class AbsoluteThreshold(Threshold):
    """Limits as numbers.

    Example:
        >>> at_most = AbsoluteThreshold(warn=Limits(upper=0.1), error=Limits(upper=0.25))
        >>> at_most.levels(Evidence(noise=0.05)).error
        (None, 0.3)
    """

    type: Literal["absolute"] = "absolute"
    warn: Limits | None = Field(default=None, description="Outside of these limits: WARN.")
    error: Limits | None = Field(default=None, description="Outside of these limits: ERROR.")
    widen: bool = Field(
        default=True,
        description="Whether limits move outwards by what chance alone can do to so few rows.",
    )

    @model_validator(mode="after")
    def _some_level(self) -> Self:
        _need_a_level(self.warn, self.error)
        return self

    def levels(self, evidence: Evidence) -> Levels | Undefined:
        """The declared limits, moved outwards by the noise."""
        noise = evidence.noise if self.widen else 0.0
        return Levels(
            warn=_moved(self.warn, 0.0, 1.0, noise), error=_moved(self.error, 0.0, 1.0, noise)
        )


class RelativeThreshold(Threshold):
    """Limits as a change from the value that the baseline has.

    Example:
        >>> loss = RelativeThreshold(mode="ratio", error=Limits(upper=0.5))
        >>> loss.levels(Evidence(reference=0.4)).error
        (None, 0.6000000000000001)
    """

    type: Literal["relative"] = "relative"
    mode: Literal["difference", "ratio"] = Field(
        default="difference",
        description="Limits are added to the baseline's value (difference), or are shares of it "
        "(ratio: upper 0.1 is 10 % more, lower -0.1 is 10 % less).",
    )
    warn: Limits | None = Field(default=None, description="Outside of these limits: WARN.")
    error: Limits | None = Field(default=None, description="Outside of these limits: ERROR.")
    widen: bool = Field(
        default=True,
        description="Whether limits move outwards by what chance alone can do to so few rows.",
    )

    @model_validator(mode="after")
    def _some_level(self) -> Self:
        _need_a_level(self.warn, self.error)
        return self

    def levels(self, evidence: Evidence) -> Levels | Undefined:
        """The baseline's value plus the declared changes, moved outwards by the noise."""
        if evidence.reference is None:
            return Undefined(
                "the baseline has no value of this metric to compare with: give the baseline "
                "labels and predictions, or use an absolute or learned threshold"
            )
        scale = abs(evidence.reference) if self.mode == "ratio" else 1.0
        if scale == 0.0:
            return Undefined("the baseline's value is 0, so a ratio to it has no meaning")
        noise = evidence.noise if self.widen else 0.0
        return Levels(
            warn=_moved(self.warn, evidence.reference, scale, noise),
            error=_moved(self.error, evidence.reference, scale, noise),
        )


class LearnedThreshold(Threshold):
    """Limits learned from the same measurement of earlier windows: a prediction interval.

    The windows it learns from end before the judged window starts and do not overlap each other.
    A level's error probability is divided by the number of values that the monitor judges at
    once (Bonferroni), so that it holds for the monitor and not for each of its columns. Limits
    are never nearer to the mean of the past than what chance alone can add to so few rows.

    A past value that was itself an error is not learned from: values are taken from the oldest
    on, and one outside the error limits (the warn limits, where there are no others) of those
    taken before it is left out. A shift that lasts is therefore flagged until the look-back holds
    fewer than ``minimum_slices`` from before it, ``slices - minimum_slices`` slices after it came;
    from then on it is what is normal. More ``slices`` keep it flagged for longer. All of this
    follows from the past values alone, whatever was judged before and in which order.

    Source: Hahn, Meeker, Escobar, Statistical Intervals (2nd ed.), section 4.7.
    """

    type: Literal["learned"] = "learned"
    slices: int = Field(
        default=28,
        ge=4,
        le=MOST_SLICES,
        description="How many slices back it learns from. Default: 28 days, or 26 weeks; of hours "
        "672.",
    )
    minimum_slices: int = Field(
        default=14,
        ge=3,
        le=MOST_SLICES,
        description="With fewer slices behind it there is no verdict yet. Default: 14 days, or 8 "
        "weeks; of hours 336.",
    )
    warn_alpha: float | None = Field(
        default=0.01, gt=0, lt=1, description="Probability of a false WARN, for the whole monitor."
    )
    error_alpha: float | None = Field(
        default=0.001,
        gt=0,
        lt=1,
        description="Probability of a false ERROR, for the whole monitor.",
    )
    sides: Sides | None = Field(
        default=None, description="Which limits there are; when left out, the metric's bad side."
    )
    minimum_change: float = Field(
        default=0.0,
        ge=0,
        description="Limits are never nearer than this to the mean of the past.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.warn_alpha is None and self.error_alpha is None:
            raise ValueError("give warn_alpha, error_alpha, or both")
        if self.minimum_slices > self.slices:
            raise ValueError(
                f"minimum_slices ({self.minimum_slices}) is above slices ({self.slices})"
            )
        return self

    def past_slices(self) -> int:
        """How many slices before the judged window it learns from."""
        return self.slices

    def counted_in(self, every: Every) -> Self:
        """See :meth:`Threshold.counted_in`.

        Example:
            >>> LearnedThreshold().counted_in("hour").slices
            672
        """
        given = self.model_fields_set
        slices = self.slices if "slices" in given else _LEARNED_FROM[every]
        fewest = min(_LEARNED_WITH[every], slices)
        if "minimum_slices" in given:
            fewest = self.minimum_slices
        return self.model_copy(update={"slices": slices, "minimum_slices": fewest})

    def levels(self, evidence: Evidence) -> Levels | Undefined:
        """Prediction limits of one more value after what is normal of ``evidence.past``."""
        have = len(evidence.past)
        needed = max(-(-self.minimum_slices // evidence.window), _FEWEST_WINDOWS)
        if have < needed:
            return Undefined(
                f"limits are learned from {needed} earlier windows of {evidence.window} slices at "
                f"least, and {have} have a value"
            )
        normal = self._normal(evidence, needed)
        warn = self._limits(self.warn_alpha, normal, evidence)
        error = self._limits(self.error_alpha, normal, evidence)
        if isinstance(warn, Undefined):
            return warn
        if isinstance(error, Undefined):
            return error
        return Levels(warn=warn, error=error)

    def _normal(self, evidence: Evidence, needed: int) -> list[float]:
        """The past without its errors; the first ``needed`` values are all there is to go by."""
        alpha = self.warn_alpha if self.error_alpha is None else self.error_alpha
        normal = list(evidence.past[:needed])
        for value in evidence.past[needed:]:
            limits = self._limits(alpha, normal, evidence)
            if not isinstance(limits, tuple) or _within(value, limits):
                normal.append(value)
        return normal

    def _limits(
        self, alpha: float | None, past: Sequence[float], evidence: Evidence
    ) -> Pair | Undefined | None:
        if alpha is None:
            return None
        sides = self.sides or evidence.worse
        limits = prediction_limits(past, alpha=alpha / max(evidence.tests, 1), sides=sides)
        if isinstance(limits, Undefined):
            return limits
        mean = sum(past) / len(past)
        nearest = max(self.minimum_change, evidence.noise)
        lower, upper = limits
        return (
            None if lower is None else min(lower, mean - nearest),
            None if upper is None else max(upper, mean + nearest),
        )


AnyThreshold = Annotated[
    AbsoluteThreshold | RelativeThreshold | LearnedThreshold, Field(discriminator="type")
]


def _need_a_level(warn: object, error: object) -> None:
    if warn is None and error is None:
        raise ValueError("give warn, error, or both")


def _within(value: float, limits: Pair) -> bool:
    lower, upper = limits
    return (lower is None or value >= lower) and (upper is None or value <= upper)


def _moved(limits: Limits | None, origin: float, scale: float, noise: float) -> Pair | None:
    """Limits as ``origin + scale * limit``, and ``noise`` further out."""
    if limits is None:
        return None
    return (
        None if limits.lower is None else origin + scale * limits.lower - noise,
        None if limits.upper is None else origin + scale * limits.upper + noise,
    )
