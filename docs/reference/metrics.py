"""The catalogues of metrics, from what each metric declares of itself."""

from __future__ import annotations

import sys

from dagster_monitoring.monitors.drift import DriftMonitor
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.multivariate_drift import MultivariateDriftMonitor
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.monitors.quality import quality_metrics
from dagster_monitoring.monitors.threshold import (
    Limits,
    RelativeThreshold,
    Threshold,
)
from dagster_monitoring.statistics.drift import DriftMetric, drift_metrics
from dagster_monitoring.statistics.multivariate import multivariate_metrics
from dagster_monitoring.statistics.performance import PerformanceMetric, performance_metrics
from reference.words import prose


def drift_table() -> str:
    """A section for each drift metric."""
    against_training = DriftMonitor()
    parts = []
    for metric in drift_metrics().values():
        facts = [
            ("columns", " and ".join(sorted(metric.kinds, reverse=True))),
            ("numeric bins", metric.bins if "numeric" in metric.kinds else ""),
            ("range", _range(metric.bounds)),
            ("unit", metric.unit),
            ("symmetric", "yes" if metric.symmetric else "no"),
            ("bad when", "" if metric.higher_is_worse else "low"),
            ("fewest rows", str(metric.minimum_n)),
            ("without enough to go by", metric.degenerate),
            ("sampling error", metric.sampling),
            ("default limits", _drift_limits(against_training, metric)),
            ("source", metric.source),
        ]
        parts.append(_metric(metric.name, metric.title, metric.formula, facts))
    return "\n".join(parts)


def _drift_limits(monitor: DriftMonitor, metric: DriftMetric) -> str:
    limits = _limits(monitor.default_threshold(metric.name))
    return f"{limits} ({metric.limits_source})" if metric.limits_source else limits


def multivariate_table() -> str:
    """A section for each metric of several columns."""
    monitor = MultivariateDriftMonitor()
    parts = []
    for metric in multivariate_metrics().values():
        needs = {"projection": "sums of all rows", "sample": "a sample of 2,000 rows"}
        facts = [
            ("from", needs[metric.needs]),
            ("range", _range(metric.bounds)),
            ("symmetric", "yes" if metric.symmetric else "no"),
            ("bad when", {"upper": "high", "both": "high or low"}[metric.worse]),
            ("unit", metric.unit),
            ("fewest rows", str(metric.minimum_n)),
            ("without enough to go by", metric.degenerate),
            ("sampling error", metric.sampling),
            ("default limits", _limits(monitor.default_threshold(metric.name))),
            ("source", metric.source),
        ]
        parts.append(_metric(metric.name, metric.title, metric.compute, facts))
    return "\n".join(parts)


def performance_table() -> str:
    """A section for each performance metric."""
    monitor = PerformanceMonitor()
    parts = []
    for metric in performance_metrics().values():
        better = {True: "higher is better", False: "lower is better", None: "best at 0"}
        facts = [
            ("tasks", ", ".join(sorted(metric.tasks))),
            ("needs a score", "yes" if metric.needs_score else "no"),
            ("range", f"{_range(metric.bounds)}, {better[metric.higher_is_better]}"),
            ("unit", metric.unit),
            ("symmetric", "yes" if metric.symmetric else "no"),
            ("averages", _averages(metric)),
            ("fewest rows", str(metric.minimum_n)),
            ("one-sided input", metric.degenerate),
            ("sampling error", metric.error_method),
            ("default limits", _limits(monitor.default_threshold(metric.name))),
            ("source", metric.source),
        ]
        parts.append(_metric(metric.name, metric.title, metric.compute, facts))
    return "\n".join(parts)


def _averages(metric: PerformanceMetric) -> str:
    if "multiclass_classification" not in metric.tasks or not metric.by_class:
        return ""
    if metric.ratio is not None:
        return "macro, weighted, micro, per_class"
    return "macro, per_class" if metric.needs_score else "of the whole table, per_class"


def quality_table() -> str:
    """A section for each data-quality metric."""
    parts = []
    for metric in quality_metrics().values():
        facts = [
            ("of", " and ".join(sorted(metric.kinds, reverse=True)) + " columns"
             if metric.kinds else "the table as a whole"),
            ("unit", metric.unit),
            ("bad when", {"upper": "high", "lower": "low", "both": "high or low"}[metric.worse]),
            ("looks at", "several recent slices" if metric.recent else "the judged slice"),
            ("sampling error", metric.error_method),
            ("default limits", _limits(metric.threshold)),
        ]  # fmt: skip
        module = sys.modules[metric.compute.__module__]
        parts.append(_metric(metric.name, metric.title, module, facts))
    return "\n".join(parts)


def _metric(name: str, title: str, told_by: object, facts: list[tuple[str, str]]) -> str:
    known = "; ".join(f"{what}: {value}" for what, value in facts if value)
    return f"### `{name}`: {title}\n\n{prose(told_by.__doc__ or '')}\n\n*{known}*\n"


def _range(bounds: tuple[float, float]) -> str:
    low, high = ("∞" if abs(b) == float("inf") else f"{b:g}" for b in bounds)
    return f"{'-' if bounds[0] == -float('inf') else ''}{low} to {high}"


def _limits(threshold: Threshold) -> str:
    """The limits of a threshold in a few words."""
    if isinstance(threshold, LearnedThreshold):
        return f"learned from the {threshold.slices} slices before"
    levels = {"WARN": getattr(threshold, "warn", None), "ERROR": getattr(threshold, "error", None)}
    return ", ".join(
        f"{level} {_sides(limits, threshold)}"
        for level, limits in levels.items()
        if isinstance(limits, Limits)
    )


def _sides(limits: Limits, threshold: Threshold) -> str:
    if isinstance(threshold, RelativeThreshold):
        is_ratio = threshold.mode == "ratio"
        by = [f"{abs(x):.0%}" if is_ratio else f"{abs(x):g}" for x in _given(limits)]
        signs = ["below" if x < 0 else "above" for x in _given(limits)]
        return " or ".join(
            f"{amount} {sign} the baseline's value" for amount, sign in zip(by, signs, strict=True)
        )
    low = f"below {limits.lower:g}" if limits.lower is not None else ""
    high = f"above {limits.upper:g}" if limits.upper is not None else ""
    return " or ".join(side for side in (low, high) if side)


def _given(limits: Limits) -> list[float]:
    return [x for x in (limits.lower, limits.upper) if x is not None]
