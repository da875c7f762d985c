"""From measurements to verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from dagster_monitoring.evaluation import Evaluation, Severity, Status, half_width
from dagster_monitoring.monitors._monitor import Measurement, Monitor, View
from dagster_monitoring.monitors._past import Past
from dagster_monitoring.monitors._slices import slices_before
from dagster_monitoring.monitors.threshold import Evidence, Levels, Pair
from dagster_monitoring.statistics.undefined import Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    status: Status
    severity: Severity | None
    limits: Pair = (None, None)
    reason: str | None = None


def evaluate(
    monitor: Monitor,
    view: View,
    past: Sequence[Sequence[Measurement]],
    *,
    run_id: str | None,
    now: datetime,
    measured: Sequence[Measurement] | None = None,
) -> list[Evaluation]:
    """A verdict on every measurement of a monitor at the view's partition.

    Args:
        monitor: what is measured, and its thresholds.
        view: the model at the judged partition.
        past: the monitor's measurements at each of :func:`past_partitions`.
        run_id: the run that asks, kept with the verdict.
        now: the moment of judging, kept with the verdict.
        measured: the monitor's measurements at the view's partition, when they are at hand.

    Returns:
        At least one evaluation; a NO_DATA that says so when there was nothing to measure.
    """
    given = monitor.measure(view) if measured is None else measured
    judged = [_finite(m) for m in given] or [_nothing_measured(monitor)]
    earlier = Past(monitor, view, past)
    tests = _tests(judged)
    is_young = _is_young(monitor, view)
    frame = _Frame.of(monitor, view, run_id=run_id, now=now)
    return [
        frame.evaluation(m, _judge(monitor, m, earlier, tests, is_young=is_young)) for m in judged
    ]


def limits_in_force(
    monitor: Monitor,
    view: View,
    past: Sequence[Sequence[Measurement]],
    *,
    measured: Sequence[Measurement],
) -> list[tuple[Measurement, Levels | Undefined]]:
    """Both levels that each value is held to; takes what :func:`evaluate` takes.

    Values that could not be computed are left out, for nothing is held to them.
    """
    judged = [m for m in map(_finite, measured) if m.value is not None]
    earlier = Past(monitor, view, past)
    return [(m, _levels(monitor, m, earlier, _tests(judged))) for m in judged]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What all evaluations of one monitor at one partition share."""

    monitor: Monitor
    view: View
    bounds: tuple[datetime, datetime]
    model_version: str | None
    run_id: str | None
    now: datetime

    @classmethod
    def of(cls, monitor: Monitor, view: View, *, run_id: str | None, now: datetime) -> _Frame:
        days = view.partitions
        back = min(monitor.window - 1, slices_before(view))
        start, _ = days.bounds(days.shift(view.partition, -back))
        return cls(
            monitor=monitor,
            view=view,
            bounds=(start, days.bounds(view.partition)[1]),
            model_version=model_version(view),
            run_id=run_id,
            now=now,
        )

    def evaluation(self, measurement: Measurement, verdict: _Verdict) -> Evaluation:
        kind = self.monitor.baseline_kind()
        return Evaluation(
            model=self.view.model,
            monitor=self.monitor.name,
            monitor_kind=self.monitor.kind,
            metric=measurement.metric,
            column=measurement.column,
            segment=measurement.segment,
            baseline_kind=kind,
            baseline_version=self.view.baseline.version if kind else None,
            partition=self.view.partition,
            window_start=self.bounds[0],
            window_end=self.bounds[1],
            value=measurement.value,
            lower=verdict.limits[0],
            upper=verdict.limits[1],
            status=verdict.status,
            severity=verdict.severity,
            reason=verdict.reason,
            n=measurement.n,
            n_labelled=measurement.n_labelled,
            model_version=self.model_version,
            evaluated_at=self.now,
            run_id=self.run_id,
            standard_error=_standard_error(measurement),
            coverage=measurement.coverage,
            label_delay_p50_hours=_delay(measurement, 0.5),
            label_delay_p90_hours=_delay(measurement, 0.9),
        )


def model_version(view: View) -> str | None:
    """The version that scored most rows of the slice; the baseline's when rows don't say."""
    versions = view.window(1).profile.model_versions
    if not versions:
        return view.baseline.model_version
    return max(versions, key=lambda name: (versions[name], name))


