"""What ``monitors: default`` stands for."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.monitors._monitor import Monitor
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
from dagster_monitoring.monitors.label_coverage import LabelCoverageMonitor
from dagster_monitoring.monitors.label_freshness import LabelFreshnessMonitor
from dagster_monitoring.monitors.learned import LearnedThreshold
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.partitions import Every
from dagster_monitoring.schema import Columns, Task

_ROLLING: Mapping[Every, int] = {"hour": 336, "day": 14, "week": 4}
_ROLLING_WORDS: Mapping[Every, str] = {
    "hour": "two weeks",
    "day": "two weeks",
    "week": "four weeks",
}


def default_monitors(
    task: Task, columns: Columns, *, labels: bool = True, every: Every = "day"
) -> list[Monitor]:
    """A sensible set for a model: few monitors, and calm ones.

    Features that drift never say more than WARN: seasons make them drift for months without any
    harm. What may say ERROR is what does harm: faulty rows, predictions that leave what they were
    used to, and performance. Predictions are held against limits learned from their own past,
    since how far they swing from day to day differs from model to model.

    Args:
        task: what the model predicts.
        columns: the columns of its rows.
        labels: whether ground truth is declared; without it nothing measures performance.
        every: how long a slice is; windows and look-backs count slices.

    Example:
        >>> from dagster_monitoring.schema import Regression
        >>> task = Regression(label="price", prediction="price_pred")
        >>> columns = Columns(id="id", timestamp="at", numeric=("age",))
        >>> [monitor.name for monitor in default_monitors(task, columns, labels=False)]
        ['data_quality', 'drift', 'drift_rolling_14', 'prediction_drift']
    """
    del task
    features: list[Monitor] = [
        DriftMonitor(
            severity=Severity.WARN,
            description="Features against training. A season shows here, and harms nobody.",
        ),
        DriftMonitor(
            severity=Severity.WARN,
            baseline=Rolling(rolling=_ROLLING[every]),
            metrics=("jensen_shannon",),
            threshold=LearnedThreshold(),
            description=f"Features against the {_ROLLING_WORDS[every]} before: sudden changes.",
        ),
    ]
    predictions = DriftMonitor(
        columns="predictions",
        metrics=("jensen_shannon",),
        threshold=LearnedThreshold(),
        description="Predictions and scores against training, in the light of their own past.",
    )
    labelled: list[Monitor] = (
        [PerformanceMonitor(), LabelCoverageMonitor(), LabelFreshnessMonitor()] if labels else []
    )
    drift = [*(features if columns.features else []), predictions]
    return [monitor.counted_in(every) for monitor in (DataQualityMonitor(), *drift, *labelled)]
