"""Limits learned from a measurement's own past."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dagster_monitoring.monitors.threshold import (
    AbsoluteThreshold,
    Evidence,
    Levels,
    Pair,
    RelativeThreshold,
    Seasons,
    Sides,
    Threshold,
)
from dagster_monitoring.partitions import MOST_SLICES, Every
from dagster_monitoring.statistics.false_alarms import level_for, upper_normal
from dagster_monitoring.statistics.limits import prediction_factor
from dagster_monitoring.statistics.scales import back, onto
from dagster_monitoring.statistics.seasons import Normal, in_season
from dagster_monitoring.statistics.undefined import Undefined

_FEWEST_WINDOWS = 3

_LEARNED_FROM: Mapping[Every, int] = {"hour": 672, "day": 28, "week": 26}
_LEARNED_WITH: Mapping[Every, int] = {"hour": 168, "day": 7, "week": 8}
_WINDOWS = 8
"""Of how many windows it learns at least: limits of four are four times as wide."""

_ERROR_ALPHA = 0.001
"""Of an ERROR where there is no budget, and of what is left out of the past where there is one."""
_LEFT_OUT_TIMES = 10.0
_WARN_TIMES = 2.0
"""How much looser than ERROR's a level of WARN is at least."""


class LearnedThreshold(Threshold):
    """Limits learned from the same measurement of earlier windows: a prediction interval.

    The windows it learns from end before the judged window starts and do not overlap each other;
    those that hold a marked partition are passed over. The interval is Student's, ``mean +- t s
    sqrt(1 + 1/n)``, on the scale on which the metric is nearly normal; where weekdays (of hours,
    hours of the day) differ beyond doubt, about the mean of the judged one's own.

    The level of ERROR follows from the model's budget of false pages: its monitor's share, divided
    among the values that the monitor judges at once. Windows that overlap, limits learned from few
    values and ``for`` are allowed for. Without a budget it is 0.001. WARN is at least twice as
    loose. Limits are never nearer than what chance alone does to so few rows.

    A past value that was itself an error is not learned from: values are taken from the oldest
    on, and one that lies where 1 in 1000 would (``error_alpha`` or else ``warn_alpha``, where
    numbers are given) by those taken before it is left out. A shift that lasts is therefore
    flagged until the look-back holds fewer than ``minimum_slices`` from before it,
    ``slices - minimum_slices`` slices after it came; from then on it is what is normal. More
    ``slices`` keep it flagged for longer. All of this follows from the past values alone,
    whatever was judged before and in which order.

    Source: Hahn, Meeker, Escobar, Statistical Intervals (2nd ed.), section 4.7.
    """

    type: Literal["learned"] = "learned"
    slices: int = Field(
        default=28,
        ge=4,
        le=MOST_SLICES,
        description="How many slices back it learns from. Default: 28 days, or 26 weeks; of hours "
        "672; of long windows as many as 8 windows hold.",
    )
    minimum_slices: int = Field(
        default=7,
        ge=3,
        le=MOST_SLICES,
        description="With fewer slices behind it there is no verdict yet, nor with fewer than 3 "
        "windows. Default: 7 days, or 8 weeks; of hours 168.",
    )
    warn_alpha: float | None = Field(
        default=0.01,
        gt=0,
        lt=1,
        description="Probability of a false WARN, for the whole monitor; twice that of an ERROR "
        "by the budget where that is more.",
    )
    error_alpha: Annotated[float, Field(gt=0, lt=1)] | Literal["budget"] | None = Field(
        default="budget",
        description="Probability of a false ERROR, for the whole monitor. Default: what the alert "
        "policy's false_pages_per_month leaves to it.",
    )
    sides: Sides | None = Field(
        default=None, description="Which limits there are; when left out, the metric's bad side."
    )
    minimum_change: float = Field(
        default=0.0,
        ge=0,
        description="Limits are never nearer than this to the mean of the past.",
    )
    pin: str | None = Field(
        default=None,
        description="A partition's key: limits stay those that were learned for it. Partitions "
        "before it are judged by their own.",
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

    def learned_at(self, partition: str) -> str:
        """The pinned partition, once it is past; keys of a model sort by time."""
        return partition if self.pin is None else min(self.pin, partition)

    def counted_in(self, every: Every, *, window: int = 1) -> Self:
        """See :meth:`Threshold.counted_in`.

        Example:
            >>> LearnedThreshold().counted_in("hour").slices
            672
            >>> LearnedThreshold().counted_in("day", window=7).slices
            56
        """
        given = self.model_fields_set
        slices = self.slices
        if "slices" not in given:
            slices = min(max(_LEARNED_FROM[every], _WINDOWS * window), MOST_SLICES)
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
        values = [onto(value, evidence.scale) for value in evidence.past]
        places = self._normal(values, evidence, needed)
        normal = _normal_of([values[place] for place in places], _at(evidence.seasons, places))
        tests = self._tests(evidence)
        error = self._error_level(normal, evidence, tests)
        warn = None if self.warn_alpha is None else self.warn_alpha / tests
        if warn is not None and error is not None and self.error_alpha == "budget":
            warn = max(warn, _WARN_TIMES * error)
        return Levels(
            warn=self._limits(warn, normal, evidence), error=self._limits(error, normal, evidence)
        )

    def _tests(self, evidence: Evidence) -> int:
        """Limits at once: two sides are two."""
        sides = 2 if (self.sides or evidence.worse) == "both" else 1
        return max(evidence.tests, 1) * sides

    def _error_level(self, normal: Normal, evidence: Evidence, tests: int) -> float | None:
        if self.error_alpha != "budget":
            return None if self.error_alpha is None else self.error_alpha / tests
        if evidence.share is None:
            return _ERROR_ALPHA / tests
        return level_for(
            evidence.share.pages,
            n=normal.freedom + 1,
            window=evidence.window,
            in_a_row=evidence.share.in_a_row,
            tests=tests,
        )

    def _left_out_level(self, evidence: Evidence, n: int) -> float:
        """A tenth of a page's level: what is left out narrows limits that come of few values."""
        tests = self._tests(evidence)
        if self.error_alpha != "budget":
            return (self.error_alpha or self.warn_alpha or _ERROR_ALPHA) / tests
        if evidence.share is None:
            return _ERROR_ALPHA / tests
        page = level_for(
            evidence.share.pages,
            n=n,
            window=evidence.window,
            in_a_row=evidence.share.in_a_row,
            tests=tests,
        )
        return min(_ERROR_ALPHA / tests, page / _LEFT_OUT_TIMES)

    def _normal(self, values: Sequence[float], evidence: Evidence, needed: int) -> list[int]:
        """Places of what is no error; the first ``needed`` values are all there is to go by.

        The mean and spread of those taken are kept up as they grow (Welford 1962).
        """
        level = self._left_out_level(evidence, len(values))
        places: list[int] = []
        mean = squares = 0.0
        for place, value in enumerate(values):
            n = len(places)
            if n >= needed:
                normal = Normal(mean, math.sqrt(max(squares, 0.0) / (n - 1)), n - 1, n)
                if self._is_error(value, level, normal, evidence):
                    continue
            places.append(place)
            ahead = value - mean
            mean += ahead / (n + 1)
            squares += ahead * (value - mean)
        return places

    def _is_error(self, value: float, level: float, normal: Normal, evidence: Evidence) -> bool:
        """Whether a value, on its scale, lies beyond limits of a level."""
        near = prediction_factor(normal.freedom, normal.n, level) * normal.spread
        if abs(value - normal.mean) <= near:
            return False  # other limits are further out only
        limits = self._limits(level, normal, evidence)
        return limits is not None and not _within(back(value, evidence.scale), limits)

    def _limits(self, level: float | None, normal: Normal, evidence: Evidence) -> Pair | None:
        """One-sided limits of a level, no nearer to what is normal than chance comes."""
        if level is None:
            return None
        sides = self.sides or evidence.worse
        width = prediction_factor(normal.freedom, normal.n, level) * normal.spread
        mean = back(normal.mean, evidence.scale)
        lower = upper = None
        if sides != "upper":
            lower = back(normal.mean - width, evidence.scale)
            lower = min(lower, mean - self._nearest(normal, evidence, level, mean))
        if sides != "lower":
            upper = back(normal.mean + width, evidence.scale)
            upper = max(upper, mean + self._nearest(normal, evidence, level, mean))
        return lower, upper

    def _nearest(self, normal: Normal, evidence: Evidence, level: float, mean: float) -> float:
        """How near to the mean a limit may come.

        A distance's noise begins at 0 and holds the mean of what chance does, which the past has
        too: what counts is how far the noise lies beyond that mean.
        """
        noise = evidence.noise
        if normal.spread == 0:
            # Nothing but the noise says how far quiet values go.
            noise *= max(1.0, upper_normal(level) / upper_normal(evidence.noise_alpha))
        if evidence.is_distance:
            noise = max(noise - mean, noise - (evidence.past_noise or noise))
        return max(self.minimum_change, noise)


AnyThreshold = Annotated[
    AbsoluteThreshold | RelativeThreshold | LearnedThreshold, Field(discriminator="type")
]


def _at(seasons: Seasons | None, places: Sequence[int]) -> Seasons | None:
    if seasons is None:
        return None
    past = [seasons.past[place] for place in places]
    return Seasons(length=seasons.length, own=seasons.own, past=past)


def _normal_of(values: Sequence[float], seasons: Seasons | None) -> Normal:
    """What is normal of the judged window's season, where seasons differ, or of all values."""
    if seasons is not None:
        found = in_season(values, seasons.past, seasons.own, length=seasons.length)
        if found is not None:
            return found
    n = len(values)
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Normal(mean, math.sqrt(squares / (n - 1)), n - 1, n)


def _within(value: float, limits: Pair) -> bool:
    lower, upper = limits
    return (lower is None or value >= lower) and (upper is None or value <= upper)