def _judge(monitor: Monitor, m: Measurement, past: Past, tests: int, *, is_young: bool) -> _Verdict:
    if m.value is None:
        return _no_data(m.reason or "no value and no reason was given", expected=m.expected)
    if m.n < monitor.minimum_n:
        reason = f"{m.n} rows, and {monitor.minimum_n} are needed for a verdict (minimum_n)"
        return _no_data(reason, expected=True)
    levels = _levels(monitor, m, past, tests)
    if isinstance(levels, Undefined):
        learns = monitor.threshold_of(m.metric).past_slices() > 0
        return _no_data(levels.reason, expected=is_young and learns)
    return _against(m.value, levels, most=_least(monitor.severity, m.most), note=m.reason)


def _tests(judged: Sequence[Measurement]) -> int:
    """How many values the thresholds judge at once; those that bring their own limits are none."""
    return sum(m.value is not None and m.levels is None for m in judged)


def _levels(monitor: Monitor, m: Measurement, past: Past, tests: int) -> Levels | Undefined:
    if m.levels is not None:
        return m.levels
    threshold = monitor.threshold_of(m.metric)
    earlier, seasons = past.of(m, threshold) if threshold.past_slices() else ((), None)
    return threshold.levels(
        Evidence(
            reference=m.reference,
            noise=m.noise,
            noise_alpha=m.noise_alpha,
            swing=m.swing,
            worse=m.worse,
            past=[own.value for own in earlier if own.value is not None],
            past_noise=fmean(own.noise for own in earlier) if earlier else None,
            seasons=seasons,
            window=monitor.window,
            tests=tests,
            share=monitor.share,
            is_distance=m.is_distance,
            scale=m.scale,
        )
    )


def _against(value: float, levels: Levels, *, most: Severity, note: str | None) -> _Verdict:
    for severity, limits in ((Severity.ERROR, levels.error), (Severity.WARN, levels.warn)):
        side = _crossed(value, limits)
        if side is not None:
            capped = Severity.WARN if most is Severity.WARN else severity
            reason = f"{side}; {note}" if note else side
            return _Verdict(
                status=Status.TRIGGERED,
                severity=capped,
                limits=limits or (None, None),
                reason=reason,
            )
    nearest = levels.warn or levels.error or (None, None)
    return _Verdict(status=Status.HEALTHY, severity=None, limits=nearest, reason=note)


def _least(one: Severity, other: Severity) -> Severity:
    return Severity.WARN if Severity.WARN in {one, other} else Severity.ERROR


def _crossed(value: float, limits: Pair | None) -> str | None:
    lower, upper = limits or (None, None)
    if upper is not None and value > upper:
        return f"{value:.4g} is above {upper:.4g}"
    if lower is not None and value < lower:
        return f"{value:.4g} is below {lower:.4g}"
    return None


def _no_data(reason: str, *, expected: bool) -> _Verdict:
    return _Verdict(
        status=Status.NO_DATA,
        severity=None if expected else Severity.WARN,
        reason=f"No data yet: {reason}" if expected else f"No data: {reason}",
    )


def _finite(m: Measurement) -> Measurement:
    """A value too large to be a number is no value: it would compare as anything."""
    if m.value is None or math.isfinite(m.value):
        return m
    reason = f"{m.metric} is not a finite number ({m.value}); look for extreme values"
    return m._replace(value=None, reason=reason)


def _standard_error(m: Measurement) -> float | None:
    """Of a value only; one whose interval is too large to be numbers is not known."""
    half = half_width(m.standard_error)
    if m.value is None or half is None or not math.isfinite(abs(m.value) + half):
        return None
    return m.standard_error


def _delay(m: Measurement, share: float) -> float | None:
    """The upper bound of a label delay's quantile, or the lower one of the last cell."""
    found = m.delays.quantile(share) if m.delays else None
    if found is None:
        return None
    return found.lower if found.upper is None else found.upper


def _nothing_measured(monitor: Monitor) -> Measurement:
    return Measurement(
        metric=monitor.kind,
        value=None,
        reason=f"monitor {monitor.name!r} found nothing to measure; look at its columns, metrics "
        "and segments",
        n=0,
    )


def _is_young(monitor: Monitor, view: View) -> bool:
    """Whether production is too young for all the slices that the monitor looks back on."""
    return slices_before(view) < monitor.warm_up_slices()
