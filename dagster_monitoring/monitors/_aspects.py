"""One number of a summary: a metric as such, averaged in a declared way, or of one class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dagster_monitoring.monitors._monitor import View
from dagster_monitoring.profiles.names import short
from dagster_monitoring.schema import MulticlassClassification, Task
from dagster_monitoring.statistics.performance import (
    OTHER_CLASSES,
    MulticlassSummary,
    PerformanceMetric,
    Summary,
)
from dagster_monitoring.statistics.undefined import Undefined

Averaging = Literal["macro", "micro", "weighted", "per_class"]

MAX_JUDGED_CLASSES = 50
"""Classes that are judged one by one: names come from data, and each is a row of the check."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """A metric as one monitor looks at it.

    Attributes:
        metric: which.
        task: what is predicted.
        average: how classes are averaged; ``per_class`` where there is none to tell apart.
        class_name: the one class of several it is of.
    """

    metric: PerformanceMetric
    task: Task
    average: Averaging = "macro"
    class_name: str | None = None

    @property
    def column(self) -> str | None:
        """The label and its class, such as ``"species=oak"``; ``None`` for all classes."""
        return None if self.class_name is None else f"{self.task.label}={short(self.class_name)}"

    def value(self, summary: Summary) -> float | Undefined:
        """The number, or why there is none; also for a task that the metric is not for."""
        if self.task.type not in self.metric.tasks:
            name = self.metric.name
            return Undefined(f"{name} is not defined for {self.task.type}; take it out of metrics")
        ratio = self.metric.ratio
        if ratio is not None and self.average in ("micro", "weighted"):
            return ratio.value(summary, "micro" if self.average == "micro" else "weighted")
        return self.metric.compute(self._own(summary))

    def standard_error(self, summary: Summary) -> float | Undefined:
        """Its sampling error, or why there is none."""
        if self.task.type not in self.metric.tasks:
            return Undefined(f"{self.metric.name} is not defined for {self.task.type}")
        ratio = self.metric.ratio
        if ratio is not None and self.average in ("micro", "weighted"):
            return ratio.error(summary, "micro" if self.average == "micro" else "weighted")
        return self.metric.standard_error(self._own(summary))

    def _own(self, summary: Summary) -> Summary:
        if self.class_name is None or not isinstance(summary, MulticlassSummary):
            return summary
        return summary.against_rest(self.class_name)


def is_only_macro(metric: PerformanceMetric) -> bool:
    """Whether classes can be averaged by their mean and in no other way."""
    return metric.by_class and metric.ratio is None and metric.needs_score


def judged_classes(view: View) -> tuple[str, ...]:
    """The classes that are judged one by one, sorted: the declared ones, or the baseline's.

    At most 50, the commonest; those of the window where the baseline has no labels. None when
    the task is of two classes, or of none.
    """
    if not isinstance(view.task, MulticlassClassification):
        return ()
    if view.task.scores:
        return tuple(sorted(view.task.scores)[:MAX_JUDGED_CLASSES])
    reference = view.baseline.reference
    summary = (reference or view.performance(1).profile).summary
    if not isinstance(summary, MulticlassSummary):
        return ()
    rows = dict(zip(summary.classes, summary.confusion.sum(axis=1).tolist(), strict=True))
    rows.pop(OTHER_CLASSES, None)
    commonest = sorted(rows, key=lambda name: (-rows[name], name))[:MAX_JUDGED_CLASSES]
    return tuple(sorted(commonest))
