"""From a value to the limits it is held against: absolute, or relative to the baseline."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.partitions import Every
from dagster_monitoring.statistics.false_alarms import level_for, upper_normal
from dagster_monitoring.statistics.scales import Scale
from dagster_monitoring.statistics.undefined import Undefined

Sides = Literal["upper", "lower", "both"]
Pair = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A monitor's share of the model's budget of false pages.

    Args:
        pages: false pages per partition that it may cause, above 0.
        in_a_row: partitions in trouble that it takes for a page.
    """

    pages: float
    in_a_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seasons:
    """Where in a cycle, such as a week, the judged window and each past value lies.

    Args:
        length: seasons in a cycle.
        own: of the judged window, from 0.
        past: of each past value, from 0.
    """

    length: int
    own: int
    past: Sequence[int]


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
    alone exceeds with probability ``noise_alpha`` at this sample size, ``swing`` the standard
    deviation from window to window while nothing lasting happens, ``worse`` the side that is bad,
    ``past`` the same measurement of earlier windows of ``window`` slices each, ``past_noise`` their
    mean noise, ``seasons`` when they were, ``tests`` how many values the monitor judges at once,
    ``share`` its part of the budget of false pages. ``is_distance``: without any drift a value lies
    between 0 and its noise, not about the reference. On its ``scale`` it is then nearly normal.
    """

    reference: float | None = None
    noise: float = 0.0
    noise_alpha: float = 0.01
    swing: float = 0.0
    worse: Sides = "both"
    past: Sequence[float] = ()
    past_noise: float | None = None
    seasons: Seasons | None = None
    window: int = 1
    tests: int = 1
    share: Share | None = None
    is_distance: bool = False
    scale: Scale = "identity"

    def noise_of_a_page(self, *, sides: int) -> float:
        """What may be added to a value before that makes a page; at least ``noise``.

        It is what chance adds and what windows swing by together. The budget's level takes the
        place of ``noise_alpha``, by the ratio of normal quantiles.

        Args:
            sides: on how many sides there is a limit.
        """
        noise = math.hypot(self.noise, upper_normal(self.noise_alpha) * self.swing)
        if self.share is None:
            return noise
        level = level_for(
            self.share.pages,
            window=self.window,
            in_a_row=self.share.in_a_row,
            tests=max(self.tests, 1) * sides,
        )
        return noise * max(1.0, upper_normal(level) / upper_normal(self.noise_alpha))


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

    def learned_at(self, partition: str) -> str:
        """The partition whose past it learns from: the judged one's own."""
        return partition

    def counted_in(self, every: Every, *, window: int = 1) -> Self:  # noqa: ARG002 - for those that learn
        """The same threshold over slices of a length: defaults are counted in such slices.

        Args:
            every: how long a slice is.
            window: how many of them its monitor judges together.
        """
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
        levels = Levels(warn=_pair(self.warn, 0.0, 1.0), error=_pair(self.error, 0.0, 1.0))
        return _widened(levels, evidence) if self.widen else levels


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
        levels = Levels(
            warn=_pair(self.warn, evidence.reference, scale),
            error=_pair(self.error, evidence.reference, scale),
        )
        return _widened(levels, evidence) if self.widen else levels


def _need_a_level(warn: object, error: object) -> None:
    if warn is None and error is None:
        raise ValueError("give warn, error, or both")


def _pair(limits: Limits | None, origin: float, scale: float) -> Pair | None:
    """Limits as ``origin + scale * limit``."""
    if limits is None:
        return None
    return (
        None if limits.lower is None else origin + scale * limits.lower,
        None if limits.upper is None else origin + scale * limits.upper,
    )


def _widened(levels: Levels, evidence: Evidence) -> Levels:
    """Limits further out by what chance can do to a value; of ERROR, by what makes a page."""
    warn, error = levels.warn, levels.error
    if warn is not None:
        warn = _outwards(warn, evidence.noise)
    if error is not None:
        error = _outwards(error, evidence.noise_of_a_page(sides=2 - error.count(None)))
    return Levels(warn=warn, error=error)


def _outwards(pair: Pair, noise: float) -> Pair:
    lower, upper = pair
    return (None if lower is None else lower - noise, None if upper is None else upper + noise)
